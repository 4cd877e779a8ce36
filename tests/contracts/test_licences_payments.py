"""Licences: booking in order, paying, late interest, resends (P-05), tokens, callbacks, reentrancy."""

from __future__ import annotations

from typing import Any

import pytest
from _licences import (
    DAY,
    LICENSEE,
    LICENSOR,
    MAX,
    START,
    STRANGER,
    USD,
    YEAR,
    World,
    figures,
    interest_of,
    month,
    utc,
)
from _mini import Contract, Log, Reverted, fold


@pytest.fixture
def world() -> World:
    return World()


def error_of(call: Any) -> tuple[str, tuple[Any, ...]]:
    with pytest.raises(Reverted) as error:
        call()
    return error.value.name, error.value.values


def entries_of(world: World) -> list[Log]:
    """The journal's logs: those with two topics; ERC-721 and ERC-5192 have one, three or four."""
    return [log for log in world.chain.logs if log.address == world.licences.address and len(log.topics) == 2]


def folded(world: World) -> bytes:
    return fold(entries_of(world), world.licences.address)


# Order and time


def test_p05_periods_are_booked_in_order_each_once(world: World) -> None:
    licence = world.grant()
    world.at(month(3))
    assert error_of(lambda: world.report(licence, 1, 1)) == ("Licences_WrongPeriod", (licence, 1, 0))
    world.report(licence, 0, 1)
    assert error_of(lambda: world.report(licence, 0, 1)) == ("Licences_WrongPeriod", (licence, 0, 1))
    assert error_of(lambda: world.report(licence, 1, 1, version=1)) == (
        "Licences_StaleVersion",
        (licence, 1, 1, 0),
    )
    flat = world.grant(period_months=0, tiers=[])
    assert error_of(lambda: world.report(flat, 0, 1)) == ("Licences_NoReports", (flat,))


def test_p09_a_period_is_over_at_its_end_to_the_second(world: World) -> None:
    licence = world.grant()
    world.at(month(1) - 1)
    assert error_of(lambda: world.report(licence, 0, 1)) == ("Licences_PeriodNotOver", (licence, 0, month(1)))
    world.at(month(1))
    world.report(licence, 0, 1)


@pytest.mark.parametrize(("months", "ends"), [(1, (1, 2)), (3, (3, 6)), (6, (6, 12)), (12, (6, 18))])
def test_p09_periods_follow_the_calendar_from_january(
    world: World, months: int, ends: tuple[int, int]
) -> None:
    licence = world.grant(period_months=months, start=START + 5 * DAY + 7)
    first, second = world.due(licence, 0), world.due(licence, 1)
    assert (first["start"], first["end"]) == (START + 5 * DAY + 7, month(ends[0]))
    assert (second["start"], second["end"]) == (month(ends[0]), month(ends[1]))


