"""What is due to or from whom, and which window closes when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.chain.tokens import Token
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.distribution_types import (
    ARBITER_CHOOSES,
    DONE,
    EITHER_POSTS,
    LICENSOR_POSTS,
    NOTHING_YET,
)
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.licence_types import ACTIVE, BY_LICENSEE
from ledger.domain.licence_views import booked_periods, due_of, span_of
from ledger.operations.books import Books
from ledger.operations.distributions import standing, step_words
from ledger.operations.payments import open_periods
from ledger.operations.payouts import sums_of
from ledger.operations.report_files import period_words
from ledger.operations.session import Session
from ledger.operations.splits import short

#: The kind of the item that tells of the end of a term.
ENDING = "end"
_MOST_MISSING = 240


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the agenda. `time`: by when, or when a window closes; 0: now. `who` must or may act, `to`
    is the other side; either may be empty. `units` of `token` where money is meant.
    """

    time: int
    kind: str
    who: str
    to: str
    what: str
    licence: int = 0
    period: int | None = None
    catalogue: int = 0
    token: Token | None = None
    units: int = 0
    late: bool = False


def agenda(session: Session, books: Books, *, address: str = "", licence: int | None = None) -> list[Item]:
    """All that is due, and every open window, sorted by date. `address`: only what concerns it.

    Raises ValueRefused for an unknown licence.
    """
    if licence is not None and licence not in books.licences.grants:
        raise ValueRefused(f"There is no licence {licence}.", remedy="See `licence-ledger licence list`.")
    now = session.now()
    found: list[Item] = []
    for number in books.licences.grants:
        if licence in (None, number):
            found += _licence(session, books, number, now)
    if licence is None:
        found += _catalogues(books, now)
        found += _owed(session, books, address)
    if address:
        found = [one for one in found if address in (one.who, one.to)]
    return sorted(found, key=lambda one: (one.time, one.licence, one.period or 0))


def _licence(session: Session, books: Books, number: int, now: int) -> Iterator[Item]:
    grant, state = books.licences.grants[number], books.licences.states[number]
    terms = grant.terms
    licensee, licensor = books.licences.holders[number], books.catalogues.owner_of(terms.catalogue)
    if terms.period_months:
        yield from _reports(books, number, now, licensee, licensor)
        yield from _payments(session, books, number, now, licensee)
        yield from _disputes(books, number, now, licensee, licensor)
        if terms.distributions == books.distributions.address:
            yield from _distributions(session, books, number)
    if state.in_cure:
        late = now > state.cure_until
        what = f"mend period {state.cure_period}" if not late else "the time to cure is over: may terminate"
        who, to = (licensor, licensee) if late else (licensee, licensor)
        yield Item(state.cure_until, "cure", who, to, what, number, state.cure_period, late=late)
    if state.status == ACTIVE and terms.end:
        over = now >= terms.end
        what = "the term is over: anyone may record it" if over else "the term ends"
        yield Item(terms.end, ENDING, licensee, licensor, what, number, late=over)


def _reports(books: Books, number: int, now: int, licensee: str, licensor: str) -> Iterator[Item]:
    period = books.licences.states[number].next_period
    for _ in range(_MOST_MISSING):
        try:
            span = span_of(books.licences, number, period, now=now)
        except LedgerError:
            return
        late = now > span.report_by
        what = f"report period {period} ({period_words(span.start, span.end)})"
        if late:
            what += ", overdue: anyone may book it at zero"
        elif now < span.end:
            what += f", over on {period_words(span.end, span.end + 1).split(' ')[0]}"
        yield Item(span.report_by, "report", licensee, licensor, what, number, period, late=late)
        if now < span.end:
            return
        period += 1


def _payments(session: Session, books: Books, number: int, now: int, licensee: str) -> Iterator[Item]:
    token = session.ledger.token(books.licences.grants[number].terms.token)
    for period in open_periods(books, number, now):
        due = due_of(books.licences, number, period, now=now)
        late = now > due.interest_from
        what = f"pay period {period}, to {short(due.destination)}"
        if due.interest:
            what += ", interest included"
        yield Item(
            due.pay_by,
            "payment",
            licensee,
            "",
            what,
            number,
            period,
            token=token,
            units=due.open + due.interest,
            late=late,
        )


def _disputes(books: Books, number: int, now: int, licensee: str, licensor: str) -> Iterator[Item]:
    catalogue = books.licences.grants[number].terms.catalogue
    arbiter, _, window, _ = books.catalogues.rules_of(catalogue)
    judged = arbiter not in (ZERO_ADDRESS, licensee, licensor)  # one that is a side itself does not choose
    for period in booked_periods(books.licences, number):
        dispute = books.licences.dispute_of(number, period)
        if dispute is None:
            closes = books.licences.periods[number, period].booked_at + window
            if closes >= now:
                what = f"object to the figures of period {period}: the window closes"
                yield Item(closes, "objection", licensor, licensee, what, number, period)
            continue
        late = now > dispute.deadline
        by_licensee = dispute.proposer == BY_LICENSEE
        proposer, other = (licensee, licensor) if by_licensee else (licensor, licensee)
        if late:
            what = f"the dispute over period {period} is out of time: the reported figures stand"
            yield Item(dispute.deadline, "dispute", proposer, other, what, number, period, late=True)
        elif dispute.arbiter_called and judged:
            what = f"choose the figures of period {period}"
            yield Item(dispute.deadline, "arbiter", arbiter, other, what, number, period)
        else:
            may = ", or call the arbiter" if judged and not dispute.arbiter_called else ""
            what = f"answer the figures proposed for period {period}{may}"
            yield Item(dispute.deadline, "dispute", other, proposer, what, number, period)


def _distributions(session: Session, books: Books, number: int) -> Iterator[Item]:
    """The next step of each booked period whose money waits for a distribution."""
    for period in booked_periods(books.licences, number):
        held = standing(session, books, number, period)
        outlook = held.outlook
        if outlook.step in (NOTHING_YET, DONE):
            continue
        who = {
            LICENSOR_POSTS: held.licensor,
            EITHER_POSTS: held.licensor,
            ARBITER_CHOOSES: held.arbiter,
        }.get(outlook.step, "")
        to = held.licensee if outlook.step == EITHER_POSTS else ""
        what = f"distribute period {period}: {step_words(held)}"
        if outlook.step == LICENSOR_POSTS and outlook.round:
            what = f"distribute what period {period} holds, once its payees are known"
        token = session.ledger.token(held.token)
        yield Item(
            outlook.until, "distribution", who, to, what, number, period, token=token, units=outlook.waits
        )


def _catalogues(books: Books, now: int) -> Iterator[Item]:
    for number, held in books.catalogues.catalogues.items():
        for effective, split_id in held.splits:
            if effective > now:
                what = f"split {short(split_id)} of catalogue {number} takes effect"
                yield Item(effective, "split", held.owner, "", what, catalogue=number)
        if held.pending_owner != ZERO_ADDRESS:
            what = f"take catalogue {number} over"
            yield Item(0, "ownership", held.pending_owner, held.owner, what, catalogue=number)


def _owed(session: Session, books: Books, address: str) -> Iterator[Item]:
    """What Splits owes: to the address, else summed over each split."""
    for one in sums_of(books, payee=address or None):
        if one.owed_in_all:
            token = session.ledger.token(one.token)
            what = f"{len(one.owed):,} payees of split {short(one.split_id)} can be paid"
            if address:
                what = f"split {short(one.split_id)} owes it: payout run, or payout claim"
            yield Item(0, "payout", "", address, what, token=token, units=one.owed_in_all)
