"""A local anvil as a managed process: its state lies in a folder, it restarts where it was, it leaves no
orphan.

The program inherits a locked file, so a folder's node runs exactly as long as the lock is held: no stale pid
misleads.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType

from ledger.chain.answers import hex_bytes, hex_int
from ledger.chain.anvil import find_anvil, launch
from ledger.chain.folders import private_folder
from ledger.chain.node_folder import NodeFile, is_locked, is_ours, set_aside, take, usable_state
from ledger.chain.rpc import LOCAL_CHAIN, Rpc, RpcError
from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.errors import ExitCode, LedgerError, UnreachableError

START_SECONDS = 30.0
STOP_SECONDS = 60.0
REST_SECONDS = 5.0
_PORT_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A folder's node: `state` is "running", "stopped", "crashed" (ended without being stopped) or "none"."""

    state: str
    folder: Path
    pid: int = 0
    url: str = ""
    chain_id: int = 0
    block: int = 0
    time: int = 0


class LocalNode:
    """A running local chain. As a context manager it stops at the end."""

    def __init__(
        self, folder: Path, held: NodeFile, process: subprocess.Popen[bytes] | None, temporary: bool
    ) -> None:
        self.folder = folder
        self.pid = held.pid
        self.url = f"http://127.0.0.1:{held.port}"
        self.recovered = False
        self._held = held
        self._process = process
        self._temporary = temporary

    @classmethod
    def start(
        cls,
        folder: Path | None = None,
        *,
        genesis_time: int | None = None,
        chain_id: int = LOCAL_CHAIN,
        background: bool = False,
        state_interval: int = 30,
        options: Sequence[str] = (),
    ) -> LocalNode:
        """Starts the folder's chain where it was, or a new one; one that runs is returned as it is.

        Without a folder the chain is kept nowhere. `genesis_time` (Unix seconds) and `chain_id` count for a
        new chain only. A node in the `background` outlives us, any other ends with the thread that started it
        (on Linux; elsewhere it ends at `stop`). `state_interval`: seconds between two dumps, which is what a
        crash can lose.
        """
        temporary = folder is None
        place = (
            Path(tempfile.mkdtemp(prefix="ledger-chain-"))
            if folder is None
            else private_folder(folder).resolve()
        )
        lock = os.open(place / "node.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not take(lock):
                return cls.attach(place)
            before = NodeFile.read(place)
            state = usable_state(place)
            lost = state is None and before is not None and before.running and before.genesis > 0
            if (
                lost and before is not None
            ):  # killed before its first dump: begun anew, with the same first block
                genesis_time, chain_id = before.genesis, before.chain_id
            arguments = [
                "--hardfork",
                "prague",
                "--chain-id",
                str(before.chain_id if before and state else chain_id),
            ]
            # One thread puts more transactions into a block: fewer blocks, twice as many transactions a
            # second.
            arguments += [
                "--host",
                "127.0.0.1",
                "--quiet",
                "--threads",
                "1",
                "--cache-path",
                str(place / "cache"),
            ]
            if "--gas-limit" not in options:
                # Room for many transactions in a block; the sender keeps the limit of each (EIP-7825).
                arguments += ["--gas-limit", "400000000"]
            arguments += options
            if not temporary:
                arguments += ["--state", str(place / "state.json"), "--state-interval", str(state_interval)]
            if state is None and genesis_time is not None:
                arguments += ["--timestamp", str(genesis_time)]
            node = cls._launch(place, arguments, lock, background, temporary)
            torn = state is not None and not node._is_whole()
            if torn:
                first = node.rpc.block("0x0")
                node.kill()
                state = set_aside(place)
                if state is None:  # begun anew, with the same first block
                    arguments += ["--timestamp", str(hex_int(first["timestamp"]))]
                node = cls._launch(place, arguments, lock, background, temporary)
            try:
                if state is not None or lost:
                    node._restore_clock(before.offset if before else 0)
                    node.recovered = torn or (before is not None and before.running)
                node._remember(running=True)
            except BaseException:
                node.kill()
                raise
            return node
        except BaseException:
            if temporary:
                shutil.rmtree(place, ignore_errors=True)
            raise
        finally:
            os.close(lock)

    @classmethod
    def _launch(
        cls, place: Path, arguments: list[str], lock: int, background: bool, temporary: bool
    ) -> LocalNode:
        program = str(find_anvil())
        log = place / "anvil.log"
        for _ in range(_PORT_ATTEMPTS):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            process = launch(
                [program, "--port", str(port), *arguments], log, lock, dies_with_us=not background
            )
            held = NodeFile(process.pid, port, 0, 0, running=True)
            node = cls(place, held, process, temporary)
            try:
                node._wait_for_answer()
                genesis = hex_int(node.rpc.block("0x0")["timestamp"])
                node._held = replace(held, chain_id=node.rpc.chain_id, genesis=genesis)
                return node
            except _PortTaken:
                continue
            except BaseException:
                node.kill()
                raise
        raise LedgerError("No free port was found for the local chain.", remedy="Try again.")

    def _wait_for_answer(self) -> None:
        assert self._process is not None
        limit = time.monotonic() + START_SECONDS
        probe = Rpc(self.url, attempts=1, timeout=5)
        try:
            while time.monotonic() < limit:
                ended = self._process.poll()
                if ended is not None:
                    raise self._why_ended(ended)
                try:
                    probe.call("eth_chainId")
                except UnreachableError:
                    time.sleep(0.02)
                    continue
                # Another's server may have taken the port, in which case ours is about to end.
                if self._process.poll() is None and probe.client.startswith("anvil/"):
                    return
        finally:
            probe.close()
        raise UnreachableError(
            f"The local chain did not answer within {START_SECONDS:.0f} s.", str(self.folder), self._log_end()
        )

    def _why_ended(self, code: int) -> LedgerError:
        said = self._log_end()
        if "Address already in use" in said or "AddrInUse" in said:
            (self.folder / "anvil.log").write_bytes(b"")
            return _PortTaken("The port was taken.")
        remedy = "See anvil.log in that folder."
        if (self.folder / "state.json").exists():
            remedy += " If state.json is damaged, put state.previous.json in its place."
        return UnreachableError(f"anvil ended at once with status {code}.", str(self.folder), said, remedy)

    def _log_end(self) -> str:
        try:
            return (self.folder / "anvil.log").read_bytes()[-600:].decode("utf-8", "replace").strip()
        except OSError:
            return ""

    @classmethod
    def attach(cls, folder: Path) -> LocalNode:
        """The folder's running node. Raises UnreachableError where none runs."""
        place = folder.resolve()
        limit = time.monotonic() + START_SECONDS
        while is_locked(place):
            held = NodeFile.read(place)
            if held is not None and held.running and is_ours(held):
                return cls(place, held, None, temporary=False)
            if time.monotonic() > limit:
                break
            time.sleep(0.05)  # it is being started
        raise UnreachableError(
            "No local chain runs from this folder.",
            str(folder),
            remedy="Start it: `licence-ledger chain start`.",
        )

    @cached_property
    def rpc(self) -> Rpc:
        """A connection of the node's own."""
        return Rpc(self.url)

    # ---- the clock

    def now(self) -> int:
        """The chain's clock, Unix seconds."""
        return int(time.time()) + self._offset()

    def _offset(self) -> int:
        return int(self.rpc.call("evm_increaseTime", 0))

    def advance_to(self, timestamp: int) -> None:
        """Sets the clock forward and mines a block at that time. Raises LedgerError for a time before the
        head's.
        """
        head = hex_int(self.rpc.block()["timestamp"])
        if timestamp < head:
            raise LedgerError(
                f"The chain's clock cannot go back from {_date(head)} to {_date(timestamp)}.",
                remedy="Give a later date.",
            )
        self.rpc.call("evm_setTime", timestamp)
        self.rpc.call("evm_mine")
        self._remember(running=True)

    def advance(self, seconds: int) -> None:
        """Sets the clock forward by so many seconds and mines a block."""
        self.advance_to(self.now() + seconds)

    def _restore_clock(self, offset: int) -> None:
        # anvil restarts on the wall's time and would mine blocks older than its head.
        head = hex_int(self.rpc.block()["timestamp"])
        self.rpc.call("evm_setTime", max(int(time.time()) + offset, head + 1))

    def _remember(self, *, running: bool) -> None:
        self._held = replace(self._held, offset=self._offset(), running=running)
        self._held.write(self.folder)

    # ---- whole states

    def _is_whole(self) -> bool:
        """Whether the accounts are those of the newest block. anvil commits a block's accounts before it appends
        the block, so that a dump in between holds payments whose transactions it does not know.
        """
        head, proof = self.rpc.batch(
            [("eth_getBlockByNumber", ("latest", False)), ("eth_getProof", (ZERO_ADDRESS, [], "latest"))]
        )
        for answer in (head, proof):
            if isinstance(answer, RpcError):
                raise answer
        if hex_int(head["number"]) == 0:  # its header states no root: nobody may have sent anything yet
            senders = self.rpc.call("eth_accounts")
            counts = self.rpc.batch([("eth_getTransactionCount", (one, "latest")) for one in senders])
            return not any(isinstance(one, RpcError) or hex_int(one) for one in counts)
        return keccak256(hex_bytes(proof["accountProof"][0])) == hex_bytes(head["stateRoot"])

    def _come_to_rest(self) -> None:
        """Ends mining and waits for the block that is being made, so that the dump is whole."""
        self.rpc.call("evm_setAutomine", False)
        whole, limit = 0, time.monotonic() + REST_SECONDS
        while whole < 3 and time.monotonic() < limit:
            whole = whole + 1 if self._is_whole() else 0
            time.sleep(0.005)
        if not whole:
            self.rpc.call("evm_mine")  # accounts that were set by hand enter a block

    # ---- the end

    def stop(self) -> None:
        """Dumps the state and ends the process, if it has not ended. Raises LedgerError if it will not."""
        if not self._temporary and self._alive():
            # If it hangs or ends by itself, the head bounds the clock at the next start.
            with contextlib.suppress(UnreachableError, RpcError):
                self._remember(running=True)
                self._come_to_rest()
        self._signal(signal.SIGTERM)
        if not self._wait(5 if self._temporary else STOP_SECONDS):
            self.kill()
            if not self._temporary:
                raise LedgerError(
                    "The local chain did not stop and was killed.",
                    str(self.folder),
                    "What it did since the last dump is lost.",
                    "Start it again; commands that were under way are run again.",
                    ExitCode.INCOMPLETE,
                )
        if not self._temporary and not is_locked(self.folder):
            replace(self._held, running=False).write(self.folder)
            if usable_state(self.folder) is not None:
                shutil.copyfile(self.folder / "state.json", self.folder / "state.previous.json")
        self._tidy()

    def detach(self) -> None:
        """Leaves the process as it is and closes our connection to it."""
        if "rpc" in self.__dict__:
            self.rpc.close()

    def kill(self) -> None:
        """Ends the process at once, as a crash would: what it did since the last dump is lost."""
        self._signal(signal.SIGKILL)
        self._wait(10)
        self._tidy()

    def _tidy(self) -> None:
        self.detach()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return is_locked(self.folder) and is_ours(self._held)

    def _is_recorded(self) -> bool:
        held = NodeFile.read(self.folder)
        return held is not None and held.pid == self.pid

    def _signal(self, number: int) -> None:
        if not self._alive():
            return
        if self._process is not None:
            self._process.send_signal(number)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _wait(self, seconds: float) -> bool:
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return False
            return True
        limit = time.monotonic() + seconds
        # A dying process loses its command line before it gives up its files: the lock tells when it is gone.
        while self._alive() or (is_locked(self.folder) and self._is_recorded()):
            if time.monotonic() > limit:
                return False
            time.sleep(0.02)
        return True

    def __enter__(self) -> LocalNode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _date(timestamp: int) -> str:
    return f"{datetime.datetime.fromtimestamp(timestamp, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"


class _PortTaken(UnreachableError):
    """Somebody else took the port between our look and anvil's."""


def node_status(folder: Path) -> NodeStatus:
    """How the folder's node is. Never raises for a node that is gone or does not answer."""
    place = folder.resolve()
    held = NodeFile.read(place)
    if held is None:
        return NodeStatus("none", place)
    if not (is_locked(place) and is_ours(held)):
        return NodeStatus("crashed" if held.running else "stopped", place, chain_id=held.chain_id)
    url = f"http://127.0.0.1:{held.port}"
    try:
        with Rpc(url, attempts=1, timeout=10) as rpc:
            head = rpc.block()
            offset = int(rpc.call("evm_increaseTime", 0))
    except LedgerError:
        return NodeStatus("hanging", place, held.pid, url, held.chain_id)
    return NodeStatus(
        "running", place, held.pid, url, held.chain_id, hex_int(head["number"]), int(time.time()) + offset
    )
