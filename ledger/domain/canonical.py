"""Canonical JSON (RFC 8785) and keccak256."""

from __future__ import annotations

from typing import Any

import sha3

from ledger.domain.errors import ValueRefused

ZERO32 = bytes(32)
ZERO_ADDRESS = "0x" + "00" * 20


def keccak256(data: bytes) -> bytes:
    """The 32-byte Keccak-256 hash that Ethereum uses."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


def canonical_json(value: Any) -> bytes:
    """The RFC 8785 form of a JSON value: sorted keys, no spaces, UTF-8.

    Numbers beyond 2^53 and non-finite ones are refused: amounts are decimal strings.
    """
    import rfc8785

    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueRefused(
            "The document has no canonical JSON form.",
            why=str(error),
            remedy="Write amounts and other large numbers as strings.",
        ) from error


def canonical_hash(value: Any) -> bytes:
    """keccak256 of the canonical JSON form."""
    return keccak256(canonical_json(value))


def hex32(word: bytes) -> str:
    """A word as 0x and hex digits."""
    return "0x" + word.hex()


def uint_word(value: int) -> bytes:
    """An unsigned integer as a big-endian word of 32 bytes."""
    return value.to_bytes(32, "big")


def address_word(address: str) -> bytes:
    """An address, left-padded to 32 bytes as in `abi.encode`."""
    return bytes(12) + bytes.fromhex(address[2:])
