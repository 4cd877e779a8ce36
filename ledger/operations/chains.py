"""The local test chain of the home folder."""

from __future__ import annotations

from pathlib import Path

from ledger.chain.node import LocalNode, NodeStatus, node_status
from ledger.domain.errors import ExitCode, LedgerError
from ledger.operations.home import Home

#: Chains that this process has started: they outlive it, and whoever stops one here has to wait for its end.
_started: dict[Path, LocalNode] = {}


def start(home: Home, *, genesis_time: int | None = None) -> NodeStatus:
    """Starts the folder's chain where it was, or a new one; it goes on after we end.

    One that runs is left alone. Raises LedgerError where `genesis_time` is given for a chain that has begun.
    """
    if genesis_time is not None and node_status(home.chain).state != "none":
        raise LedgerError(
            "This folder has a chain already, and when it begins cannot be changed.",
            str(home.chain),
            remedy="Start it without --at, or give another folder: --home.",
            exit_code=ExitCode.USAGE,
        )
    if node_status(home.chain).state != "running":
        if (ended := _started.pop(home.chain, None)) is not None:
            ended.kill()  # it has ended by itself: this hears of its end
        node = LocalNode.start(home.chain, genesis_time=genesis_time, background=True)
        _started[home.chain] = node
        hang_up(node)
    return node_status(home.chain)


def stop(home: Home) -> NodeStatus:
    """Keeps the state and ends the process; does nothing where none runs."""
    if node_status(home.chain).state in ("running", "hanging"):
        node = _started.pop(home.chain, None) or LocalNode.attach(home.chain)
        node.stop()
    return node_status(home.chain)


def advance_to(home: Home, time: int) -> NodeStatus:
    """Sets the chain's clock forward and mines a block. Raises UnreachableError, LedgerError."""
    node = LocalNode.attach(home.chain)
    try:
        node.advance_to(time)
    finally:
        hang_up(node)
    return node_status(home.chain)


def hang_up(node: LocalNode) -> None:
    """Gives a node's connection back; it is opened again when it is needed."""
    if (rpc := node.__dict__.pop("rpc", None)) is not None:
        rpc.close()
