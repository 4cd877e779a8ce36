"""The first page: the books of each token, and who and what there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.address import checksum_address
from ledger.domain.conservation import account_sums, conservations
from ledger.domain.royalty import entitled_down
from ledger.operations.agenda import ENDING
from ledger.report.statement import Currency
from ledger.web.figures import Figure, book_key, day, short_hex
from ledger.web.licence_view import standing_of
from ledger.web.snapshot import Snapshot

#: Holders that the first page names; all stand on a page of their own.
HOLDERS_SHOWN = 24
ROWS_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class BookLine:
    """A token: credited = paid + owed + residue over all splits; `waiting` lies in accounts."""

    currency: Currency
    credited: Figure
    paid: Figure
    owed: Figure
    residue: Figure
    waiting: Figure | None
    splits: int

    @property
    def holds(self) -> bool:
        """Whether nothing is missing and nothing is too much."""
        return self.credited.units == self.paid.units + self.owed.units + self.residue.units


@dataclass(frozen=True, slots=True)
class LicenceLine:
    """A licence in the list."""

    number: int
    title: str
    licensee: str
    standing: str
    periods: int
    late: int


@dataclass(frozen=True, slots=True)
class HolderLine:
    """A holder in the list."""

    payee: str
    name: str
    address: str
    sums: tuple[tuple[Figure, Figure], ...]


@dataclass(frozen=True, slots=True)
class DistributionLine:
    """A period whose money is divided by use."""

    licence: int
    period: int
    round: int
    day: str
    split: str
    amount: Figure
    outcome: str


@dataclass(frozen=True)
class BooksView:
    """The whole page; `holders` are those who earned most."""

    books: tuple[BookLine, ...]
    licences: tuple[LicenceLine, ...]
    distributions: tuple[DistributionLine, ...]
    holders: tuple[HolderLine, ...]
    count: int
    entries: int


def books_view(snapshot: Snapshot) -> BooksView:
    """The first page."""
    lines = holder_lines(snapshot)
    most = sorted(
        range(len(lines)),
        key=lambda place: (-max([0, *(earned.units for earned, _ in lines[place].sums)]), place),
    )
    return BooksView(
        tuple(_books(snapshot)),
        tuple(_licences(snapshot)),
        tuple(_distributions(snapshot)),
        tuple(lines[place] for place in most[:HOLDERS_SHOWN]),
        len(lines),
        len(snapshot.books.events),
    )


def _books(snapshot: Snapshot) -> Sequence[BookLine]:
    books = snapshot.books
    sums: dict[str, list[int]] = {}
    for one in conservations(books.splits):
        held = sums.setdefault(one.token, [0, 0, 0, 0, 0])
        for place, units in enumerate((one.credited, one.paid, one.owed, one.residue, 1)):
            held[place] += units
    waiting: dict[str, int] = {}
    for account in account_sums(books.splits, books.distributions):
        waiting[account.token] = waiting.get(account.token, 0) + account.waiting
    found = []
    for token in {**sums, **waiting}:
        currency = snapshot.currency(token)
        credited, paid, owed, residue, splits = sums.get(token, [0, 0, 0, 0, 0])

        def figure(units: int, what: str, currency: Currency = currency) -> Figure:
            return Figure(units, currency, book_key(currency.address, what))

        found.append(
            BookLine(
                currency,
                figure(credited, "credited"),
                figure(paid, "paid"),
                figure(owed, "owed"),
                figure(residue, "residue"),
                Figure(waiting[token], currency) if waiting.get(token) else None,
                splits,
            )
        )
    return found


def _licences(snapshot: Snapshot) -> Sequence[LicenceLine]:
    books = snapshot.books.licences
    found = []
    for number in books.grants:
        facts = snapshot.facts.licence(number)
        found.append(
            LicenceLine(
                number,
                facts.service,
                checksum_address(facts.licensee),
                standing_of(snapshot, number),
                books.states[number].next_period,
                sum(one.late and one.kind != ENDING for one in snapshot.agenda.get(number, ())),
            )
        )
    return found


def _distributions(snapshot: Snapshot) -> Sequence[DistributionLine]:
    from ledger.operations.explain import OUTCOMES

    found = []
    for event in snapshot.books.events:
        if event.contract == "Distributions" and event.name == "Settled":
            entry = event.entry
            found.append(
                DistributionLine(
                    entry.number,
                    entry["period"],
                    entry["round"],
                    day(event.time),
                    short_hex(entry["splitId"]),
                    Figure(entry["moved"], snapshot.currency(entry["token"])),
                    OUTCOMES[entry["outcome"]],
                )
            )
    return found


def holder_lines(snapshot: Snapshot) -> list[HolderLine]:
    """Every holder with what it earned and is owed, by name."""
    held = snapshot.__dict__.get("_holder_lines")
    if held is None:
        held = [_holder(snapshot, payee) for payee in snapshot.holders]
        snapshot.__dict__["_holder_lines"] = held
    return list(held)


def _holder(snapshot: Snapshot, payee: str) -> HolderLine:
    book = snapshot.books.splits
    sums: dict[str, list[int]] = {}
    for place in snapshot.places[payee]:
        for token, credited in snapshot.credited_of(place.split_id):
            earned = entitled_down(credited, place.units, place.total)
            if earned:
                paid = book.paid_to(place.split_id, token, place.index)
                one = sums.setdefault(token, [0, 0])
                one[0] += earned
                one[1] += earned - paid
    figures = tuple(
        (Figure(earned, snapshot.currency(token)), Figure(owed, snapshot.currency(token)))
        for token, (earned, owed) in sums.items()
    )
    return HolderLine(payee, snapshot.facts.names.get(payee, ""), checksum_address(payee), figures)
