"""Receipts: their encoding (types 0 to 4, EIP-2718), their blooms, and the root that a header names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ledger.domain import rlp
from ledger.domain.canonical import keccak256
from ledger.domain.rlp import Malformed
from ledger.domain.trie import root_of

_TYPES = range(5)
_BLOOM_BYTES = 256


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a receipt: the address in lower-case hex, topics of 32 bytes."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a block commits to of a transaction's outcome. `outcome`: status 0 or 1, or a state root of old."""

    kind: int
    outcome: bytes
    cumulative_gas: int
    logs: tuple[Log, ...]

    def encoded(self) -> bytes:
        """The bytes in the receipts trie; the bloom is computed of the logs."""
        logs = [
            rlp.encode_list(
                (
                    b"\x94" + bytes.fromhex(one.address[2:]),
                    rlp.encode_list([b"\xa0" + topic for topic in one.topics]),
                    rlp.encode_bytes(one.data),
                )
            )
            for one in self.logs
        ]
        body = rlp.encode_list(
            (
                rlp.encode_bytes(self.outcome),
                rlp.encode_int(self.cumulative_gas),
                rlp.encode_bytes(bloom_of(self.logs)),
                rlp.encode_list(logs),
            )
        )
        return bytes((self.kind,)) + body if self.kind else body


@lru_cache(maxsize=20_000)
def _bits(value: bytes) -> int:
    """The three bits of 2,048 that an address or a topic sets."""
    held = keccak256(value)
    bits = 0
    for at in (0, 2, 4):
        bits |= 1 << ((held[at] << 8 | held[at + 1]) & 2047)
    return bits


def bloom_of(logs: Sequence[Log]) -> bytes:
    """The bloom of addresses and topics, 256 bytes."""
    bits = 0
    for one in logs:
        bits |= _bits(bytes.fromhex(one.address[2:]))
        for topic in one.topics:
            bits |= _bits(topic)
    return bits.to_bytes(_BLOOM_BYTES, "big")


def receipts_root(encoded: Sequence[bytes]) -> bytes:
    """The root of a block's encoded receipts, in the order of its transactions."""
    return root_of([(rlp.encode_int(number), one) for number, one in enumerate(encoded)])


def block_bloom(receipts: Sequence[Receipt]) -> bytes:
    """The bloom of a block: that of all its logs."""
    bits = 0
    for one in receipts:
        bits |= int.from_bytes(bloom_of(one.logs), "big")
    return bits.to_bytes(_BLOOM_BYTES, "big")


def receipt_of_json(told: Mapping[str, Any]) -> Receipt:
    """A receipt as a node tells it. Raises Malformed: a field is missing or wrong, or the type is unknown."""
    try:
        kind = int(told.get("type") or "0x0", 16)
        if kind not in _TYPES:
            raise Malformed(
                f"A receipt has type {kind}; this version knows 0 to 4.",
                str(told.get("transactionHash", "")),
            )
        status = told.get("status")
        outcome = rlp.int_bytes(int(status, 16)) if status is not None else bytes.fromhex(told["root"][2:])
        if outcome not in (b"", b"\x01") and len(outcome) != 32:
            raise Malformed("A receipt has an unknown status.")
        return Receipt(
            kind, outcome, int(told["cumulativeGasUsed"], 16), tuple(_log(one) for one in told["logs"])
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed("A receipt is incomplete.", why=repr(error)) from error


def _log(told: Mapping[str, Any]) -> Log:
    topics = tuple(bytes.fromhex(one[2:]) for one in told["topics"])
    address = told["address"].lower()
    if len(topics) > 4 or any(len(one) != 32 for one in topics) or len(bytes.fromhex(address[2:])) != 20:
        raise Malformed("A log of a receipt has a wrong form.")
    return Log(address, topics, bytes.fromhex(told["data"][2:]))
