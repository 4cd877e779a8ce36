"""The executable model of contracts/Licences.sol: offer, accept, report, restate, pay, dispute, cure, end.

A method is a call: it changes the book and returns the entries that the contract records, or raises the
contract's error and changes nothing. Amounts are base units, times Unix seconds, addresses lower-case hex
strings. The terms given with a call are named by their hash; None stands for the licence's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from ledger.domain.calendar import DAY, Span
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import SCOPES
from ledger.domain.journal import Entry
from ledger.domain.licence_grants import LicenceGrants
from ledger.domain.licence_money import Account, Work, clear_cure
from ledger.domain.licence_types import (
    ACTIVE,
    BATCH,
    BY_LICENSEE,
    BY_LICENSOR,
    EXPIRED,
    MAX_RESTATED,
    MAX_VERSION,
    MISSING,
    REPORTED,
    RESTATED,
    SETTLED,
    TERMINATED,
    Booking,
    Dispute,
    Figures,
)
from ledger.domain.money import FIGURE_LIMIT
from ledger.domain.reverts import Revert
from ledger.domain.royalty import base_of


class LicenceBook(LicenceGrants):
    """The state machine of Licences; what is due, and quotes, are in licence_views."""

    # Reports and money

    def report(
        self,
        caller: str,
        licence: int,
        figures: Figures,
        *,
        pay_now: bool = False,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Reports the next period, and pays its line at once or leaves it open."""
        return self.report_many(caller, licence, [figures], pay_now=pay_now, now=now, terms_hash=terms_hash)

    def report_many(
        self,
        caller: str,
        licence: int,
        figures: Sequence[Figures],
        *,
        pay_now: bool = False,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Reports several periods of one licence, in order."""
        work = self._work(licence, caller, now, terms_hash)
        self._require_licensee(work)
        with self._undo.call():
            rest = list(figures)
            while rest:
                rest = rest[self._report_batch(work, rest, pay_now) :]
        return work.entries

    def _report_batch(self, work: Work, figures: Sequence[Figures], pay_now: bool) -> int:
        """Reports the first of the figures, at most BATCH, then pays them; returns how many.

        Where there is set-off, one at a time, so that its use is told in the order of the periods.
        """
        batch: list[Account] = []
        for one in figures[:BATCH]:
            span = self._next_span(work, one.period)
            if work.now < span.end:
                raise Revert("Licences_PeriodNotOver", work.grant.number, one.period, span.end)
            if one.version != 0:
                raise Revert("Licences_StaleVersion", work.grant.number, one.period, one.version, 0)
            batch.append(self._book_next(work, span, self._booking(work, one, REPORTED)))
            if work.state.set_off:
                break
        self._close(work, batch, pay_now)
        return len(batch)

    def book_missing(
        self, caller: str, licence: int, period: int, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Books a period at zero once its report deadline has passed."""
        work = self._work(licence, caller, now, terms_hash)
        span = self._next_span(work, period)
        if now <= span.report_by:
            raise Revert("Licences_NotMissing", licence, period, span.report_by)
        with self._undo.call():
            self._close(work, [self._book_next(work, span, Booking(MISSING, 0))])
        return work.entries

    def restate(
        self, caller: str, licence: int, figures: Figures, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Replaces the figures of a booked period by others that do not lower its base."""
        work = self._work(licence, caller, now, terms_hash)
        self._require_licensee(work)
        period = figures.period
        self._require_booked(work, period)
        span = work.span(period)
        account = self._account(work, period, span)
        self._require_version(work, account, figures.version)
        if account.state.version >= MAX_RESTATED:
            raise Revert("Licences_VersionsUsedUp", licence, period)
        if self.dispute_of(licence, period):
            raise Revert("Licences_DisputeOpen", licence, period)
        booking = self._booking(work, figures, RESTATED)
        if booking.base < account.state.base:
            raise Revert("Licences_LowersBase", account.state.base, booking.base)
        with self._undo.call():
            self._book(work, account, booking)
            self._close(work, [account])
        return work.entries

    def pay(
        self,
        caller: str,
        licence: int,
        period: int,
        *,
        version: int,
        believed_open: int,
        amount: int,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Pays up to `amount` of what is open for a period, interest first."""
        work = self._work(licence, caller, now, terms_hash)
        self._require_booked(work, period)
        span = work.span(period)
        account = self._account(work, period, span)
        self._require_version(work, account, version)
        if account.state.open != believed_open:
            raise Revert("Licences_OpenDiffers", licence, period, believed_open, account.state.open)
        if not account.is_open:
            raise Revert("Licences_NothingOpen", licence, period)
        amount = min(amount, account.due)
        if amount < account.least:
            raise Revert("Licences_PaymentTooSmall", amount, account.interest)
        account.destination = self._destination(work, period, span.start)
        with self._undo.call():
            interest, principal = self._count(work, account, self._pull(work, account, amount))
            self._store(work)
            self._record_paid(work, account, interest, principal)
            self._end_cure(work, account, mended=False)
        return work.entries

    def _next_span(self, work: Work, period: int) -> Span:
        number = work.grant.number
        if work.terms.period_months == 0:
            raise Revert("Licences_NoReports", number)
        if period != work.state.next_period:
            raise Revert("Licences_WrongPeriod", number, period, work.state.next_period)
        span = work.span(period)
        if span.start >= work.stop:
            raise Revert("Licences_NoSuchPeriod", number, period)
        return span

    def _require_version(self, work: Work, account: Account, version: int) -> None:
        standing = account.state.version
        if version != standing:
            raise Revert("Licences_StaleVersion", work.grant.number, account.period, version, standing)

    @staticmethod
    def _booking(work: Work, figures: Figures, kind: int) -> Booking:
        for figure in (figures.gross, figures.deductions):
            if figure >= FIGURE_LIMIT:
                raise Revert("Licences_FigureTooLarge", figure)
        base = base_of(figures.gross, figures.deductions, work.terms.deduction_cap_ppm)
        return Booking(kind, base, figures.gross, figures.deductions, figures.max_due, figures.report_hash)

    def _book_next(self, work: Work, span: Span, booking: Booking) -> Account:
        account = Account(work.state.next_period, span)
        work.state.next_period += 1
        self._accrue(work, account.state, span)
        self._book(work, account, booking)
        return account

    def _book(self, work: Work, account: Account, booking: Booking) -> None:
        """Books figures: the line, and what it opens, cancels or sets off. The caller closes."""
        state = account.state
        before = state.base if state.version else None
        sums = self._sums_after(work, before, booking.base, self._guarantee(work, account.span))
        line = self._line(work, sums)
        if line > booking.limit:
            raise Revert("Licences_AboveMaxDue", line, booking.limit)
        account.destination = self._destination(work, account.period, account.span.start)
        work.state.sum_a, work.state.sum_b = sums
        state.base = booking.base
        state.version += 1
        state.booked_at = work.now
        account.booking, account.line = booking, line
        account.cancelled, account.set_off = self._apply_line(work, account, line)
        self._store_account(work, account)

    def _close(self, work: Work, batch: Sequence[Account], pay_now: bool = False) -> None:
        """Stores the licence after bookings, pays them if `pay_now`, and records them.

        Neighbours of one destination are paid by one pull; what arrives is counted in their order.
        """
        self._store(work)
        for _, group in groupby(batch, key=lambda account: account.destination):
            accounts = list(group)
            arrived = sum(account.due for account in accounts) if pay_now else 0
            if arrived:
                arrived = self._pull(work, accounts[0], arrived)
            for account in accounts:
                arrived -= self._close_one(work, account, arrived, pay_now)
            self._store(work)

    def _close_one(self, work: Work, account: Account, arrived: int, pay_now: bool) -> int:
        """Counts what has arrived for one booking and records it; returns what was counted."""
        counted = interest = principal = 0
        if pay_now and account.counted:
            counted = min(account.due, arrived)
            interest, principal = self._count(work, account, counted)
        booking = account.booking
        work.record(
            "Booked",
            kind=booking.kind,
            period=account.period,
            version=account.state.version,
            gross=booking.gross,
            deductions=booking.deductions,
            base=booking.base,
            line=account.line,
            destination=account.destination,
            cancelled=account.cancelled,
            setOff=account.set_off,
            paid=0 if interest else principal,
            reportHash=booking.report_hash,
        )
        if interest:
            self._record_paid(work, account, interest, principal)
        self._end_cure(work, account, mended=booking.kind <= MISSING)
        return counted

    # Disputes

    def object(
        self, caller: str, licence: int, figures: Figures, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Proposes other figures: the licensee lower ones, the licensor higher ones."""
        work = self._work(licence, caller, now, terms_hash)
        period = figures.period
        state = self._require_booked(work, period)
        if figures.version != state.version:
            raise Revert("Licences_StaleVersion", licence, period, figures.version, state.version)
        if self.dispute_of(licence, period):
            raise Revert("Licences_DisputeOpen", licence, period)
        _, _, window, _ = self.catalogues.rules_of(work.terms.catalogue)
        closed_at = state.booked_at + window
        if now > closed_at:
            raise Revert("Licences_WindowClosed", licence, period, closed_at)
        base = self._booking(work, figures, SETTLED).base
        proposer = self._proposer(work, state.base, base)
        deadline = now + window
        with self._undo.call():
            self._undo.put(self.disputes, (licence, period), Dispute(proposer, base, deadline))
            work.state.open_disputes += 1
            self._store(work)
        work.record(
            "Objected",
            period=period,
            version=state.version,
            proposer=proposer,
            gross=figures.gross,
            deductions=figures.deductions,
            base=base,
            deadline=deadline,
            reportHash=figures.report_hash,
        )
        return work.entries

    def call_arbiter(
        self, caller: str, licence: int, period: int, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Calls the catalogue's arbiter to choose."""
        work = self._work(licence, caller, now, terms_hash)
        dispute = self._require_dispute(licence, period)
        arbiter, _, _, window = self.catalogues.rules_of(work.terms.catalogue)
        if self.holders[licence] != caller:
            self._require_licensor(work.terms, caller)
        if now > dispute.deadline:
            raise Revert("Licences_WindowClosed", licence, period, dispute.deadline)
        if dispute.arbiter_called or arbiter == ZERO_ADDRESS:
            raise Revert("Licences_ArbiterUnavailable", licence, period)
        deadline = now + window
        with self._undo.call():
            called = replace(dispute, arbiter_called=True, deadline=deadline)
            self._undo.put(self.disputes, (licence, period), called)
        work.record("ArbiterCalled", period=period, arbiter=arbiter, deadline=deadline)
        return work.entries

    def settle(
        self,
        caller: str,
        licence: int,
        period: int,
        *,
        accepted: bool,
        now: int,
        terms_hash: bytes | None = None,
    ) -> list[Entry]:
        """Ends a dispute: the proposed figures stand if `accepted`, else those reported."""
        work = self._work(licence, caller, now, terms_hash)
        dispute = self._require_dispute(licence, period)
        if not self._may_settle(work, dispute, accepted):
            raise Revert("Licences_MayNotSettle", licence, period, caller)
        with self._undo.call():
            self._undo.put(self.disputes, (licence, period), None)
            work.state.open_disputes -= 1
            work.record("Settled", period=period, accepted=accepted)
            if not accepted:
                self._store(work)
                return work.entries
            span = work.span(period)
            account = self._account(work, period, span)
            if account.state.version == MAX_VERSION:
                raise Revert("Licences_VersionsUsedUp", licence, period)
            self._book(work, account, Booking(SETTLED, dispute.proposed_base))
            self._close(work, [account])
        return work.entries

    def dispute_of(self, licence: int, period: int) -> Dispute | None:
        """The open dispute over a period."""
        return self.disputes.get((licence, period))

    def _require_dispute(self, licence: int, period: int) -> Dispute:
        dispute = self.dispute_of(licence, period)
        if dispute is None:
            raise Revert("Licences_NoDispute", licence, period)
        return dispute

    def _proposer(self, work: Work, standing: int, proposed: int) -> int:
        is_licensee = self.holders[work.grant.number] == work.caller
        if is_licensee and proposed < standing:
            return BY_LICENSEE
        if self.catalogues.owner_of(work.terms.catalogue) != work.caller:
            if not is_licensee:
                raise Revert("Licences_NotLicensee", work.grant.number, work.caller)
        elif proposed > standing:
            return BY_LICENSOR
        raise Revert("Licences_BadProposal", standing, proposed)

    def _may_settle(self, work: Work, dispute: Dispute, accepted: bool) -> bool:
        """The other side accepts, the proposer withdraws, the arbiter once called chooses unless it is a
        side itself; late, anyone lets stand.
        """
        if work.now > dispute.deadline:
            return not accepted
        arbiter, _, _, _ = self.catalogues.rules_of(work.terms.catalogue)
        licensee = self.holders[work.grant.number]
        licensor = self.catalogues.owner_of(work.terms.catalogue)
        if dispute.arbiter_called and work.caller == arbiter and arbiter not in (licensee, licensor):
            return True
        by_licensee = dispute.proposer == BY_LICENSEE
        proposer, other = (licensee, licensor) if by_licensee else (licensor, licensee)
        return work.caller == (other if accepted else proposer)

    # Breach and end

    def give_notice(
        self, caller: str, licence: int, period: int, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Gives notice that a period is overdue or not reported."""
        work = self._work(licence, caller, now, terms_hash)
        self._require_licensor(work.terms, caller)
        self._require_active(work)
        state = work.state
        if state.in_cure and self._in_breach(work, state.cure_period):
            raise Revert("Licences_CureRunning", licence, state.cure_until)
        if not self._in_breach(work, period):
            raise Revert("Licences_NoBreach", licence, period)
        state.in_cure, state.cure_period = True, period
        state.cure_until = now + work.terms.cure_days * DAY
        with self._undo.call():
            self._store(work)
        work.record("NoticeGiven", period=period, cureUntil=state.cure_until)
        return work.entries

    def terminate(
        self, caller: str, licence: int, *, now: int, terms_hash: bytes | None = None
    ) -> list[Entry]:
        """Terminates a licence whose breach was not cured in time."""
        work = self._work(licence, caller, now, terms_hash)
        self._require_licensor(work.terms, caller)
        self._require_active(work)
        state, period = work.state, work.state.cure_period
        if not state.in_cure or now <= state.cure_until:
            raise Revert("Licences_CureRunning", licence, state.cure_until)
        if not self._in_breach(work, period):
            raise Revert("Licences_NoBreach", licence, period)
        state.terminated_at = now
        lapsed = self._end(work, TERMINATED)
        work.record("Terminated", period=period, lapsed=lapsed)
        return work.entries

    def expire(self, caller: str, licence: int, *, now: int, terms_hash: bytes | None = None) -> list[Entry]:
        """Records that the term is over and frees the scope."""
        work = self._work(licence, caller, now, terms_hash)
        self._require_active(work)
        if work.terms.end == 0 or now < work.terms.end:
            raise Revert("Licences_NotEnded", licence, work.terms.end)
        work.record("Expired", lapsed=self._end(work, EXPIRED))
        return work.entries

    def _require_active(self, work: Work) -> None:
        if work.state.status != ACTIVE:
            raise Revert("Licences_Ended", work.grant.number)

    def _end(self, work: Work, status: int) -> int:
        """Ends a licence; returns the set-off that lapses. What is owed stays."""
        lapsed, work.state.set_off, work.state.status = work.state.set_off, 0, status
        clear_cure(work.state)
        terms = work.terms
        with self._undo.call():
            self._store(work)
            for bit in range(len(SCOPES)):
                if terms.scope >> bit & 1:
                    live, exclusive = self.live_of(terms.catalogue, bit)
                    after = (live - 1, exclusive - (terms.exclusive >> bit & 1))
                    self._undo.put(self.live, (terms.catalogue, bit), after)
        return lapsed
