"""licence-ledger audit watch: follows the chain, verifies each new block, tells at once when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.context import current
from ledger.cli.output import date
from ledger.domain.errors import AuditFailed, LedgerError

if TYPE_CHECKING:
    from ledger.audit.watch import Seen


class WatchFailed(AuditFailed):
    """Something was wrong while the chain was watched."""


def watch(
    store: Annotated[
        Path | None,
        typer.Option(help="File or folder of the verified history; default: in the home folder."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin the store again: read and prove everything.")
    ] = False,
    transfers: Annotated[
        bool, typer.Option("--transfers", help="Rebuild receipts; compare the tokens' own transfers.")
    ] = False,
    first_block: Annotated[
        int | None, typer.Option(min=0, help="Read the journals from here; default: the deployment's block.")
    ] = None,
    interval: Annotated[
        float, typer.Option(min=0.05, max=86_400, help="Seconds between looks at the newest block.")
    ] = 5.0,
    until_block: Annotated[int | None, typer.Option(min=0, help="End when this block is verified.")] = None,
    seconds: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Verify up to the newest block, and end.")] = False,
    stop_on_fail: Annotated[
        bool, typer.Option("--stop-on-fail", help="End at the first thing that is wrong.")
    ] = False,
    require_files: Annotated[
        bool,
        typer.Option("--require-files", help="Fail for a file that the chain names and the store lacks."),
    ] = False,
) -> None:
    """Follows the chain: verifies each new block upon what was verified before, and keeps it.

    A block that the chain replaces is told, and verified again; a node that is gone is waited for. What is wrong is
    told at once. Ctrl-C ends it. Exit code 4 if anything was wrong, 0 if not.
    """
    from ledger.audit.scopes import Wanted
    from ledger.audit.watch import Until, stopped
    from ledger.operations import audits
    from ledger.operations.audit_stores import watching

    session = current().session
    wanted = Wanted(
        transfers=transfers,
        first_block=audits.first_block(session) if first_block is None else first_block,
    )
    until = Until(until_block, seconds, once, stop_on_fail)
    with watching(
        session, wanted, store, fresh=fresh, interval=interval, until=until, require_files=require_files
    ) as following:
        lost: LedgerError | None = None
        try:
            for seen in following.events():
                tell(seen)
        except KeyboardInterrupt:
            pass
        except LedgerError as error:
            lost = error
        tell(stopped(following))
        if lost is not None:
            raise lost
        if following.failures:
            raise WatchFailed(
                f"Something was wrong {following.failures:,} "
                f"{'time' if following.failures == 1 else 'times'} while the chain was watched.",
                f"block {following.block} is the newest that is verified",
                remedy="Ask another node: `licence-ledger audit run --anchor HASH --rpc URL`.",
            )


def tell(seen: Seen) -> None:
    """One line, and one for each finding; with `--json` one envelope a line."""
    out = current().out
    out.result(seen.as_dict(), lambda: _show(seen))
    out.flush()


def _show(seen: Seen) -> None:
    out = current().out
    if seen.kind == "verified":
        duties = f", {seen.duties:,} duties late" if seen.duties else ""
        out.line(
            f"PASS  block {seen.block} (0x{seen.hash.hex()}), {date(seen.time)}: {seen.new:,} new entries, "
            f"{seen.entries:,} in all, {seen.words:,} words, {seen.seconds:.1f} s{duties}"
        )
    elif seen.kind == "failed":
        out.line(f"FAIL  block {seen.block} (0x{seen.hash.hex()}), {date(seen.time)}: {seen.what}")
        for one in seen.findings:
            entry = f", entry {one.entry}" if one.entry else ""
            out.line(f"FAIL  {one.check}, {one.where}, block {one.block}{entry}: {one.what}")
    else:
        out.line(f"NOTE  {seen.kind}: {seen.what}")
