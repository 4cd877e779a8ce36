"""Where the evidence comes from: a node, or a bundle. Nothing that a source says is believed; all of it is checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from ledger.chain.answers import hex_bytes, hex_int
from ledger.chain.reader import ChainLog, Reader
from ledger.chain.rpc import Rpc, RpcError
from ledger.domain.errors import UnreachableError
from ledger.domain.headers import Header, header_of_json
from ledger.domain.rlp import Malformed

#: Slots asked for at once; a node that refuses so many is asked for half of them.
_SLOTS_AT_ONCE = 3_000
#: Blocks of the first request for logs: full blocks hold thousands of entries, and all of an answer is in memory.
_FIRST_SPAN = 2
_PAUSES = (1.0, 2.0, 4.0, 8.0)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a node answers to eth_getProof: nodes from the roots down, those of each slot in the order asked."""

    account: tuple[bytes, ...]
    slots: tuple[tuple[bytes, ...], ...]


class Source(Protocol):
    """A supplier of evidence. Every method raises Malformed for an answer that makes no sense."""

    chain_id: int

    def header(self, anchor: bytes | None) -> Header | None:
        """The header of the block with this hash, of the newest without one; None where the source lacks it."""

    def logs(
        self, addresses: Sequence[str], first: int, last: int, progress: Progress | None = None
    ) -> Iterator[ChainLog]:
        """The logs of contracts, in the order of the chain."""

    def proofs(self, address: str, slots: Sequence[bytes], block: int) -> Proof:
        """Proofs of an account and of its slots at a block."""

    def headers(self, first: int, last: int) -> Iterator[Header]:
        """The headers of a range of blocks, in order."""

    def receipts(self, block: int) -> list[dict[str, Any]]:
        """All receipts of a block, as JSON-RPC tells them."""

    def head_at(self, address: str, block: int) -> bytes | None:
        """A journal's head at an older block, unproved, to find where histories part; None where unknown."""

    def balance(self, token: str, owner: str, block: int) -> int | None:
        """What a token says of a balance, unproved; None where nobody says."""


class NodeSource:
    """A node with eth_getProof. Busy nodes are waited for; a broken reading goes on where it stopped."""

    def __init__(self, rpc: Rpc) -> None:
        self.rpc = rpc
        with _checked("chain id"):
            self.chain_id = rpc.chain_id
        self._reader = Reader(rpc, first_span=_FIRST_SPAN)
        self._at_once = _SLOTS_AT_ONCE

    def header(self, anchor: bytes | None) -> Header | None:
        """By hash, else the newest."""
        with _checked("block"), _answered():
            if anchor is None:
                told = self.rpc.call("eth_getBlockByNumber", "latest", False)
            else:
                told = self.rpc.call("eth_getBlockByHash", "0x" + anchor.hex(), False)
            return header_of_json(told) if told is not None else None

    def logs(
        self, addresses: Sequence[str], first: int, last: int, progress: Progress | None = None
    ) -> Iterator[ChainLog]:
        """In spans that fit the node; `progress` hears each block done."""
        done = first - 1

        def heard(block: int) -> None:
            nonlocal done
            done = block
            if progress is not None:
                progress(block)

        pauses = iter(_PAUSES)
        while True:
            before = done
            try:
                with _checked("logs"), _answered():
                    yield from self._reader.logs(addresses, done + 1, last, progress=heard)
                return
            except UnreachableError:
                if done == before:
                    pause = next(pauses, None)
                    if pause is None or done < first:
                        raise
                    time.sleep(pause)

    def proofs(self, address: str, slots: Sequence[bytes], block: int) -> Proof:
        """In parts that fit the node."""
        account: tuple[bytes, ...] = ()
        found: list[tuple[bytes, ...]] = []
        start = 0
        while start < len(slots) or not account:
            part = slots[start : start + self._at_once]
            keys = ["0x" + one.hex() for one in part]
            try:
                told = self.rpc.call("eth_getProof", address, keys, hex(block))
            except RpcError as error:
                if len(part) <= 1:
                    raise Malformed("The node gives no proof.", f"block {block}", error.message) from error
                self._at_once = max(1, self._at_once // 2)
                continue
            with _checked("proof"):
                account = tuple(map(hex_bytes, told["accountProof"]))
                storage = [tuple(map(hex_bytes, one["proof"])) for one in told["storageProof"]]
            if len(storage) != len(part) or not account:
                raise Malformed(
                    "The node proves other slots than those asked for.",
                    address,
                    f"Asked for {len(part)}, answered {len(storage)}.",
                )
            found += storage
            start += len(part)
        return Proof(account, tuple(found))

    def headers(self, first: int, last: int) -> Iterator[Header]:
        """In batches."""
        step = 200
        for start in range(first, last + 1, step):
            numbers = range(start, min(last + 1, start + step))
            calls = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
            for number, told in zip(numbers, self.rpc.batch(calls), strict=True):
                with _checked(f"block {number}"):
                    if isinstance(told, RpcError) or told is None:
                        raise Malformed(f"The node gives no block {number}.")
                    header = header_of_json(told)
                yield header

    def receipts(self, block: int) -> list[dict[str, Any]]:
        """By eth_getBlockReceipts, else one by one."""
        with _checked(f"receipts of block {block}"):
            try:
                told = self.rpc.call("eth_getBlockReceipts", hex(block))
            except RpcError:
                held = self.rpc.call("eth_getBlockByNumber", hex(block), False)
                calls = [("eth_getTransactionReceipt", (one,)) for one in held["transactions"]]
                told = self.rpc.batch(calls)
            if not isinstance(told, list) or any(not isinstance(one, dict) for one in told):
                raise Malformed(f"The node gives no receipts of block {block}.")
            return sorted(told, key=lambda one: hex_int(one["transactionIndex"]))

    def head_at(self, address: str, block: int) -> bytes | None:
        """By eth_getStorageAt."""
        try:
            with _checked("storage"):
                return hex_bytes(self.rpc.call("eth_getStorageAt", address, "0x0", hex(block))).rjust(
                    32, b"\0"
                )
        except (RpcError, Malformed):
            return None

    def balance(self, token: str, owner: str, block: int) -> int | None:
        """By balanceOf."""
        data = bytes.fromhex("70a08231") + bytes(12) + bytes.fromhex(owner[2:])
        try:
            with _checked("balance"):
                told = self.rpc.call("eth_call", {"to": token, "data": "0x" + data.hex()}, hex(block))
                return int(told, 16) if told != "0x" else None
        except (RpcError, Malformed):
            return None


@contextmanager
def _checked(what: str) -> Iterator[None]:
    """Makes an answer of a wrong shape a finding instead of a fault of ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Malformed(f"The node's answer makes no sense: {what}.", why=repr(error)[:200]) from error


@contextmanager
def _answered() -> Iterator[None]:
    """A node that refuses what nothing can do without is as good as gone."""
    try:
        yield
    except RpcError as error:
        raise UnreachableError(
            error.what, error.where, error.why, "Ask another node for the same anchor: nothing was proved."
        ) from error


def batched(many: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` items, the last one shorter."""
    held: list[Any] = []
    for one in many:
        held.append(one)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
