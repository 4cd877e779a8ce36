"""The ledger at one block, read once for all pages: its books, names, dates, and what belongs to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ledger.chain.contracts import Ledger
from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.errors import UnreachableError
from ledger.domain.licence_book import LicenceBook
from ledger.domain.merkle_sum import PAGE_SIZE, read_leaf
from ledger.operations import agenda as agendas
from ledger.operations import books as books_of
from ledger.operations.agenda import Item
from ledger.operations.books import Books, Event, Progress
from ledger.operations.session import Session
from ledger.operations.statement_facts import Facts, Named
from ledger.operations.statements import statement_of
from ledger.report.statement import Currency, Period, Statement

_DAY = 86_400


class _Ledger(Ledger):
    """Tokens are asked once for what they call themselves."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.rpc, session.ledger.addresses)
        self._tokens: dict[str, Token] = {}

    def token(self, address: str) -> Token:
        """An ERC-20 on this chain."""
        return self._tokens.setdefault(address, super().token(address))


class SessionAt(Session):
    """A session in which the time stands still: pages tell what is late at their block."""

    def __init__(self, session: Session, time: int) -> None:
        super().__init__(session.settings, rpc=session.rpc)
        self.ledger = _Ledger(session)
        self.files = session.files
        self.reader = session.reader
        self._time = time

    def now(self) -> int:
        """The time of the block."""
        return self._time


