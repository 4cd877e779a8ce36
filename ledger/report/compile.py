"""Makes a rights holder's statement out of the books: its rows, its sums, what its plots show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ledger.domain.calendar import Span
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.licence_views import span_of
from ledger.domain.royalty import entitled_down
from ledger.domain.split_types import PASSED_OVER, TAKEN_OUT
from ledger.report.history import BY_PAGE, LeafHistory, Placed, history_of, leaves_of
from ledger.report.origins import (
    ADJUSTMENT,
    EARNED,
    INTEREST,
    Accounts,
    Booking,
    Cut,
    Piece,
    Place,
    Records,
    cuts_of,
    part_of,
    place_of,
)
from ledger.report.statement import (
    ADJUSTED,
    BOND,
    FEE,
    GIFT,
    LATE,
    OPENING,
    PAYOUT,
    ROYALTY,
    STATUS_OWED,
    STATUS_PAID,
    Currency,
    Period,
    Point,
    Row,
    WorkShare,
)

_HOW = {PASSED_OVER: "passed over", TAKEN_OUT: "claim only"}


class Lookups(Protocol):
    """What the entries do not tell."""

    def currency(self, token: str) -> Currency:
        """A token, as statements show it."""

    def works(self, leaf: LeafHistory) -> Sequence[WorkShare]:
        """The works that a leaf's units come from; none where no file tells."""


@dataclass
class Compiled:
    """Rows in order, the leaves at the end, and the course of credits and payouts by token."""

    rows: list[Row] = field(default_factory=list)
    leaves: list[LeafHistory] = field(default_factory=list)
    closing: dict[str, int] = field(default_factory=dict)
    points: dict[str, tuple[Point, ...]] = field(default_factory=dict)
    failed: list[tuple[LeafHistory, Placed]] = field(default_factory=list)


def compile_rows(records: Records, payees: Sequence[str], period: Period, lookups: Lookups) -> Compiled:
    """The rows of some payees and a period. The books end with the period or before it. Raises AuditFailed."""
    return _Maker(records, period, lookups).run(payees)


def how_paid(leaf: LeafHistory) -> str:
    """How a leaf can be paid."""
    return _HOW.get(leaf.kind, BY_PAGE)


def _order(row: Row) -> tuple[int, bool, int, int, int]:
    """By block; within one by licence and period, payouts last."""
    block, log = place_of(row.event) if row.event else (0, 0)
    return (
        block,
        row.kind == PAYOUT,
        row.licence or 0,
        row.period if row.period is not None else -1,
        log,
    )


