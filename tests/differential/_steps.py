"""Random licence histories step by step: what is tried next, right calls most of the time and wrong ones among them.

A step is chosen by looking at the model's book, so that short histories go far; the rest is chance.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from _grants import POOR, Grants, Plan, Step
from strategies import ARBITER, BUYER, FIGURE, LICENSEE, STRANGER, address, random_amount

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.licence_types import BY_LICENSEE, UNLIMITED, Figures
from ledger.domain.model import Ledger
from ledger.domain.royalty import NO_LIMIT, Tier


class Maker(Grants):
    """Makes the steps of one history."""

    def __init__(
        self, rng: Random, ledger: Ledger, tokens: list[str], splits: list[bytes], homeless: bytes
    ) -> None:
        super().__init__(rng, ledger, tokens, splits, homeless)
        plan = rng.random()
        if plan < 0.04:
            self._plan_lowering()
        elif plan < 0.08:
            self._plan_stalling()

    def _plan_lowering(self) -> None:
        """Many paid periods that are lowered, then large ones: a long queue of set-off."""
        rounds = self.rng.randrange(3, 12)
        terms = replace(
            self.plans[0].terms,
            period_months=1,
            exclusive=0,
            end=0,
            cap=0,
            deduction_cap_ppm=0,
            guarantee=0,
            tiers=(Tier(NO_LIMIT, 500_000),),
            distributions=self.plans[0].terms.distributions if rounds < 6 else address("pool"),
        )
        self.plans = [Plan(terms)]
        one = [
            lambda: self._report(gross=10**9, pay_now=True),
            lambda: self._object(lower=True),
            self._settle_right,
        ]
        self.script = one * rounds
        if self.rng.random() < 0.7:
            self.script += [
                lambda: self._report(gross=10**9, pay_now=False),
                lambda: self._report(gross=10**12),
            ]
        self.length = len(self.script) + 2 + self.rng.randrange(8)

    def _plan_stalling(self) -> None:
        """A dispute kept up beyond the due date, or put before an arbiter that is a side itself."""
        terms = replace(
            self.plans[0].terms,
            period_months=1,
            exclusive=0,
            end=0,
            transferable=True,
            tiers=(Tier(NO_LIMIT, 500_000),),
        )
        self.plans = [Plan(terms)]
        report, lower = lambda: self._report(gross=10**9, pay_now=False), lambda: self._object(lower=True)
        settle = lambda: self._of("settle", ARBITER, period=0, accepted=True)  # noqa: E731
        match self.rng.randrange(3):
            case 0:
                self.script = [
                    report,
                    lower,
                    lambda: self._of("settle", self.book.holders[self.licence], period=0, accepted=False),
                    self._restate_late,
                    lower,
                    self._give_notice,
                    self._terminate,
                ]
            case 1:
                self.script = [lambda: self._move(ARBITER), report, lower, self._call_arbiter, settle]
            case _:
                self.script = [
                    report,
                    lower,
                    self._call_arbiter,
                    lambda: self._make(
                        "offer_ownership", self.owner, catalogue=self.catalogue, pending_owner=ARBITER
                    ),
                    lambda: self._make("accept_ownership", ARBITER, catalogue=self.catalogue),
                    settle,
                ]
        self.length = len(self.script) + 3 + self.rng.randrange(4)

    def _restate_late(self) -> Step:
        """The same figures again, about when the period becomes overdue."""
        self._until(self._span(0).interest_from + self.rng.choice((0, 1, 1, DAY)))
        figures = self._figures(0, 1, gross=10**9)
        return self._of("restate", self.book.holders[self.licence], figures=figures)

    def next(self) -> Step:
        """The next step."""
        rng = self.rng
        granted = [grant.terms for grant in self.book.grants.values()]
        most = 5 if granted else 10
        waiting = [plan for plan in self.plans if plan.tries < most and plan.terms not in granted]
        if waiting and (not self.book.count or rng.random() < 0.3):
            return self._grant(rng.choice(waiting))
        if not self.book.count or (not self.script and rng.random() < 0.09):
            return self._catalogue_step()
        self.licence = rng.randrange(1, self.book.count + 1)
        if self.script:
            self.licence = 1
            return self.script.pop(0)()
        self.now += rng.choice((0, 0, 0, 1, rng.randrange(3 * DAY), rng.randrange(45 * DAY)))
        state = self.state
        booked = state.next_period > 0
        weights = {
            self._report: 8,
            self._report_many: 2,
            self._book_missing: 2,
            self._restate: 5 if booked else 0.3,
            self._pay: 12 if state.open_periods else 2 if booked else 0.3,
            self._object: 7 if booked else 0.3,
            self._call_arbiter: 14 if state.open_disputes else 0.4,
            self._settle: 12 if state.open_disputes else 0.4,
            self._give_notice: 3,
            self._terminate: 8 if state.in_cure else 0.4,
            self._expire: 1,
            self._move: 2,
        }
        return rng.choices(list(weights), list(weights.values()))[0]()

    def _of(self, name: str, caller: str, **args: Any) -> Step:
        """A call on the licence; an unknown one or with other terms now and then."""
        rng = self.rng
        licence, terms = self.licence, self.terms
        if not self.script and rng.random() < 0.03:
            if rng.random() < 0.4:
                licence = rng.choice((0, self.book.count + 1, 2**256 - 1))
            else:
                terms = replace(terms, document=rng.randbytes(32))
        return Step(name, caller, self.now, {"licence": licence, **args}, terms)

    @property
    def state(self) -> Any:
        return self.book.states[self.licence]

    @property
    def terms(self) -> ChainTerms:
        return self.book.grants[self.licence].terms

    def _holder(self) -> str:
        return self._one_of(self.book.holders[self.licence])

    def _booked(self) -> int:
        rng, state = self.rng, self.state
        if rng.random() < 0.04 or not state.next_period:
            return state.next_period + rng.choice((0, 1, 2**40, 2**256 - 1 - state.next_period))
        return rng.randrange(max(0, state.next_period - 4), state.next_period)

    def _period(self, period: int) -> Any:
        return self.book.periods.get((self.licence, period))

    def _span(self, period: int) -> Any:
        return self.book._work(self.licence, "", self.now).span(period)

    def _figures(self, period: int, version: int, gross: int | None = None) -> Figures:
        rng = self.rng
        if gross is None:
            gross = rng.choice((0, random_amount(rng, self.scale), random_amount(rng, self.scale)))
        if not self.script and rng.random() < 0.03:
            gross = rng.choice((FIGURE, FIGURE - 1, FIGURE - 1, 2**256 - 1))
        deductions = rng.choice((0, 0, random_amount(rng, self.scale), FIGURE if rng.random() < 0.02 else 1))
        return Figures(
            period,
            gross,
            0 if self.script else deductions,
            version=version if self.script or rng.random() < 0.97 else version + rng.choice((1, 2**16)),
            max_due=UNLIMITED if rng.random() < 0.93 else random_amount(rng, self.scale),
            report_hash=rng.randbytes(32),
        )

    def _to_end_of(self, period: int) -> None:
        """Lets time pass to the end of a period, most of the time."""
        if self.terms.period_months and (self.script or self.rng.random() < 0.85):
            self._until(self._span(period).end - (self.rng.random() < 0.05))

    def _report(self, gross: int | None = None, pay_now: bool | None = None) -> Step:
        off = self.rng.choice((1, 7, -1)) if self.rng.random() < 0.04 and not self.script else 0
        period = max(0, self.state.next_period + off)
        self._to_end_of(self.state.next_period)
        figures = self._figures(period, 0, gross)
        paid = self.rng.random() < 0.5 if pay_now is None else pay_now
        return self._of("report", self._holder(), figures=figures, pay_now=paid)

    def _report_many(self) -> Step:
        first, count = self.state.next_period, self.rng.choice((0, 1, 2, 2, 3, 4))
        self._to_end_of(first + max(0, count - 1))
        many = [self._figures(first + place, 0) for place in range(count)]
        return self._of("report_many", self._holder(), figures=many, pay_now=self.rng.random() < 0.5)

    def _book_missing(self) -> Step:
        period = self.state.next_period
        if self.terms.period_months and self.rng.random() < 0.75:
            self._until(self._span(period).report_by + self.rng.choice((0, 1, 1, DAY)))
        return self._of("book_missing", self._one_of(STRANGER), period=period)

    def _restate(self) -> Step:
        period = self._booked()
        state = self._period(period)
        gross = None
        if state and self.rng.random() < 0.8:
            gross = min(FIGURE - 1, state.base + random_amount(self.rng, self.scale))
        figures = self._figures(period, state.version if state else 0, gross)
        return self._of("restate", self._holder(), figures=figures)

    def _open(self) -> list[int]:
        return [key[1] for key, one in self.book.periods.items() if key[0] == self.licence and one.open]

    def _pay(self) -> Step:
        rng, late = self.rng, self._open()
        period = rng.choice(late) if late and rng.random() < 0.85 else self._booked()
        if late and rng.random() < 0.4:
            self._until(self._span(period).interest_from + rng.randrange(300 * DAY))
        state = self._period(period)
        open_now = state.open if state else 0
        version = state.version if state else 0
        return self._of(
            "pay",
            rng.choices((self.book.holders[self.licence], STRANGER, POOR), (80, 15, 5))[0],
            period=period,
            version=version if rng.random() < 0.97 else version + 1,
            believed_open=open_now if rng.random() < 0.95 else open_now + 1,
            amount=rng.choice(
                (UNLIMITED, UNLIMITED, 0, open_now, open_now // 2, random_amount(rng, self.scale))
            ),
        )

    def _object(self, lower: bool | None = None) -> Step:
        rng, book = self.rng, self.book
        window = self.ledger.catalogues.rules_of(self.catalogue)[2]
        fresh = [
            key[1]
            for key, state in book.periods.items()
            if key[0] == self.licence and state.booked_at + window >= self.now
        ]
        period = rng.choice(fresh) if fresh and rng.random() < 0.85 else self._booked()
        if self.script:
            period = max(0, self.state.next_period - 1)
        state = self._period(period)
        base = state.base if state else 0
        down = rng.random() < 0.6 if lower is None else lower
        gross = rng.randrange(base + 1) if down else min(FIGURE - 1, base + random_amount(rng, self.scale))
        figures = replace(self._figures(period, state.version if state else 0, gross), deductions=0)
        caller = book.holders[self.licence] if down else self.owner
        return self._of("object", caller if self.script else self._one_of(caller, 0.9), figures=figures)

    def _disputed(self) -> int:
        open_ones = [key[1] for key, one in self.book.disputes.items() if one and key[0] == self.licence]
        return self.rng.choice(open_ones) if open_ones and self.rng.random() < 0.95 else self._booked()

    def _call_arbiter(self) -> Step:
        period = self._disputed()
        dispute = self.book.dispute_of(self.licence, period)
        if dispute and self.rng.random() < 0.1:
            self._until(dispute.deadline + 1)
        caller = self.rng.choice((self.book.holders[self.licence], self.owner))
        return self._of("call_arbiter", self._one_of(caller), period=period)

    def _settle(self) -> Step:
        rng, period = self.rng, self._disputed()
        accepted = rng.random() < 0.6
        dispute = self.book.dispute_of(self.licence, period)
        if dispute is None or rng.random() < 0.15:
            caller = rng.choice((self._holder(), self.owner, ARBITER, STRANGER))
            return self._of("settle", caller, period=period, accepted=accepted)
        if rng.random() < 0.2:
            self._until(dispute.deadline + rng.randrange(2))
        return self._settle_as(period, accepted)

    def _settle_right(self) -> Step:
        return self._settle_as(max(0, self.state.next_period - 1), True)

    def _settle_as(self, period: int, accepted: bool) -> Step:
        """By the one who may: the arbiter once called, else the other side accepts, or the proposer withdraws."""
        dispute = self.book.dispute_of(self.licence, period)
        holder = self.book.holders[self.licence]
        lowering = dispute is not None and dispute.proposer == BY_LICENSEE
        caller = self.owner if lowering == accepted else holder
        if dispute and dispute.arbiter_called:
            caller = ARBITER
        return self._of("settle", caller, period=period, accepted=accepted)

    def _give_notice(self) -> Step:
        rng = self.rng
        period = rng.choice([*self._open(), self.state.next_period])
        if self.terms.period_months and rng.random() < 0.7:
            span = self._span(period)
            by = span.report_by if period == self.state.next_period else span.interest_from
            self._until(by + rng.choice((0, 1, DAY)))
        return self._of("give_notice", self._one_of(self.owner), period=period)

    def _terminate(self) -> Step:
        if self.state.in_cure and self.rng.random() < 0.8:
            self._until(self.state.cure_until + self.rng.choice((0, 1, 1)))
        return self._of("terminate", self._one_of(self.owner))

    def _expire(self) -> Step:
        if self.terms.end and self.rng.random() < 0.7:
            self._until(self.terms.end - (self.rng.random() < 0.1))
        return self._of("expire", self._one_of(STRANGER))

    def _move(self, to: str | None = None) -> Step:
        rng, holder = self.rng, self.book.holders[self.licence]
        if to is not None:
            return self._make("move", holder, licence=1, sender=holder, to=to, approved=False)
        caller, approved = self._holder(), False
        if rng.random() < 0.2:
            caller, approved = STRANGER, True
        to = rng.choices((BUYER, LICENSEE, ARBITER, POOR, ZERO_ADDRESS), (5, 4, 2, 1, 1))[0]
        return self._make(
            "move",
            caller,
            licence=self.licence if rng.random() < 0.95 else self.book.count + 1,
            sender=holder if rng.random() < 0.9 else STRANGER,
            to=to,
            approved=approved,
        )
