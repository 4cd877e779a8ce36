"""The replayed history as parts of plain JSON, and back: what a store keeps, and no code with it.

Numbers, truth values and nothing stand for themselves; texts begin with "s", bytes are "x" and hexadecimal digits; a
tuple is an array; all else is an object of one member, named by what it is.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from ledger.audit import sources as files
from ledger.audit.history import Folds, History, LateReport
from ledger.audit.source import batched
from ledger.domain import attribution_book, catalogue_book, chain_terms, distribution_types, licence_types
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import Split
from ledger.domain.royalty import Tier
from ledger.domain.split_types import PageState, Publication

#: Rises with what the parts mean; what they are made of is in `SHAPE` too.
FORMAT = 1
#: Items of a part.
_ITEMS = 1_024

_CLASSES: dict[str, type] = {
    f"{one.__module__.rsplit('.', 1)[1]}.{one.__name__}": one
    for one in (
        PageState,
        Publication,
        Split,
        catalogue_book.Catalogue,
        catalogue_book.Settings,
        chain_terms.ChainTerms,
        Tier,
        licence_types.Dispute,
        licence_types.Grant,
        licence_types.LicenceState,
        licence_types.PeriodState,
        licence_types.Source,
        distribution_types.Round,
        distribution_types.Distribution,
        distribution_types.Objection,
        attribution_book.Recorded,
        attribution_book.Training,
        attribution_book.Batch,
        Entry,
        LateReport,
        files.Booking,
        files.Posted,
        files.ManifestNamed,
        files.SplitNamed,
    )
}


def _names(kind: type) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(one.name for one in dataclasses.fields(kind))
    return tuple(kind._fields)  # type: ignore[attr-defined]


_MEMBERS: dict[type, tuple[str, Callable[[Any], Iterable[Any]]]] = {
    kind: (name, attrgetter(*_names(kind))) for name, kind in _CLASSES.items()
}

#: What of a History is kept: dictionaries and sets, whose items may change.
MAPS = (
    "replay.heads",
    "replay.counts",
    "replay.splits.publications",
    "replay.splits.cumulatives",
    "replay.splits.page_states",
    "replay.splits.checkpoints",
    "replay.splits.accounts",
    "replay.splits.standing",
    "replay.splits.nonces",
    "replay.splits.funded",
    "replay.splits.moved",
    "replay.splits.paid",
    "replay._split_replay._controllers",
    "replay.catalogues.catalogues",
    "replay.licences.grants",
    "replay.licences.holders",
    "replay.licences.states",
    "replay.licences.periods",
    "replay.licences.disputes",
    "replay.licences.sources",
    "replay.licences.live",
    "replay.licences.nonces",
    "replay.licences.offers",
    "replay.distributions.rounds",
    "replay.attributions.records",
    "set_off_heads",
    "own_slots",
    "destinations",
    "moved_from",
    "lines",
    "credited_at",
)
#: Lists, which only grow.
LISTS = (
    "replay._split_replay.unproved",
    "late",
    "sources.bookings",
    "sources.postings",
    "sources.manifests",
    "sources.splits",
)
#: What is between entries of one call, and empty or without a meaning after the last entry of a block.
PASSING = (
    "replay._early",
    "replay._expected",
    "replay._arrivals._waiting",
    "replay._arrivals.whole",
    "replay._split_replay._signed",
    "replay._distribution_replay._early",
    "replay._distribution_replay._early_log",
    "replay._distribution_replay._expected",
    "replay._distribution_replay._block",
    "replay.distributions.told",
)

#: Tells stores of another make apart.
SHAPE = keccak256(
    json.dumps(
        [FORMAT, _ITEMS, MAPS, LISTS, {name: _names(kind) for name, kind in _CLASSES.items()}]
    ).encode()
).hex()

#: Name and number of a part.
Key = tuple[str, int]


def plain(value: Any) -> Any:
    """A value as JSON holds it. Raises TypeError for one that no store keeps."""
    kind = type(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is str:
        return "s" + value
    if kind is bytes:
        return "x" + value.hex()
    if kind is tuple:
        return [plain(one) for one in value]
    if kind in _MEMBERS:
        name, members = _MEMBERS[kind]
        return {name: [plain(one) for one in members(value)]}
    if kind is list:
        return {"list": [plain(one) for one in value]}
    if kind is set:
        return {"set": sorted((plain(one) for one in value), key=json.dumps)}
    if isinstance(value, Mapping):
        return {"map": [[plain(key), plain(one)] for key, one in value.items()]}
    raise TypeError(f"a store keeps no {kind.__name__}")


class _Values:
    """Values of JSON; equal texts and bytes become one object."""

    def __init__(self) -> None:
        self._seen: dict[str, str | bytes] = {}

    def of(self, held: Any) -> Any:
        """The value. Raises KeyError, TypeError, ValueError."""
        kind = type(held)
        if kind is int or kind is bool or held is None:
            return held
        if kind is str:
            found = self._seen.get(held)
            if found is None:
                found = held[1:] if held[0] == "s" else bytes.fromhex(held[1:])
                self._seen[held] = found
            return found
        if kind is list:
            return tuple([self.of(one) for one in held])
        ((name, many),) = held.items()
        if name == "list":
            return [self.of(one) for one in many]
        if name == "set":
            return {self.of(one) for one in many}
        if name == "map":
            return {self.of(key): self.of(one) for key, one in many}
        return _CLASSES[name](*[self.of(one) for one in many])


def _at(history: History, path: str) -> Any:
    return attrgetter(path)(history)


#: The largest parts have rows of their own: as they are kept, and back.
_ROWS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "replay.licences.periods": (
        lambda item: (*item[0], *_MEMBERS[licence_types.PeriodState][1](item[1])),
        lambda row: ((row[0], row[1]), licence_types.PeriodState(*row[2:])),
    ),
    "sources.bookings": (
        lambda one: (*one[:6], one[6].hex(), *one[7:]),
        lambda row: files.Booking._make((*row[:6], bytes.fromhex(row[6]), *row[7:])),
    ),
    "late": (
        lambda one: (one.licence, one.period, one.report_by, one.booked_at, one.by_other),
        lambda row: LateReport(*row),
    ),
}


def _packed(name: str, items: Iterable[Any]) -> bytes:
    row = _ROWS[name][0] if name in _ROWS else plain
    return json.dumps([row(one) for one in items], separators=(",", ":")).encode()


def _unpacked(name: str, data: bytes, values: _Values) -> list[Any]:
    item = _ROWS[name][1] if name in _ROWS else values.of
    return [item(one) for one in json.loads(data)]


def parts(history: History, known: Mapping[str, int]) -> Iterator[tuple[Key, bytes]]:
    """All parts in their order, but for the first `known[name]` ones of what only grows."""
    for path in MAPS:
        held = _at(history, path)
        items = sorted(held) if isinstance(held, set) else held.items()
        for number, some in enumerate(batched(items, _ITEMS)):
            yield (path, number), _packed(path, some)
    for path in LISTS:
        held = _at(history, path)
        for number in range(known.get(path, 0), -(-len(held) // _ITEMS)):
            yield (path, number), _packed(path, held[number * _ITEMS : (number + 1) * _ITEMS])
    for name, folds in history.folds.items():
        path = f"folds.{name}"
        for number in range(known.get(path, 0), -(-len(folds) // _ITEMS)):
            yield (path, number), folds.packed(number * _ITEMS, _ITEMS)


def fill(history: History, name: str, pieces: list[bytes], values: _Values) -> None:
    """Puts what the parts of a name hold into a new history. Raises LedgerError for what makes no sense."""
    try:
        if name.startswith("folds."):
            folds = Folds()
            for data in pieces:
                folds.unpack(data)
            history.folds[name.removeprefix("folds.")] = folds
            return
        held = _at(history, name)
        for data in pieces:
            items = _unpacked(name, data, values)
            if isinstance(held, list):
                held.extend(items)
            else:
                held.update(items)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise LedgerError("A part of the store makes no sense.", name, repr(error)[:200]) from error


def restored(history: History, held: Mapping[str, list[bytes]]) -> History:
    """A new history filled with all parts, each name's in their order."""
    values = _Values()
    for name in (*MAPS, *LISTS, *(f"folds.{one}" for one in history.folds)):
        fill(history, name, held.get(name, []), values)
    return history


def items_of(name: str, pieces: Iterable[bytes]) -> dict[Hashable, Any]:
    """The items of some parts of a dictionary or a set, a set's without values."""
    values = _Values()
    found: dict[Hashable, Any] = {}
    for data in pieces:
        for item in _unpacked(name, data, values):
            if name == "own_slots":
                found[item] = None
            else:
                found[item[0]] = item[1]
    return found
