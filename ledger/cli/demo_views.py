"""What `licence-ledger demo` shows at its end: who got what, the sums that must agree, the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.context import current
from ledger.demo.opening import CLAIMING
from ledger.domain.address import checksum_address

if TYPE_CHECKING:
    from ledger.demo.ending import Ending
    from ledger.demo.stage import Money
    from ledger.demo.summary import Summary
    from ledger.demo.usage_summary import PeriodRow, UsageSummary
    from ledger.operations.verify import Verdict

_SHOWN = 12


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _agrees(held: bool) -> str:
    return "agrees" if held else "DIFFERS"


def show_summary(money: Money, summary: Summary) -> None:
    """Holders, licences and splits."""
    out = current().out
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
                _agrees(row.agrees),
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
                _agrees(one.holds),
            )
            for one in summary.splits
        ],
        title="Credited = paid + owed + residue",
    )


def show_usage(money: Money, usage: UsageSummary) -> None:
    """The periods of the licence that is weighted by use, their rounds and bonds."""
    out = current().out
    out.table(
        (">period", ">gross", ">paid by the licensee", ">gone to payees", ">waits", ""),
        [
            (
                row.number,
                *(money.show(one) for one in (row.gross, row.paid, row.account.moved, row.account.waiting)),
                _agrees(row.agrees),
            )
            for row in usage.periods
        ],
        title=f"Licence {usage.licence}, weighted by use: paid = gone to payees + waits",
    )
    out.table(
        (
            ">period",
            ">round",
            "posted by",
            "how it was settled",
            ">payees",
            ">to payees",
            ">of",
            ">with late money",
        ),
        [
            (
                row.number,
                one.number,
                one.by,
                one.how,
                one.payees,
                *(money.show(units) for units in (one.total, one.amount, one.moved)),
            )
            for row in usage.periods
            for one in row.rounds
        ],
        title="Its distributions",
    )
    for bond in usage.bonds:
        way = "went back" if bond.upheld else "was lost"
        out.line(f"Bond of {money.show(bond.amount)} by {checksum_address(bond.objector)}: {way}.")
    out.line(
        f"What waits is held for works in no catalogue ({_part_unmatched(usage.periods)} of all use) and names without "
        "a payee; matched later, it is posted and paid as in period 0."
    )
    found = "their files hold what they tell" if not usage.record_flaws else f"{usage.record_flaws} FLAWS"
    out.line(
        f"Attribution: {usage.records} records, {found}; {usage.proofs} proofs held by the contract's pure views."
    )
    out.line(f"{usage.sample}: {sum(usage.flaws.values())} flaws, each with its line in flaws.csv.")


def _part_unmatched(periods: tuple[PeriodRow, ...]) -> str:
    unmatched = sum(one.unmatched for one in periods)
    return f"{100 * unmatched / sum(one.accepted + one.unmatched for one in periods):.1f} %"


def show_verdict(verdict: Verdict) -> None:
    """The audit."""
    out = current().out
    for head in verdict.heads:
        same = "PASS" if head.passed else "FAIL"
        out.line(
            f"{same}  journal of {head.contract}: {head.entries} entries fold to 0x{head.folded.hex()[:16]}…"
        )
    for check in verdict.checks:
        out.line(f"{'PASS' if check.passed else 'FAIL'}  {check.name}: {check.compared} figures")
    out.line(f"Books up to block {verdict.block}: {verdict.words}")


def show_ending(money: Money, ending: Ending) -> None:
    """The audit by proofs, against the last block that the demonstration's own chain mined; the papers; the lie."""
    out = current().out
    verdict, lie = ending.verdict, ending.lie
    out.line(f"Every head, record and slot proved under block hash 0x{verdict.block_hash.hex()}")
    for step in verdict.steps:
        if step.name == "transfers":
            out.line(f"{step.compared:,} token transfers: {step.detail}")
    for one in verdict.findings:
        out.line(f"FAIL  {one.where}: {one.what}")
    out.line(f"Audit: {verdict.words}, {len(verdict.steps)} steps, up to block {verdict.block}")
    out.line(f"Its evidence: {ending.bundle.name}. The statement of {CLAIMING}: {ending.statement.name}.")
    out.line(
        f"Its page, to be opened in a browser and verified there by the block hash above: {_short(ending.page)}"
    )
    out.line(
        f"A lie, tried: the evidence once more, its last credit, block {lie.block}, told as {money.show(lie.told)} "
        f"instead of {money.show(lie.true)}. The audit says:"
    )
    for one in lie.findings:
        out.line(f"  FAIL  {one.where}: {one.what}")
    out.line("The lie is caught." if lie.caught else "THE LIE IS NOT CAUGHT.")


# ---- as data


def summary_data(summary: Summary) -> dict[str, Any]:
    """Holders, licences and splits as `--json` prints them; amounts in base units."""
    return {
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
    }


def ending_data(ending: Ending) -> dict[str, Any]:
    """The audit's papers and the lie, as `--json` prints them; amounts in base units."""
    return {
        "statement": ending.statement.name,
        "bundle": ending.bundle.name,
        "page": str(ending.page),
        "lie": {
            "block": ending.lie.block,
            "told": str(ending.lie.told),
            "true": str(ending.lie.true),
            "caught": ending.lie.caught,
            "findings": [one.what for one in ending.lie.findings],
        },
    }


def usage_data(usage: UsageSummary, explained: dict[str, Any]) -> dict[str, Any]:
    """The licence that is weighted by use, as `--json` prints it; amounts in base units."""
    return {
        "licence": usage.licence,
        "periods": [
            {
                "period": row.number,
                "gross": str(row.gross),
                "paid": str(row.paid),
                "moved": str(row.account.moved),
                "waits": str(row.account.waiting),
                "usages": str(row.accepted),
                "unmatched_usages": str(row.unmatched),
                "rounds": [
                    {
                        "round": one.number,
                        "posted_by": one.by,
                        "how": one.how,
                        "split": one.split_id,
                        "payees": one.payees,
                        "to_payees": str(one.total),
                        "of": str(one.amount),
                        "moved": str(one.moved),
                    }
                    for one in row.rounds
                ],
            }
            for row in usage.periods
        ],
        "bonds": [
            {
                "objector": checksum_address(one.objector),
                "period": one.period,
                "amount": str(one.amount),
                "upheld": one.upheld,
            }
            for one in usage.bonds
        ],
        "attribution": {
            "records": usage.records,
            "flaws": usage.record_flaws,
            "proofs": usage.proofs,
        },
        "sample": {"file": usage.sample, "flaws": usage.flaws},
        "explained": explained,
    }
