"""Block headers: from JSON-RPC to the RLP whose Keccak-256 is the block's hash, every fork up to Prague.

A field that this page does not know stops the audit: a header that is only partly understood proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.domain import rlp
from ledger.domain.canonical import keccak256
from ledger.domain.rlp import Malformed

#: JSON name and size in bytes of each field in the order of the header; negative: a number of at most so many.
_FIELDS: tuple[tuple[str, int], ...] = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", -32),
    ("number", -8),
    ("gasLimit", -8),
    ("gasUsed", -8),
    ("timestamp", -8),
    ("extraData", 0),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", -32),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", -8),
    ("excessBlobGas", -8),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)
#: How many fields a header has: first chain, London, Shanghai, Cancun, Prague.
_COUNTS = {15: "frontier", 16: "london", 17: "shanghai", 20: "cancun", 21: "prague"}
#: What nodes tell of a block beside its header.
_BESIDE = frozenset(
    {"hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals", "author", "sealFields"}
)
_NAMES = frozenset(name for name, _ in _FIELDS)


@dataclass(frozen=True, slots=True)
class Header:
    """What the audit reads of a header; `hash` is that of its encoding `raw`."""

    hash: bytes
    parent: bytes
    state_root: bytes
    receipts_root: bytes
    bloom: bytes
    number: int
    timestamp: int
    fork: str
    raw: bytes


def header_of_json(block: Mapping[str, Any]) -> Header:
    """The header of a block as eth_getBlockBy… tells it; the hash is computed, not read. Raises Malformed."""
    unknown = sorted(name for name in block if name not in _NAMES and name not in _BESIDE)
    if unknown:
        raise Malformed(
            "The block's header has fields that this version does not know.",
            ", ".join(unknown),
            "The chain has passed a fork after Prague, or it is not an Ethereum chain.",
            "Use a version of licence-ledger that knows them: nothing was proved.",
        )
    present = [name for name, _ in _FIELDS if block.get(name) is not None]
    if present != [name for name, _ in _FIELDS[: len(present)]] or len(present) not in _COUNTS:
        missing = [name for name, _ in _FIELDS if block.get(name) is None]
        raise Malformed("The block's header lacks fields.", ", ".join(missing))
    return header_of_rlp(
        rlp.encode([_field(name, size, block[name]) for name, size in _FIELDS[: len(present)]])
    )


def header_of_rlp(raw: bytes) -> Header:
    """A header of its encoding. Raises Malformed."""
    items = rlp.decode_list(raw)
    fork = _COUNTS.get(len(items))
    if fork is None:
        raise Malformed(f"A header of {len(items)} fields is unknown; this version knows those up to Prague.")
    values: dict[str, bytes] = {}
    for (name, size), item in zip(_FIELDS, items, strict=False):
        if size > 0:
            values[name] = rlp.fixed(item, size)
        elif size < 0:
            rlp.int_of(item, -size)
        if not isinstance(item, bytes):
            raise Malformed(f"The header's {name} is a list.")
        values[name] = item
    return Header(
        hash=keccak256(raw),
        parent=values["parentHash"],
        state_root=values["stateRoot"],
        receipts_root=values["receiptsRoot"],
        bloom=values["logsBloom"],
        number=int.from_bytes(values["number"], "big"),
        timestamp=int.from_bytes(values["timestamp"], "big"),
        fork=fork,
        raw=raw,
    )


def _field(name: str, size: int, told: object) -> bytes:
    if not isinstance(told, str) or not told.startswith("0x"):
        raise Malformed(f"The header's {name} is not hexadecimal.")
    try:
        if size < 0:
            number = rlp.int_bytes(int(told[2:] or "0", 16))
            if len(number) <= -size:
                return number
        else:
            value = bytes.fromhex(told[2:])
            if size in (0, len(value)):
                return value
    except ValueError:
        pass
    raise Malformed(f"The header's {name} has a wrong form: {told[:80]}")
