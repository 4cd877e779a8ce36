"""Reports planned offline: every row checked against the books, its line worked out by the model.

A file is refused whole, with every bad row listed, before anything is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import median

from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.calendar import Span, period_at
from ledger.domain.canonical import keccak256
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.errors import Findings, LedgerError, ValueRefused
from ledger.domain.journal import Entry
from ledger.domain.licence_types import MISSING, REPORTED, Figures
from ledger.domain.licence_views import span_of
from ledger.domain.money import parse_amount
from ledger.domain.royalty import PPM
from ledger.domain.terms_fields import format_time
from ledger.operations.books import Books
from ledger.operations.licence_documents import deduction_kinds
from ledger.operations.plan import shown_amount
from ledger.operations.report_files import ReportRow, convert, period_words, report_file
from ledger.operations.session import Session

#: How many times the largest of the last reports a gross revenue may be before it must be confirmed.
PLAUSIBLE = 1_000
_LAST = 8
#: A licence with so many rows in a file is judged by the middle one.
_ROWS = 3
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class PlannedReport:
    """A report that the model has booked: what it will do on chain. `pays` is what leaves the licensee now."""

    row: ReportRow
    licence: int
    span: Span
    figures: Figures
    base: int
    line: int
    set_off: int
    pays: int
    destination: bytes
    file: bytes
    token: Token


@dataclass
class ReportPlan:
    """New reports in the order in which they are sent, and how many of the rows were booked before."""

    sender: str
    new: list[PlannedReport] = field(default_factory=list)
    before: list[tuple[ReportRow, int]] = field(default_factory=list)
    #: By licence: its terms as calls take them, and its late rate.
    terms_data: dict[int, bytes] = field(default_factory=dict)
    late_rates: dict[int, int] = field(default_factory=dict)

    @property
    def pays(self) -> dict[str, int]:
        """What leaves the licensee now, by token."""
        sums: dict[str, int] = {}
        for one in self.new:
            sums[one.token.address] = sums.get(one.token.address, 0) + one.pays
        return sums


@dataclass(frozen=True, slots=True)
class Rules:
    """How reports are to be booked. `max_due`: the largest line accepted, in decimals of the token; empty:
    none. `confirmed`: figures far above the last ones are meant.
    """

    pay_now: bool = False
    max_due: str = ""
    confirmed: bool = False


class Planner:
    """Checks rows one after another and books the good ones in the model. The books are used up by it."""

    def __init__(self, session: Session, books: Books, sender: str, rules: Rules, now: int) -> None:
        self._session = session
        self._books = books
        self._sender = sender
        self._rules = rules
        self._now = now
        self._tokens: dict[str, Token] = {}
        self._kinds: dict[bytes, frozenset[str]] = {}
        #: By licence: the period that must come next, whether the model still follows, the last grosses.
        self._next: dict[int, int] = {}
        self._broken: set[int] = set()
        self._grosses: dict[int, list[int]] = {}
        self._medians: dict[int, int] = {}
        self._paid_now = 0
        self._contract = checksum_address(session.ledger.licences.address)
        self._checksummed = cache(checksum_address)
        self._seen: dict[tuple[int, int], int] = {}

    def plan(self, rows: Sequence[ReportRow], findings: Findings) -> ReportPlan:
        """Plans all rows; the flaws go to `findings`, at their lines."""
        made = ReportPlan(self._sender)
        self._take_medians(rows)
        for row in rows:
            try:
                self._one(row, made)
            except LedgerError as error:
                findings.add_error(row.where, error)
                self._broken.add(row.licence)
        return made

    # ---- one row

    def _one(self, row: ReportRow, made: ReportPlan) -> None:
        chain_id = self._session.rpc.chain_id
        if row.chain_id != chain_id:
            raise ValueRefused(
                f"The report is for chain {row.chain_id}; this is chain {chain_id}.",
                remedy="Connect to a node of that chain, or correct ChainId.",
            )
        terms = self._terms(row.licence)
        period, span = self._period(row, terms)
        known = self._place(row, period)
        token = self._token(terms.token)
        figures = convert(row, token.symbol, token.decimals)
        self._kinds_allowed(row, terms)
        file = report_file(
            row,
            chain_id=chain_id,
            licences=self._contract,
            period=period,
            start=span.start,
            end=span.end,
            version=0,
            token=self._checksummed(token.address),
            symbol=token.symbol,
            decimals=token.decimals,
            figures=figures,
        )
        digest = keccak256(file)
        if known:
            self._booked_before(row, period, digest, made)
            return
        if self._now < span.end:
            raise ValueRefused(
                f"Period {period} ({period_words(span.start, span.end)}) is not over.",
                remedy=f"Report it from {format_time(span.end)} on.",
            )
        cap = figures.gross * terms.deduction_cap_ppm // PPM
        if figures.deductions > cap:
            raise ValueRefused(
                f"The deductions {shown_amount(token, figures.deductions)} are above the cap of "
                f"{terms.deduction_cap_ppm / 10_000:g} % of gross revenue: "
                f"{shown_amount(token, cap)} would count.",
                remedy=f"Write deductions of at most {shown_amount(token, cap)}.",
            )
        base = figures.gross - figures.deductions
        self._plausible(row, terms, token, figures.gross)
        self._last_gross(row.licence).append(figures.gross)
        if row.licence in self._broken:
            return  # the model cannot follow past a flaw
        if row.licence not in made.terms_data:
            made.terms_data[row.licence] = terms.encode()
            made.late_rates[row.licence] = terms.late_rate_ppm
        drawn = Figures(period, figures.gross, figures.deductions, report_hash=digest)
        booked = self._book(row.licence, drawn)
        line = int(booked["line"])
        limit = self._limit(token)
        if limit is not None and line > limit:
            raise ValueRefused(
                f"The report books a line of {shown_amount(token, line)}, above the largest accepted, "
                f"{shown_amount(token, limit)}.",
                remedy="Check the figures, or raise --max-due.",
            )
        made.new.append(
            PlannedReport(
                row,
                row.licence,
                span,
                replace(drawn, max_due=max(0, line)),
                base,
                line,
                int(booked["setOff"]) if line > 0 else 0,
                self._paid_now,
                booked["destination"],
                file,
                token,
            )
        )

    def _terms(self, licence: int) -> ChainTerms:
        grant = self._books.licences.grants.get(licence)
        if grant is None:
            there = len(self._books.licences.grants)
            raise ValueRefused(
                f"There is no licence {licence} on this chain.",
                remedy=f"Licences 1 to {there} are there: `licence-ledger licence list`."
                if there
                else "No licence was granted yet.",
            )
        holder = self._books.licences.holders[licence]
        if holder != self._sender:
            raise ValueRefused(
                f"Licence {licence} is held by {checksum_address(holder)}, not by "
                f"{checksum_address(self._sender)}.",
                remedy="Only the licensee reports: give its account, --from NAME.",
            )
        if grant.terms.period_months == 0:
            raise ValueRefused(
                f"Licence {licence} takes no reports: it has no reporting periods.",
                remedy="Leave the line out.",
            )
        return grant.terms

    def _period(self, row: ReportRow, terms: ChainTerms) -> tuple[int, Span]:
        """The period that the row names by its dates. Raises ValueRefused where there is none such."""
        book, now = self._books.licences, self._now
        if row.start is None or row.end is None:
            period = self._expected(row.licence)
            self._not_the_last_again(row, period - 1)
            return period, span_of(book, row.licence, period, now=now)
        first = terms.start - terms.start % _DAY
        if row.start < first:
            raise ValueRefused(
                f"The period begins {_day(row.start)}, before licence {row.licence} does "
                f"({format_time(terms.start)}).",
                remedy="Correct PeriodStart.",
            )
        period = period_at(terms.start, terms.period_months, max(row.start, terms.start))
        try:
            span = span_of(book, row.licence, period, now=now)
        except LedgerError:
            raise ValueRefused(
                f"The period begins {_day(row.start)}, after licence {row.licence} has ended.",
                remedy="Leave the line out.",
            ) from None
        if row.start // _DAY != span.start // _DAY or row.end // _DAY != (span.end - 1) // _DAY:
            raise ValueRefused(
                f"{_day(row.start)} to {_day(row.end)} is no reporting period of licence {row.licence}.",
                remedy=f"Period {period} is {period_words(span.start, span.end)}, both days included.",
            )
        return period, span

    def _not_the_last_again(self, row: ReportRow, last: int) -> None:
        """Refuses figures for "the next period" that are those of the last one: most likely the same report."""
        bookings = self._books.bookings(row.licence, last) if last >= 0 else []
        if not bookings or bookings[-1].entry["kind"] != REPORTED:
            return
        token = self._token(self._books.licences.grants[row.licence].terms.token)
        figures, entry = convert(row, token.symbol, token.decimals), bookings[-1].entry
        if (figures.gross, figures.deductions) == (entry["gross"], entry["deductions"]):
            raise ValueRefused(
                f"Period {last} of licence {row.licence} was reported with the very same figures "
                f"{format_time(bookings[-1].time)}.",
                remedy="If this is that report, it is booked and nothing is left to do; if it is the next one, "
                "name its period: --start DAY --end DAY.",
            )

    def _place(self, row: ReportRow, period: int) -> bool:
        """Whether the period was booked before this run. Raises ValueRefused if it is not the one to come."""
        key = (row.licence, period)
        first = self._seen.get(key)
        if first is not None:
            raise ValueRefused(
                f"Period {period} of licence {row.licence} is reported twice; first in line {first}.",
                remedy="Leave one of the two out.",
            )
        self._seen[key] = row.line
        expected = self._expected(row.licence)
        if period < self._books.licences.states[row.licence].next_period and row.licence not in self._next:
            return True
        if period < expected:
            raise ValueRefused(
                f"Period {period} of licence {row.licence} is out of order: it stands behind a later one.",
                remedy="Put the lines of each licence in the order of its periods.",
            )
        self._next[row.licence] = period + 1
        if period > expected:
            raise ValueRefused(
                f"Period {period} of licence {row.licence} is out of order: period {expected} comes next.",
                remedy=f"Report period {expected} first, or, if its report is overdue, book it at zero: "
                f"`licence-ledger report book-missing {row.licence}`.",
            )
        return False

    def _booked_before(self, row: ReportRow, period: int, digest: bytes, made: ReportPlan) -> None:
        events = self._books.bookings(row.licence, period)
        first = events[0].entry
        if first["reportHash"] == digest:
            made.before.append((row, period))
            return
        if first["kind"] == MISSING:
            raise ValueRefused(
                f"Period {period} of licence {row.licence} was booked at zero {format_time(events[0].time)}, "
                "since its report was missing.",
                remedy=f"The late report is a restatement: `licence-ledger report restate {row.licence} {period}`.",
            )
        raise ValueRefused(
            f"Period {period} of licence {row.licence} was reported {format_time(events[0].time)} "
            "with other figures.",
            remedy=f"Correct it: `licence-ledger report restate {row.licence} {period}`.",
        )

    def _expected(self, licence: int) -> int:
        return self._next.get(licence, self._books.licences.states[licence].next_period)

    def _kinds_allowed(self, row: ReportRow, terms: ChainTerms) -> None:
        if not row.deductions:
            return
        if terms.document not in self._kinds:
            self._kinds[terms.document] = deduction_kinds(self._session, terms)
        allowed = self._kinds[terms.document]
        for kind, _ in row.deductions:
            if allowed and kind not in allowed:
                raise ValueRefused(
                    f"The terms allow no deduction of the kind {kind!r}.",
                    remedy=f"Allowed are {', '.join(sorted(allowed))}.",
                )

    # ---- plausible figures

    def _take_medians(self, rows: Sequence[ReportRow]) -> None:
        """The middle gross revenue of each licence in the file: what a single slip stands out against."""
        counts = Counter(row.licence for row in rows)
        grosses: dict[int, list[int]] = {}
        for row in rows:
            if counts[row.licence] >= _ROWS and row.licence in self._books.licences.grants:
                token = self._token(self._books.licences.grants[row.licence].terms.token)
                try:
                    value = convert(row, token.symbol, token.decimals).gross
                except LedgerError:
                    continue
                grosses.setdefault(row.licence, []).append(value)
        for licence, values in grosses.items():
            if len(values) >= _ROWS:
                self._medians[licence] = int(median(values))

    def _plausible(self, row: ReportRow, terms: ChainTerms, token: Token, gross: int) -> None:
        if self._rules.confirmed or self._rules.max_due:
            return
        reference, of_what = self._reference(row.licence, terms)
        if not reference or gross <= reference * PLAUSIBLE:
            return
        raise ValueRefused(
            f"The gross revenue {shown_amount(token, gross)} is {gross // reference:,} times {of_what}, "
            f"{shown_amount(token, reference)}.",
            remedy="Check that it is not in base units. If it is meant, say so: --max-due AMOUNT or --confirm-large.",
        )

    def _reference(self, licence: int, terms: ChainTerms) -> tuple[int, str]:
        last = self._last_gross(licence)[-_LAST:]
        if any(last):
            return max(last), "the largest of the last reports"
        if self._medians.get(licence):
            return self._medians[licence], "the middle one of this file"
        rate = max((tier.rate_ppm for tier in terms.tiers), default=0)
        if rate and terms.guarantee:
            return terms.guarantee * PPM // rate, "the revenue that earns the minimum guarantee"
        if rate and terms.upfront_fee:
            return terms.upfront_fee * PPM // rate, "the revenue that earns the upfront fee"
        return 0, ""

    def _last_gross(self, licence: int) -> list[int]:
        """Gross revenue as booked and as planned so far, oldest first."""
        if licence not in self._grosses:
            entries = [one.entry for one in self._books.of_licence.get(licence, ()) if one.name == "Booked"]
            self._grosses[licence] = [one["gross"] for one in entries if one["gross"]]
        return self._grosses[licence]

    # ---- the model

    def _book(self, licence: int, figures: Figures) -> Entry:
        entries = self._books.licences.report(
            self._sender, licence, figures, pay_now=self._rules.pay_now, now=self._now
        )
        self._paid_now = 0
        booked = entries[0]
        for one in entries:
            if one.name == "Booked":
                booked = one
                self._paid_now += one["paid"]
            elif one.name == "Paid":
                self._paid_now += one["interest"] + one["principal"]
        return booked

    def _limit(self, token: Token) -> int | None:
        return parse_amount(self._rules.max_due, token.decimals) if self._rules.max_due else None

    def _token(self, address: str) -> Token:
        if address not in self._tokens:
            self._tokens[address] = self._session.ledger.token(address)
        return self._tokens[address]


def live_terms(books: Books, licence: int) -> ChainTerms:
    """The terms of a licence. Raises ValueRefused for an unknown one, or one that takes no reports."""
    grant = books.licences.grants.get(licence)
    if grant is None:
        raise ValueRefused(f"There is no licence {licence}.", remedy="See `licence-ledger licence list`.")
    if grant.terms.period_months == 0:
        raise ValueRefused(f"Licence {licence} has no reporting periods.")
    return grant.terms


def _day(time: int) -> str:
    return format_time(time)[:10]
