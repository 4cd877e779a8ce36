"""What a licence's page says: its terms in words, every report with its figures, disputes, what is due and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO32
from ledger.domain.licence_types import ACTIVE, BY_LICENSEE, EXPIRED, MISSING, RESTATED, SETTLED
from ledger.domain.licence_views import booked_periods, due_of
from ledger.domain.royalty import entitled_down
from ledger.operations.agenda import ENDING, Item
from ledger.operations.books import Event
from ledger.operations.explain import OUTCOMES
from ledger.operations.terms_words import in_words
from ledger.report.origins import Accounts, Booking
from ledger.report.statement import Currency
from ledger.report.words import percent_of
from ledger.web.figures import Figure, booking_key, day, due_key, hex_of, moment, readable, short_hex, span
from ledger.web.snapshot import Snapshot
from ledger.web.work_credits import Counted, counted_records

#: Payees of a split that the page names.
PAYEES_SHOWN = 12
_KINDS = {
    MISSING: "booked at zero, the report missing",
    RESTATED: "restated",
    SETTLED: "settled after a dispute",
}


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One booking: version, figures, the line, and how the line came about."""

    kind: str
    version: int
    day: str
    gross: Figure | None
    deductions: Figure | None
    base: Figure
    line: Figure
    steps: tuple[tuple[str, Figure], ...]
    report_hash: str
    transaction: str
    block: int


