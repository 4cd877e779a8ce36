"""Where the contracts keep their state: slots and packing, from the storage layout that solc wrote into the artefacts.

Slots follow the Solidity documentation, "Layout of State Variables in Storage": the value of a mapping lies at
keccak256(key ‖ slot), a struct's members from there on, small members packed from the low end of a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import orjson

from ledger.domain.canonical import address_word, keccak256, uint_word
from ledger.domain.errors import LedgerError

Key = bytes | int | str


@dataclass(frozen=True, slots=True)
class Field:
    """A part of a word: `shift` bits from the low end, `bits` wide."""

    name: str
    shift: int
    bits: int

    def of(self, word: bytes) -> int:
        """The field's value in a word."""
        return int.from_bytes(word, "big") >> self.shift & ((1 << self.bits) - 1)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct: how many slots after its start, and where in that word."""

    slot: int
    field: Field


def mapping_slot(slot: bytes, key: Key) -> bytes:
    """Where a mapping keeps the value of a key."""
    return keccak256(key_word(key) + slot)


def key_word(key: Key) -> bytes:
    """A key as it is hashed: an address (lower-case hex), a number, or 32 bytes."""
    if isinstance(key, bytes):
        return key
    return uint_word(key) if isinstance(key, int) else address_word(key)


class Layout:
    """The storage of one contract."""

    def __init__(self, name: str, held: Mapping[str, Any]) -> None:
        """`held`: solc's `storageLayout`."""
        self.name = name
        self._types: Mapping[str, Any] = held["types"]
        self._variables = {one["label"]: (int(one["slot"]), one["type"]) for one in held["storage"]}
        self._nested = lru_cache(maxsize=4096)(self._nested_uncached)

    def slot(self, label: str, *keys: Key, member: str = "") -> bytes:
        """The slot of a variable, of a mapping's value, or of a struct's member, as 32 bytes."""
        slot = mapping_slot(self._nested(label, keys[:-1]), keys[-1]) if keys else self._nested(label, ())
        if not member:
            return slot
        return self.beside(slot, self.members(label)[member].slot)

    @staticmethod
    def beside(slot: bytes, distance: int) -> bytes:
        """The slot so many after another."""
        return uint_word((int.from_bytes(slot, "big") + distance) % 2**256)

    def _nested_uncached(self, label: str, keys: tuple[Key, ...]) -> bytes:
        if keys:
            return mapping_slot(self._nested(label, keys[:-1]), keys[-1])
        return uint_word(self._variable(label)[0])

    def _variable(self, label: str) -> tuple[int, str]:
        if label not in self._variables:
            raise LedgerError(f"{self.name} has no state variable {label}.", remedy="Run `make compile`.")
        return self._variables[label]

    @cache  # noqa: B019 - layouts live as long as the process
    def members(self, label: str) -> dict[str, Member]:
        """The members of the struct that a variable is, or that its mapping leads to, but for mappings."""
        kind = self._types[self._variable(label)[1]]
        while kind["encoding"] == "mapping":
            kind = self._types[kind["value"]]
        found = {}
        for one in kind.get("members", ()):
            of = self._types[one["type"]]
            if of["encoding"] == "inplace":
                field = Field(one["label"], int(one["offset"]) * 8, int(of["numberOfBytes"]) * 8)
                found[one["label"]] = Member(int(one["slot"]), field)
        return found

    def mapping_members(self, label: str) -> dict[str, int]:
        """The mappings in a struct, by name: how many slots after its start."""
        kind = self._types[self._variable(label)[1]]
        while kind["encoding"] == "mapping":
            kind = self._types[kind["value"]]
        return {
            one["label"]: int(one["slot"])
            for one in kind["members"]
            if self._types[one["type"]]["encoding"] == "mapping"
        }

    def pack(self, label: str, **values: Key | bool) -> dict[int, tuple[bytes, tuple[Field, ...]]]:
        """The words of a struct by their distance from its start, with the fields of each; all members are given."""
        members = self.members(label)
        if members.keys() != values.keys():
            raise LedgerError(
                f"{self.name}.{label} has other members: {sorted(members.keys() ^ values.keys())}."
            )
        words: dict[int, int] = {}
        fields: dict[int, list[Field]] = {}
        for name, member in members.items():
            value = int.from_bytes(key_word(values[name]), "big")
            if value >> member.field.bits:
                raise LedgerError(f"{self.name}.{label}.{name} is too large for its place.")
            words[member.slot] = words.get(member.slot, 0) | value << member.field.shift
            fields.setdefault(member.slot, []).append(member.field)
        return {slot: (uint_word(word), tuple(fields[slot])) for slot, word in words.items()}


@cache
def layout_of(name: str) -> Layout:
    """The layout of a packaged contract. Raises LedgerError."""
    file = resources.files("ledger.chain") / "artefacts" / f"{name}.json"
    try:
        return Layout(name, orjson.loads(file.read_bytes())["storageLayout"])
    except (FileNotFoundError, KeyError) as error:
        raise LedgerError(
            f"The package carries no storage layout of {name}.", remedy="Run `make compile`."
        ) from error
