"""licence-ledger chain: the local test chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.context import command, current, noun
from ledger.cli.output import date

if TYPE_CHECKING:
    from ledger.chain.node import NodeStatus

app = noun("chain")


@app.command()
def start(
    at: Annotated[
        str, typer.Option(help="Date at which a new chain begins, such as 2026-01-01; default: now.")
    ] = "",
) -> None:
    """Starts the home folder's chain where it was, or a new one. It goes on in the background."""
    from ledger.chain.node import node_status
    from ledger.operations import chains
    from ledger.operations.times import parse_time

    crashed = node_status(current().session.home.chain).state == "crashed"
    status = chains.start(current().session.home, genesis_time=parse_time(at) if at else None)
    if crashed:
        current().out.say(
            "Note: the chain was not stopped but ended; what it did in its last half minute may be lost. "
            "Run the commands again whose effects are missing: nothing is done twice."
        )
    _tell(status, [command("deploy", "--from", "dev:0"), command("chain", "stop")])


@app.command()
def status() -> None:
    """Tells whether the home folder's chain runs, where, and what its clock says."""
    from ledger.chain.node import node_status

    found = node_status(current().session.home.chain)
    running = found.state == "running"
    _tell(found, [command("chain", "stop")] if running else [command("chain", "start")])


@app.command()
def advance(
    to: Annotated[str, typer.Argument(help="Date to which the clock is set forward, such as 2026-04-01.")],
) -> None:
    """Sets the local chain's clock forward: a period must be over before it is reported."""
    from ledger.operations import chains
    from ledger.operations.times import parse_time

    _tell(chains.advance_to(current().session.home, parse_time(to)), [command("agenda")])


@app.command()
def stop() -> None:
    """Keeps the chain's state and ends it."""
    from ledger.operations import chains

    _tell(chains.stop(current().session.home), [command("chain", "start")])


def _tell(status: NodeStatus, after: list[str]) -> None:
    out = current().out
    data = {
        "state": status.state,
        "folder": str(status.folder),
        "url": status.url or None,
        "pid": status.pid or None,
        "chain_id": status.chain_id or None,
        "block": status.block if status.url else None,
        "time": status.time or None,
    }

    def show() -> None:
        out.fields(
            [
                ("state", status.state),
                ("folder", status.folder),
                *([("url", status.url), ("chain id", status.chain_id)] if status.url else []),
                *([("block", status.block), ("clock", date(status.time))] if status.time else []),
            ]
        )

    out.result(data, show, after=after)
