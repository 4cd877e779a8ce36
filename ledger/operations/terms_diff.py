"""Two licence terms side by side: in plain words, and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ledger.domain.chain_terms import ChainTerms
from ledger.domain.terms import TermsDocument
from ledger.operations.plan import Money
from ledger.operations.terms_words import in_words


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: what it is called, its terms, and its document where that is known."""

    name: str
    terms: ChainTerms
    token: Money
    document: TermsDocument | None


@dataclass(frozen=True, slots=True)
class Row:
    """A point of the terms on both sides; empty where a side says nothing of it."""

    name: str
    a: str
    b: str

    @property
    def same(self) -> bool:
        """Whether both sides say the same."""
        return self.a == self.b

    def as_dict(self) -> dict[str, Any]:
        """The row as data for `--json`."""
        return {"name": self.name, "a": self.a, "b": self.b, "same": self.same}


def side_by_side(a: Side, b: Side) -> list[Row]:
    """Every point of both terms in plain words, in the order in which `licence show` tells them."""
    left, right = (dict(in_words(one.terms, one.token, one.document)) for one in (a, b))
    return [Row(name, left.get(name, ""), right.get(name, "")) for name in _merged(list(left), list(right))]


def _merged(left: list[str], right: list[str]) -> list[str]:
    """The names of both lists, each once; what only the right one has stands behind its neighbour there."""
    found = list(left)
    for place, name in enumerate(right):
        if name not in found:
            found.insert(found.index(right[place - 1]) + 1 if place else 0, name)
    return found


def differing_fields(a: Side, b: Side) -> list[Row]:
    """Every field that differs, exactly: of the documents where both are known, else of what the chain enforces."""
    left, right = (dict(_flat(_values(one, bool(a.document and b.document)))) for one in (a, b))
    rows = (Row(path, left.get(path, ""), right.get(path, "")) for path in _merged(list(left), list(right)))
    return [row for row in rows if not row.same]


def _values(side: Side, documents: bool) -> dict[str, Any]:
    if documents and side.document is not None:
        return side.document.model_dump(mode="json")
    return {one.name: getattr(side.terms, one.name) for one in fields(side.terms)}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, held in value.items():
            yield from _flat(held, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for number, held in enumerate(value):
            yield from _flat(held, f"{path}[{number}]")
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
