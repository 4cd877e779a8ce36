"""The model of Licences, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from strategies import ARBITER, BUYER, LICENSEE, LICENSOR, POOL, STRANGER, TOKEN

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.licence_types import Figures
from ledger.domain.licence_views import due_of, quote, span_of
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.royalty import NO_LIMIT, Tier
from ledger.domain.split_types import Run

USD = 10**6


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


START = utc(2026, 1, 1)
TERMS = ChainTerms(
    document=b"\x01" * 32,
    works_root=b"\x02" * 32,
    catalogue=1,
    licensee=ZERO_ADDRESS,
    token=TOKEN,
    scope=0b111,
    exclusive=0,
    start=START,
    end=utc(2028, 1, 1),
    transferable=True,
    upfront_fee=1000 * USD,
    advance=True,
    tiers_over_life=False,
    deduction_cap_ppm=200_000,
    guarantee=100 * USD,
    cap=0,
    late_rate_ppm=80_000,
    grace_days=0,
    period_months=1,
    days_to_report=10,
    days_to_pay=30,
    cure_days=30,
    attribution_duty=0,
    distributions=ZERO_ADDRESS,
    model=bytes(32),
    attributor=ZERO_ADDRESS,
    tiers=(Tier(10_000 * USD, 100_000), Tier(NO_LIMIT, 200_000)),
)
SPLITS = [MerkleSumTree.build([(STRANGER, n)]) for n in (1, 2, 3)]
FEB, MAR, APR, MAY, JUN, JUL = (utc(2026, month, 1) for month in range(2, 8))
LATE = 30 * DAY


def a_ledger(terms: ChainTerms = TERMS, now: int = START, **kwargs) -> Ledger:
    ledger = Ledger(**kwargs)
    for tree in SPLITS:
        ledger.splits.publish(LICENSOR, tree.split, [Run(0, tree.page_words(0), [])])
    settings = Settings(
        b"\x01" * 32, b"\x02" * 32, ARBITER, notice=DAY, dispute_window=7 * DAY, arbiter_window=7 * DAY
    )
    ledger.catalogues.create(LICENSOR, settings)
    ledger.catalogues.announce(LICENSOR, 1, SPLITS[0].id, START - 100 * DAY)
    accept(ledger, terms, now)
    return ledger


def accept(ledger: Ledger, terms: ChainTerms, now: int, nonce: int = 0, caller: str = LICENSEE):
    return ledger.licences.accept(caller, terms, Offer(nonce, now), now=now, signed=True)


def report(ledger: Ledger, period: int, gross: int, now: int, *, pay_now: bool = False, **more):
    figures = Figures(period, gross * USD, **more)
    return ledger.licences.report(LICENSEE, 1, figures, now=now, pay_now=pay_now)


def booked(entries):
    (entry,) = [one for one in entries if one.name == "Booked"]
    return entry


def pay(ledger: Ledger, period: int, now: int, amount: int = 2**255):
    state = ledger.licences.periods[1, period]
    (entry, *_) = ledger.licences.pay(
        LICENSEE, 1, period, version=state.version, believed_open=state.open, amount=amount, now=now
    )
    return entry


def test_the_advance_is_recouped_and_then_lines_are_due() -> None:
    ledger = a_ledger()
    # 12,000 of net revenue earn 1,000 + 400: the advance of 1,000 leaves 400.
    entry = booked(report(ledger, 0, 15_000, FEB, deductions=5_000 * USD))
    assert (entry["base"], entry["line"], entry["paid"]) == (12_000 * USD, 400 * USD, 0)
    # Nothing earned: the guarantee of 100 counts.
    assert booked(report(ledger, 1, 0, MAR, pay_now=True))["paid"] == 100 * USD
    due = due_of(ledger.licences, 1, 1, now=MAR)
    assert (due.guarantee, due.guarantee_top_up, due.royalty) == (100 * USD, 100 * USD, 100 * USD)
    assert (due.recouped, due.owed_in_all, due.open) == (1000 * USD, 500 * USD, 0)
    assert ledger.splits.cumulative(SPLITS[0].id, TOKEN) == 1100 * USD


def test_the_guarantee_recoups_too_and_is_pro_rata_in_a_stub() -> None:
    terms = replace(TERMS, start=utc(2026, 1, 17), advance=False)
    ledger = a_ledger(terms)
    assert booked(report(ledger, 0, 0, FEB))["line"] == 100 * USD * 15 // 31
    ledger = a_ledger(replace(terms, advance=True))
    for period in range(11):
        assert booked(report(ledger, period, 0, utc(2027, 1, 1)))["line"] == 0 or period == 10
    assert ledger.licences.states[1].sum_a == 100 * USD * 15 // 31 + 1000 * USD


def test_tiers_over_the_life() -> None:
    terms = replace(TERMS, tiers_over_life=True, advance=False, guarantee=0)
    ledger = a_ledger(terms)
    lines = [booked(report(ledger, i, 6000, FEB + i * 31 * DAY))["line"] for i in range(3)]
    assert lines == [600 * USD, 800 * USD, 1200 * USD]
    due = due_of(ledger.licences, 1, 2, now=JUN)
    assert (due.earned, due.owed_in_all, due.royalty) == (2600 * USD,) * 3
    assert sum(due.earned_by_tier) == 2600 * USD * 10**6


def test_the_cap_ends_what_is_owed() -> None:
    ledger = a_ledger(replace(TERMS, advance=False, cap=150 * USD))
    assert booked(report(ledger, 0, 1000, FEB))["line"] == 100 * USD
    assert booked(report(ledger, 1, 1000, MAR))["line"] == 50 * USD
    assert booked(report(ledger, 2, 1000, APR))["line"] == 0
    assert due_of(ledger.licences, 1, 2, now=APR).cap_reached


def test_interest_runs_from_the_due_date_and_comes_first() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    report(ledger, 0, 10_000, FEB)
    due_date = FEB + LATE
    assert due_of(ledger.licences, 1, 0, now=due_date).interest == 0
    now = due_date + 73 * DAY
    assert due_of(ledger.licences, 1, 0, now=now).interest == 16 * USD
    for amount in (16 * USD, 5, 0):
        with pytest.raises(Revert, match="PaymentTooSmall"):
            pay(ledger, 0, now, amount)
    entry = pay(ledger, 0, now, 516 * USD)
    assert (entry["interest"], entry["principal"], entry["open"]) == (16 * USD, 500 * USD, 500 * USD)
    entry = pay(ledger, 0, now + 73 * DAY)
    assert (entry["interest"], entry["principal"], entry["open"]) == (8 * USD, 500 * USD, 0)
    with pytest.raises(Revert, match="NothingOpen"):
        pay(ledger, 0, now + 74 * DAY)
    assert ledger.licences.states[1].open_periods == 0


def test_a_later_increase_bears_interest_from_the_period_s_own_date() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    report(ledger, 0, 1000, FEB, pay_now=True)
    now = FEB + LATE + 73 * DAY
    ledger.licences.restate(LICENSEE, 1, Figures(0, 2000 * USD, version=1), now=now)
    due = due_of(ledger.licences, 1, 0, now=now)
    assert (due.open, due.interest) == (100 * USD, 1_600_000)


def test_a_report_paid_late_tells_interest_in_an_entry_of_its_own() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    entries = report(ledger, 0, 10_000, FEB + LATE + 73 * DAY, pay_now=True)
    assert [one.name for one in entries] == ["Booked", "Paid"]
    assert (entries[0]["paid"], entries[1]["interest"], entries[1]["principal"]) == (0, 16 * USD, 1000 * USD)


def test_cancelled_principal_gives_back_its_interest() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    now = FEB + LATE + 73 * DAY
    report(ledger, 0, 10_000, now)
    book = ledger.licences
    book.object(LICENSEE, 1, Figures(0, 5_000 * USD, version=1), now=now)
    book.settle(LICENSOR, 1, 0, accepted=True, now=now)
    due = due_of(book, 1, 0, now=now)
    assert (due.open, due.interest) == (500 * USD, 8 * USD)


def test_P_05_resent_calls_change_nothing() -> None:
    ledger = a_ledger()
    report(ledger, 0, 15_000, FEB)
    before = ledger.licences.states[1]
    for name, call in {
        "WrongPeriod": lambda: report(ledger, 0, 15_000, FEB),
        "NonceUsed": lambda: accept(ledger, TERMS, START),
    }.items():
        with pytest.raises(Revert, match=name):
            call()
    ledger.licences.restate(LICENSEE, 1, Figures(0, 16_000 * USD, version=1), now=FEB)
    with pytest.raises(Revert, match="StaleVersion"):
        ledger.licences.restate(LICENSEE, 1, Figures(0, 16_000 * USD, version=1), now=FEB)
    first = ledger.licences.periods[1, 0]
    pay(ledger, 0, FEB, 10 * USD)
    with pytest.raises(Revert, match="OpenDiffers"):
        ledger.licences.pay(LICENSEE, 1, 0, version=2, believed_open=first.open, amount=10 * USD, now=FEB)
    assert before.next_period == 1


def test_reports_in_order_after_their_end() -> None:
    ledger = a_ledger(replace(TERMS, end=utc(2026, 2, 10)))
    for name, call in {
        "PeriodNotOver": lambda: report(ledger, 0, 1, FEB - 1),
        "WrongPeriod": lambda: report(ledger, 1, 1, MAR),
        "StaleVersion": lambda: report(ledger, 0, 1, FEB, version=1),
        "FigureTooLarge": lambda: report(ledger, 0, 2**104, FEB),
        "AboveMaxDue": lambda: report(ledger, 0, 10**9, FEB, max_due=5),
        "NotLicensee": lambda: ledger.licences.report(STRANGER, 1, Figures(0, 1), now=FEB),
        "Unknown": lambda: ledger.licences.report(LICENSEE, 2, Figures(0, 1), now=FEB),
        "TermsMismatch": lambda: ledger.licences.report(LICENSEE, 1, Figures(0, 1), now=FEB, terms_hash=b"x"),
    }.items():
        with pytest.raises(Revert, match=name):
            call()
    report(ledger, 0, 0, FEB)
    with pytest.raises(Revert, match="PeriodNotOver"):
        report(ledger, 1, 0, utc(2026, 2, 10) - 1)
    report(ledger, 1, 0, utc(2026, 2, 10))
    with pytest.raises(Revert, match="NoSuchPeriod"):
        report(ledger, 2, 0, MAY)


def test_report_many_is_all_or_nothing() -> None:
    ledger = a_ledger()
    figures = [Figures(0, 5 * USD), Figures(1, 6 * USD), Figures(1, 7 * USD)]
    with pytest.raises(Revert, match="WrongPeriod"):
        ledger.licences.report_many(LICENSEE, 1, figures, now=MAY)
    assert ledger.licences.states[1].next_period == 0
    assert not ledger.licences.periods
    entries = ledger.licences.report_many(LICENSEE, 1, figures[:2], now=MAY)
    assert [one["period"] for one in entries] == [0, 1]


def test_a_missing_period_is_booked_at_zero_and_reported_late_by_restating() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    with pytest.raises(Revert, match="NotMissing"):
        ledger.licences.book_missing(STRANGER, 1, 0, now=FEB + 10 * DAY)
    entry = booked(ledger.licences.book_missing(STRANGER, 1, 0, now=FEB + 10 * DAY + 1))
    assert (entry["kind"], entry["line"]) == (2, 100 * USD)
    entry = booked(ledger.licences.restate(LICENSEE, 1, Figures(0, 5000 * USD, version=1), now=MAR))
    assert (entry["version"], entry["line"]) == (2, 400 * USD)


def test_P_18_the_split_of_a_line_is_the_one_in_force_at_its_period_s_start() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    ledger.catalogues.announce(LICENSOR, 1, SPLITS[1].id, FEB - 2 * DAY)
    ledger.catalogues.announce(LICENSOR, 1, SPLITS[2].id, FEB)
    destinations = [booked(report(ledger, i, 1000, JUN))["destination"] for i in range(3)]
    assert destinations == [SPLITS[0].id, SPLITS[1].id, SPLITS[2].id]
    with pytest.raises(Revert, match="LowersBase"):
        ledger.licences.restate(LICENSEE, 1, Figures(0, 0, version=1), now=JUN)
    entry = booked(ledger.licences.restate(LICENSEE, 1, Figures(0, 3000 * USD, version=1), now=JUN))
    assert entry["destination"] == SPLITS[0].id


def test_a_licence_accepted_late_pays_the_split_in_force_at_acceptance() -> None:
    ledger = a_ledger(replace(TERMS, advance=False), now=MAR + DAY)
    assert booked(report(ledger, 0, 0, MAR + DAY))["destination"] == SPLITS[0].id
    span = span_of(ledger.licences, 1, 0)
    assert (span.end, span.pay_by) == (FEB, MAR + DAY + LATE)


def test_a_weighted_licence_pays_into_the_account_of_its_period() -> None:
    ledger = a_ledger(replace(TERMS, distributions=POOL, advance=False))
    entry = booked(report(ledger, 0, 1000, FEB, pay_now=True))
    assert ledger.splits.account_balance(entry["destination"], TOKEN) == 100 * USD
    assert [one.name for one in ledger.pulled] == ["Credited", "AccountFunded"]


def a_dispute() -> Ledger:
    ledger = a_ledger(replace(TERMS, advance=False))
    report(ledger, 0, 10_000, FEB, pay_now=True)
    ledger.licences.object(LICENSEE, 1, Figures(0, 4000 * USD, version=1), now=FEB + DAY)
    return ledger


def test_a_lowered_period_leaves_set_off_that_later_lines_use() -> None:
    ledger = a_dispute()
    book = ledger.licences
    assert book.locked(1)
    with pytest.raises(Revert, match="MayNotSettle"):
        book.settle(LICENSEE, 1, 0, accepted=True, now=FEB + DAY)
    entries = book.settle(LICENSOR, 1, 0, accepted=True, now=FEB + DAY)
    assert [one.name for one in entries] == ["Settled", "Booked"]
    entry = entries[1]
    assert (entry["line"], entry["cancelled"], entry["setOff"]) == (-600 * USD, 0, 600 * USD)
    assert quote(book, 1, Figures(1, 8000 * USD), now=MAR) == (800 * USD, 600 * USD)
    entries = report(ledger, 1, 8000, MAR, pay_now=True)
    assert [one.name for one in entries] == ["SetOffUsed", "Booked"]
    assert (entries[0]["amount"], entries[1]["setOff"], entries[1]["paid"]) == (
        600 * USD,
        600 * USD,
        200 * USD,
    )
    assert book.states[1].set_off == 0
    assert book.sources[1] == ()


def test_a_negative_line_cancels_what_is_open_first() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    report(ledger, 0, 10_000, FEB)
    pay(ledger, 0, FEB, 300 * USD)
    book.object(LICENSEE, 1, Figures(0, 1000 * USD, version=1), now=FEB)
    entry = booked(book.settle(LICENSOR, 1, 0, accepted=True, now=FEB))
    assert (entry["line"], entry["cancelled"], entry["setOff"]) == (-900 * USD, 700 * USD, 200 * USD)
    assert book.states[1].open_periods == 0


def test_the_licensor_proposes_upwards_and_the_arbiter_chooses() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    report(ledger, 0, 1000, FEB)
    with pytest.raises(Revert, match="BadProposal"):
        book.object(LICENSOR, 1, Figures(0, 500 * USD, version=1), now=FEB)
    with pytest.raises(Revert, match="BadProposal"):
        book.object(LICENSEE, 1, Figures(0, 5000 * USD, version=1), now=FEB)
    with pytest.raises(Revert, match="NotLicensee"):
        book.object(STRANGER, 1, Figures(0, 5000 * USD, version=1), now=FEB)
    with pytest.raises(Revert, match="WindowClosed"):
        book.object(LICENSOR, 1, Figures(0, 5000 * USD, version=1), now=FEB + 7 * DAY + 1)
    book.object(LICENSOR, 1, Figures(0, 5000 * USD, version=1), now=FEB + 7 * DAY)
    for name, call in {
        "DisputeOpen": lambda: book.object(LICENSOR, 1, Figures(0, 6000 * USD, version=1), now=FEB),
        "NotLicensor": lambda: book.call_arbiter(STRANGER, 1, 0, now=FEB),
        "MayNotSettle": lambda: book.settle(ARBITER, 1, 0, accepted=True, now=FEB + 8 * DAY),
    }.items():
        with pytest.raises(Revert, match=name):
            call()
    with pytest.raises(Revert, match="DisputeOpen"):
        book.restate(LICENSEE, 1, Figures(0, 6000 * USD, version=1), now=FEB)
    (entry,) = book.call_arbiter(LICENSEE, 1, 0, now=FEB + 14 * DAY)
    assert entry["deadline"] == FEB + 21 * DAY
    with pytest.raises(Revert, match="ArbiterUnavailable"):
        book.call_arbiter(LICENSOR, 1, 0, now=FEB + 14 * DAY)
    assert booked(book.settle(ARBITER, 1, 0, accepted=True, now=FEB + 21 * DAY))["line"] == 400 * USD


def test_P_17_silence_leaves_the_report_as_it_stood() -> None:
    ledger = a_dispute()
    book = ledger.licences
    with pytest.raises(Revert, match="MayNotSettle"):
        book.settle(STRANGER, 1, 0, accepted=False, now=FEB + 8 * DAY)
    for accepted in (True, False):
        if accepted:
            with pytest.raises(Revert, match="MayNotSettle"):
                book.settle(LICENSOR, 1, 0, accepted=True, now=FEB + 8 * DAY + 1)
    assert [one.name for one in book.settle(STRANGER, 1, 0, accepted=False, now=FEB + 8 * DAY + 1)] == [
        "Settled"
    ]
    assert book.dispute_of(1, 0) is None
    assert book.periods[1, 0].base == 10_000 * USD


def test_notice_cure_and_termination() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    report(ledger, 0, 1000, FEB)
    overdue = FEB + LATE + 1
    with pytest.raises(Revert, match="NoBreach"):
        book.give_notice(LICENSOR, 1, 0, now=overdue - 1)
    with pytest.raises(Revert, match="NotLicensor"):
        book.give_notice(STRANGER, 1, 0, now=overdue)
    with pytest.raises(Revert, match="CureRunning"):
        book.terminate(LICENSOR, 1, now=overdue)
    (entry,) = book.give_notice(LICENSOR, 1, 0, now=overdue)
    assert entry["cureUntil"] == overdue + 30 * DAY
    with pytest.raises(Revert, match="CureRunning"):
        book.give_notice(LICENSOR, 1, 0, now=overdue)
    with pytest.raises(Revert, match="CureRunning"):
        book.terminate(LICENSOR, 1, now=overdue + 30 * DAY)
    (ended,) = book.terminate(LICENSOR, 1, now=overdue + 30 * DAY + 1)
    assert ended.name == "Terminated"
    assert book.states[1].status == 3
    assert book.live_of(1, 0) == (0, 0)
    # P-10: what is owed survives; March is cut at the termination, no later period exists.
    assert pay(ledger, 0, JUN)["open"] == 0
    stop = overdue + 30 * DAY + 1
    report(ledger, 1, 0, JUN)
    assert span_of(book, 1, 2).end == min(APR, stop)
    report(ledger, 2, 0, JUN)
    with pytest.raises(Revert, match="Ended"):
        book.expire(STRANGER, 1, now=utc(2030, 1, 1))


def test_payment_cures() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    report(ledger, 0, 1000, FEB)
    overdue = FEB + LATE + 1
    book.give_notice(LICENSOR, 1, 0, now=overdue)
    state = book.periods[1, 0]
    entries = book.pay(LICENSEE, 1, 0, version=1, believed_open=state.open, amount=2**255, now=overdue)
    assert [one.name for one in entries] == ["Paid", "Cured"]
    assert not book.states[1].in_cure
    assert not book.locked(1)


def test_an_unreported_period_is_a_breach_that_booking_cures() -> None:
    ledger = a_ledger()
    book = ledger.licences
    with pytest.raises(Revert, match="NoBreach"):
        book.give_notice(LICENSOR, 1, 0, now=FEB + 10 * DAY)
    book.give_notice(LICENSOR, 1, 0, now=FEB + 10 * DAY + 1)
    entries = book.book_missing(STRANGER, 1, 0, now=FEB + 11 * DAY)
    assert [one.name for one in entries] == ["Booked", "Cured"]


def test_a_disputed_amount_is_no_breach() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    overdue = FEB + LATE + 1
    report(ledger, 0, 10_000, overdue)
    book.object(LICENSEE, 1, Figures(0, 4000 * USD, version=1), now=overdue)
    state = book.periods[1, 0]
    assert state.open == 1000 * USD
    book.give_notice(LICENSOR, 1, 0, now=overdue)
    book.pay(LICENSEE, 1, 0, version=1, believed_open=state.open, amount=400 * USD + 2, now=overdue)
    assert not book.states[1].in_cure
    with pytest.raises(Revert, match="NoBreach"):
        book.give_notice(LICENSOR, 1, 0, now=overdue + 2)


def test_P_06_figures_restated_late_are_a_breach_though_they_are_disputed() -> None:
    ledger = a_ledger(replace(TERMS, advance=False, guarantee=0))
    book = ledger.licences
    report(ledger, 0, 1000, FEB)
    overdue = FEB + LATE + 1
    book.restate(LICENSEE, 1, Figures(0, 1000 * USD, version=1), now=overdue)
    book.object(LICENSEE, 1, Figures(0, 0, version=2), now=overdue)
    (entry,) = book.give_notice(LICENSOR, 1, 0, now=overdue)
    assert entry.name == "NoticeGiven"


def test_P_08_an_arbiter_that_is_a_side_does_not_choose() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    report(ledger, 0, 1000, FEB)
    book.object(LICENSEE, 1, Figures(0, 0, version=1), now=FEB)
    book.call_arbiter(LICENSEE, 1, 0, now=FEB)
    ledger.catalogues.offer_ownership(LICENSOR, 1, ARBITER)
    ledger.catalogues.accept_ownership(ARBITER, 1)
    with pytest.raises(Revert, match="MayNotSettle"):
        book.settle(ARBITER, 1, 0, accepted=False, now=FEB)


def test_expiry_frees_the_scope_and_ends_set_off() -> None:
    terms = replace(TERMS, exclusive=0b001, advance=False)
    ledger = a_ledger(terms)
    book = ledger.licences
    with pytest.raises(Revert) as refused:
        accept(ledger, TERMS, START, nonce=1)
    assert refused.value == Revert("Licences_ScopeTaken", 1, 0b001)
    accept(ledger, replace(TERMS, scope=0b110), START, nonce=1)
    with pytest.raises(Revert) as refused:
        accept(ledger, replace(TERMS, scope=0b010, exclusive=0b010), START, nonce=2)
    assert refused.value == Revert("Licences_ScopeTaken", 1, 0b010)
    assert (book.live_of(1, 0), book.live_of(1, 1)) == ((1, 1), (2, 0))
    with pytest.raises(Revert, match="NotEnded"):
        book.expire(STRANGER, 1, now=terms.end - 1)
    report(ledger, 0, 10_000, FEB, pay_now=True)
    book.object(LICENSEE, 1, Figures(0, 0, version=1), now=FEB)
    assert book.settle(LICENSOR, 1, 0, accepted=True, now=FEB)[1]["setOff"] == 900 * USD
    (entry,) = book.expire(STRANGER, 1, now=terms.end)
    assert entry["lapsed"] == 900 * USD
    assert (book.live_of(1, 0), book.live_of(1, 1)) == ((0, 0), (1, 0))


def test_eight_sources_of_set_off_at_most_per_line() -> None:
    ledger = a_ledger(replace(TERMS, guarantee=0, advance=False, distributions=POOL))
    book = ledger.licences
    now = utc(2026, 11, 1)
    for period in range(10):
        report(ledger, period, 1000, now, pay_now=True)
    for period in range(10):
        book.object(LICENSEE, 1, Figures(period, 0, version=1), now=now)
        book.settle(LICENSOR, 1, period, accepted=True, now=now)
    assert book.states[1].set_off == 1000 * USD
    assert len(book.sources[1]) == 10
    entries = book.restate(LICENSEE, 1, Figures(9, 9500 * USD, version=2), now=now)
    assert [one.name for one in entries] == ["SetOffUsed"] * 8 + ["Booked"]
    assert entries[-1]["setOff"] == 800 * USD
    assert book.states[1].set_off == 200 * USD
    assert len(book.sources[1]) == 2


def test_what_counts_as_paid_is_what_arrived() -> None:
    ledger = a_ledger(
        replace(TERMS, upfront_fee=0, advance=False), arrives=lambda payer, token, amount: amount * 9 // 10
    )
    entry = booked(report(ledger, 0, 10_000, FEB, pay_now=True))
    assert entry["paid"] == 900 * USD
    assert ledger.licences.periods[1, 0].open == 100 * USD
    with pytest.raises(Revert, match="FeeShort"):
        accept(ledger, TERMS, START, nonce=1)
    assert ledger.licences.count == 1
    assert not ledger.licences.nonce_used(LICENSOR, 1)
    assert ledger.splits.cumulative(SPLITS[0].id, TOKEN) == 900 * USD
    ledger.arrives = lambda payer, token, amount: 0
    with pytest.raises(Revert, match="NothingArrived"):
        pay(ledger, 0, FEB)
    ledger.arrives = lambda payer, token, amount: amount + 5
    assert pay(ledger, 0, FEB)["principal"] == 100 * USD


def test_offers_on_chain_and_their_refusals() -> None:
    ledger = a_ledger()
    book = ledger.licences
    terms = replace(TERMS, licensee=BUYER)
    offer = Offer(7, FEB, "ipfs://terms")
    with pytest.raises(Revert, match="NotLicensor"):
        book.offer(STRANGER, terms, offer, now=START)
    with pytest.raises(Revert, match="OfferExpired"):
        book.offer(LICENSOR, terms, offer, now=FEB + 1)
    with pytest.raises(Revert, match="NotOffered"):
        book.accept(BUYER, terms, offer, now=FEB)
    (entry,) = book.offer(LICENSOR, terms, offer, now=START)
    assert entry.id == book.offer_id(terms, offer)
    for name, call in {
        "NotInvited": lambda: book.accept(STRANGER, terms, offer, now=FEB),
        "OfferExpired": lambda: book.accept(BUYER, terms, offer, now=FEB + 1),
        "NotOffered": lambda: book.accept(BUYER, terms, replace(offer, uri="x"), now=FEB),
        "BadTerms": lambda: book.accept(BUYER, replace(terms, scope=0), offer, now=FEB),
    }.items():
        with pytest.raises(Revert, match=name):
            call()
    assert book.accept(BUYER, terms, offer, now=FEB)[0].number == 2
    with pytest.raises(Revert, match="NonceUsed"):
        book.accept(BUYER, terms, offer, now=FEB)
    book.cancel_nonce(LICENSOR, 8)
    with pytest.raises(Revert, match="NonceUsed"):
        book.offer(LICENSOR, terms, replace(offer, nonce=8), now=START)
    with pytest.raises(Revert, match="TermOver"):
        accept(ledger, replace(TERMS, end=FEB), FEB, nonce=9)


def test_transfers() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    book = ledger.licences
    assert book.move(LICENSEE, 1, LICENSEE, BUYER)[0].args == {"from": LICENSEE, "to": BUYER}
    for error, call in {
        Revert("ERC721InsufficientApproval", LICENSEE, 1): lambda: book.move(LICENSEE, 1, BUYER, LICENSEE),
        Revert("ERC721IncorrectOwner", LICENSEE, 1, BUYER): lambda: book.move(BUYER, 1, LICENSEE, STRANGER),
        Revert("ERC721NonexistentToken", 9): lambda: book.move(BUYER, 9, BUYER, STRANGER),
        Revert("ERC721InvalidReceiver", ZERO_ADDRESS): lambda: book.move(BUYER, 1, BUYER, ZERO_ADDRESS),
    }.items():
        with pytest.raises(Revert) as refused:
            call()
        assert refused.value == error
    book.report(BUYER, 1, Figures(0, 5000 * USD), now=FEB)
    with pytest.raises(Revert, match="Locked"):
        book.move(BUYER, 1, BUYER, STRANGER)
    pay(ledger, 0, FEB)
    book.move(STRANGER, 1, BUYER, STRANGER, approved=True)


def test_a_licence_without_reports() -> None:
    ledger = a_ledger(replace(TERMS, period_months=0, guarantee=0, tiers=(), advance=False))
    for call in (
        lambda: report(ledger, 0, 1, MAY),
        lambda: ledger.licences.book_missing(STRANGER, 1, 0, now=MAY),
        lambda: due_of(ledger.licences, 1, 0, now=MAY),
    ):
        with pytest.raises(Revert, match="NoReports"):
            call()
    with pytest.raises(Revert, match="NoBreach"):
        ledger.licences.give_notice(LICENSOR, 1, 0, now=MAY)


def test_reports_of_one_call_are_booked_first_and_paid_by_one_pull_per_destination() -> None:
    ledger = a_ledger(replace(TERMS, advance=False))
    ledger.catalogues.announce(LICENSOR, 1, SPLITS[1].id, MAR - 2 * DAY)
    ledger.pulled.clear()
    figures = [Figures(period, 1000 * USD) for period in range(4)]
    entries = ledger.licences.report_many(LICENSEE, 1, figures, pay_now=True, now=MAY)
    # January and February are paid late, March on its last day, April before.
    assert [one.name for one in entries] == ["Booked", "Paid"] * 2 + ["Booked", "Booked"]
    assert [(one.id, one.name) for one in ledger.pulled] == [
        (SPLITS[0].id, "Credited"),
        (SPLITS[1].id, "Credited"),
    ]
    interest = sum(one["interest"] for one in entries if one.name == "Paid")
    assert sum(one["amount"] for one in ledger.pulled) == 400 * USD + interest
    assert not any(one.open for one in ledger.licences.periods.values())


def test_a_pull_that_falls_short_pays_reports_in_their_order_or_not_at_all() -> None:
    arrived = [0]
    terms = replace(TERMS, advance=False, upfront_fee=0, late_rate_ppm=0)
    ledger = a_ledger(terms, arrives=lambda payer, token, amount: arrived[0])
    figures = [Figures(period, 1000 * USD) for period in range(2)]
    arrived[0] = 150 * USD
    entries = ledger.licences.report_many(LICENSEE, 1, figures, pay_now=True, now=MAR)
    assert [one["paid"] for one in entries] == [100 * USD, 50 * USD]
    arrived[0] = 100 * USD
    more = [Figures(period, 1000 * USD) for period in range(2, 4)]
    with pytest.raises(Revert, match="PaymentTooSmall"):
        ledger.licences.report_many(LICENSEE, 1, more, pay_now=True, now=MAY)
    assert ledger.licences.states[1].next_period == 2
