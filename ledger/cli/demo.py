"""licence-ledger demo: the whole story, on a chain of its own."""

from __future__ import annotations

from pathlib import Path

from ledger.cli.context import current, noun
from ledger.domain.errors import AuditFailed, LedgerError

app = noun("demo")

#: Where the demonstration lives unless --home names another place.
FOLDER = Path("ledger-demo")
_MARK = "demonstration"
#: The demonstration's licences, from the month they begin in to the last payout.
PERIOD = "2025-06-01..2026-08-31"


@app.command()
def demo() -> None:
    """Grants four licences on a chain of its own, plays a year of reports, use and payouts, and proves the books."""
    from ledger.cli import demo_views as views
    from ledger.cli.explain import explained_data, show_explained
    from ledger.demo.ending import end
    from ledger.demo.opening import CLAIMING, Opening
    from ledger.demo.stage import HOLDER, OPERATOR, Stage
    from ledger.demo.summary import summarise
    from ledger.demo.usage_summary import summarise_usage
    from ledger.demo.usage_year import UsageYear
    from ledger.demo.year import Year, play
    from ledger.domain.address import checksum_address
    from ledger.operations import books, chains, verify

    context = current()
    out = context.out
    folder = (context.options.home or FOLDER).absolute()
    _fresh(folder)
    stage = Stage(folder, out.say)
    try:
        opening = Opening(stage)
        opening.play()
        year = Year(opening)
        usage_year = UsageYear(year)
        play(stage, year.timetable(), usage_year.timetable())
        session = stage.session(OPERATOR)
        held = books.read(session)
        verdict = verify.verify(session)
        ending = end(stage, PERIOD)
        summary = summarise(opening, held)
        usage = summarise_usage(usage_year, held, stage.address(HOLDER))
        explained = explained_data(session, usage.explained)
        passed = verdict.passed and usage.agrees and ending.verdict.passed and ending.lie.caught
        gas, transactions = stage.gas()

        def show() -> None:
            views.show_summary(opening.money, summary)
            views.show_usage(opening.money, usage)
            out.line()
            out.line(f"Why {CLAIMING} got what it got from period 0 of licence {usage.licence}")
            show_explained(session, usage.explained, explained)
            out.line(f"{transactions} transactions took {gas:,} gas.")
            out.line()
            views.show_verdict(verdict)
            views.show_ending(opening.money, ending)

        data = {
            "token": opening.money.token.address,
            **views.summary_data(summary),
            "usage_year": views.usage_data(usage, explained),
            "verdict": "PASS" if passed else "FAIL",
            "anchor": ending.anchor,
            "ending": views.ending_data(ending),
            "gas": gas,
            "transactions": transactions,
        }
        again = f"licence-ledger --home {_relative(folder)}"
        holder = checksum_address(stage.address(HOLDER))
        out.result(
            data,
            show,
            after=[
                f"{again} chain start",
                f"{again} audit run --anchor 0x{ending.anchor.hex()}",
                f"{again} report due {opening.hybrid}",
                f"{again} licence show {opening.hybrid}",
                f"{again} distribution show {opening.pool}",
                f"{again} explain {holder} --licence {opening.pool}",
                f"{again} attribution list {opening.pool}",
                f"{again} chain stop",
            ],
        )
    finally:
        stage.close()
        chains.stop(stage.home)
    if not passed:
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
