"""The model of Licences, first part: its state, and what booking and paying have in common.

It follows contracts/interfaces/ILicences.sol; the order of checks is that of contracts/licences, so that
both raise the same error. Each method that changes something runs inside a call of the book (all or
nothing).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.domain.calendar import FOREVER, Span, period_span
from ledger.domain.canonical import ZERO_ADDRESS, address_word, keccak256, uint_word
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.journal import Entry
from ledger.domain.licence_types import (
    ACTIVE,
    BY_LICENSEE,
    MAX_DELAY,
    SOURCES_EACH,
    TERMINATED,
    Booking,
    Catalogues,
    Dispute,
    Grant,
    HonestMoney,
    LicenceState,
    Money,
    PeriodState,
    Source,
)
from ledger.domain.money import FIGURE_LIMIT
from ledger.domain.reverts import Revert
from ledger.domain.royalty import (
    INTEREST_UNIT,
    guarantee_down,
    interest_numerator,
    owed_in_all,
    royalty_of,
)
from ledger.domain.split_types import account_id
from ledger.domain.undo import Undo

#: What an account books before it is told.
NOTHING = Booking(0, 0)


@dataclass(slots=True)
class Account:
    """A period while it is changed, and what its Booked entry will tell.

    `counted`: whether it is among the licence's open periods.
    """

    period: int
    span: Span
    state: PeriodState = field(default_factory=PeriodState)
    counted: bool = False
    destination: bytes = b""
    booking: Booking = NOTHING
    line: int = 0
    cancelled: int = 0
    set_off: int = 0

    @property
    def interest(self) -> int:
        """Whole base units of interest."""
        return self.state.interest_numerator // INTEREST_UNIT

    @property
    def due(self) -> int:
        """Interest and principal."""
        return self.interest + self.state.open

    @property
    def least(self) -> int:
        """The least payment: all interest, and a unit of principal where there is any."""
        return self.interest + (1 if self.state.open else 0)

    @property
    def is_open(self) -> bool:
        """Whether principal or a whole unit of interest is open."""
        return self.state.open != 0 or self.interest != 0


class Work:
    """One call on one licence: its grant, a copy of its state, the caller, the time, the entries so far."""

    def __init__(self, grant: Grant, state: LicenceState, caller: str, now: int) -> None:
        self.grant = grant
        self.terms = grant.terms
        self.state = state.copy()
        self.caller = caller
        self.now = now
        self.entries: list[Entry] = []

    @property
    def stop(self) -> int:
        """First second after the licence."""
        end = self.terms.end or FOREVER
        return min(end, self.state.terminated_at) if self.state.status == TERMINATED else end

    def span(self, period: int) -> Span:
        """The period's time; it is one of the licence's if it starts before the stop."""
        terms = self.terms
        return period_span(
            start=terms.start,
            stop=self.stop,
            months=terms.period_months,
            period=period,
            accepted_at=self.state.accepted_at,
            days_to_report=terms.days_to_report,
            days_to_pay=terms.days_to_pay,
            grace_days=terms.grace_days,
        )

    def record(self, name: str, **args: object) -> None:
        """Appends an entry of this licence."""
        self.entries.append(Entry(name, uint_word(self.grant.number), self.caller, args))


class LicenceMoney:
    """State of Licences: grants, holders, periods, disputes, set-off, scopes, offers, nonces."""

    def __init__(
        self,
        catalogues: Catalogues,
        money: Money | None = None,
        *,
        address: str = "0x" + "11" * 20,
        chain_id: int = 31337,
        undo: Undo | None = None,
    ) -> None:
        self.catalogues = catalogues
        self.money = money or HonestMoney()
        self.address = address
        self.chain_id = chain_id
        self.grants: dict[int, Grant] = {}
        self.holders: dict[int, str] = {}
        self.states: dict[int, LicenceState] = {}
        self.periods: dict[tuple[int, int], PeriodState] = {}
        self.disputes: dict[tuple[int, int], Dispute | None] = {}
        self.sources: dict[int, tuple[Source, ...]] = {}
        self.live: dict[tuple[int, int], tuple[int, int]] = {}
        self.nonces: dict[tuple[str, int], bool] = {}
        self.offers: dict[bytes, str] = {}
        self._undo = undo or Undo()

    # Reading

    def _work(self, licence: int, caller: str, now: int, terms_hash: bytes | None = None) -> Work:
        """Reads a licence; `terms_hash` is that of the terms given, None for the licence's own."""
        grant = self.grants.get(licence)
        if grant is None:
            raise Revert("Licences_Unknown", licence)
        if terms_hash is not None and terms_hash != grant.terms_hash:
            raise Revert("Licences_TermsMismatch", licence)
        return Work(grant, self.states[licence], caller, now)

    def _require_licensee(self, work: Work) -> None:
        if self.holders[work.grant.number] != work.caller:
            raise Revert("Licences_NotLicensee", work.grant.number, work.caller)

    def _require_licensor(self, terms: ChainTerms, caller: str) -> None:
        if self.catalogues.owner_of(terms.catalogue) != caller:
            raise Revert("Licences_NotLicensor", terms.catalogue, caller)

    def _require_booked(self, work: Work, period: int) -> PeriodState:
        if period >= work.state.next_period:
            raise Revert("Licences_NotReported", work.grant.number, period)
        return self.periods[work.grant.number, period].copy()

    def salt_of(self, licence: int, period: int) -> bytes:
        """Salt of the account of a weighted licence's period."""
        return keccak256(address_word(self.address) + uint_word(licence) + uint_word(period))

    def _destination(self, work: Work, period: int, start: int) -> bytes:
        """Where a period's money goes: the split in force at its start, or at acceptance where that is
        later.
        """
        if work.terms.distributions != ZERO_ADDRESS:
            return account_id(work.terms.distributions, self.salt_of(work.grant.number, period))
        return self.catalogues.split_at(work.terms.catalogue, self.split_time(work, period, start))

    @staticmethod
    def split_time(work: Work, period: int, start: int) -> int:
        """The time whose split a period's money goes to."""
        accepted_at = work.state.accepted_at
        return accepted_at if period == 0 else max(start, accepted_at)

    def _account(self, work: Work, period: int, span: Span) -> Account:
        """Reads a booked period, with interest up to now."""
        state = self._require_booked(work, period)
        account = Account(period, span, state)
        account.counted = account.is_open
        self._accrue(work, state, span)
        return account

    @staticmethod
    def _accrue(work: Work, state: PeriodState, span: Span) -> None:
        rate = work.terms.late_rate_ppm
        if work.now <= span.interest_from or rate == 0:
            return
        since = max(state.interest_up_to, span.interest_from)
        state.interest_numerator += interest_numerator(state.open, rate, work.now - since)
        state.interest_up_to = work.now

    # Writing

    def _store(self, work: Work) -> None:
        if work.state.set_off >= FIGURE_LIMIT:
            raise Revert("Licences_FigureTooLarge", work.state.set_off)
        self._undo.put(self.states, work.grant.number, work.state.copy())

    def _store_account(self, work: Work, account: Account) -> None:
        """Writes the period, and counts it in the licence if it is open; the caller stores the licence."""
        state = account.state.copy()
        if state.open >= FIGURE_LIMIT:
            raise Revert("Licences_FigureTooLarge", state.open)
        state.booked_at = min(state.booked_at, work.state.accepted_at + MAX_DELAY)
        self._undo.put(self.periods, (work.grant.number, account.period), state)
        work.state.open_periods += account.is_open - account.counted
        account.counted = account.is_open

    # Lines

    @staticmethod
    def _guarantee(work: Work, span: Span) -> int:
        return guarantee_down(work.terms.guarantee, span.end - span.start, span.full_seconds)

    @staticmethod
    def _sums_after(work: Work, before: int | None, base: int, guarantee: int) -> tuple[int, int]:
        """The licence's sums once a period's base is `base`; `before` is its base until now, None if new."""
        sum_a, sum_b = work.state.sum_a, work.state.sum_b
        if work.terms.tiers_over_life:
            return sum_a + base - (before or 0), sum_b + (guarantee if before is None else 0)
        tiers = work.terms.tiers
        old = 0 if before is None else royalty_of(tiers, before, guarantee)
        return sum_a + royalty_of(tiers, base, guarantee) - old, sum_b

    @staticmethod
    def owed_of(terms: ChainTerms, sum_a: int, sum_b: int) -> int:
        """Y of the sums that a licence keeps."""
        royalty = royalty_of(terms.tiers, sum_a, sum_b) if terms.tiers_over_life else sum_a
        return owed_in_all(royalty, advance=terms.advance_amount, cap=terms.cap)

    def _line(self, work: Work, sums: tuple[int, int]) -> int:
        """Y after − Y before."""
        before = self.owed_of(work.terms, work.state.sum_a, work.state.sum_b)
        return self.owed_of(work.terms, *sums) - before

    def _apply_line(self, work: Work, account: Account, line: int) -> tuple[int, int]:
        """Appends a line to its period; returns what it cancelled, and what was set off or added to set-
        off.
        """
        rate = work.terms.late_rate_ppm
        seconds = work.now - account.span.interest_from
        state = account.state
        if line > 0:
            set_off = self._use_set_off(work, account, line) if work.state.set_off else 0
            opened = line - set_off
            state.open += opened
            state.interest_numerator += interest_numerator(opened, rate, seconds)
            return 0, set_off
        cancelled = min(-line, state.open)
        state.open -= cancelled
        state.interest_numerator = max(
            0, state.interest_numerator - interest_numerator(cancelled, rate, seconds)
        )
        rest = -line - cancelled
        if rest == 0 or work.state.status != ACTIVE:
            return cancelled, 0
        self._add_set_off(work, account, rest)
        return cancelled, rest

    def _use_set_off(self, work: Work, account: Account, line: int) -> int:
        """Uses the oldest sources against a line, up to a fixed number of them."""
        queue = list(self.sources.get(work.grant.number, ()))
        used = 0
        for _ in range(min(SOURCES_EACH, len(queue))):
            if used >= line:
                break
            source = queue[0]
            amount = min(source.amount, line - used)
            if amount < source.amount:
                queue[0] = Source(source.destination, source.amount - amount)
            else:
                queue.pop(0)
            used += amount
            work.record(
                "SetOffUsed",
                period=account.period,
                source=source.destination,
                destination=account.destination,
                amount=amount,
            )
        self._undo.put(self.sources, work.grant.number, tuple(queue))
        work.state.set_off -= used
        return used

    def _add_set_off(self, work: Work, account: Account, amount: int) -> None:
        """Puts overpaid money at the end of the queue, or into its last source if that has the same
        destination.
        """
        queue = self.sources.get(work.grant.number, ())
        work.state.set_off += amount
        if queue and queue[-1].destination == account.destination:
            amount += queue[-1].amount
            queue = queue[:-1]
        self._undo.put(self.sources, work.grant.number, (*queue, Source(account.destination, amount)))

    # Payments

    def _pull(self, work: Work, account: Account, amount: int) -> int:
        """Makes money arrive at the account's destination; returns what arrived, at most `amount`."""
        terms = work.terms
        if terms.distributions == ZERO_ADDRESS:
            arrived = self.money.credit(work.caller, account.destination, terms.token, amount)
        else:
            salt = self.salt_of(work.grant.number, account.period)
            arrived = self.money.fund(work.caller, terms.distributions, salt, terms.token, amount)
        if arrived <= 0:
            raise Revert("Splits_NothingArrived", terms.token)
        return min(arrived, amount)

    def _count(self, work: Work, account: Account, arrived: int) -> tuple[int, int]:
        """Counts what has arrived: interest first, then principal. The caller stores the licence."""
        interest = account.interest
        if arrived < account.least:
            raise Revert("Licences_PaymentTooSmall", arrived, interest)
        account.state.open -= arrived - interest
        account.state.interest_numerator -= interest * INTEREST_UNIT
        self._store_account(work, account)
        return interest, arrived - interest

    @staticmethod
    def _record_paid(work: Work, account: Account, interest: int, principal: int) -> None:
        work.record(
            "Paid",
            period=account.period,
            destination=account.destination,
            interest=interest,
            principal=principal,
            open=account.state.open,
        )

    # Breach

    def _is_overdue(self, work: Work, account: Account) -> bool:
        """Whether more is open than is disputed after due date and grace.

        Of figures that were booked anew when that date had passed nothing counts as disputed.
        """
        if work.now <= account.span.interest_from or account.state.open == 0:
            return False
        dispute = self.disputes.get((work.grant.number, account.period))
        if dispute is None or dispute.proposer != BY_LICENSEE:
            return True
        if account.state.version != 1 and account.state.booked_at > account.span.interest_from:
            return True
        sums = self._sums_after(
            work, account.state.base, dispute.proposed_base, self._guarantee(work, account.span)
        )
        return account.state.open > -self._line(work, sums)

    def _in_breach(self, work: Work, period: int) -> bool:
        """Whether the period is overdue, or the next one and not reported in time."""
        if work.terms.period_months == 0 or period > work.state.next_period:
            return False
        span = work.span(period)
        if period == work.state.next_period:
            return span.start < work.stop and work.now > span.report_by
        return self._is_overdue(work, self._account(work, period, span))

    def _end_cure(self, work: Work, account: Account, mended: bool) -> None:
        """Ends the cure if it is for this period and `mended`, or the period is not overdue any more."""
        if not work.state.in_cure or work.state.cure_period != account.period:
            return
        if not mended and self._is_overdue(work, account):
            return
        clear_cure(work.state)
        self._store(work)
        work.record("Cured", period=account.period)


def clear_cure(state: LicenceState) -> None:
    """No cure runs any more."""
    state.in_cure = False
    state.cure_until = 0
    state.cure_period = 0
