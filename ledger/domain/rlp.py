"""RLP, strict: what is not the one canonical encoding of its value is refused (Yellow Paper, appendix B)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

from ledger.domain.errors import AuditFailed

#: A byte string, or a list of items.
Item: TypeAlias = Union[bytes, "list[Item]"]
#: What is to be encoded: byte strings and sequences of such.
Encodable: TypeAlias = Union[bytes, "Sequence[Encodable]"]

#: Headers, receipts, nodes and proofs need three levels.
_DEEPEST = 16
_SHORT = 55


class Malformed(AuditFailed):
    """Bytes that are not what they claim to be."""


def encode(value: Encodable) -> bytes:
    """The encoding of a byte string or of nested sequences of byte strings."""
    if isinstance(value, bytes):
        return encode_bytes(value)
    return encode_list([encode(one) for one in value])


def encode_bytes(value: bytes) -> bytes:
    """The encoding of a byte string."""
    if len(value) == 1 and value[0] < 0x80:
        return value
    if len(value) <= _SHORT:
        return bytes((0x80 + len(value),)) + value
    return _long(0xB7, len(value)) + value


def encode_list(encoded: Sequence[bytes]) -> bytes:
    """A list of items that are encoded already."""
    body = b"".join(encoded)
    if len(body) <= _SHORT:
        return bytes((0xC0 + len(body),)) + body
    return _long(0xF7, len(body)) + body


def encode_int(value: int) -> bytes:
    """The encoding of a number ≥ 0: big-endian without leading zeros."""
    return encode_bytes(int_bytes(value))


def int_bytes(value: int) -> bytes:
    """A number ≥ 0 as the shortest big-endian bytes; none for zero."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _long(base: int, size: int) -> bytes:
    length = int_bytes(size)
    return bytes((base + len(length),)) + length


def decode(data: bytes) -> Item:
    """The value of a canonical encoding that takes all of `data`. Raises Malformed."""
    item, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise Malformed("An RLP item is followed by other bytes.")
    return item


def decode_list(data: bytes) -> list[Item]:
    """The items of an encoded list. Raises Malformed."""
    held = decode(data)
    if isinstance(held, bytes):
        raise Malformed("An RLP list was expected, not a byte string.")
    return held


def int_of(item: Item, size: int = 32) -> int:
    """The number that an item encodes, of at most `size` bytes. Raises Malformed."""
    if not isinstance(item, bytes) or len(item) > size or item[:1] == b"\0":
        raise Malformed("An RLP number is not in its shortest form, or too long.")
    return int.from_bytes(item, "big")


def fixed(item: Item, size: int) -> bytes:
    """A byte string of exactly `size` bytes. Raises Malformed."""
    if not isinstance(item, bytes) or len(item) != size:
        raise Malformed(f"An RLP byte string of {size} bytes was expected.")
    return item


def _decode(data: bytes, at: int, limit: int, depth: int) -> tuple[Item, int]:
    if at >= limit:
        raise Malformed("An RLP item ends early.")
    first = data[at]
    at += 1
    if first < 0x80:
        return data[at - 1 : at], at
    if first < 0xC0:
        size, at = _size(data, at, limit, first - 0x80)
        end = at + size
        if end > limit:
            raise Malformed("An RLP byte string is longer than its data.")
        if size == 1 and data[at] < 0x80:
            raise Malformed("An RLP byte is not in its shortest form.")
        return data[at:end], end
    size, at = _size(data, at, limit, first - 0xC0)
    end = at + size
    if end > limit:
        raise Malformed("An RLP list is longer than its data.")
    if depth >= _DEEPEST:
        raise Malformed("RLP lists are nested too deep.")
    items: list[Item] = []
    while at < end:
        # Most items are the hashes and empty places of a trie's branch; the rest is read one call each.
        first = data[at]
        if first == 0xA0 and at + 33 <= end:
            items.append(data[at + 1 : at + 33])
            at += 33
        elif first == 0x80:
            items.append(b"")
            at += 1
        else:
            item, at = _decode(data, at, end, depth + 1)
            items.append(item)
    return items, end


def _size(data: bytes, at: int, limit: int, short: int) -> tuple[int, int]:
    """The length of an item's content and where that begins; `short`: what the first byte says of it."""
    if short <= _SHORT:
        return short, at
    width = short - _SHORT
    if at + width > limit:
        raise Malformed("An RLP length ends early.")
    if data[at] == 0:
        raise Malformed("An RLP length has leading zeros.")
    size = int.from_bytes(data[at : at + width], "big")
    if size <= _SHORT:
        raise Malformed("An RLP length is not in its shortest form.")
    return size, at + width