@dataclass(slots=True)
class Records:
    """The entries that a payee's statement rests on: those of its splits, and of the licences that pay into them."""

    licences: LicenceBook
    events: Sequence[Event]
    of_licence: Mapping[int, Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Place:
    """A leaf of a payee in a published split."""

    split_id: bytes
    index: int
    units: int
    total: int


class Snapshot:
    """Everything that pages are made of. Times are Unix seconds, amounts base units."""

    def __init__(
        self, session: Session, *, block: int | None = None, progress: Progress | None = None
    ) -> None:
        """Reads the books up to `block` (default: the newest). Raises UnreachableError, AuditFailed."""
        number = session.reader.head() if block is None else block
        header = session.rpc.call("eth_getBlockByNumber", hex(number), False)
        if header is None:
            raise UnreachableError(
                f"The node gives no block {number}.",
                session.rpc.shown,
                remedy="Ask a node with the whole history.",
            )
        self.header: dict[str, Any] = dict(header)
        self.block = number
        self.block_hash = str(header["hash"])
        self.time = int(header["timestamp"], 16)
        self.chain_id = session.rpc.chain_id
        self.session = SessionAt(session, self.time)
        self.books: Books = books_of.read(session, block=number, progress=progress)
        self.facts = Facts(self.session, self.books)
        for one in self.facts.used():
            self.facts.currency(one.address)
        for _, token in self.books.splits.cumulatives:
            self.facts.currency(token)
        #: A page and the files beside it are of one statement.
        self._last: tuple[str, Statement] | None = None
        self._index()

    # ---- who stands where

    def _index(self) -> None:
        books = self.books
        self.places: dict[str, list[Place]] = {}
        self._cumulatives: dict[bytes, list[tuple[str, int]]] = {}
        for split_id, known in books.splits.publications.items():
            if not books.splits.is_published(split_id):
                continue
            for page in sorted(known.pages):
                for place, word in enumerate(known.pages[page]):
                    payee, units = read_leaf(word)
                    if units:
                        one = Place(split_id, page * PAGE_SIZE + place, units, known.split.total)
                        self.places.setdefault(payee, []).append(one)
        self._of_split: dict[bytes, list[Event]] = {}
        self._distributed: dict[int, list[Event]] = {}
        self.licences_of_split: dict[bytes, set[int]] = {}
        for event in books.events:
            args = event.entry.args
            if event.contract == "Splits":
                split_id = args.get("splitId", event.entry.id)
                self._of_split.setdefault(split_id, []).append(event)
            elif event.contract == "Distributions":
                self._distributed.setdefault(event.entry.number, []).append(event)
                if event.name in ("Settled", "Swept", "BondMoved"):
                    self.licences_of_split.setdefault(args["splitId"], set()).add(event.entry.number)
            elif event.contract == "Licences" and "destination" in args:
                self.licences_of_split.setdefault(args["destination"], set()).add(event.entry.number)

    @cached_property
    def holders(self) -> list[str]:
        """Every payee of a published split: by name, those without one last, by address."""
        names = self.facts.names
        return sorted(self.places, key=lambda one: (one not in names, names.get(one, "").casefold(), one))

    @cached_property
    def credit_numbers(self) -> dict[tuple[bytes, str], dict[tuple[int, int], int]]:
        """For each split and token: the number of each credit, from 0, by where it stands on the chain."""
        found: dict[tuple[bytes, str], dict[tuple[int, int], int]] = {}
        for split_id, events in self._of_split.items():
            for event in events:
                if event.name in ("Credited", "AccountMoved"):
                    held = found.setdefault((split_id, event.entry["token"]), {})
                    held[event.block, event.log_index] = len(held)
        return found

    def credited_of(self, split_id: bytes) -> list[tuple[str, int]]:
        """The tokens of a split with all that was credited, in the order of the first credit."""
        if not self._cumulatives:
            for (split, token), credited in self.books.splits.cumulatives.items():
                self._cumulatives.setdefault(split, []).append((token, credited))
        return self._cumulatives.get(split_id, [])

    def payees_of(self, split_id: bytes) -> list[tuple[str, int]]:
        """The payees of a published split and their units, the largest first."""
        known = self.books.splits.publications[split_id]
        leaves = [read_leaf(word) for page in sorted(known.pages) for word in known.pages[page]]
        return sorted(((payee, units) for payee, units in leaves if units), key=lambda one: (-one[1], one[0]))

    def licences_of(self, payee: str) -> list[int]:
        """The licences that pay a payee, or will: by their money, or by the splits of their catalogue."""
        splits = {one.split_id for one in self.places.get(payee, ())}
        found = {number for one in splits for number in self.licences_of_split.get(one, ())}
        catalogues = self.books.catalogues.catalogues
        for number, grant in self.books.licences.grants.items():
            held = catalogues.get(grant.terms.catalogue)
            if held is not None and any(split_id in splits for _, split_id in held.splits):
                found.add(number)
        return sorted(found)

    def records_of(self, payee: str) -> Records:
        """What a payee's statement rests on."""
        splits = {one.split_id for one in self.places.get(payee, ())}
        licences = sorted({number for one in splits for number in self.licences_of_split.get(one, ())})
        events = [event for one in splits for event in self._of_split.get(one, ())]
        of_licence = {}
        for number in licences:
            of_licence[number] = self.books.of_licence.get(number, [])
            events += of_licence[number]
            events += self._distributed.get(number, ())
        events.sort(key=lambda one: (one.block, one.log_index))
        return Records(self.books.licences, events, of_licence)

    # ---- statements

    @cached_property
    def period(self) -> Period:
        """All days from the ledger's first entry to the block's, as a statement's period."""
        first = self.books.events[0].time if self.books.events else self.time
        start, end = first // _DAY * _DAY, (self.time // _DAY + 1) * _DAY
        days = [datetime.fromtimestamp(one, UTC).strftime("%Y-%m-%d") for one in (start, end - 1)]
        return Period(start, end, "..".join(days))

    def statement(self, payee: str) -> Statement:
        """A payee's statement of everything so far. Raises AuditFailed where its sums differ."""
        if self._last is not None and self._last[0] == payee:
            return self._last[1]
        facts = self.facts.for_one()
        named = Named(self.name_of(payee), (payee,), given_by_address=True)
        made = statement_of(
            self.session,
            self.books,
            facts,
            named,
            self.period,
            self.header,
            final=False,
            records=self.records_of(payee),
        )
        self._last = payee, made
        return made

    def name_of(self, payee: str) -> str:
        """A payee's name in the manifests, else its address."""
        return self.facts.names.get(payee) or checksum_address(payee)

    def currency(self, token: str) -> Currency:
        """A token, as all pages show it."""
        return self.facts.currency(token)

    # ---- dates

    @cached_property
    def agenda(self) -> dict[int, list[Item]]:
        """What is due and which window closes when, by licence (0: what is no licence's)."""
        found: dict[int, list[Item]] = {}
        for one in agendas.agenda(self.session, self.books):
            found.setdefault(one.licence, []).append(one)
        return found
