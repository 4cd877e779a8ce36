"""Reports and pays the revenue of a CSV: licence, period, gross, deductions (amounts with decimals).

brownie run scripts/report_revenue.py main FILE
python scripts/report_revenue.py --rpc URL --from NAME [--yes] FILE
"""

import csv
import io
from pathlib import Path

from ledger.chain.brownie_adapter import connected, run
from ledger.domain.canonical import keccak256
from ledger.domain.licence_types import Figures
from ledger.domain.money import parse_amount
from ledger.operations.licences import read
from ledger.operations.session import Session


def main(*arguments: str) -> None:
    with connected(arguments) as here:
        content = Path(here.arguments[0]).read_bytes()
        ledger = Session(rpc=here.rpc).ledger
        requests = []
        for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
            licence = read(Session(rpc=here.rpc), int(row["licence"]))
            decimals = ledger.token(licence.terms.token).decimals
            gross, deductions = (parse_amount(row[name], decimals) for name in ("gross", "deductions"))
            figures = Figures(int(row["period"]), gross, deductions, report_hash=keccak256(content))
            requests.append(ledger.licences.report(licence.number, licence.terms_data, figures, pay_now=True))
        here.send(requests)


if __name__ == "__main__":
    run(main)