@dataclass(frozen=True, slots=True)
class PeriodPart:
    """A reporting period: what was booked, paid, is open."""

    number: int
    days: str
    owed: Figure
    paid: Figure
    open: Figure
    interest: Figure | None
    pay_by: str
    late: bool
    disputed: str
    destination: str
    reports: tuple[ReportLine, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Something that happened beside reports and payments."""

    day: str
    what: str
    block: int


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the agenda."""

    when: str
    who: str
    what: str
    amount: Figure | None
    late: bool


@dataclass(frozen=True, slots=True)
class PayeeLine:
    """A payee of a split of the licence."""

    payee: str
    name: str
    share: str
    earned: Figure | None


@dataclass(frozen=True, slots=True)
class SplitPart:
    """A split that the licence's money went to."""

    split: str
    credited: Figure | None
    payees: tuple[PayeeLine, ...]
    count: int


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A training run or a batch of outputs."""

    day: str
    kind: str
    model: str
    leaves: int
    outputs: int
    works: str
    file_hash: str
    known: bool


@dataclass(frozen=True)
class LicenceView:
    """The whole page."""

    number: int
    title: str
    standing: str
    licensor: str
    licensee: str
    accepted: str
    currency: Currency
    fee: Figure
    terms: tuple[tuple[str, str], ...]
    terms_hash: str
    document_hash: str
    document_kept: bool
    owed: Figure
    paid: Figure
    open: Figure
    interest: Figure
    set_off: Figure | None
    periods: tuple[PeriodPart, ...]
    disputes: tuple[Story, ...]
    agenda: tuple[Due, ...]
    splits: tuple[SplitPart, ...]
    records: tuple[RecordLine, ...]


def standing_of(snapshot: Snapshot, number: int) -> str:
    """How a licence stands at the block, in words."""
    state, now = snapshot.books.licences.states[number], snapshot.time
    terms = snapshot.books.licences.grants[number].terms
    if state.status == EXPIRED:
        return f"expired on {day(terms.end)}"
    if state.status != ACTIVE:
        return f"terminated on {day(state.terminated_at)}"
    if state.in_cure:
        return f"in cure: period {state.cure_period} is to be mended by {day(state.cure_until)}"
    if terms.end and now >= terms.end:
        return f"over since {day(terms.end)}"
    return f"begins on {day(terms.start)}" if now < terms.start else "active"


def licence_view(snapshot: Snapshot, number: int) -> LicenceView:
    """A licence's page. Raises AuditFailed where a line is not what its figures give."""
    return _Maker(snapshot, number).made()


class _Maker:
    def __init__(self, snapshot: Snapshot, number: int) -> None:
        self.snapshot = snapshot
        self.number = number
        self.books = snapshot.books
        self.grant = snapshot.books.licences.grants[number]
        self.terms = self.grant.terms
        self.currency = snapshot.currency(self.terms.token)
        self.events: list[Event] = snapshot.books.of_licence.get(number, [])

    def figure(self, units: int, key: str = "") -> Figure:
        """An amount in the licence's token."""
        return Figure(units, self.currency, key)

    def made(self) -> LicenceView:
        """Every part of the page."""
        number, books, snapshot = self.number, self.books, self.snapshot
        state = books.licences.states[number]
        document = snapshot.facts.document(number)
        accepted = next(one for one in self.events if one.name == "Accepted")
        periods = tuple(self._periods())
        return LicenceView(
            number,
            document.title if document is not None else "",
            standing_of(snapshot, number),
            checksum_address(books.catalogues.owner_of(self.terms.catalogue)),
            checksum_address(books.licences.holders[number]),
            moment(accepted.time),
            self.currency,
            self.figure(accepted.entry["fee"]),
            tuple((name, readable(text)) for name, text in in_words(self.terms, self.currency, document)),
            hex_of(self.grant.terms_hash),
            hex_of(self.terms.document),
            document is not None,
            self.figure(sum(one.owed.units for one in periods), due_key(number, "owed")),
            self.figure(sum(one.paid.units for one in periods), due_key(number, "paid")),
            self.figure(sum(one.open.units for one in periods), due_key(number, "open")),
            self.figure(
                sum(one.interest.units for one in periods if one.interest is not None),
                due_key(number, "interest"),
            ),
            self.figure(state.set_off) if state.set_off else None,
            periods,
            tuple(self._stories()),
            tuple(map(self._due, snapshot.agenda.get(number, ()))),
            tuple(self._splits()),
            tuple(
                map(self._record, (one for one in counted_records(snapshot) if one.record.licence == number))
            ),
        )

    # ---- reports

    def _periods(self) -> Iterator[PeriodPart]:
        number, books, now = self.number, self.books, self.snapshot.time
        if not self.terms.period_months:
            return
        account = Accounts(books).of(number)
        by_period: dict[int, list[tuple[int, Booking]]] = {}
        for place, booking in enumerate(account.bookings.values()):
            by_period.setdefault(booking.period, []).append((place, booking))
        paid: dict[int, int] = {}
        for one in self.events:
            if one.name in ("Booked", "Paid"):
                amount = one.entry["paid"] if one.name == "Booked" else one.entry["principal"]
                paid[one.entry["period"]] = paid.get(one.entry["period"], 0) + amount
        for period in booked_periods(books.licences, number):
            due = due_of(books.licences, number, period, now=now)
            bookings = by_period.get(period, [])
            dispute = books.licences.dispute_of(number, period)
            yield PeriodPart(
                period,
                span(due.start, due.end),
                self.figure(sum(one.line for _, one in bookings), due_key(number, "owed", period)),
                self.figure(paid.get(period, 0), due_key(number, "paid", period)),
                self.figure(due.open, due_key(number, "open", period)),
                self.figure(due.interest) if due.interest else None,
                day(due.pay_by),
                bool(due.open) and now > due.interest_from,
                f"disputed until {day(dispute.deadline)}" if dispute is not None else "",
                short_hex(due.destination),
                tuple(self._report(place, one) for place, one in bookings),
            )

    def _report(self, place: int, one: Booking) -> ReportLine:
        number = self.number

        def figure(units: int, what: str = "") -> Figure:
            return self.figure(units, booking_key(number, place, what) if what else "")

        entry = one.event.entry
        own = entry["kind"] != SETTLED
        return ReportLine(
            _KINDS.get(one.kind, "reported"),
            one.version,
            day(one.event.time),
            figure(one.gross, "gross" if own else "") if one.gross is not None else None,
            figure(one.gross - one.base) if one.gross is not None else None,
            figure(one.base, "base"),
            figure(one.line, "amount"),
            tuple(self._steps(one)),
            hex_of(one.report_hash) if one.report_hash != ZERO32 else "",
            hex_of(one.event.transaction),
            one.event.block,
        )

    def _steps(self, one: Booking) -> Iterator[tuple[str, Figure]]:
        if one.gross is not None:
            yield "Gross revenue", self.figure(one.gross)
            yield "Deductions that count", self.figure(one.base - one.gross)
        yield "Net revenue", self.figure(one.base)
        over = ", over the licence’s life" if self.terms.tiers_over_life else ""
        for place, (_, tier, part) in enumerate(one.tiers, 1):
            if part:
                yield f"Tier {place}, {percent_of(tier.rate_ppm)}{over}", self.figure(part // 1_000_000)
        if one.top_up:
            yield "The minimum guarantee tops it up by", self.figure(one.top_up)
        yield "Royalty", self.figure(one.royalty)
        if self.terms.advance_amount:
            yield "Recouped from the advance so far", self.figure(-one.recouped)
        yield "Owed in all after this booking", self.figure(one.owed)
        yield "Line: owed after less owed before", self.figure(one.line)

    # ---- what else happened

    def _stories(self) -> Iterator[Story]:
        mine = [
            one
            for one in self.books.events
            if one.entry.number == self.number and one.contract in ("Licences", "Distributions")
        ]
        for event in mine:
            words = self._story(event)
            if words:
                yield Story(day(event.time), words, event.block)

    def _story(self, event: Event) -> str:
        entry = event.entry
        period = entry.args.get("period")
        if event.contract == "Distributions":
            return self._distribution(event)
        if event.name == "Objected":
            who = "The licensee" if entry["proposer"] == BY_LICENSEE else "The licensor"
            base = self.currency.shown(entry["base"])
            until = day(entry["deadline"])
            return f"{who} objected to the figures of period {period}: net revenue {base}; to be answered by {until}."
        if event.name == "ArbiterCalled":
            return f"The arbiter was called to choose the figures of period {period} by {day(entry['deadline'])}."
        if event.name == "Settled":
            chosen = "the proposed figures stand" if entry["accepted"] else "the reported figures stand"
            return f"The dispute over period {period} was settled: {chosen}."
        if event.name == "NoticeGiven":
            return f"Notice of breach for period {period}, to be cured by {day(entry['cureUntil'])}."
        if event.name == "Cured":
            return f"The breach of period {period} was cured."
        if event.name == "Terminated":
            return f"The licence was terminated over period {period}."
        if event.name == "Expired":
            return "The end of the term was recorded."
        if event.name == "Moved":
            return (
                f"The licence went from {checksum_address(entry['from'])} to {checksum_address(entry['to'])}."
            )
        return ""

    def _distribution(self, event: Event) -> str:
        entry = event.entry
        where = f"period {entry['period']}, round {entry['round']}"
        if event.name == "Posted":
            again = "A replacement was" if entry["replacing"] else "A distribution was"
            amount = self.snapshot.currency(entry["token"]).shown(entry["amount"])
            return f"{again} posted for {where}: {amount}, open to objection until {day(entry['deadline'])}."
        if event.name == "Objected":
            return f"{checksum_address(entry['objector'])} objected to the distribution of {where}."
        if event.name == "Conceded":
            return f"The poster took up the objection to {where}."
        if event.name == "Settled":
            moved = self.snapshot.currency(entry["token"]).shown(entry["moved"])
            split = short_hex(entry["splitId"])
            return f"The distribution of {where} was settled: {OUTCOMES[entry['outcome']]}; {moved} went to {split}."
        if event.name == "StayedHeld":
            return f"What {where} holds stays held: {OUTCOMES[entry['outcome']]}."
        return ""

    def _due(self, item: Item) -> Due:
        amount = None
        if item.token is not None and item.units:
            amount = Figure(item.units, self.snapshot.currency(item.token.address))
        who = checksum_address(item.who) if item.who else ""
        return Due(
            day(item.time) if item.time else "now",
            who,
            readable(item.what),
            amount,
            item.late and item.kind != ENDING,
        )

    # ---- to whom

    def _splits(self) -> Iterator[SplitPart]:
        token = self.terms.token
        held = self.books.catalogues.catalogues.get(self.terms.catalogue)
        wanted = [one for one, licences in self.snapshot.licences_of_split.items() if self.number in licences]
        if held is not None and held.splits:
            wanted.append(held.splits[-1][1])
        for split_id in dict.fromkeys(wanted):
            known = self.books.splits.publications.get(split_id)
            if known is None or not self.books.splits.is_published(split_id):
                continue
            credited = self.books.splits.cumulative(split_id, token)
            payees = self.snapshot.payees_of(split_id)
            lines = []
            for payee, units in payees[:PAYEES_SHOWN]:
                scaled = units * 10_000 // known.split.total
                share = f"{scaled // 100}.{scaled % 100:02d} %"
                earned = self.figure(entitled_down(credited, units, known.split.total)) if credited else None
                lines.append(PayeeLine(payee, self.snapshot.name_of(payee), share, earned))
            yield SplitPart(
                short_hex(split_id), self.figure(credited) if credited else None, tuple(lines), len(payees)
            )

    def _record(self, one: Counted) -> RecordLine:
        what = one.record.what
        works = f"{len([work for work in one.works if work]):,}" if one.known else ""
        return RecordLine(
            day(one.record.time),
            one.kind,
            what.model,
            what.leaves,
            getattr(what, "outputs", 0),
            works,
            hex_of(what.file_hash) if what.file_hash != ZERO32 else "",
            one.known,
        )
