"""Reports the revenue of a CSV file (docs/reference/report-file.md) and pays what is due at once.

brownie run scripts/report_revenue.py main FILE
python scripts/report_revenue.py --rpc URL --from NAME [--yes] FILE
"""

from pathlib import Path

from ledger.chain.brownie_adapter import connected, run
from ledger.operations.report_files import read_reports
from ledger.operations.report_plans import Rules
from ledger.operations.reports import effects_of, import_reports, plan_reports
from ledger.operations.session import Session, Settings


def main(*arguments: str) -> None:
    with connected(arguments) as here:
        path, rules = Path(here.arguments[0]), Rules(pay_now=True)
        session = Session(Settings(home=here.home), rpc=here.rpc)
        rows, findings = read_reports(path.read_bytes(), path.name)
        plan = plan_reports(
            session, rows, sender=here.sender.address, rules=rules, findings=findings, where=path.name
        )
        for one in effects_of(session, plan, pay_now=True).effects:
            print(one.who, one.does, one.what, one.to)
        if here.may_send:
            made = import_reports(session, here.sender, rows, rules=rules, plan=plan)
            print(f"{len(made.plan.new)} reports booked, {len(made.plan.before)} had been booked before")
        else:
            print("Dry run: nothing was sent. Add --yes to report.")


if __name__ == "__main__":
    run(main)
