"""ERC-20 tokens, odd ones included: no decimals, names as words, nothing returned, permit or none."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

from ledger.chain.answers import hex_bytes
from ledger.chain.codec import Abi
from ledger.chain.reader import Reader
from ledger.chain.requests import Request, fresh_key
from ledger.chain.rpc import Call, RpcError, call_object
from ledger.chain.signing import Signer
from ledger.domain.address import checksum_address
from ledger.domain.canonical import address_word, keccak256, uint_word
from ledger.domain.errors import LedgerError, ValueRefused

_PERMIT_TYPE = keccak256(
    b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
#: Most decimals of a token in scope.
_MOST_DECIMALS = 18


class Permit(NamedTuple):
    """An EIP-2612 permit as ILicences takes it."""

    value: int
    deadline: int
    v: int
    r: bytes
    s: bytes


def _entry(name: str, inputs: Sequence[str], outputs: Sequence[str], *, view: bool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": f"a{place}", "type": kind} for place, kind in enumerate(inputs)],
        "outputs": [{"name": f"r{place}", "type": kind} for place, kind in enumerate(outputs)],
        "stateMutability": "view" if view else "nonpayable",
    }


@cache
def _abi() -> Abi:
    return Abi(
        [
            _entry("balanceOf", ["address"], ["uint256"], view=True),
            _entry("allowance", ["address", "address"], ["uint256"], view=True),
            _entry("nonces", ["address"], ["uint256"], view=True),
            _entry("DOMAIN_SEPARATOR", [], ["bytes32"], view=True),
            _entry("approve", ["address", "uint256"], [], view=False),
            _entry("transfer", ["address", "uint256"], [], view=False),
            _entry("mint", ["address", "uint256"], [], view=False),
        ]
    )


class Token:
    """One ERC-20. What it says of itself is only shown, never trusted."""

    def __init__(self, address: str, reader: Reader) -> None:
        self.address = address.lower()
        self._reader = reader

    @cached_property
    def _told(self) -> tuple[str, str, int | None]:
        """Name, symbol and decimals as the token tells them; decimals None where it tells none that make
        sense.
        """
        selectors = [keccak256(f"{name}()".encode())[:4] for name in ("name", "symbol", "decimals")]
        calls: list[Call] = [("eth_call", (call_object(self.address, one), "latest")) for one in selectors]
        calls.append(("eth_getCode", (self.address, "latest")))
        *answers, code = self._reader.rpc.batch(calls)
        if code == "0x":
            raise ValueRefused(
                f"Chain {self._reader.rpc.chain_id} has no token at {checksum_address(self.address)}.",
                remedy="Check the address, and that the URL is of the right chain.",
            )
        name, symbol, decimals = (b"" if isinstance(one, RpcError) else hex_bytes(one) for one in answers)
        known = int.from_bytes(decimals, "big") if len(decimals) == 32 else None
        return _text(name), _text(symbol), known if known is not None and known <= _MOST_DECIMALS else None

    @property
    def name(self) -> str:
        """The token's name, without control characters; empty where it has none."""
        return self._told[0]

    @property
    def symbol(self) -> str:
        """The token's symbol; where it has none, the start of its address."""
        return self._told[1] or self.address[:10]

    @property
    def decimals(self) -> int:
        """The token's decimals. Raises LedgerError where it tells none, or more than 18."""
        if (known := self._told[2]) is None:
            raise ValueRefused(
                f"The token {checksum_address(self.address)} tells no decimals from 0 to {_MOST_DECIMALS}.",
                remedy="Give amounts in base units, or use another token.",
            )
        return known

    def balance(self, holder: str) -> int:
        """Base units held."""
        return int(self._view("balanceOf", holder))

    def balances(self, holders: Sequence[str]) -> list[int]:
        """Base units held by each, in batches. Raises LedgerError."""
        kind = _abi().function("balanceOf")
        held = self._reader.views([(self.address, kind, (holder,)) for holder in holders])
        balances = []
        for one in held:
            if isinstance(one, LedgerError):
                raise one
            balances.append(int(one))
        return balances

    def allowance(self, owner: str, spender: str) -> int:
        """Base units that the spender may move."""
        return int(self._view("allowance", owner, spender))

    def approve(self, spender: str, amount: int) -> Request:
        """Lets the spender move so much. May be repeated."""
        return self._request("approve", f"let {spender} move {self.symbol}", spender, amount)

    def transfer(self, to: str, amount: int, *, occasion: str = "") -> Request:
        """Moves base units; the occasion tells this transfer from others of the same amount."""
        return self._request("transfer", f"send {self.symbol} to {to}", to, amount, occasion=occasion)

    def mint(self, to: str, amount: int, *, occasion: str = "") -> Request:
        """Makes test money; only our test tokens have this."""
        return self._request("mint", f"mint {self.symbol} for {to}", to, amount, occasion=occasion)

    def has_permit(self) -> bool:
        """Whether the token seems to take EIP-2612 permits."""
        calls = [
            (self.address, _abi().function("DOMAIN_SEPARATOR"), ()),
            (self.address, _abi().function("nonces"), (self.address,)),
        ]
        return not any(isinstance(one, LedgerError) for one in self._reader.views(calls))

    def sign_permit(self, signer: Signer, spender: str, value: int, deadline: int) -> Permit:
        """The owner's EIP-2612 permit, with the token's own domain separator and next nonce. Raises
        LedgerError.
        """
        nonce = int(self._view("nonces", signer.address))
        struct = keccak256(
            _PERMIT_TYPE
            + address_word(signer.address)
            + address_word(spender.lower())
            + uint_word(value)
            + uint_word(nonce)
            + uint_word(deadline)
        )
        signature = signer.sign_digest(keccak256(b"\x19\x01" + self._view("DOMAIN_SEPARATOR") + struct))
        return Permit(value, deadline, signature[64], signature[:32], signature[32:64])

    def _view(self, function: str, *arguments: Any) -> Any:
        return self._reader.view(self.address, _abi().function(function), *arguments)

    def _request(self, function: str, note: str, *arguments: Any, occasion: str = "") -> Request:
        data = _abi().function(function).encode(*arguments)
        prefix = f"{function}/{self.address}"
        if not occasion:
            return Request(fresh_key(prefix), self.address, data, note=note)
        content = keccak256(data + occasion.encode()).hex()
        return Request(f"{prefix}/{content[:40]}", self.address, data, note=note)


def _text(data: bytes) -> str:
    """A string result, or a word with text at its left as old tokens give it; nothing that could steer a
    terminal.
    """
    raw = data
    if len(data) >= 64 and int.from_bytes(data[:32], "big") == 32:
        raw = data[64 : 64 + int.from_bytes(data[32:64], "big")]
    text = raw.rstrip(b"\0").decode("utf-8", "replace")
    shown = "".join(one for one in text if unicodedata.category(one)[0] != "C")
    return shown[:64]
