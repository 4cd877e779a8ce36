"""Where a credit came from: the entries that moved the money, and the figures of the booking behind them.

Credits are matched with their causes in the order of the chain; every booking is recomputed by the formulas of
contracts/interfaces/ILicences.sol and compared with its line. Amounts are base units.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ledger.domain.errors import AuditFailed
from ledger.domain.licence_book import LicenceBook
from ledger.domain.licence_types import MISSING, REPORTED, SETTLED
from ledger.domain.royalty import PPM, Tier, earned_by_tier, entitled_down, royalty_of
from ledger.report.history import LeafHistory, Placed

#: What a piece of money is to its payee.
EARNED, ADJUSTMENT, INTEREST = "earned", "adjustment", "interest"

Place = tuple[int, int]


class Records(Protocol):
    """What is read of the books: ledger.operations.books.Books."""

    licences: LicenceBook

    @property
    def events(self) -> Sequence[Placed]:
        """All entries in the order of the chain."""

    @property
    def of_licence(self) -> Mapping[int, Sequence[Placed]]:
        """The entries of each licence from its acceptance."""


def place_of(event: Placed) -> Place:
    """Where an entry stands on the chain."""
    return event.block, event.log_index


# ---- the causes of a credit


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of one credit: the entry that moved it (None: somebody's gift), the cumulative before it, and the
    leaf's part of it.
    """

    credit: Placed
    cause: Placed | None
    amount: int
    before: int
    part: int


def cuts_of(leaf: LeafHistory, licences: str) -> Iterator[Cut]:
    """The leaf's credits, each cut where one transfer paid several reports. `licences`: the contract's address.

    The causes of a transaction are used up in their order; only Licences and Distributions have any.
    """
    waiting: dict[bytes, deque[list[Any]]] = {}
    for earned in leaf.earned:
        entry = earned.event.entry
        left, before = earned.amount, earned.before
        causes: deque[list[Any]] = deque()
        if entry.name == "AccountMoved" or entry.caller == licences:
            key = earned.event.transaction
            if key not in waiting:
                waiting[key] = deque([one, moved] for one in earned.causes if (moved := _moved(one, leaf)))
            causes = waiting[key]
        while left:
            cause: Placed | None = None
            amount = left
            if causes:
                amount = min(left, causes[0][1])
                cause = causes[0][0]
                causes[0][1] -= amount
                if not causes[0][1]:
                    causes.popleft()
            yield Cut(earned.event, cause, amount, before, part_of(leaf, before, before + amount))
            before += amount
            left -= amount


def part_of(leaf: LeafHistory, before: int, after: int) -> int:
    """What a leaf is entitled to of a cumulative that grew: the difference of two floors."""
    return entitled_down(after, leaf.units, leaf.total) - entitled_down(before, leaf.units, leaf.total)


def _moved(event: Placed, leaf: LeafHistory) -> int:
    """What an entry moved to the leaf's split."""
    args = event.entry.args
    names: dict[str, tuple[str, ...]]
    if event.contract == "Distributions":
        if args.get("splitId") != leaf.split_id or args.get("token") != leaf.token:
            return 0
        names = {"Settled": ("moved",), "Swept": ("moved",), "BondMoved": ("amount",)}
    elif args.get("destination") == leaf.split_id:
        names = {"Accepted": ("fee",), "Booked": ("paid",), "Paid": ("interest", "principal")}
    else:
        return 0
    return sum(int(args[one]) for one in names.get(event.name, ()))


# ---- bookings


@dataclass(frozen=True, slots=True)
class Piece:
    """Money of one kind; `period`: the reporting period that it is for."""

    kind: str
    amount: int
    period: int


@dataclass(frozen=True, slots=True)
class Booking:
    """One Booked entry, recomputed. `gross` and `asked` (deductions) are None where only the base is known.

    `tiers`: lower bound, tier and royalty × 1e6 of each tier over what was `counted` (the period's base, or all
    bases where tiers count over the life). `royalty`, `top_up`, `recouped` and `owed` are as they stood after it,
    those with `_now` what it changed; `recouped` and `owed` are over the licence's life.
    """

    event: Placed
    licence: int
    period: int
    gross: int | None
    asked: int | None
    report_hash: bytes
    counted: int
    tiers: tuple[tuple[int, Tier, int], ...]
    royalty: int
    royalty_now: int
    top_up: int
    top_up_now: int
    recouped: int
    recouped_now: int
    owed: int
    set_off: tuple[Piece, ...] = ()

    @property
    def kind(self) -> int:
        """Reported, missing, restated or settled."""
        return int(self.event.entry["kind"])

    @property
    def base(self) -> int:
        """Net revenue."""
        return int(self.event.entry["base"])

    @property
    def line(self) -> int:
        """What it added to what is owed."""
        return int(self.event.entry["line"])

    @property
    def version(self) -> int:
        """Version of the period's figures."""
        return int(self.event.entry["version"])

    @property
    def is_adjustment(self) -> bool:
        """Whether it changed figures that stood."""
        return self.kind not in (REPORTED, MISSING)


