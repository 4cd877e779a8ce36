"""Signing: EIP-1559 transactions and digests with libsecp256k1, and the RLP that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coincurve import PrivateKey

from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def rlp_bytes(value: bytes) -> bytes:
    """One string in RLP (Yellow Paper, appendix B)."""
    if len(value) == 1 and value[0] < 0x80:
        return value
    return _prefix(len(value), 0x80) + value


def rlp_int(value: int) -> bytes:
    """One integer in RLP: big-endian, without leading zeros."""
    return rlp_bytes(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rlp_list(items: Sequence[bytes]) -> bytes:
    """A list of encoded items in RLP."""
    body = b"".join(items)
    return _prefix(len(body), 0xC0) + body


def _prefix(size: int, offset: int) -> bytes:
    if size < 56:
        return bytes((offset + size,))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((offset + 55 + len(length),)) + length


@dataclass(frozen=True, slots=True)
class Transaction:
    """An EIP-1559 transaction without access list. Fees in wei per gas."""

    chain_id: int
    nonce: int
    max_priority_fee: int
    max_fee: int
    gas: int
    to: str | None
    value: int
    data: bytes

    def _fields(self) -> list[bytes]:
        numbers = (self.chain_id, self.nonce, self.max_priority_fee, self.max_fee, self.gas)
        to = bytes.fromhex(self.to[2:]) if self.to is not None else b""
        return [*map(rlp_int, numbers), rlp_bytes(to), rlp_int(self.value), rlp_bytes(self.data), b"\xc0"]


class Signer:
    """An account whose key is unlocked. Its key is never shown."""

    def __init__(self, key: bytes) -> None:
        if len(key) != 32 or not 0 < int.from_bytes(key, "big") < _ORDER:
            raise LedgerError("This is no private key.", remedy="A key is 0x and 64 hexadecimal digits.")
        self._key = PrivateKey(key)
        self.address = "0x" + keccak256(self._key.public_key.format(compressed=False)[1:])[12:].hex()

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign_digest(self, digest: bytes) -> bytes:
        """R ‖ s ‖ v (27 or 28) over a 32-byte digest, such as that of EIP-712; s is low."""
        signature = bytes(self._key.sign_recoverable(digest, hasher=None))
        return signature[:64] + bytes((signature[64] + 27,))

    def sign_transaction(self, transaction: Transaction) -> tuple[bytes, bytes]:
        """The signed bytes, type byte included, and the transaction's hash."""
        fields = transaction._fields()
        signature = bytes(self._key.sign_recoverable(keccak256(b"\x02" + rlp_list(fields)), hasher=None))
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        raw = b"\x02" + rlp_list([*fields, rlp_int(signature[64]), rlp_int(r), rlp_int(s)])
        return raw, keccak256(raw)
