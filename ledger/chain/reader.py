"""Reading: raw logs in chunks that fit the node, the times of their blocks, views in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ledger.chain.ahead import Ahead
from ledger.chain.answers import hex_bytes, hex_int
from ledger.chain.codec import Function
from ledger.chain.rpc import Rpc, RpcError, call_object, no_code
from ledger.domain.errors import LedgerError, UnreachableError
from ledger.domain.journal import RawLog, is_entry

_FIRST_SPAN, _LARGEST_SPAN = 2_000, 100_000
#: A chunk with more logs than this is cut smaller next time, one with far fewer larger.
_MANY_LOGS = 5_000


class ChainLog(NamedTuple):
    """One log as a node serves it; `timestamp` is its block's, in Unix seconds."""

    address: str
    block_number: int
    timestamp: int
    block_hash: bytes
    transaction: bytes
    log_index: int
    topics: tuple[bytes, ...]
    data: bytes

    def raw(self) -> RawLog:
        """The log as the journal's fold takes it. It must have two topics."""
        return RawLog(self.block_number, self.timestamp, self.topics[0], self.topics[1], self.data)


#: In the place of a log that was passed on.
_DONE: dict[str, Any] = {}


def _stamp(log: dict[str, Any]) -> str:
    """The time of its block, where the node tells it with the log."""
    return log.get("blockTimestamp") or ""


def _word(value: str, known: dict[str, bytes]) -> bytes:
    """JSON-RPC data that are likely to have been read before."""
    found = known.get(value)
    if found is None:
        found = known[value] = hex_bytes(value)
    return found


class Reader:
    """Reads from one node. What it serves is not proved by anything here."""

    def __init__(self, rpc: Rpc, *, first_span: int = _FIRST_SPAN) -> None:
        """`first_span`: blocks of the first request for logs; later ones adapt."""
        self.rpc = rpc
        self._span = first_span
        self._times: dict[int, int] = {}

    def head(self) -> int:
        """The number of the newest block."""
        return hex_int(self.rpc.call("eth_blockNumber"))

    def logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        *,
        topics: Sequence[Any] = (),
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[ChainLog]:
        """The logs of the contracts in blocks first to last, in order of the chain. `progress` hears each
        block done.

        The span of a request adapts to what the node gives. Raises UnreachableError, RpcError.
        """
        if first > last:
            return
        where = {"address": list(addresses), "topics": list(topics)}
        end, held = self._part(where, first, last)
        while True:
            start = end + 1
            # The node works on the next part while this one is read.
            coming = Ahead(partial(self._part, where, start, last)) if start <= last else None
            yield from self._in_order(held)
            if progress is not None:
                progress(end)
            if coming is None:
                return
            end, held = coming.result()

    def _part(self, where: Mapping[str, Any], start: int, last: int) -> tuple[int, list[dict[str, Any]]]:
        """The next part from block `start` on: its last block, and its logs as they were served."""
        while True:
            end = min(last, start + self._span - 1)
            try:
                held = self.rpc.call("eth_getLogs", {**where, "fromBlock": hex(start), "toBlock": hex(end)})
            except (RpcError, UnreachableError):
                # Nodes refuse wide ranges in many words; a range of one block that is refused is a real
                # error.
                if start == end:
                    raise
                self.head()  # raises where the node is gone
                self._span = max(1, (end - start + 1) // 4)
                continue
            if len(held) > _MANY_LOGS:
                self._span = max(1, self._span // 2)
            elif len(held) < _MANY_LOGS // 4:
                # By an eighth: doubled over empty blocks, it would ask for as many full ones as came before them.
                self._span = min(_LARGEST_SPAN, self._span + 1 + self._span // 8)
            self._fetch_times({hex_int(one["blockNumber"]) for one in held if not _stamp(one)})
            return end, held

    def _in_order(self, held: list[dict[str, Any]]) -> Iterator[ChainLog]:
        """In the order of the chain. What is done is not held any longer: a full block's logs take megabytes."""
        places = [(hex_int(one["blockNumber"]), hex_int(one["logIndex"])) for one in held]
        order = sorted(range(len(held)), key=places.__getitem__)
        # Blocks, transactions and topics come again and again.
        known: dict[str, bytes] = {}
        for at in order:
            one, held[at] = held[at], _DONE
            number, index = places[at]
            stamp = _stamp(one)
            yield ChainLog(
                one["address"].lower(),
                number,
                hex_int(stamp) if stamp else self._times[number],
                _word(one["blockHash"], known),
                _word(one["transactionHash"], known),
                index,
                tuple([_word(topic, known) for topic in one["topics"]]),
                hex_bytes(one["data"]),
            )

    def _fetch_times(self, numbers: set[int]) -> None:
        missing = sorted(numbers - self._times.keys())
        answers = self.rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in missing])
        for number, block in zip(missing, answers, strict=True):
            if isinstance(block, RpcError) or block is None:
                raise UnreachableError(
                    f"The node gives no block {number}.",
                    self.rpc.shown,
                    remedy="Ask a node with the whole history.",
                )
            self._times[number] = hex_int(block["timestamp"])

    def journals(
        self,
        contracts: Mapping[str, str],
        first: int = 0,
        last: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> dict[str, list[ChainLog]]:
        """The entries of each contract's journal, by its name (Splits, Catalogues, Licences), in order.

        `contracts`: name to address. Other events of the contracts (ERC-721, ERC-5192) are left out.
        """
        names = {address.lower(): name for name, address in contracts.items()}
        found: dict[str, list[ChainLog]] = {name: [] for name in contracts}
        for log in self.logs(list(names), first, self.head() if last is None else last, progress=progress):
            name = names.get(log.address)
            if name is not None and is_entry(name, log.topics):
                found[name].append(log)
        return found

    def views(
        self, calls: Sequence[tuple[str, Function, Sequence[Any]]], *, block: str = "latest"
    ) -> list[Any | LedgerError]:
        """Many views at once, in order: (address, function, arguments) each. A refused one gives its error in
        place.
        """
        requests = [
            ("eth_call", (call_object(address, function.encode(*arguments)), block))
            for address, function, arguments in calls
        ]
        results: list[Any | LedgerError] = []
        for (address, function, _), answer in zip(calls, self.rpc.batch(requests), strict=True):
            if isinstance(answer, RpcError):
                results.append(answer.reason())
            elif answer == "0x":
                results.append(no_code(address, self.rpc.shown))
            else:
                results.append(function.decode(hex_bytes(answer)))
        return results

    def view(self, address: str, function: Function, *arguments: Any, block: str = "latest") -> Any:
        """One view. Raises LedgerError."""
        result = self.views([(address, function, arguments)], block=block)[0]
        if isinstance(result, LedgerError):
            raise result
        return result

    def journal_heads(self, contracts: Mapping[str, str], *, block: str = "latest") -> dict[str, bytes]:
        """The head of each contract's journal: its storage slot 0."""
        answers = self.rpc.batch([("eth_getStorageAt", (one, "0x0", block)) for one in contracts.values()])
        heads = {}
        for name, answer in zip(contracts, answers, strict=True):
            if isinstance(answer, RpcError):
                raise answer
            heads[name] = hex_bytes(answer).rjust(32, b"\0")
        return heads
