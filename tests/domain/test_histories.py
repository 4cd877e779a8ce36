"""Random licence histories: what is owed is a function of the figures booked, and every line is accounted
for.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import (
    GENESIS,
    LICENSEE,
    STRANGER,
    Command,
    History,
    play,
    prepare,
    random_amount,
    random_history,
    random_terms,
    random_tree,
)

from ledger.domain.calendar import DAY, YEAR
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import Offer
from ledger.domain.licence_book import LicenceBook
from ledger.domain.licence_types import ACTIVE, Figures
from ledger.domain.licence_views import due_of, quote
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.royalty import INTEREST_UNIT, base_of, guarantee_down, owed_in_all, royalty_of

seeds = st.integers(min_value=0, max_value=2**40)
relaxed = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SETTINGS = Settings(b"\x01" * 32, b"\x02" * 32, dispute_window=3600 * DAY, arbiter_window=DAY)


def replayed(history: History):
    """The model's ledger after every command, one by one."""
    ledger = Ledger()
    prepare(ledger, history.settings, history.trees)
    for command, outcome in zip(history.commands, history.outcomes, strict=True):
        assert play(ledger, command) == outcome
        yield ledger, command, outcome


def owed_afresh(book: LicenceBook) -> int:
    """Y from the bases booked, without any state but these: DESIGN's formula."""
    terms = book.grants[1].terms
    work = book._work(1, "", 0)
    bases, guarantees = [], []
    for period in range(work.state.next_period):
        span = work.span(period)
        bases.append(book.periods[1, period].base)
        guarantees.append(guarantee_down(terms.guarantee, span.end - span.start, span.full_seconds))
    if terms.tiers_over_life:
        royalty = royalty_of(terms.tiers, sum(bases), sum(guarantees))
    else:
        pairs = zip(bases, guarantees, strict=True)
        royalty = sum(royalty_of(terms.tiers, base, guarantee) for base, guarantee in pairs)
    return owed_in_all(royalty, advance=terms.advance_amount, cap=terms.cap)


@relaxed
@given(seeds)
def test_P_18_lines_sum_to_what_is_owed_and_every_unit_has_its_place(seed: int) -> None:
    lines = paid = interest = lapsed = dropped = 0
    for ledger, _, outcome in replayed(random_history(Random(seed), 50)):
        book = ledger.licences
        if isinstance(outcome, Revert):
            continue
        for entry in outcome:
            match entry.name:
                case "Booked":
                    lines += entry["line"]
                    paid += entry["paid"]
                    if entry["line"] < 0 and book.states[1].status != ACTIVE:
                        dropped += -entry["line"] - entry["cancelled"]
                case "Paid":
                    paid += entry["principal"]
                    interest += entry["interest"]
                case "Terminated" | "Expired":
                    lapsed += entry["lapsed"]
        if not book.count:
            continue
        state = book.states[1]
        assert lines == owed_afresh(book)
        periods = [one for (_, _), one in book.periods.items()]
        open_now = sum(one.open for one in periods)
        # Every unit that was due is open, paid, or was set off; what was overpaid waits, or ended with the
        # licence.
        assert lines + state.set_off + lapsed + dropped == open_now + paid
        if state.status == ACTIVE:
            assert state.set_off == sum(source.amount for source in book.sources.get(1, ()))
        assert state.open_periods == sum(
            1 for one in periods if one.open or one.interest_numerator >= INTEREST_UNIT
        )
        assert state.open_disputes == sum(1 for one in book.disputes.values() if one)
        fee = book.grants[1].terms.upfront_fee
        moved = sum(ledger.splits.cumulatives.values()) + sum(ledger.splits.accounts.values())
        assert moved == fee + paid + interest


@relaxed
@given(seeds)
def test_a_call_that_reverts_changes_nothing(seed: int) -> None:
    before = None
    for ledger, _, outcome in replayed(random_history(Random(seed), 40)):
        book = ledger.licences
        now = repr(
            (
                book.states,
                book.periods,
                {key: one for key, one in book.disputes.items() if one},
                book.sources,
                book.holders,
                book.live,
                book.nonces,
                ledger.splits.cumulatives,
            )
        )
        if isinstance(outcome, Revert):
            assert before is None or now == before
        before = now


