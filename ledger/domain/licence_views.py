"""What is due under a licence and why, and what figures would book: the views of Licences over the model's
book.
"""

from __future__ import annotations

from ledger.domain.calendar import Span
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS
from ledger.domain.licence_book import LicenceBook
from ledger.domain.licence_money import Account, Work
from ledger.domain.licence_types import SOURCES_EACH, Due, Figures
from ledger.domain.reverts import Revert
from ledger.domain.royalty import earned_by_tier, earned_down

#: The contracts count a licence's periods in 16 bits: 5,461 years of months.
LAST_PERIOD = 2**16 - 1


def span_of(book: LicenceBook, licence: int, period: int, *, now: int = 0) -> Span:
    """The time of one of the licence's periods; raises Licences_NoReports or Licences_NoSuchPeriod."""
    return _existing_span(book._work(licence, "", now), period)


def due_of(book: LicenceBook, licence: int, period: int, *, now: int) -> Due:
    """What is due for a booked or unbooked period at `now`, and why."""
    work = book._work(licence, "", now)
    terms, state = work.terms, work.state
    span = _existing_span(work, period)
    booked = Account(period, span)
    if period < state.next_period:
        booked = book._account(work, period, span)
    over_life = terms.tiers_over_life
    counted = state.sum_a if over_life else booked.state.base
    earned = earned_down(terms.tiers, counted)
    guarantee = state.sum_b if over_life else book._guarantee(work, span)
    top_up = max(0, guarantee - earned)
    in_all = earned + top_up if over_life else state.sum_a
    owed = book.owed_of(terms, state.sum_a, state.sum_b)
    # Before a period begins, another split may still be announced for it; an account is known at any time.
    known = terms.distributions != ZERO_ADDRESS or book.split_time(work, period, span.start) <= now
    return Due(
        start=span.start,
        end=span.end,
        report_by=span.report_by,
        pay_by=span.pay_by,
        interest_from=span.interest_from,
        base=booked.state.base,
        earned_by_tier=tuple(earned_by_tier(terms.tiers, counted)),
        earned=earned,
        guarantee=guarantee,
        guarantee_top_up=top_up,
        royalty=earned + top_up,
        recouped=min(in_all, terms.advance_amount),
        owed_in_all=owed,
        cap_reached=terms.cap != 0 and owed == terms.cap,
        open=booked.state.open,
        interest=booked.interest,
        set_off=state.set_off,
        destination=book._destination(work, period, span.start) if known else ZERO32,
    )


def quote(book: LicenceBook, licence: int, figures: Figures, *, now: int) -> tuple[int, int]:
    """The line that these figures would book now, and what would be set off against it."""
    work = book._work(licence, "", now)
    period = figures.period
    if period > work.state.next_period:
        raise Revert("Licences_WrongPeriod", licence, period, work.state.next_period)
    span = _existing_span(work, period)
    account = Account(period, span)
    if period < work.state.next_period:
        account = book._account(work, period, span)
    book._require_version(work, account, figures.version)
    before = account.state.base if account.state.version else None
    base = book._booking(work, figures, 0).base
    line = book._line(work, book._sums_after(work, before, base, book._guarantee(work, span)))
    if line <= 0 or work.state.set_off == 0:
        return line, 0
    sources = book.sources.get(licence, ())[:SOURCES_EACH]
    return line, min(line, sum(source.amount for source in sources))


def booked_periods(book: LicenceBook, licence: int) -> range:
    """Numbers of the periods booked so far."""
    return range(book.states[licence].next_period)


def _existing_span(work: Work, period: int) -> Span:
    if work.terms.period_months == 0:
        raise Revert("Licences_NoReports", work.grant.number)
    if period <= LAST_PERIOD:
        span = work.span(period)
        if span.start < span.end:
            return span
    raise Revert("Licences_NoSuchPeriod", work.grant.number, period)
