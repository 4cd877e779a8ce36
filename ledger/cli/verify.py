"""licence-ledger verify: replays the whole history and compares every figure with the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun
from ledger.cli.output import date
from ledger.domain.address import checksum_address
from ledger.domain.errors import AuditFailed

if TYPE_CHECKING:
    from ledger.operations.verify import Verdict

app = noun("verify")
_SHOWN = 40


@app.command()
def verify(
    block: Annotated[int | None, typer.Option(min=0, help="Up to this block; default: the newest.")] = None,
) -> None:
    """Folds every entry to the journals' heads, replays it through the model, compares every figure with the chain.

    Exit code 4 if anything does not match.
    """
    from ledger.operations import verify as audit

    context = current()
    session, out = context.session, context.out
    with out.progress("verifying") as step:
        verdict = audit.verify(session, block=block, progress=lambda stage, done, total: step(done))
    data = _data(verdict)
    after = [command("payout", "preview"), command("agenda")]
    if verdict.passed:
        out.result(data, lambda: _show(verdict, data), after=after)
        return
    if not out.as_json:
        _show(verdict, data)
    raise VerdictFailed(verdict, data)


class VerdictFailed(AuditFailed):
    """The books do not match. With `--json` the error carries the whole verdict."""

    def __init__(self, verdict: Verdict, data: dict[str, Any]) -> None:
        self.data = data
        first = verdict.findings[0]
        count = len(verdict.findings)
        super().__init__(
            f"The books do not match: {count:,} {'finding' if count == 1 else 'findings'}.",
            f"block {verdict.block}",
            f"{first.check}, {first.where}: {first.what}",
            "Ask another node for the same block; if it says the same, keep this and ask the other parties.",
        )

    def as_dict(self) -> dict[str, object]:
        """The error as data for `--json`."""
        return {**super().as_dict(), "verdict": self.data}


def _data(verdict: Verdict) -> dict[str, Any]:
    from ledger.operations.plan import money
    from ledger.operations.verify import NO_ANCHOR

    token = current().session.ledger.token
    return {
        "passed": verdict.passed,
        "verdict": verdict.words,
        "anchor": None,
        "scope": NO_ANCHOR,
        "block": verdict.block,
        "time": verdict.time,
        "heads": [
            {
                "contract": one.contract,
                "entries": one.entries,
                "held": one.held,
                "folded": one.folded,
                "passed": one.passed,
            }
            for one in verdict.heads
        ],
        "checks": [
            {"name": one.name, "passed": one.passed, "compared": one.compared, "detail": one.detail}
            for one in verdict.checks
        ],
        "findings": [one.as_dict() for one in verdict.findings],
        "splits": [
            {
                "split": one.split_id,
                "credited": money(token(one.token), one.credited),
                "paid": money(token(one.token), one.paid),
                "owed": money(token(one.token), one.owed),
                "residue": str(one.residue),
                "holds": one.holds,
            }
            for one in verdict.sums
        ],
        "licences": [
            {
                "licence": one.licence,
                "lines": money(token(one.token), one.lines),
                "owed_in_all": money(token(one.token), one.owed_in_all),
                "holds": one.holds,
            }
            for one in verdict.lines
        ],
        "solvency": [
            {
                "token": checksum_address(one.token),
                "held": money(token(one.token), one.held),
                "owed": money(token(one.token), one.owed),
                "holds": one.holds,
                "source": "stated by the node",
            }
            for one in verdict.solvency
        ],
        "unproved_payouts": verdict.unproved,
    }


def _show(verdict: Verdict, data: dict[str, Any]) -> None:
    out = current().out

    def mark(passed: bool) -> str:
        return "PASS" if passed else "FAIL"

    for one in verdict.heads:
        out.line(f"{mark(one.passed)}  journal of {one.contract}: {one.entries:,} entries")
        out.line(f"      held   0x{one.held.hex()}")
        out.line(f"      folded 0x{one.folded.hex()}")
    rows = [(mark(one.passed), one.name, f"{one.compared:,}", one.detail) for one in verdict.checks[1:]]
    out.table(("", "check", ">compared", ""), rows)
    if data["splits"]:
        out.table(
            ("split", ">credited", ">= paid", ">+ owed", ">+ residue"),
            [
                (
                    "0x" + one["split"].hex()[:16] + "…",
                    one["credited"]["shown"],
                    one["paid"]["shown"],
                    one["owed"]["shown"],
                    one["residue"],
                )
                for one in data["splits"]
            ],
        )
    if data["licences"]:
        out.table(
            (">licence", ">sum of its lines", ">owed in all"),
            [
                (one["licence"], one["lines"]["shown"], one["owed_in_all"]["shown"])
                for one in data["licences"]
            ],
        )
    for one in data["solvency"]:
        out.line(f"Splits holds {one['held']['shown']} and owes {one['owed']['shown']} (stated by the node).")
    for finding in verdict.findings[:_SHOWN]:
        out.line(f"FAIL  {finding.check}, {finding.where}, block {finding.block}: {finding.what}")
    if len(verdict.findings) > _SHOWN:
        out.line(f"… and {len(verdict.findings) - _SHOWN:,} findings more: --json lists all.")
    out.line(f"{verdict.words}, up to block {verdict.block}, {date(verdict.time)}")
