"""Ethereum addresses: read with their EIP-55 checksum, kept in lower case."""

from __future__ import annotations

import re

from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.errors import ValueRefused

_SHAPE = re.compile(r"0x[0-9a-fA-F]{40}")


def checksum_address(address: str) -> str:
    """The EIP-55 form for showing."""
    digits = address[2:].lower()
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) >= 8 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def parse_address(text: str, *, allow_zero: bool = False) -> str:
    """An address in lower case. Refuses a wrong shape, a wrong checksum and, by default, the zero address."""
    if not isinstance(text, str) or not _SHAPE.fullmatch(text):
        raise ValueRefused(f"{text!r} is not an address.", remedy="Write 0x and 40 hexadecimal digits.")
    lower = text.lower()
    digits = text[2:]
    if digits != digits.lower() and digits != digits.upper() and checksum_address(lower) != text:
        raise ValueRefused(
            f"{text} has a wrong checksum: a digit may be mistyped.",
            remedy="Copy the address again, or write it in lower case if you are sure.",
        )
    if lower == ZERO_ADDRESS and not allow_zero:
        raise ValueRefused("The zero address cannot stand here.", remedy="Name a real account.")
    return lower


def parse_word(text: str) -> bytes:
    """A 32-byte word written as 0x and 64 hexadecimal digits."""
    if not isinstance(text, str) or not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise ValueRefused(f"{text!r} is not a 32-byte hash.", remedy="Write 0x and 64 hexadecimal digits.")
    return bytes.fromhex(text[2:])
