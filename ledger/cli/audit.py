"""licence-ledger audit: proves or disproves the whole history from a block hash that the auditor trusts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun
from ledger.cli.output import date
from ledger.domain.address import checksum_address
from ledger.domain.errors import AuditFailed, ValueRefused

if TYPE_CHECKING:
    from ledger.audit.findings import Verdict

app = noun("audit")
_SHOWN = 40
Require = Annotated[
    bool, typer.Option("--require-files", help="Fail for a file that the chain names and the store lacks.")
]
Store = Annotated[
    Path | None,
    typer.Option(help="Keep verified history in this file or folder, and go on from what it has."),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin the store again: read and prove everything.")]


@app.callback()
def _verbs() -> None:
    pass


@app.command()
def run(
    anchor: Annotated[
        str, typer.Option(help="A block hash that you trust; without it nothing is anchored.")
    ] = "",
    holder: Annotated[
        str,
        typer.Option(
            help="Prove this rights holder's leaves word by word: an address, or a manifest's name."
        ),
    ] = "",
    licence: Annotated[int | None, typer.Option(min=1, help="Prove this licence word by word.")] = None,
    since: Annotated[str, typer.Option("--from", help="Duties due from this date on, UTC.")] = "",
    until: Annotated[str, typer.Option("--to", help="Duties due before this date, UTC.")] = "",
    transfers: Annotated[
        bool, typer.Option("--transfers", help="Rebuild receipts; compare the tokens' own transfers.")
    ] = False,
    first_block: Annotated[
        int | None, typer.Option(min=0, help="Read the journals from here; default: the deployment's block.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Write the evidence to this file, to be verified without a node.")
    ] = None,
    with_entries: Annotated[
        bool, typer.Option("--with-entries", help="With --holder: all entries too, as a page carries them.")
    ] = False,
    require_files: Require = False,
    go_on: Annotated[
        bool,
        typer.Option("--continue", help="Go on from the history verified before, kept in the home folder."),
    ] = False,
    store: Store = None,
    fresh: Fresh = False,
) -> None:
    """Proves code, journals, credits, page and leaf slots, licences and catalogues under one block hash.

    Every entry is folded to the proved heads, replayed through the model, and every word of storage compared with it.
    Files that the chain names by hash are read from the store (--files DIR or URL): reports, manifests, usage and
    attribution files; distributions are worked out again. Exit code 4 if anything does not match.
    """
    from ledger.audit.scopes import Wanted
    from ledger.operations import audits
    from ledger.operations.audit_holders import holder_address
    from ledger.operations.times import parse_time

    stored = go_on or store is not None
    if fresh and not stored:
        raise ValueRefused("There is no store to begin again.", remedy="Add --continue or --store FILE.")
    if stored and bundle is not None:
        raise ValueRefused(
            "A bundle holds the evidence from the first entry on, which an audit upon a store does not ask for.",
            remedy="Leave out --bundle, or --continue and --store.",
        )
    if with_entries and not (holder and bundle):
        raise ValueRefused("--with-entries goes with a holder's bundle.", remedy="Add --holder and --bundle.")
    session = current().session
    wanted = Wanted(
        anchor=audits.parse_anchor(anchor) if anchor else None,
        holder=holder_address(session, holder) if holder else None,
        licence=licence,
        since=parse_time(since) if since else 0,
        until=parse_time(until) if until else Wanted().until,
        transfers=transfers,
        first_block=audits.first_block(session) if first_block is None else first_block,
    )
    with _progress() as tell:
        if stored:
            from ledger.operations.audit_stores import audit_on_store

            verdict = audit_on_store(session, wanted, store, tell, fresh=fresh, require_files=require_files)
        elif bundle is None:
            verdict = audits.audit(session, wanted, tell, require_files=require_files)
        else:
            place = bundle.expanduser()
            verdict = audits.audit_into(
                session, wanted, place, tell, require_files=require_files, with_entries=with_entries
            )
    finish(verdict, bundle)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A bundle, plain or packed by gzip.")],
    anchor: Annotated[
        str, typer.Option(help="A block hash that you trust; without it nothing is anchored.")
    ] = "",
    require_files: Require = False,
) -> None:
    """Verifies a bundle offline: the same steps on the evidence in the file, without any node.

    Files that the chain names are read from the store as `run` does. Exit code 4 if anything does not match.
    """
    from ledger.operations import audits

    with _progress() as tell:
        verdict = audits.verify_bundle(
            file.expanduser(),
            audits.parse_anchor(anchor) if anchor else None,
            tell,
            files=current().session.files,
            require_files=require_files,
        )
    finish(verdict)


def finish(verdict: Verdict, bundle: Path | None = None) -> None:
    """Prints a verdict; raises VerdictFailed (exit code 4) unless it passed."""
    out = current().out
    data = verdict_data(verdict)
    if verdict.passed:
        after = [command("payout", "preview"), command("agenda")]
        if not verdict.anchored:
            after.insert(0, command("audit", "run", "--anchor", "HASH"))
        if bundle is not None:
            after.insert(0, command("audit", "verify", bundle, "--anchor", "0x" + verdict.block_hash.hex()))
        out.result(data, lambda: _show(verdict), after=after)
        return
    if not out.as_json:
        _show(verdict)
    raise VerdictFailed(verdict, data)


class VerdictFailed(AuditFailed):
    """The audit found something. With `--json` the error carries the whole verdict."""

    def __init__(self, verdict: Verdict, data: dict[str, Any]) -> None:
        self.data = data
        first = verdict.findings[0]
        many = len(verdict.findings)
        super().__init__(
            f"The audit failed: {many:,} {'finding' if many == 1 else 'findings'}.",
            f"block {verdict.block}",
            f"{first.check}, {first.where}: {first.what}",
            "Ask another node for the same anchor; if it says the same, keep this and ask the other parties.",
        )

    def as_dict(self) -> dict[str, object]:
        """The error as data for `--json`."""
        return {**super().as_dict(), "verdict": self.data}


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict as data. Amounts are base units, as strings."""
    return {
        "passed": verdict.passed,
        "verdict": verdict.words,
        "anchored": verdict.anchored,
        "trust": verdict.trust,
        "scope": verdict.scope,
        "chain_id": verdict.chain_id,
        "block": verdict.block,
        "block_hash": verdict.block_hash or None,
        "time": verdict.time,
        "entries": verdict.entries,
        "steps": [one.as_dict() for one in verdict.steps],
        "findings": [one.as_dict() for one in verdict.findings],
        "missing": [one.as_dict() for one in verdict.missing],
        "duties": [one.as_dict() for one in verdict.duties],
        "splits": [
            {
                "split": one.split_id,
                "token": checksum_address(one.token),
                "credited": str(one.credited),
                "paid": str(one.paid),
                "owed": str(one.owed),
                "residue": str(one.residue),
            }
            for one in verdict.sums
        ],
        "solvency": [
            {
                "token": checksum_address(one.token),
                "held": str(one.held),
                "owed": str(one.owed),
                "holds": one.holds,
                "proved": one.proved,
                "source": one.source,
            }
            for one in verdict.solvency
        ],
        "holdings": [
            {
                "split": one.split,
                "token": checksum_address(one.token),
                "leaf": one.leaf,
                "units": str(one.units),
                "total": str(one.total),
                "credited": str(one.credited),
                "entitled": str(one.entitled),
                "paid": str(one.paid),
                "owed": str(one.owed),
            }
            for one in verdict.holdings
        ],
        "periods": [
            {
                "licence": one.licence,
                "period": one.period,
                "base": str(one.base),
                "open": str(one.open),
                "version": one.version,
            }
            for one in verdict.periods
        ],
    }