@relaxed
@given(seeds)
def test_a_quote_is_what_the_report_books(seed: int) -> None:
    previous = Ledger()
    for ledger, command, outcome in replayed(random_history(Random(seed), 40)):
        if command.name == "report" and not isinstance(outcome, Revert):
            booked = next(one for one in outcome if one.name == "Booked")
            line, set_off = quote(previous.licences, 1, command.args["figures"], now=command.now)
            assert line == booked["line"]
            assert set_off == (booked["setOff"] if line > 0 else 0)
            due = due_of(ledger.licences, 1, booked["period"], now=command.now)
            assert due.destination == booked["destination"]
            assert due.owed_in_all == owed_afresh(ledger.licences)
        previous = _copy(ledger)


def _copy(ledger: Ledger) -> Ledger:
    from copy import deepcopy

    return deepcopy(ledger)


def _a_licence(rng: Random, **fixed: object) -> tuple[Ledger, int]:
    start = GENESIS - rng.randrange(300 * DAY)
    fields = {
        "licensee": ZERO_ADDRESS,
        "start": start,
        "end": 0,
        "period_months": rng.choice((1, 3)),
        "distributions": ZERO_ADDRESS,
        "guarantee": rng.choice((0, rng.randrange(10**9))),
    }
    terms = random_terms(rng, **{**fields, **fixed})
    ledger = Ledger()
    prepare(ledger, SETTINGS, (random_tree(rng, 2),))
    offer = Offer(0, GENESIS)
    accepted = Command("accept", LICENSEE, GENESIS, {"terms": terms, "offer": offer, "signed": True})
    assert not isinstance(play(ledger, accepted), Revert)
    return ledger, GENESIS + 3 * YEAR


def _rise(rng: Random, first: int, last: int, cap_ppm: int) -> list[tuple[int, int]]:
    """Figures whose base rises from one to the other, the last exactly (`last`, 0)."""
    steps = sorted(rng.randrange(first, last + 1) for _ in range(rng.randrange(3)))
    figures = [(gross, rng.randrange(gross + 1)) for gross in steps]
    figures = [*figures, (last, 0)]
    kept = [figures[-1]]
    for gross, deductions in reversed(figures[:-1]):
        if base_of(gross, deductions, cap_ppm) <= base_of(*kept[0], cap_ppm):
            kept.insert(0, (gross, deductions))
    return kept


@relaxed
@given(seeds)
def test_what_is_owed_does_not_depend_on_the_order_of_restatements(seed: int) -> None:
    rng = Random(seed)
    terms_seed = rng.randrange(2**32)
    finals = [rng.randrange(10**10) for _ in range(6)]
    ends: list[tuple[int, int, list[int]]] = []
    for _ in range(2):
        ledger, now = _a_licence(Random(terms_seed))
        book = ledger.licences
        cap_ppm = book.grants[1].terms.deduction_cap_ppm
        plans = [_rise(rng, 0, final, cap_ppm) for final in finals]
        for period, plan in enumerate(plans):
            gross, deductions = plan.pop(0)
            book.report(LICENSEE, 1, Figures(period, gross, deductions), now=now)
        while any(plans):
            period = rng.choice([i for i, plan in enumerate(plans) if plan])
            gross, deductions = plans[period].pop(0)
            version = book.periods[1, period].version
            book.restate(LICENSEE, 1, Figures(period, gross, deductions, version=version), now=now)
        state = book.states[1]
        ends.append((state.sum_a, state.sum_b, [book.periods[1, i].base for i in range(6)]))
        assert ends[-1][2] == finals
        assert sum(one.open for one in book.periods.values()) == owed_afresh(book) + state.set_off
    assert ends[0] == ends[1]


