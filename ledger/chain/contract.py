"""One contract as Python sees it, and the values that its calls take. contracts.py has each contract's acts.

A request's key names the act by contract and call data, so that the same call is made once. Acts that may
rightly be repeated with the same call data take an `occasion`, which tells this time from every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.chain.artefacts import load
from ledger.chain.reader import Reader
from ledger.chain.requests import Request
from ledger.domain.canonical import keccak256
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import Split
from ledger.domain.split_types import Leaf, Run


class Contract:
    """One contract at its address."""

    def __init__(self, name: str, address: str, reader: Reader) -> None:
        self.name = name
        self.address = address.lower()
        self.abi = load(name).abi
        self.reader = reader

    def request(
        self, function: str, *arguments: Any, note: str, occasion: str = "", gas: int | None = None
    ) -> Request:
        """A call as a request under a key made of contract, function, call data and occasion."""
        data = self.abi.function(function).encode(*arguments)
        content = keccak256(bytes.fromhex(self.address[2:]) + data + occasion.encode()).hex()
        return Request(f"{self.name}.{function}/{content[:40]}", self.address, data, gas=gas, note=note)

    def view(self, function: str, *arguments: Any, block: str = "latest") -> Any:
        """A view's value. Raises LedgerError."""
        return self.reader.view(self.address, self.abi.function(function), *arguments, block=block)

    def views(self, function: str, many: Sequence[Sequence[Any]], *, block: str = "latest") -> list[Any]:
        """One view for many arguments, in batches; a refused one gives its LedgerError in place."""
        kind = self.abi.function(function)
        return self.reader.views([(self.address, kind, arguments) for arguments in many], block=block)


def split_value(split: Split) -> tuple[Any, ...]:
    """ISplits.Split."""
    return (split.root, split.total, split.depth)


def run_value(run: Run) -> tuple[Any, ...]:
    """ISplits.Run."""
    return (run.first_page, list(run.words), list(run.siblings))


def leaf_value(leaf: Leaf) -> tuple[Any, ...]:
    """ISplits.Leaf."""
    return (split_value(leaf.split), leaf.token, leaf.index, leaf.leaf, list(leaf.siblings))


def figures_value(figures: Figures) -> tuple[Any, ...]:
    """ILicences.Figures."""
    return (
        figures.period,
        figures.version,
        figures.gross,
        figures.deductions,
        figures.max_due,
        figures.report_hash,
    )


def value_or_raise(result: Any) -> Any:
    """A value out of a batch; raises what stands in its place."""
    if isinstance(result, Exception):
        raise result
    return result
