"""licence-ledger demo: the whole story, on a chain of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.context import current, noun
from ledger.domain.errors import AuditFailed, LedgerError

if TYPE_CHECKING:
    from ledger.demo.opening import Opening
    from ledger.demo.summary import Summary
    from ledger.operations.verify import Verdict

app = noun("demo")

#: Where the demonstration lives unless --home names another place.
FOLDER = Path("ledger-demo")
_MARK = "demonstration"
_SHOWN = 12


@app.command()
def demo() -> None:
    """Grants three licences on a chain of its own, plays a year of reports and payouts, and proves the books."""
    from ledger.demo.opening import Opening
    from ledger.demo.stage import OPERATOR, Stage
    from ledger.demo.summary import summarise
    from ledger.demo.year import Year
    from ledger.operations import books, chains, verify

    context = current()
    out = context.out
    folder = (context.options.home or FOLDER).absolute()
    _fresh(folder)
    stage = Stage(folder, out.say)
    try:
        opening = Opening(stage)
        opening.play()
        Year(opening).play()
        session = stage.session(OPERATOR)
        verdict = verify.verify(session)
        summary = summarise(opening, books.read(session))
        gas, transactions = stage.gas()
    finally:
        stage.close()
        chains.stop(stage.home)
    data = _data(opening, summary, verdict, gas, transactions)

    def show() -> None:
        _show(opening, summary)
        out.line(f"{transactions} transactions took {gas:,} gas.")
        out.line()
        _show_verdict(verdict)

    again = f"licence-ledger --home {_relative(folder)}"
    out.result(
        data,
        show,
        after=[
            f"{again} chain start",
            f"{again} verify",
            f"{again} report due {opening.hybrid}",
            f"{again} licence show {opening.hybrid}",
            f"{again} chain stop",
        ],
    )
    if not verdict.passed:
        raise AuditFailed("The books of the demonstration do not agree.", remedy="See the findings above.")


def _fresh(folder: Path) -> None:
    """An empty folder for the demonstration; an earlier demonstration there is removed. Raises LedgerError."""
    import shutil

    from ledger.chain.folders import private_folder
    from ledger.operations import chains
    from ledger.operations.home import Home

    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise LedgerError(
                "The folder holds something else than a demonstration.",
                str(folder),
                remedy="Name an empty one: licence-ledger demo --home DIR.",
            )
        chains.stop(Home(folder))
        shutil.rmtree(folder)
    private_folder(folder)
    (folder / _MARK).write_text(
        "licence-ledger demo writes this folder anew at each run.\n", encoding="utf-8"
    )


def _relative(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else str(folder)


def _show(opening: Opening, summary: Summary) -> None:
    out, money = current().out, opening.money
    out.table(
        ("rights holder", ">works", ">earned", ">paid", "how it was paid"),
        [
            (row.name, row.works, money.show(row.earned), money.show(row.paid), row.how)
            for row in summary.holders[:_SHOWN]
        ],
        title=f"Who got what, the first {_SHOWN} of {len(summary.holders)} rights holders",
    )
    out.table(
        ("licence", ">fee", ">sum of lines", ">owed in all", ">paid", ">set off", ">interest", ""),
        [
            (
                f"{row.number} {row.title}",
                *(
                    money.show(one)
                    for one in (row.fee, row.lines, row.owed_in_all, row.principal, row.set_off)
                ),
                money.show(row.interest),
                "agrees" if row.agrees else "DIFFERS",
            )
            for row in summary.licences
        ],
        title="The sum of all lines is what is owed in all",
    )
    out.table(
        ("split", ">credited", ">paid", ">owed", ">residue", ""),
        [
            (
                f"0x{one.split_id.hex()[:10]}…",
                *(money.show(part) for part in (one.credited, one.paid, one.owed, one.residue)),
                "agrees" if one.holds else "DIFFERS",
            )
            for one in summary.splits
        ],
        title="Credited = paid + owed + residue",
    )


def _show_verdict(verdict: Verdict) -> None:
    out = current().out
    for head in verdict.heads:
        same = "PASS" if head.passed else "FAIL"
        out.line(
            f"{same}  journal of {head.contract}: {head.entries} entries fold to 0x{head.folded.hex()[:16]}…"
        )
    for check in verdict.checks:
        out.line(f"{'PASS' if check.passed else 'FAIL'}  {check.name}: {check.compared} figures")
    out.line(f"Audit up to block {verdict.block}: {verdict.words}")


def _data(
    opening: Opening, summary: Summary, verdict: Verdict, gas: int, transactions: int
) -> dict[str, object]:
    return {
        "token": opening.money.token.address,
        "holders": [
            {
                "name": row.name,
                "works": row.works,
                "earned": str(row.earned),
                "paid": str(row.paid),
                "how": row.how,
            }
            for row in summary.holders
        ],
        "licences": [
            {
                "licence": row.number,
                "kind": row.title,
                "fee": str(row.fee),
                "lines": str(row.lines),
                "owed_in_all": str(row.owed_in_all),
                "paid": str(row.principal),
                "interest": str(row.interest),
                "set_off": str(row.set_off),
                "open": str(row.open),
            }
            for row in summary.licences
        ],
        "splits": [
            {
                "split": one.split_id,
                "credited": str(one.credited),
                "paid": str(one.paid),
                "owed": str(one.owed),
                "residue": str(one.residue),
            }
            for one in summary.splits
        ],
        "verdict": "PASS" if verdict.passed else "FAIL",
        "gas": gas,
        "transactions": transactions,
    }