class _Maker:
    def __init__(self, records: Records, period: Period, lookups: Lookups) -> None:
        self.records = records
        self.period = period
        self.lookups = lookups
        self.accounts = Accounts(records)
        self.spans: dict[tuple[int, int], Span] = {}
        self.moved_before: dict[Place, Place] = {}
        self.topped: set[tuple[Place, bytes, int]] = set()
        self.made = Compiled()
        self._note_movements()

    def run(self, payees: Sequence[str]) -> Compiled:
        """Leaf by leaf; then in the order of the chain."""
        made = self.made
        opening: dict[tuple[str, str], list[int]] = {}
        rows: list[Row] = []
        for payee in payees:
            leaves = history_of(self.records.events, payee)
            made.leaves += leaves
            known = {(leaf.split_id, leaf.token, leaf.index) for leaf in leaves}
            for leaf in [*leaves, *self._uncredited(payee, known)]:
                held = opening.setdefault((payee, leaf.token), [0, 0])
                for row in self._rows(leaf):
                    if row.time >= self.period.start:
                        rows.append(row)
                    else:
                        held[0] += row.net
                        held[1] += row.carried
                made.failed += [(leaf, one) for one in leaf.failed if one.time >= self.period.start]
        rows.sort(key=_order)
        first = []
        for (payee, token), (net, carried) in opening.items():
            if net or carried:
                currency = self.lookups.currency(token)
                status = STATUS_OWED if carried else STATUS_PAID
                first.append(
                    Row(OPENING, self.period.start, currency, payee, net=net, carried=carried, status=status)
                )
        made.rows = [*first, *rows]
        for leaf in made.leaves:
            made.closing[leaf.token] = made.closing.get(leaf.token, 0) + leaf.owed
        made.points = self._points()
        return made

    def _points(self) -> dict[str, tuple[Point, ...]]:
        found: dict[str, list[Point]] = {}
        for row in self.made.rows:
            points = found.setdefault(row.currency.address, [Point(self.period.start, 0, 0)])
            last = points[-1]
            paid = -row.net if row.kind == PAYOUT else 0
            credited = row.net if row.kind != PAYOUT else 0
            if paid or credited:
                points.append(Point(row.time, last.credited + credited, last.paid + paid))
        return {token: tuple(points) for token, points in found.items()}

    def _uncredited(self, payee: str, known: set[tuple[bytes, str, int]]) -> Iterator[LeafHistory]:
        """Leaves that a booking went to although no money came: all of it was recouped or set off."""
        leaves: dict[bytes, list[LeafHistory]] = {}
        for one in leaves_of(self.records.events, payee):
            leaf = LeafHistory(one.split_id, "", one.index, payee, one.units, one.total)
            leaves.setdefault(one.split_id, []).append(leaf)
        for number, events in self.records.of_licence.items():
            token = self.records.licences.grants[number].terms.token
            for event in events:
                if event.name != "Booked":
                    continue
                for leaf in leaves.get(event.entry["destination"], ()):
                    key = (leaf.split_id, token, leaf.index)
                    if key not in known:
                        known.add(key)
                        yield replace(leaf, token=token, earned=[], paid=[], failed=[])

    # ---- rows of a leaf

    def _rows(self, leaf: LeafHistory) -> Iterator[Row]:
        currency = self.lookups.currency(leaf.token)
        works = tuple(self.lookups.works(leaf))
        plain = Row(
            ROYALTY,
            0,
            currency,
            leaf.payee,
            split_id=leaf.split_id,
            index=leaf.index,
            units=leaf.units,
            total=leaf.total,
            works=works,
            split_by=sum(one.weight for one in works) or None,
        )
        told: set[Place] = set()
        for cut in cuts_of(leaf, self.records.licences.address):
            if cut.cause is not None:
                told.add(place_of(cut.cause))
            yield from self._credit(leaf, plain, cut)
        yield from self._unpaid(leaf, plain, told)
        for paid in leaf.paid:
            yield replace(
                plain,
                kind=PAYOUT,
                time=paid.event.time,
                net=-paid.amount,
                event=paid.event,
                paid_to=paid.to,
                by_page=paid.how == BY_PAGE,
                works=(),
                split_by=None,
            )

    def _credit(self, leaf: LeafHistory, plain: Row, cut: Cut) -> Iterator[Row]:
        """The rows of a piece of a credit: one for each kind of money in it."""
        paid = cut.before + cut.amount <= leaf.up_to
        row = replace(
            plain,
            time=cut.credit.time,
            event=cut.credit,
            status=STATUS_PAID if paid else STATUS_OWED,
        )
        before = cut.before
        for number, piece in enumerate(self._pieces(cut)):
            after = before + piece.amount
            part = part_of(leaf, before, after)
            made = replace(row, cumulative=(before, after), net=part, carried=0 if paid else part)
            yield self._named(leaf, made, cut, piece, first=number == 0)
            before = after

    def _pieces(self, cut: Cut) -> Sequence[Piece]:
        cause = cut.cause
        if cause is None or cause.name in ("Accepted", "BondMoved"):
            return (Piece(EARNED, cut.amount, 0),)
        account = self.accounts.of(cause.entry.number)
        if cause.contract == "Distributions":
            place = place_of(cause)
            after = self.moved_before.get(place, (-1, -1))
            return account.distributed(cause.entry["period"], cut.amount, after, place)
        pieces = account.pieces.get(place_of(cause), ())
        if sum(one.amount for one in pieces) == cut.amount:
            return pieces
        return (Piece(EARNED, cut.amount, cause.entry["period"]),)

    def _named(self, leaf: LeafHistory, row: Row, cut: Cut, piece: Piece, *, first: bool) -> Row:
        """The row with its kind, its licence and period, and the columns that its booking fills."""
        cause = cut.cause
        if cause is None:
            return replace(row, kind=GIFT, earned=row.net)
        licence = cause.entry.number
        if cause.name == "Accepted":
            terms = self.records.licences.grants[licence].terms
            left = entitled_down(terms.advance_amount, leaf.units, leaf.total) if terms.advance else None
            return replace(row, kind=FEE, licence=licence, earned=row.net, advance_left=left)
        period = cause.entry["period"]
        row = self._of_period(row, licence, period)
        if cause.name == "BondMoved":
            return replace(row, kind=BOND, adjustment=row.net, adjusts=(period,))
        booking = self.accounts.of(licence).last_booking(period, place_of(cause))
        row = replace(row, booking=booking)
        if piece.kind == INTEREST:
            return replace(row, kind=LATE, interest=row.net)
        weighted = cause.contract == "Distributions"
        row = self._with_booking(leaf, row, booking, cause, first=first and not weighted)
        if piece.kind == ADJUSTMENT:
            gross = row.earned + row.net
            return replace(
                row,
                kind=ADJUSTED,
                earned=0,
                adjustment=gross + row.adjustment,
                adjusts=(period, *row.adjusts),
            )
        return replace(row, earned=row.earned + row.net)

    def _with_booking(
        self, leaf: LeafHistory, row: Row, booking: Booking | None, cause: Placed, *, first: bool
    ) -> Row:
        """Adds the leaf's part of what was recouped and set off when the line was booked, and of the top-up."""
        if booking is None or not first:
            return row
        row = replace(row, advance_left=self._advance_left(leaf, booking))
        place = place_of(booking.event)
        if (place, leaf.split_id, leaf.index) not in self.topped and booking.top_up_now:
            self.topped.add((place, leaf.split_id, leaf.index))
            row = replace(row, top_up=booking.top_up_now * leaf.units // leaf.total)
        if place_of(cause) != place:
            return row
        recouped, set_off = self._recouped(leaf, booking), self._set_off(leaf, booking)
        return replace(
            row,
            earned=recouped + set_off,
            recouped=recouped,
            adjustment=-set_off,
            adjusts=tuple(dict.fromkeys(one.period for one in booking.set_off)),
        )

    def _unpaid(self, leaf: LeafHistory, plain: Row, told: set[Place]) -> Iterator[Row]:
        """Bookings that brought no money at once, but whose royalty was recouped or set off."""
        for number in self.records.of_licence:
            grant = self.records.licences.grants[number]
            if grant.terms.token != leaf.token or grant.terms.distributions != ZERO_ADDRESS:
                continue
            for place, booking in self.accounts.of(number).bookings.items():
                if booking.event.entry["destination"] != leaf.split_id or place in told:
                    continue
                if not booking.recouped_now and not booking.set_off:
                    continue
                row = replace(plain, time=booking.event.time, event=booking.event, booking=booking)
                row = self._of_period(row, number, booking.period)
                row = self._with_booking(leaf, row, booking, booking.event, first=True)
                if booking.is_adjustment:
                    row = replace(
                        row,
                        kind=ADJUSTED,
                        earned=0,
                        adjustment=row.earned + row.adjustment,
                        adjusts=(booking.period, *row.adjusts),
                    )
                yield row

    @staticmethod
    def _recouped(leaf: LeafHistory, booking: Booking) -> int:
        """The leaf's part of what the booking recouped; over all bookings they sum to that of the whole."""
        return part_of(leaf, booking.recouped - booking.recouped_now, booking.recouped)

    @staticmethod
    def _set_off(leaf: LeafHistory, booking: Booking) -> int:
        return sum(one.amount for one in booking.set_off) * leaf.units // leaf.total

    def _advance_left(self, leaf: LeafHistory, booking: Booking) -> int | None:
        terms = self.records.licences.grants[booking.licence].terms
        if not terms.advance:
            return None
        return part_of(leaf, booking.recouped, terms.advance_amount)

    # ---- licences

    def _of_period(self, row: Row, licence: int, period: int) -> Row:
        key = (licence, period)
        if key not in self.spans:
            self.spans[key] = span_of(self.records.licences, licence, period)
        span = self.spans[key]
        return replace(row, licence=licence, period=period, period_start=span.start, period_end=span.end)

    def _note_movements(self) -> None:
        """For each movement out of a period's account, the one before it."""
        last: dict[tuple[int, int], Place] = {}
        for event in self.records.events:
            if event.contract == "Distributions" and event.name in ("Settled", "Swept"):
                key = (event.entry.number, event.entry["period"])
                if key in last:
                    self.moved_before[place_of(event)] = last[key]
                last[key] = place_of(event)
