"""What is due under a licence and why, and paying it."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.calendar import Span
from ledger.domain.errors import AuditFailed, LedgerError, ValueRefused
from ledger.domain.licence_types import Due
from ledger.domain.licence_views import booked_periods, due_of, span_of
from ledger.domain.royalty import INTEREST_UNIT, interest_numerator
from ledger.operations.books import Books
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.report_plans import live_terms
from ledger.operations.reports import pulled
from ledger.operations.session import Session
from ledger.operations.splits import short

#: Interest grows until a payment is mined: the most that it may take covers so many seconds more.
_SLACK = 3_600

#: Fields of ILicenceViews.Due, by those of the model's.
_FIELDS = {
    "start": "start",
    "end": "end",
    "report_by": "reportBy",
    "pay_by": "payBy",
    "interest_from": "interestFrom",
    "base": "base",
    "earned_by_tier": "earnedByTier",
    "earned": "earned",
    "guarantee": "guarantee",
    "guarantee_top_up": "guaranteeTopUp",
    "royalty": "royalty",
    "recouped": "recouped",
    "owed_in_all": "owedInAll",
    "cap_reached": "capReached",
    "open": "open",
    "interest": "interest",
    "set_off": "setOff",
    "destination": "destination",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """What is due for one period, and why. The contract's own answer was compared with the model's.

    `lines` are all lines of the period; `used` was set off against them, `added` went from them into the
    set-off; `principal` and `interest_paid` arrived. `booked`: whether the period is booked.
    """

    licence: int
    period: int
    booked: bool
    due: Due
    lines: tuple[int, ...]
    principal: int
    interest_paid: int
    used: int
    added: int
    token: Token
    time: int

    @property
    def to_pay(self) -> int:
        """Principal and whole interest open now."""
        return self.due.open + self.due.interest


def explain(session: Session, books: Books, licence: int, period: int) -> Explained:
    """What is due for a period by the model and by the contract, compared field by field.

    Raises AuditFailed where the two differ, LedgerError for a period that is none.
    """
    terms = live_terms(books, licence)
    before = session.now()
    held = session.ledger.views.due(licence, terms.encode(), period)
    after = session.now()
    due, time = _same_time(books, licence, period, held, range(before - 1, after + 3))
    principal, interest = books.paid(licence, period)
    used, added = books.set_off(licence, period)
    return Explained(
        licence,
        period,
        period in booked_periods(books.licences, licence),
        due,
        tuple(books.lines(licence, period)),
        principal,
        interest,
        used,
        added,
        session.ledger.token(terms.token),
        time,
    )


def _same_time(books: Books, licence: int, period: int, held: object, times: range) -> tuple[Due, int]:
    """The model's answer at the second for which the contract gave its own."""
    flaw: tuple[str, object, object] | None = None
    for now in times:
        due = due_of(books.licences, licence, period, now=now)
        flaw = None
        for mine, theirs in _FIELDS.items():
            ours, told = getattr(due, mine), getattr(held, theirs)
            if mine == "earned_by_tier":
                told = tuple(told)
            if mine == "destination" and not ours:
                ours = bytes(32)
            if ours != told:
                flaw = (mine, ours, told)
                break
        if flaw is None:
            return due, now
    assert flaw is not None
    raise AuditFailed(
        f"What is due for period {period} of licence {licence} differs: {flaw[0]} is {_text(flaw[1])} by the "
        f"replayed books and {_text(flaw[2])} by the contract.",
        remedy="Run `licence-ledger verify`; the node may lag behind, or not tell the truth.",
    )


def default_period(books: Books, licence: int, now: int) -> int:
    """The earliest period with something open, else the next one if its end has passed, else the last booked."""
    live_terms(books, licence)
    for period in open_periods(books, licence, now):
        return period
    booked = books.licences.states[licence].next_period
    try:
        if booked == 0 or span_of(books.licences, licence, booked, now=now).end <= now:
            return booked
    except LedgerError:
        pass
    return max(0, booked - 1)


def open_periods(books: Books, licence: int, now: int) -> list[int]:
    """The booked periods with principal or a whole unit of interest open."""
    found = []
    for period in booked_periods(books.licences, licence):
        state = books.licences.periods[licence, period]
        if state.open or state.interest_numerator >= INTEREST_UNIT:
            found.append(period)
    return found


# ---- paying


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment: what is open of a period, and the most that it may take (interest grows until it is mined)."""

    period: int
    version: int
    open: int
    interest: int
    most: int
    destination: bytes
    span: Span


@dataclass(frozen=True, slots=True)
class PaymentPlan:
    """Payments of one licence, oldest period first."""

    licence: int
    payments: tuple[Payment, ...]
    token: Token
    plan: Plan


def plan_pay(
    session: Session,
    books: Books,
    licence: int,
    *,
    payer: str,
    period: int | None = None,
    amount: int | None = None,
) -> PaymentPlan:
    """Pays a period, or all that is open; `amount` limits the payment of one period.

    A payment tells what it believes to be open, so one that is sent again pays nothing. Raises LedgerError
    where nothing is open or the payer does not hold it.
    """
    terms = live_terms(books, licence)
    now = session.now()
    token = session.ledger.token(terms.token)
    periods = open_periods(books, licence, now)
    if period is not None:
        if period not in booked_periods(books.licences, licence):
            raise ValueRefused(
                f"Period {period} of licence {licence} is not reported yet.",
                remedy=f"Report it: `licence-ledger report submit {licence}`.",
            )
        periods = [period] if period in periods else []
    if not periods:
        which = f"period {period} of licence {licence}" if period is not None else f"licence {licence}"
        raise ValueRefused(
            f"Nothing is open for {which}.", remedy="See what is due: `licence-ledger agenda`."
        )
    if amount is not None and len(periods) != 1:
        raise ValueRefused("An amount needs one period.", remedy="Name the period that it is for.")
    payments = [_payment(books, licence, one, amount, token, now) for one in periods]
    contract, data = session.ledger.licences, terms.encode()
    requests = pulled(
        session,
        token,
        payer,
        sum(min(one.most, one.open + one.interest) for one in payments),
        sum(max(0, one.most - one.open - one.interest) for one in payments),
    )
    who = checksum_address(payer)
    effects = []
    for one in payments:
        requests.append(
            contract.pay(
                licence, data, one.period, version=one.version, believed_open=one.open, amount=one.most
            )
        )
        paid = min(one.most, one.open + one.interest)
        what = shown_amount(token, paid)
        if one.interest:
            what += f" ({shown_amount(token, one.interest)} of it interest)"
        to = f"to {short(one.destination)} for period {one.period} of licence {licence}"
        effects.append(Effect(who, "pays", what, to))
    return PaymentPlan(licence, tuple(payments), token, Plan(payer, effects, requests))


def _payment(books: Books, licence: int, period: int, amount: int | None, token: Token, now: int) -> Payment:
    due = due_of(books.licences, licence, period, now=now)
    grant = books.licences.grants[licence]
    growth = interest_numerator(due.open, grant.terms.late_rate_ppm, _SLACK) // INTEREST_UNIT
    most = due.open + due.interest + (growth + 1 if now + _SLACK > due.interest_from and growth else 0)
    if amount is not None:
        if amount <= due.interest and due.open:
            raise ValueRefused(
                f"The amount does not cover the interest of {shown_amount(token, due.interest)}.",
                remedy="Interest is paid first, and at least one unit of principal with it.",
            )
        most = min(most, amount)
    state = books.licences.periods[licence, period]
    span = span_of(books.licences, licence, period, now=now)
    return Payment(period, state.version, due.open, due.interest, most, due.destination, span)


def _text(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
