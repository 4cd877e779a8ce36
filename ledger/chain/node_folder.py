"""What a local chain's folder holds: node.json, the lock that the running program keeps, the dumped state."""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import orjson

from ledger.chain.anvil import command_of
from ledger.chain.folders import write_whole


@dataclass(frozen=True, slots=True)
class NodeFile:
    """What node.json says. `offset`: the chain's clock less the wall's, in seconds; `genesis`: when the chain begins,
    0 where an older version wrote the file.
    """

    pid: int
    port: int
    chain_id: int
    offset: int
    running: bool
    genesis: int = 0

    @classmethod
    def read(cls, folder: Path) -> NodeFile | None:
        """The folder's file, or None where there is none that can be read."""
        try:
            return cls(**orjson.loads((folder / "node.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Replaces the folder's file."""
        write_whole(
            folder / "node.json", orjson.dumps({name: getattr(self, name) for name in self.__slots__})
        )


def take(lock: int) -> bool:
    """Takes the lock of an open node.lock; False if a program holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(folder: Path) -> bool:
    """Whether a program holds the folder's lock, which it does exactly as long as it lives."""
    try:
        lock = os.open(folder / "node.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        return not take(lock)
    finally:
        os.close(lock)


def is_ours(held: NodeFile) -> bool:
    """Whether the process of that number is the anvil that we started."""
    command = command_of(held.pid)
    return "anvil" in command and f"--port {held.port}" in command


def set_aside(folder: Path) -> Path | None:
    """Puts a torn state.json aside as state.torn.json; the copy of the last clean stop, if any, in its place."""
    (folder / "state.json").replace(folder / "state.torn.json")
    return usable_state(folder)


def usable_state(folder: Path) -> Path | None:
    """The dumped state; the copy of the last clean stop in its place where a kill cut it short."""
    state = folder / "state.json"
    for candidate in (state, folder / "state.previous.json"):
        try:
            orjson.loads(candidate.read_bytes())
        except (OSError, ValueError):
            continue
        if candidate != state:
            shutil.copyfile(candidate, state)
        return state
    state.unlink(missing_ok=True)
    return None