@dataclass
class LicenceAccount:
    """The bookings and payments of one licence, in order, and what each payment was for."""

    licence: int
    bookings: dict[Place, Booking] = field(default_factory=dict)
    #: What the money of a Booked or Paid entry was for.
    pieces: dict[Place, tuple[Piece, ...]] = field(default_factory=dict)
    #: Money into accounts (weighted periods): place and piece, by period.
    inflows: dict[int, list[tuple[Place, Piece]]] = field(default_factory=dict)

    def of_period(self, period: int, until: Place) -> list[Booking]:
        """The period's bookings up to a place, in order."""
        return [one for place, one in self.bookings.items() if place <= until and one.period == period]

    def last_booking(self, period: int, until: Place) -> Booking | None:
        """The period's last booking up to a place."""
        found = self.of_period(period, until)
        return found[-1] if found else None

    def distributed(self, period: int, amount: int, after: Place, until: Place) -> tuple[Piece, ...]:
        """What an amount moved out of the period's account was for: as the money that came in since `after`,
        else as all that came in, rounded down, the rest to the first.
        """
        came = [(place, piece) for place, piece in self.inflows.get(period, ()) if place <= until]
        fresh = [piece for place, piece in came if place > after] or [piece for _, piece in came]
        whole = sum(piece.amount for piece in fresh)
        if not whole:
            return (Piece(EARNED, amount, period),)
        sums: dict[str, int] = {}
        for piece in fresh:
            sums[piece.kind] = sums.get(piece.kind, 0) + piece.amount
        parts = {kind: amount * one // whole for kind, one in sums.items()}
        first = next(iter(parts))
        parts[first] += amount - sum(parts.values())
        return tuple(Piece(kind, one, period) for kind, one in parts.items() if one)


class Accounts:
    """The accounts of licences, each reckoned when it is first asked for."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._held: dict[int, LicenceAccount] = {}

    def of(self, licence: int) -> LicenceAccount:
        """A licence's account. Raises AuditFailed where a line is not what the figures give."""
        if licence not in self._held:
            self._held[licence] = account_of(self._records, licence)
        return self._held[licence]


def account_of(records: Records, licence: int) -> LicenceAccount:
    """Recomputes every booking of a licence. Raises AuditFailed where a line is not what the figures give."""
    return _Reckoning(records, licence).run()


class _Reckoning:
    def __init__(self, records: Records, licence: int) -> None:
        self.records = records
        self.licence = licence
        self.terms = records.licences.grants[licence].terms
        self.found = LicenceAccount(licence)
        self.bases: dict[int, int] = {}
        self.guarantees: dict[int, int] = {}
        self.royalties = 0  # of all periods, where tiers count per period
        self.objected: dict[int, Placed] = {}
        self.open: dict[int, list[list[Any]]] = {}
        self.sources: deque[list[int]] = deque()
        self.used: dict[int, list[Piece]] = {}
        self.top_ups: dict[int, int] = {}
        self.before = (0, 0, 0)  # royalties of all periods, recouped, owed

    def run(self) -> LicenceAccount:
        """In the order of the chain."""
        for event in self.records.of_licence.get(self.licence, ()):
            if event.name == "Booked":
                self._booked(event)
            elif event.name == "Paid":
                self._paid(event)
            elif event.name == "Objected":
                self.objected[event.entry["period"]] = event
            elif event.name == "SetOffUsed":
                self._use(event)
            elif event.name in ("Terminated", "Expired"):
                self.sources.clear()
        return self.found

    def _booked(self, event: Placed) -> None:
        entry, terms = event.entry, self.terms
        period, line = entry["period"], entry["line"]
        over_life = terms.tiers_over_life
        before = royalty_of(terms.tiers, self.bases.get(period, 0), self._guarantee(period, event))
        self.royalties -= before if period in self.bases else 0
        self.bases[period] = entry["base"]
        self.royalties += royalty_of(terms.tiers, entry["base"], self._guarantee(period, event))
        counted = sum(self.bases.values()) if over_life else entry["base"]
        floor = (
            sum(self._guarantee(one, event) for one in self.bases) if over_life else self.guarantees[period]
        )
        royalty, earned = royalty_of(terms.tiers, counted, floor), royalty_of(terms.tiers, counted, 0)
        whole = royalty if over_life else self.royalties
        recouped = min(whole, terms.advance_amount)
        owed = max(0, whole - terms.advance_amount)
        owed = min(owed, terms.cap) if terms.cap else owed
        whole_before, recouped_before, owed_before = self.before
        if owed - owed_before != line:
            raise AuditFailed(
                f"The line of licence {self.licence}, period {period}, is not what its figures give.",
                f"block {event.block}, entry {event.log_index}",
                f"It is {line}; the formulas give {owed - owed_before}.",
                "Check the history: licence-ledger verify",
            )
        self.before = whole, recouped, owed
        top_up, key = royalty - earned, 0 if over_life else period
        top_up_now = top_up - self.top_ups.get(key, 0)
        self.top_ups[key] = top_up
        gross, asked, report = entry["gross"], entry["deductions"], entry["reportHash"]
        if entry["kind"] == SETTLED:
            objected = self.objected.get(period)
            gross = objected.entry["gross"] if objected else None
            asked = objected.entry["deductions"] if objected else None
            report = objected.entry["reportHash"] if objected else bytes(32)
        lowers = [0, *(tier.up_to for tier in terms.tiers)]
        parts = earned_by_tier(terms.tiers, counted)
        booking = Booking(
            event,
            self.licence,
            period,
            gross,
            asked,
            report,
            counted,
            tuple(zip(lowers, terms.tiers, parts, strict=False)),
            royalty,
            whole - whole_before,
            top_up,
            top_up_now,
            recouped,
            recouped - recouped_before,
            owed,
            tuple(self.used.pop(period, ())) if line > 0 else (),
        )
        self.found.bookings[place_of(event)] = booking
        self._line(event, booking)

    def _line(self, event: Placed, booking: Booking) -> None:
        """Opens, cancels or sets off the line, and notes what was paid with it."""
        entry, period = event.entry, booking.period
        held = self.open.setdefault(period, [])
        if booking.line > 0:
            kind = ADJUSTMENT if booking.is_adjustment else EARNED
            held.append([kind, booking.line - entry["setOff"]])
        else:
            left = entry["cancelled"]
            while left and held:
                taken = min(left, held[-1][1])
                held[-1][1] -= taken
                left -= taken
                if not held[-1][1]:
                    held.pop()
            if entry["setOff"]:
                self.sources.append([period, entry["setOff"]])
        self._count(event, [Piece(one, amount, period) for one, amount in self._take(period, entry["paid"])])

    def _paid(self, event: Placed) -> None:
        entry = event.entry
        period = entry["period"]
        pieces = [Piece(INTEREST, entry["interest"], period)] if entry["interest"] else []
        pieces += [Piece(kind, amount, period) for kind, amount in self._take(period, entry["principal"])]
        self._count(event, pieces)

    def _count(self, event: Placed, pieces: list[Piece]) -> None:
        self.found.pieces[place_of(event)] = tuple(pieces)
        self.found.inflows.setdefault(event.entry["period"], []).extend(
            (place_of(event), piece) for piece in pieces
        )

    def _take(self, period: int, amount: int) -> list[tuple[str, int]]:
        """What a payment of principal was for: the oldest line first."""
        held = self.open.setdefault(period, [])
        found = []
        while amount and held:
            taken = min(amount, held[0][1])
            found.append((held[0][0], taken))
            held[0][1] -= taken
            amount -= taken
            if not held[0][1]:
                held.pop(0)
        return [*found, (EARNED, amount)] if amount else found

    def _use(self, event: Placed) -> None:
        left = event.entry["amount"]
        used = self.used.setdefault(event.entry["period"], [])
        while left and self.sources:
            taken = min(left, self.sources[0][1])
            used.append(Piece(ADJUSTMENT, taken, self.sources[0][0]))
            self.sources[0][1] -= taken
            left -= taken
            if not self.sources[0][1]:
                self.sources.popleft()

    def _guarantee(self, period: int, event: Placed) -> int:
        if period not in self.guarantees:
            amount = 0
            if self.terms.guarantee:
                book = self.records.licences
                work = book._work(self.licence, "", event.time)
                amount = book._guarantee(work, work.span(period))
            self.guarantees[period] = amount
        return self.guarantees[period]


def tier_royalty(part: int) -> int:
    """A tier's royalty in base units, rounded down for showing; the sum is rounded once."""
    return part // PPM