@relaxed
@given(seeds)
def test_a_restatement_owes_what_the_right_report_would_have_owed(seed: int) -> None:
    """With tiers and payments of each period apart, interest too: no path is cheaper than the true report."""
    rng = Random(seed)
    terms_seed, gross = rng.randrange(2**32), rng.randrange(1, 10**12)
    fixed = {"advance": False, "cap": 0, "tiers_over_life": False, "guarantee": 0, "late_rate_ppm": 80_000}
    dues = []
    for first in (gross, rng.randrange(gross + 1)):
        ledger, now = _a_licence(Random(terms_seed), **fixed)
        book = ledger.licences
        book.report(LICENSEE, 1, Figures(0, first), now=now)
        later = now + 1000 * DAY
        if first != gross:
            book.restate(LICENSEE, 1, Figures(0, gross, version=1), now=later)
        due = due_of(book, 1, 0, now=later)
        dues.append((due.open, due.interest))
    assert dues[0] == dues[1]


@relaxed
@given(seeds)
def test_interest_does_not_depend_on_when_it_is_brought_up_to_date(seed: int) -> None:
    rng = Random(seed)
    ledger, now = _a_licence(rng, advance=False, late_rate_ppm=rng.randrange(1, 10**7))
    book = ledger.licences
    book.report(LICENSEE, 1, Figures(0, 10**12), now=now)
    lazy = _copy(ledger).licences
    times = sorted(now + rng.randrange(3 * YEAR) for _ in range(6))
    for time in times:
        # Restating the same figures books a line of zero and brings interest up to date.
        version = book.periods[1, 0].version
        book.restate(LICENSEE, 1, Figures(0, 10**12, version=version), now=time)
    at = times[-1] + 5
    assert due_of(book, 1, 0, now=at).interest == due_of(lazy, 1, 0, now=at).interest


@relaxed
@given(seeds)
def test_paying_in_parts_never_costs_less_than_the_interest_of_what_was_open(seed: int) -> None:
    rng = Random(seed)
    ledger, now = _a_licence(rng, advance=False, late_rate_ppm=rng.randrange(1, 10**6))
    book = ledger.licences
    book.report(LICENSEE, 1, Figures(0, 10**10), now=now)
    span = book._work(1, "", now).span(0)
    rate = book.grants[1].terms.late_rate_ppm
    times = sorted(now + rng.randrange(YEAR) for _ in range(5))
    exact = paid_interest = 0
    opens = [(max(now, span.interest_from), book.periods[1, 0].open)]
    for time in times:
        state = book.periods[1, 0]
        amount = random_amount(rng, 10**10)
        try:
            entry, *_ = book.pay(STRANGER, 1, 0, version=1, believed_open=state.open, amount=amount, now=time)
        except Revert:
            continue
        paid_interest += entry["interest"]
        opens.append((time, entry["open"]))
    opens.append((times[-1], 0))
    # Interest since the due date counts from the booking's own date on; that part is in the first due.
    early = max(0, now - span.interest_from) * opens[0][1] * rate
    for (start, principal), (end, _) in pairwise(opens):
        exact += principal * rate * max(0, end - max(start, span.interest_from))
    left = due_of(book, 1, 0, now=times[-1]).interest
    assert paid_interest + left == (early + exact) // INTEREST_UNIT


def test_histories_are_made_from_their_seed_alone() -> None:
    assert random_history(Random(5)).commands == random_history(Random(5)).commands
    names = {one.name for seed in range(40) for one in random_history(Random(seed)).commands}
    assert {"report", "restate", "pay", "object", "settle", "terminate", "expire", "move"} <= names


def test_a_hundred_histories_reach_every_kind_of_entry() -> None:
    seen = set()
    for seed in range(100):
        for outcome in random_history(Random(seed)).outcomes:
            if not isinstance(outcome, Revert):
                seen |= {entry.name for entry in outcome}
    assert seen >= {
        "Offered", "Accepted", "Booked", "SetOffUsed", "Paid", "Objected", "ArbiterCalled", "Settled",
        "NoticeGiven", "Cured", "Terminated", "Expired", "Moved", "NonceCancelled",
    }  # fmt: skip