def test_p09_the_calendar_knows_leap_years(world: World) -> None:
    licence = world.grant(start=utc(2000, 2, 29))
    for period, (year, number) in {
        0: (2000, 3),
        48: (2004, 3),
        1200: (2100, 3),
        4799: (2400, 2),
        4800: (2400, 3),
    }.items():
        assert world.due(licence, period)["end"] == utc(year, number)
    spans = [world.due(licence, period) for period in (48, 1200, 4800)]
    assert [(span["end"] - span["start"]) // DAY for span in spans] == [29, 28, 29]


def test_p09_the_last_period_ends_with_the_term(world: World) -> None:
    licence = world.grant(end=month(1) + 1)
    due = world.due(licence, 1)
    assert (due["start"], due["end"]) == (month(1), month(1) + 1)
    assert error_of(lambda: world.due(licence, 2)) == ("Licences_NoSuchPeriod", (licence, 2))
    exact = world.grant(end=month(1))
    assert error_of(lambda: world.due(exact, 1)) == ("Licences_NoSuchPeriod", (exact, 1))
    world.at(month(2))
    world.report(exact, 0, 1)
    assert error_of(lambda: world.report(exact, 1, 1)) == ("Licences_NoSuchPeriod", (exact, 1))


def test_p17_anyone_books_a_missing_period_at_zero_after_its_deadline(world: World) -> None:
    licence = world.grant(guarantee=500)
    terms, deadline = world.bytes[licence], month(1) + 20 * DAY
    world.at(deadline)
    call = lambda: world.licences.bookMissing(licence, terms, 0, sender=STRANGER)  # noqa: E731
    assert error_of(call) == ("Licences_NotMissing", (licence, 0, deadline))
    world.at(deadline + 1)
    assert call() == 500
    entry = world.entries("Booked")[-1]
    assert (entry["kind"], entry["base"], entry["caller"], entry["version"]) == (2, 0, STRANGER, 1)
    assert error_of(call) == ("Licences_WrongPeriod", (licence, 0, 1))
    assert error_of(lambda: world.report(licence, 0, 9_000))[0] == "Licences_WrongPeriod"
    assert world.restate(licence, 0, 9_000) == 400


def test_only_the_licensee_reports_and_restates(world: World) -> None:
    licence = world.grant()
    terms = world.bytes[licence]
    world.at(month(1))
    world.report(licence, 0, 1)
    for name, args in (
        ("report", (figures(1, 1), False)),
        ("reportMany", ([figures(1, 1)], False)),
        ("restate", (figures(0, 5, version=1),)),
    ):
        for caller in (LICENSOR, STRANGER):
            call = lambda n=name, a=args, c=caller: getattr(world.licences, n)(licence, terms, *a, sender=c)  # noqa: E731
            assert error_of(call) == ("Licences_NotLicensee", (licence, caller))


# Many at once


@pytest.mark.parametrize("pay", [False, True])
def test_many_reports_are_the_same_as_one_by_one(world: World, pay: bool) -> None:
    terms = {"guarantee": 700, "over_life": True, "upfront_fee": 10_000, "advance": True, "late_rate": 0}
    many, single = world.grant(**terms), world.grant(**terms)
    world.at(START + DAY)
    world.announce()
    world.at(month(40))
    given = [figures(period, 7_777 * period, deductions=period) for period in range(40)]
    world.licences.reportMany(many, world.bytes[many], given, pay, sender=LICENSEE)
    for one in given:
        world.licences.report(single, world.bytes[single], one, pay, sender=LICENSEE)
    entries = [{**e, "id": 0} for e in world.entries("Booked")]
    assert entries[:40] == entries[40:]
    assert {**world.state(many), "acceptedAt": 0} == {**world.state(single), "acceptedAt": 0}
    assert [world.period(many, p) for p in range(40)] == [world.period(single, p) for p in range(40)]
    assert folded(world) == world.licences.journalHead()


def test_many_reports_are_all_or_nothing(world: World) -> None:
    licence = world.grant()
    world.at(month(3))
    many = [figures(0, 5), figures(2, 5)]
    call = lambda: world.licences.reportMany(licence, world.bytes[licence], many, False, sender=LICENSEE)  # noqa: E731
    assert error_of(call) == ("Licences_WrongPeriod", (licence, 2, 1))
    assert world.state(licence)["nextPeriod"] == 0
    world.licences.reportMany(licence, world.bytes[licence], [], True, sender=LICENSEE)


# Restating


def test_p05_a_restatement_names_the_version_that_it_replaces(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    assert error_of(lambda: world.restate(licence, 0, 5)) == ("Licences_NotReported", (licence, 0))
    world.report(licence, 0, 1_000)
    world.restate(licence, 0, 2_000)
    assert error_of(lambda: world.restate(licence, 0, 2_000)) == ("Licences_StaleVersion", (licence, 0, 1, 2))
    assert error_of(lambda: world.restate(licence, 0, 1_999, 2)) == ("Licences_LowersBase", (2_000, 1_999))
    assert world.restate(licence, 0, 2_000, 2) == 0
    assert (world.period(licence, 0)["version"], world.open_of(licence, 0)) == (3, 200)


def test_p18_the_deduction_cap_is_not_evaded_by_restating(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    assert error_of(lambda: world.restate(licence, 0, 1_000, deductions=500)) == (
        "Licences_LowersBase",
        (1_000, 800),
    )
    world.restate(licence, 0, 1_250, deductions=MAX >> 152)
    assert world.period(licence, 0)["base"] == 1_000


# Paying


def test_p05_a_payment_sent_again_pays_nothing(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    assert world.pay(licence, 0, 40, open_=100) == (0, 40)
    assert error_of(lambda: world.pay(licence, 0, 40, open_=100)) == (
        "Licences_OpenDiffers",
        (licence, 0, 100, 60),
    )
    assert world.pay(licence, 0) == (0, 60)
    assert error_of(lambda: world.pay(licence, 0)) == ("Licences_NothingOpen", (licence, 0))
    assert error_of(lambda: world.pay(licence, 0, version=2))[0] == "Licences_StaleVersion"
    assert error_of(lambda: world.pay(licence, 1, open_=0)) == ("Licences_NotReported", (licence, 1))
    assert world.credited() == 100


def test_anyone_pays_with_its_own_money(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    with pytest.raises(Reverted):
        world.pay(licence, 0, by=STRANGER)
    world.fund(world.dollar, STRANGER)
    before = world.dollar.balanceOf(LICENSEE)
    assert world.pay(licence, 0, by=STRANGER) == (0, 100)
    assert world.dollar.balanceOf(LICENSEE) == before
    assert world.entries("Paid")[-1]["caller"] == STRANGER


def test_p12_a_strangers_credit_or_donation_is_no_payment(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    world.dollar.mint(STRANGER, 500)
    world.dollar.approve(world.splits.address, 500, sender=STRANGER)
    world.splits.credit(world.split, world.dollar.address, 300, sender=STRANGER)
    for target in (world.splits.address, world.licences.address):
        world.dollar.transfer(target, 100, sender=STRANGER)
    assert world.open_of(licence, 0) == 100
    world.pay(licence, 0)
    assert world.credited() == 400


def test_interest_runs_from_the_second_after_grace(world: World) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000_000 * USD)
    world.at(month(1) + 35 * DAY)
    assert world.due(licence, 0)["interest"] == 0
    world.chain.move(1)
    assert world.due(licence, 0)["interest"] == interest_of(100_000 * USD, 100_000, 1)
    world.chain.move(YEAR - 1)
    assert world.due(licence, 0)["interest"] == 10_000 * USD


def test_p18_interest_comes_before_principal_and_is_floored_only_when_paid(world: World) -> None:
    licence = world.grant(days_to_pay=20, grace_days=0)
    world.at(month(1))
    world.report(licence, 0, 1_000_003)
    world.at(month(1) + 20 * DAY + YEAR // 2)
    interest = interest_of(100_000, 100_000, YEAR // 2)
    assert error_of(lambda: world.pay(licence, 0, interest)) == (
        "Licences_PaymentTooSmall",
        (interest, interest),
    )
    assert world.pay(licence, 0, interest + 1) == (interest, 1)
    world.chain.move(1)
    assert world.pay(licence, 0, 40_000) == (0, 40_000)
    kept = world.period(licence, 0)["interestNumerator"]
    world.chain.move(YEAR)
    last = (kept + 59_999 * 100_000 * YEAR) // (10**6 * YEAR)
    assert world.pay(licence, 0) == (last, 59_999)
    assert world.state(licence)["openPeriods"] == 0


def test_paying_often_costs_no_more_interest_than_paying_once(world: World) -> None:
    often, once = (world.grant(days_to_pay=20, grace_days=0) for _ in range(2))
    world.at(month(1))
    for licence in (often, once):
        world.report(licence, 0, 12_345_678)
    world.at(month(1) + 20 * DAY)
    paid = 0
    for _ in range(50):
        world.chain.move(7 * DAY + 11)
        interest, _ = world.pay(often, 0, world.due(often, 0)["interest"] + 1)
        paid += interest
    paid += world.due(often, 0)["interest"]
    # The fifty units of principal that were paid on the way bear no interest any more.
    most = world.due(once, 0)["interest"]
    assert most - interest_of(50, 100_000, YEAR) - 1 <= paid <= most


def test_p18_a_late_report_and_a_late_increase_bear_interest_from_the_periods_own_date(world: World) -> None:
    licence = world.grant()
    late = month(1) + 35 * DAY
    world.at(late + 10 * DAY)
    world.report(licence, 0, 1_000_000 * USD, pay=False)
    assert world.due(licence, 0)["interest"] == interest_of(100_000 * USD, 100_000, 10 * DAY)
    world.at(late + 30 * DAY)
    world.restate(licence, 0, 3_000_000 * USD)
    assert world.due(licence, 0)["interest"] == interest_of(300_000 * USD, 100_000, 30 * DAY)
    world.at(late + 31 * DAY)
    assert world.due(licence, 0)["interest"] == interest_of(300_000 * USD, 100_000, 31 * DAY)


def test_a_late_report_paid_at_once_pays_its_interest_first(world: World) -> None:
    licence = world.grant()
    world.at(month(1) + 135 * DAY)
    world.report(licence, 0, 1_000_000 * USD, pay=True)
    interest = interest_of(100_000 * USD, 100_000, 100 * DAY)
    booked, paid = world.entries("Booked")[-1], world.entries("Paid")[-1]
    assert (booked["paid"], paid["interest"], paid["principal"], paid["open"]) == (
        0,
        interest,
        100_000 * USD,
        0,
    )
    assert world.credited() == 100_000 * USD + interest
    assert world.state(licence)["openPeriods"] == 0


def test_cancelled_principal_gives_back_its_interest_but_never_what_was_paid(world: World) -> None:
    licence, other = (world.grant(days_to_pay=20, grace_days=0) for _ in range(2))
    late = month(1) + 20 * DAY
    world.at(late)
    world.report(licence, 0, 1_000_000 * USD)
    world.object(licence, 0, 250_000 * USD)
    world.at(late + 5 * DAY)
    world.settle(licence, 0, True, LICENSOR)
    assert world.due(licence, 0)["interest"] == interest_of(25_000 * USD, 100_000, 5 * DAY)
    world.report(other, 0, 1_000_000 * USD, pay=True)
    paid = world.entries("Paid")[-1]["interest"]
    assert paid > 0
    world.lower(other, 0, 0)
    assert world.due(other, 0)["interest"] == 0
    assert world.state(other)["setOff"] == 100_000 * USD


def test_without_a_late_rate_nothing_accrues(world: World) -> None:
    licence = world.grant(late_rate=0)
    world.at(month(1))
    world.report(licence, 0, 1_000)
    world.chain.move(10 * YEAR)
    assert world.due(licence, 0)["interest"] == 0
    assert world.pay(licence, 0) == (0, 100)
    assert world.period(licence, 0)["interestUpTo"] == 0


# Tokens


def test_what_counts_as_paid_is_what_arrived(world: World) -> None:
    token = world.chain.deploy("FeeToken", 6, 100_000)
    world.fund(token, LICENSEE)
    licence = world.grant(token=token.address)
    world.at(month(2))
    world.report(licence, 0, 1_000, pay=True)
    assert (world.entries("Booked")[-1]["paid"], world.open_of(licence, 0)) == (90, 10)
    assert world.state(licence)["openPeriods"] == 1
    assert world.pay(licence, 0) == (0, 9)
    # A batch counts what arrived in the order of its periods; the last one gets too little of it.
    many = [figures(1, 1_000)]
    world.licences.reportMany(licence, world.bytes[licence], many, True, sender=LICENSEE)
    assert world.open_of(licence, 1) == 10
    assert world.credited(token=token) == 90 + 9 + 90


def test_a_payment_of_which_too_little_arrives_is_refused(world: World) -> None:
    token = world.chain.deploy("FeeToken", 6, 500_000)
    world.fund(token, LICENSEE)
    licence = world.grant(token=token.address, late_rate=10_000_000)
    world.at(month(1))
    world.report(licence, 0, 1_000_000)
    world.chain.move(YEAR)
    interest = world.due(licence, 0)["interest"]
    assert error_of(lambda: world.pay(licence, 0, interest + 1))[0] == "Licences_PaymentTooSmall"
    token.setFee(1_000_000)
    assert error_of(lambda: world.pay(licence, 0))[0] == "Splits_NothingArrived"


def test_a_token_that_lies_pays_nothing(world: World) -> None:
    token = world.chain.deploy("DialectToken", 6, 0)
    world.fund(token, LICENSEE)
    licence = world.grant(token=token.address)
    world.at(month(1))
    world.report(licence, 0, 1_000)
    token.setCommon(3)
    assert error_of(lambda: world.pay(licence, 0))[0] == "Splits_NothingArrived"
    token.setCommon(2)
    assert error_of(lambda: world.pay(licence, 0))[0] == "SafeERC20FailedOperation"
    token.setCommon(1)
    assert world.pay(licence, 0) == (0, 100)


# Callback and reentrancy


def test_p12_nobody_but_splits_calls_back_and_only_during_a_payment(world: World) -> None:
    call = lambda: world.licences.onSplitsPull(world.dollar.address, 5, b"", sender=STRANGER)  # noqa: E731
    assert error_of(call) == ("Licences_UnexpectedCallback", (STRANGER,))


def reentering(world: World) -> tuple[Contract, int]:
    token = world.chain.deploy("ReenteringToken", 6)
    world.fund(token, LICENSEE)
    licence = world.grant(token=token.address)
    world.at(month(2))
    world.report(licence, 0, 1_000)
    return token, licence


def test_p05_a_token_that_calls_back_finds_every_door_shut(world: World) -> None:
    token, licence = reentering(world)
    terms = world.bytes[licence]
    calls = [
        ("pay", (licence, terms, 0, 1, 100, 50)),
        ("report", (licence, terms, figures(1, 5), False)),
        ("bookMissing", (licence, terms, 1)),
        ("settle", (licence, terms, 0, False)),
        ("expire", (licence, terms)),
        ("cancelNonce", (3,)),
        ("transferFrom", (LICENSEE, STRANGER, licence)),
        ("approve", (STRANGER, licence)),
        ("setApprovalForAll", (STRANGER, True)),
    ]
    for number, (name, args) in enumerate(calls):
        token.arm(world.licences.address, world.licences.data(name, *args), 1, True)
        assert error_of(lambda n=number: world.pay(licence, 0, 5 + n))[0] == "ReentrancyGuardReentrantCall", (
            name
        )
    token.arm(world.licences.address, world.licences.data("onSplitsPull", token.address, 5, b""), 1, True)
    assert error_of(lambda: world.pay(licence, 0, 5))[0] == "Licences_UnexpectedCallback"
    token.arm(world.licences.address, b"", 0, False)
    assert world.pay(licence, 0) == (0, 100)


def test_a_reader_in_the_middle_of_a_payment_sees_all_of_it_open(world: World) -> None:
    token, licence = reentering(world)
    token.arm(world.licences.address, world.licences.data("periodOf", licence, 1), 1, True)
    world.report(licence, 1, 3_000, pay=True)
    seen = token.lastReturned()
    assert (int.from_bytes(seen[32:64], "big"), int.from_bytes(seen[64:96], "big")) == (300, 1)
    token.arm(world.licences.address, world.licences.data("stateOf", licence), 1, True)
    world.pay(licence, 0)
    state = token.lastReturned()
    assert int.from_bytes(state[4 * 32 : 5 * 32], "big") == 1


# The journal


def test_p14_the_head_is_the_fold_of_the_two_topic_logs(world: World) -> None:
    licence = world.grant(upfront_fee=5, end=month(3))
    world.at(month(2))
    world.report(licence, 0, 1_000)
    world.report(licence, 1, 1_000, pay=True)
    world.lower(licence, 1, 0)
    world.restate(licence, 0, 2_000)
    world.pay(licence, 0, version=2)
    world.object(licence, 1, 50, version=2, by=LICENSOR)
    world.licences.callArbiter(licence, world.bytes[licence], 1, sender=LICENSEE)
    world.settle(licence, 1, False, LICENSOR)
    world.licences.transferFrom(LICENSEE, STRANGER, licence, sender=LICENSEE)
    world.licences.cancelNonce(99, sender=LICENSOR)
    world.at(month(3))
    world.licences.expire(licence, world.bytes[licence])
    assert folded(world) == world.licences.journalHead()
    assert world.chain.storage(world.licences.address, 0) == int.from_bytes(
        world.licences.journalHead(), "big"
    )
    selectors = {world.licences.topic(e["name"]) for e in world.licences.abi if e["type"] == "event"}
    assert {log.topics[0] for log in entries_of(world)} <= selectors