def _show(verdict: Verdict) -> None:
    out = current().out
    for one in verdict.steps:
        detail = f": {one.detail}" if one.detail else ""
        out.line(f"{one.status}  {one.name}, {one.compared:,} compared{detail}")
        if one.expected and one.found:
            out.line(f"      expected {one.expected}")
            out.line(f"      proved   {one.found}")
    if verdict.holdings:
        rows = [
            (
                "0x" + one.split.hex()[:16] + "…",
                one.leaf,
                f"{one.units:,} of {one.total:,}",
                f"{one.credited:,}",
                f"{one.entitled:,}",
                f"{one.paid:,}",
                f"{one.owed:,}",
            )
            for one in verdict.holdings
        ]
        columns = ("split", ">leaf", ">units", ">credited", ">entitled", ">= paid", ">+ owed")
        out.table(columns, rows, title="What the holder is entitled to, base units")
    for holds in verdict.solvency:
        out.line(
            f"Splits holds {holds.held:,} and owes {holds.owed:,} base units of "
            f"{checksum_address(holds.token)} ({holds.source})."
        )
    for duty in verdict.duties[:_SHOWN]:
        who = f", {checksum_address(duty.who)}" if duty.who else ""
        out.line(f"NOTE  {duty.kind}, {duty.where}{who}: {duty.what}, since {date(duty.since)}")
    for finding in verdict.findings[:_SHOWN]:
        entry = f", entry {finding.entry}" if finding.entry else ""
        out.line(f"FAIL  {finding.check}, {finding.where}, block {finding.block}{entry}: {finding.what}")
    for gap in verdict.missing[:_SHOWN]:
        out.line(f"NOT COVERED  {gap.kind} 0x{gap.hash.hex()}, {gap.where}: {gap.why}")
    lists: tuple[list[Any], ...] = (verdict.findings, verdict.duties, verdict.missing)
    more = sum(max(0, len(one) - _SHOWN) for one in lists)
    if more:
        out.line(f"… and {more:,} lines more: --json lists all.")
    block = f" (0x{verdict.block_hash.hex()})" if verdict.block_hash else ""
    out.line(f"Covered: {verdict.scope}; {verdict.entries:,} entries.")
    out.line(f"{verdict.words}, up to block {verdict.block}{block}, {date(verdict.time)}")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int, int], None]]:
    """A bar on stderr where that is a terminal: stage, blocks or words, entries, time left."""
    if current().out.as_json or not sys.stderr.isatty():
        yield lambda stage, done, total, entries: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, {task.fields[entries]:,} entries"),
        TimeRemainingColumn(),
    )
    units = {"reading": "blocks", "proving": "words", "transfers": "headers"}
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int, entries: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total or None, unit=units.get(stage, ""), entries=0)
            bar.update(tasks[stage], advance=done, total=total or None, entries=entries)

        yield tell


def _more() -> None:
    from ledger.cli.audit_watch import watch

    app.command("watch")(watch)


_more()
