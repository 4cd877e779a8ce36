"""The journal: raw logs, their fold to a head, and the decoding of entries. See
contracts/libraries/Journal.sol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from struct import Struct
from typing import Any, NamedTuple

from ledger.domain.canonical import ZERO32, keccak256, uint_word
from ledger.domain.errors import AuditFailed
from ledger.domain.event_table import EVENTS


class RawLog(NamedTuple):
    """One log with two topics, as the fold sees it."""

    block_number: int
    timestamp: int
    topic0: bytes
    topic1: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A decoded entry. `id` is the indexed word; `args` are the other fields but the caller, by their
    Solidity names.

    Values are int, bool, str (also addresses, lower case), bytes, and tuples of these.
    """

    name: str
    id: bytes
    caller: str
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The indexed id as a number: of a catalogue or a licence."""
        return int.from_bytes(self.id, "big")

    def __getitem__(self, name: str) -> Any:
        return self.args[name]


@dataclass(frozen=True, slots=True)
class EventShape:
    """Name, indexed field and data fields of an event of the journal; the first data field is the caller."""

    contract: str
    name: str
    id_type: str
    id_name: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def signature(self) -> str:
        """The canonical signature."""
        return f"{self.name}({','.join([self.id_type, *self.types])})"

    @property
    def topic(self) -> bytes:
        """topic0: the hash of the signature."""
        return keccak256(self.signature.encode())


def fold(head: bytes, log: RawLog) -> bytes:
    """The head after one entry: keccak256 of six words."""
    number, time, topic0, topic1, data = log
    return keccak256(head + uint_word(number) + uint_word(time) + topic0 + topic1 + keccak256(data))


def fold_all(logs: Iterable[RawLog], head: bytes = ZERO32) -> bytes:
    """The head after entries in order; `head` is the one before them, zero at the start."""
    for log in logs:
        head = fold(head, log)
    return head


@cache
def event_shapes(contract: str) -> dict[str, EventShape]:
    """The events of `Splits`, `Catalogues` or `Licences` by name."""
    shapes: dict[str, EventShape] = {}
    for text in EVENTS[contract]:
        match = re.fullmatch(r"(\w+)\((.*)\)", text)
        if match is None:
            raise AssertionError(f"event table: {text}")
        pairs = [part.split(" ") for part in match[2].split(",")]
        shapes[match[1]] = EventShape(
            contract,
            match[1],
            pairs[0][0],
            pairs[0][1],
            tuple(pair[0] for pair in pairs[1:]),
            tuple(pair[1] for pair in pairs[1:]),
        )
    return shapes


@cache
def _by_topic(contract: str) -> dict[bytes, EventShape]:
    return {shape.topic: shape for shape in event_shapes(contract).values()}


def is_entry(contract: str, topics: Sequence[bytes]) -> bool:
    """Whether a log of the contract belongs to its journal; its other events (ERC-721, ERC-5192) do not."""
    return len(topics) == 2 and topics[0] in _by_topic(contract)


def decode_entry(contract: str, log: RawLog) -> Entry:
    """Reads an entry. Raises AuditFailed for an unknown topic or malformed data."""
    shape = _by_topic(contract).get(log.topic0)
    if shape is None:
        raise AuditFailed(
            f"A log of {contract} in block {log.block_number} is no entry of its journal.",
            where="0x" + log.topic0.hex(),
            remedy="Check that the address is that of the ledger's contract.",
        )
    try:
        told = _told(shape, log.data)
    except ValueError as error:
        raise AuditFailed(
            f"An entry {shape.name} in block {log.block_number} has malformed data.", why=str(error)
        ) from error
    return Entry(shape.name, log.topic1, told.pop("caller"), told)


def _told(shape: EventShape, data: bytes) -> dict[str, Any]:
    """The fields of an entry out of its ABI-encoded data. Raises ValueError where that is malformed.

    Nearly all entries hold words alone: those are read all at once.
    """
    reading = _reading(shape.types)
    if reading is not None:
        words, readers = reading
        if len(data) != words.size:
            raise ValueError(f"{len(data)} bytes, not {words.size}")
        told = zip(shape.names, readers, words.unpack(data), strict=True)
        return {name: read(word) for name, read, word in told}
    fields = enumerate(zip(shape.names, shape.types, strict=True))
    return {name: _field(kind, data, 32 * at) for at, (name, kind) in fields}


@cache
def _reading(types: tuple[str, ...]) -> tuple[Struct, tuple[Callable[[bytes], Any], ...]] | None:
    """How to cut data into words, and to read each of them; None where not all of them are words."""
    if not all(one in _READERS for one in types):
        return None
    return Struct("32s" * len(types)), tuple(_READERS[one] for one in types)


def _field(kind: str, data: bytes, at: int) -> Any:
    """The field whose word, or whose offset, stands at byte `at`. Raises ValueError."""
    word = _part(data, at, 32)
    if kind in _READERS:
        return _READERS[kind](word)
    start = int.from_bytes(word)
    size = int.from_bytes(_part(data, start, 32))
    if kind == "bytes32[]":
        words = _part(data, start + 32, 32 * size)
        return tuple(words[one : one + 32] for one in range(0, len(words), 32))
    held = _part(data, start + 32, size)
    if any(_part(data, start + 32 + size, -size % 32)):
        raise ValueError("bytes that are not padded with zeros")
    return held if kind == "bytes" else held.decode("utf-8", "surrogateescape")


def _part(data: bytes, start: int, size: int) -> bytes:
    if start + size > len(data):
        raise ValueError(f"{len(data)} bytes, where {size} are told of from byte {start} on")
    return data[start : start + size]


def _read_address(word: bytes) -> str:
    if word[:12] != _PADDING:
        raise ValueError("an address with more than 20 bytes")
    return "0x" + word[12:].hex()


def _read_bool(word: bytes) -> bool:
    value = int.from_bytes(word, "big")
    if value > 1:
        raise ValueError("a truth value that is neither 0 nor 1")
    return value == 1


_PADDING = bytes(12)
_READERS: Mapping[str, Callable[[bytes], Any]] = {
    "address": _read_address,
    "bool": _read_bool,
    "bytes32": bytes,
    "int256": lambda word: int.from_bytes(word, "big", signed=True),
    "uint256": int.from_bytes,  # big-endian by default
}


def encode_entry(contract: str, entry: Entry, block_number: int, timestamp: int) -> RawLog:
    """The raw log that the contract emits for an entry."""
    from eth_abi.abi import encode

    shape = event_shapes(contract)[entry.name]
    values = [entry.caller, *(entry.args[name] for name in shape.names[1:])]
    raw = [
        value.encode("utf-8", "surrogateescape") if kind == "string" else value
        for kind, value in zip(shape.types, values, strict=True)
    ]
    return RawLog(block_number, timestamp, shape.topic, entry.id, encode(_as_bytes(shape.types), raw))


def _as_bytes(types: Sequence[str]) -> list[str]:
    """Text on a chain may be no UTF-8, and an entry with such text must not stop a replay; so it is read as bytes."""
    return ["bytes" if one == "string" else one for one in types]
