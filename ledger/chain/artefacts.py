"""The compiled contracts that the package carries: ABI, bytecode, places of immutables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from ledger.chain.codec import Abi
from ledger.domain.errors import LedgerError


@dataclass(frozen=True)
class Artefact:
    """One compiled contract. `runtime` has zeros at the immutables, listed by name as (start, length)."""

    name: str
    abi: Abi
    abi_entries: tuple[dict[str, Any], ...]
    bytecode: bytes
    runtime: bytes
    immutables: Mapping[str, tuple[tuple[int, int], ...]]

    def initcode(self, *arguments: Any) -> bytes:
        """The creation code with its constructor arguments."""
        return self.bytecode + self.abi.constructor.encode(arguments)

    def immutable(self, code: bytes, name: str) -> bytes:
        """The value that deployed code holds for an immutable; all its places must agree."""
        values = {code[start : start + length] for start, length in self.immutables[name]}
        if len(values) != 1:
            raise LedgerError(f"The code of {self.name} holds different values for its immutable {name}.")
        return values.pop()

    def matches(self, code: bytes) -> bool:
        """Whether deployed code is this contract's, immutables left out."""
        if len(code) != len(self.runtime):
            return False
        masked = bytearray(code)
        for places in self.immutables.values():
            for start, length in places:
                masked[start : start + length] = self.runtime[start : start + length]
        return bytes(masked) == self.runtime


def parse(held: Mapping[str, Any]) -> Artefact:
    """An artefact from the JSON that tools/build.py writes."""
    immutables = {
        label: tuple((int(place["start"]), int(place["length"])) for place in places)
        for label, places in held.get("immutableReferences", {}).items()
    }
    return Artefact(
        name=held["contractName"],
        abi=Abi(held["abi"]),
        abi_entries=tuple(held["abi"]),
        bytecode=bytes.fromhex(held["bytecode"][2:]),
        runtime=bytes.fromhex(held["deployedBytecode"][2:]),
        immutables=immutables,
    )


def load_file(path: Path) -> Artefact:
    """An artefact from a file outside the package. Raises LedgerError."""
    try:
        return parse(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError) as error:
        raise LedgerError(
            "The artefact cannot be read.", str(path), str(error), "Run `make compile`."
        ) from error


@cache
def load(name: str) -> Artefact:
    """A packaged artefact by the contract's name. Raises LedgerError."""
    file = resources.files("ledger.chain") / "artefacts" / f"{name}.json"
    try:
        return parse(orjson.loads(file.read_bytes()))
    except FileNotFoundError:
        raise LedgerError(
            f"The package carries no contract {name}.",
            remedy=f"It carries: {', '.join(names()) or 'none'}. From a source tree run `make compile`.",
        ) from None


@cache
def names() -> tuple[str, ...]:
    """The packaged contracts."""
    folder = resources.files("ledger.chain") / "artefacts"
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json")))
