"""Licences: disputes over figures, notice and cure, termination and expiry (P-06, P-10)."""

from __future__ import annotations

from typing import Any

import pytest
from _licences import (
    ARBITER,
    ARBITER_WINDOW,
    BUYER,
    DAY,
    DISPUTE_WINDOW,
    LICENSEE,
    LICENSOR,
    START,
    STRANGER,
    USD,
    World,
    figures,
    month,
)
from _mini import Reverted

LATE = month(1) + 35 * DAY


@pytest.fixture
def world() -> World:
    return World()


def error_of(call: Any) -> tuple[str, tuple[Any, ...]]:
    with pytest.raises(Reverted) as error:
        call()
    return error.value.name, error.value.values


def reported(world: World, gross: int = 1_000, **terms: Any) -> int:
    """A licence whose first period was reported, and is open, when it ended."""
    licence = world.grant(**terms)
    world.at(month(1))
    world.report(licence, 0, gross)
    return licence


def call(world: World, name: str, licence: int, *args: Any, by: str = STRANGER) -> Any:
    return getattr(world.licences, name)(licence, world.bytes[licence], *args, sender=by)


# Objections


def test_the_licensee_lowers_and_the_licensor_raises(world: World) -> None:
    licence = reported(world)
    assert error_of(lambda: world.object(licence, 0, 1_001)) == ("Licences_BadProposal", (1_000, 1_001))
    assert error_of(lambda: world.object(licence, 0, 999, by=LICENSOR)) == (
        "Licences_BadProposal",
        (1_000, 999),
    )
    for by in (LICENSEE, LICENSOR):
        assert error_of(lambda b=by: world.object(licence, 0, 1_000, by=b)) == (
            "Licences_BadProposal",
            (1_000, 1_000),
        )
    assert error_of(lambda: world.object(licence, 0, 5, by=STRANGER)) == (
        "Licences_NotLicensee",
        (licence, STRANGER),
    )
    world.object(licence, 0, 999)
    dispute = world.licences.disputeOf(licence, 0)
    assert dispute == (1, 999, world.chain.time + DISPUTE_WINDOW, False)
    assert world.state(licence)["openDisputes"] == 1
    assert error_of(lambda: world.object(licence, 0, 998)) == ("Licences_DisputeOpen", (licence, 0))
    assert error_of(lambda: world.restate(licence, 0, 2_000)) == ("Licences_DisputeOpen", (licence, 0))
    assert error_of(lambda: world.object(licence, 1, 1)) == ("Licences_NotReported", (licence, 1))
    assert error_of(lambda: world.object(licence, 0, 998, version=2))[0] == "Licences_StaleVersion"


def test_a_licensor_that_holds_its_own_licence_speaks_for_the_side_of_the_figure(world: World) -> None:
    licence = world.accept(world.terms(licensee="0x" + "00" * 20), by=LICENSOR)
    world.at(month(1))
    world.licences.report(licence, world.bytes[licence], figures(0, 1_000), False, sender=LICENSOR)
    world.object(licence, 0, 2_000, by=LICENSOR)
    assert world.licences.disputeOf(licence, 0)[0] == 2
    world.settle(licence, 0, False, LICENSOR)
    world.object(licence, 0, 5, by=LICENSOR)
    assert world.licences.disputeOf(licence, 0)[0] == 1


def test_p09_the_window_runs_from_the_standing_version_to_the_second(world: World) -> None:
    licence = reported(world)
    closes = world.chain.time + DISPUTE_WINDOW
    world.at(closes)
    world.object(licence, 0, 500)
    world.settle(licence, 0, False, LICENSEE)
    world.chain.move(1)
    assert error_of(lambda: world.object(licence, 0, 500)) == ("Licences_WindowClosed", (licence, 0, closes))
    world.restate(licence, 0, 2_000)
    world.object(licence, 0, 500, version=2)


def test_the_other_side_accepts_and_the_proposer_withdraws(world: World) -> None:
    licence = reported(world)
    assert error_of(lambda: world.settle(licence, 0, True, LICENSOR)) == ("Licences_NoDispute", (licence, 0))
    world.object(licence, 0, 400)
    for accepted, by in (
        (True, LICENSEE),
        (True, STRANGER),
        (True, ARBITER),
        (False, LICENSOR),
        (False, ARBITER),
    ):
        settle = lambda a=accepted, b=by: world.settle(licence, 0, a, b)  # noqa: E731
        assert error_of(settle) == ("Licences_MayNotSettle", (licence, 0, by))
    world.settle(licence, 0, False, LICENSEE)
    assert (world.open_of(licence, 0), world.period(licence, 0)["version"]) == (100, 1)
    world.object(licence, 0, 2_000, by=LICENSOR)
    for accepted, by in ((True, LICENSOR), (False, LICENSEE)):
        settle = lambda a=accepted, b=by: world.settle(licence, 0, a, b)  # noqa: E731
        assert error_of(settle)[0] == "Licences_MayNotSettle"
    world.settle(licence, 0, True, LICENSEE)
    assert (world.open_of(licence, 0), world.period(licence, 0)["version"]) == (200, 2)
    assert world.state(licence)["openDisputes"] == 0
    assert [(e["period"], e["accepted"]) for e in world.entries("Settled")] == [(0, False), (0, True)]


@pytest.mark.parametrize("by", [LICENSEE, LICENSOR])
def test_either_side_calls_the_arbiter_who_chooses_between_two_figures(world: World, by: str) -> None:
    licence = reported(world)
    world.object(licence, 0, 400)
    assert error_of(lambda: call(world, "callArbiter", licence, 0))[0] == "Licences_NotLicensor"
    call(world, "callArbiter", licence, 0, by=by)
    deadline = world.chain.time + ARBITER_WINDOW
    assert world.licences.disputeOf(licence, 0) == (1, 400, deadline, True)
    again = lambda: call(world, "callArbiter", licence, 0, by=by)  # noqa: E731
    assert error_of(again) == ("Licences_ArbiterUnavailable", (licence, 0))
    world.at(deadline)
    world.settle(licence, 0, True, ARBITER)
    assert world.open_of(licence, 0) == 40
    assert error_of(lambda: call(world, "callArbiter", licence, 0, by=by)) == (
        "Licences_NoDispute",
        (licence, 0),
    )


def test_the_arbiter_may_let_the_report_stand(world: World) -> None:
    licence = reported(world)
    world.object(licence, 0, 400)
    call(world, "callArbiter", licence, 0, by=LICENSOR)
    world.settle(licence, 0, False, ARBITER)
    assert world.open_of(licence, 0) == 100


def test_p06_silence_lets_the_report_stand(world: World) -> None:
    licence = reported(world)
    world.object(licence, 0, 400)
    world.chain.move(DISPUTE_WINDOW)
    assert error_of(lambda: world.settle(licence, 0, False, STRANGER))[0] == "Licences_MayNotSettle"
    world.chain.move(1)
    assert error_of(lambda: call(world, "callArbiter", licence, 0, by=LICENSEE))[0] == "Licences_WindowClosed"
    for by in (LICENSOR, LICENSEE, ARBITER):
        assert error_of(lambda b=by: world.settle(licence, 0, True, b))[0] == "Licences_MayNotSettle"
    world.settle(licence, 0, False, STRANGER)
    assert world.open_of(licence, 0) == 100


def test_p06_a_silent_arbiter_locks_nothing(world: World) -> None:
    licence = reported(world)
    world.object(licence, 0, 5_000, by=LICENSOR)
    call(world, "callArbiter", licence, 0, by=LICENSOR)
    world.chain.move(ARBITER_WINDOW + 1)
    assert error_of(lambda: world.settle(licence, 0, True, ARBITER))[0] == "Licences_MayNotSettle"
    world.settle(licence, 0, False, STRANGER)
    assert world.open_of(licence, 0) == 100


def test_p06_without_an_arbiter_the_report_stands(world: World) -> None:
    world.catalogue = world.create(arbiter="0x" + "00" * 20)
    world.split = world.announce()
    licence = reported(world)
    world.object(licence, 0, 400)
    assert (
        error_of(lambda: call(world, "callArbiter", licence, 0, by=LICENSEE))[0]
        == "Licences_ArbiterUnavailable"
    )


def test_p06_a_dispute_stops_neither_payment_nor_the_next_report(world: World) -> None:
    licence = reported(world)
    world.object(licence, 0, 400)
    assert world.pay(licence, 0, 70) == (0, 70)
    world.at(month(1) + 3 * DAY)
    world.settle(licence, 0, True, LICENSOR)
    entry = world.entries("Booked")[-1]
    assert (entry["line"], entry["cancelled"], entry["setOff"]) == (-60, 30, 30)


# Breach and cure


def test_an_overdue_amount_is_a_breach_after_due_date_and_grace(world: World) -> None:
    licence = reported(world)
    world.at(LATE)
    notice = lambda by=LICENSOR, period=0: call(world, "giveNotice", licence, period, by=by)  # noqa: E731
    assert error_of(notice) == ("Licences_NoBreach", (licence, 0))
    world.chain.move(1)
    assert error_of(lambda: notice(LICENSEE)) == ("Licences_NotLicensor", (world.catalogue, LICENSEE))
    for period in (2, 2**16, 2**255):
        assert error_of(lambda p=period: notice(period=p))[0] == "Licences_NoBreach"
    notice()
    until = world.chain.time + 10 * DAY
    assert (world.state(licence)["cureUntil"], world.state(licence)["curePeriod"]) == (until, 0)
    assert error_of(notice) == ("Licences_CureRunning", (licence, until))
    assert error_of(lambda: notice(period=1))[0] == "Licences_CureRunning"


def test_a_missing_report_is_a_breach_after_its_deadline(world: World) -> None:
    licence = world.grant()
    world.at(month(1) + 20 * DAY)
    notice = lambda: call(world, "giveNotice", licence, 0, by=LICENSOR)  # noqa: E731
    assert error_of(notice) == ("Licences_NoBreach", (licence, 0))
    world.chain.move(1)
    notice()
    world.report(licence, 0, 1_000)
    assert [(e["period"], e["caller"]) for e in world.entries("Cured")] == [(0, LICENSEE)]
    assert world.state(licence)["cureUntil"] == 0


def test_a_late_and_unpaid_report_cures_one_breach_and_opens_another(world: World) -> None:
    licence = world.grant()
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.report(licence, 0, 1_000)
    assert len(world.entries("Cured")) == 1
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.pay(licence, 0, world.due(licence, 0)["interest"] + 99)
    assert len(world.entries("Cured")) == 1
    world.pay(licence, 0)
    assert len(world.entries("Cured")) == 2


def test_a_disputed_amount_is_no_breach_but_the_rest_is(world: World) -> None:
    licence = world.grant(late_rate=0)
    world.at(LATE - DAY)
    world.report(licence, 0, 1_000)
    world.object(licence, 0, 400)
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.pay(licence, 0, 39)
    assert not world.entries("Cured")
    world.pay(licence, 0, 1)
    assert len(world.entries("Cured")) == 1
    assert error_of(lambda: call(world, "giveNotice", licence, 0, by=LICENSOR))[0] == "Licences_NoBreach"
    world.settle(licence, 0, False, LICENSEE)
    call(world, "giveNotice", licence, 0, by=LICENSOR)


def test_a_licensors_claim_to_more_excuses_nothing(world: World) -> None:
    licence = world.grant(late_rate=0)
    world.at(LATE - DAY)
    world.report(licence, 0, 1_000)
    world.object(licence, 0, 9_000, by=LICENSOR)
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)


def test_a_settlement_that_leaves_nothing_open_cures(world: World) -> None:
    licence = world.grant(late_rate=0)
    world.at(LATE - DAY)
    world.report(licence, 0, 1_000)
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.lower(licence, 0, 0)
    assert len(world.entries("Cured")) == 1
    assert not world.licences.locked(licence)


def test_a_cure_of_a_breach_that_is_disputed_now_makes_room_for_another(world: World) -> None:
    licence = world.grant(late_rate=0)
    world.at(month(1) + 34 * DAY)
    world.report(licence, 0, 1_000)
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.object(licence, 0, 0)
    world.chain.move(10 * DAY + 1)
    assert error_of(lambda: call(world, "terminate", licence, by=LICENSOR))[0] == "Licences_NoBreach"
    world.at(month(2) + 20 * DAY + 1)
    call(world, "giveNotice", licence, 1, by=LICENSOR)
    assert world.state(licence)["curePeriod"] == 1


# Ends


def terminated(world: World, **terms: Any) -> int:
    licence = reported(world, **terms)
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.chain.move(10 * DAY + 1)
    call(world, "terminate", licence, by=LICENSOR)
    return licence


def test_termination_needs_notice_time_and_a_breach_that_lasts(world: World) -> None:
    licence = reported(world)
    terminate = lambda by=LICENSOR: call(world, "terminate", licence, by=by)  # noqa: E731
    assert error_of(terminate) == ("Licences_CureRunning", (licence, 0))
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    until = world.state(licence)["cureUntil"]
    world.at(until)
    assert error_of(terminate) == ("Licences_CureRunning", (licence, until))
    world.chain.move(1)
    assert error_of(lambda: terminate(LICENSEE))[0] == "Licences_NotLicensor"
    terminate()
    state = world.state(licence)
    assert (state["status"], state["stop"], state["cureUntil"]) == (3, world.chain.time, 0)
    assert world.licences.liveOf(world.catalogue, 0) == (0, 0)
    for name, args in (("terminate", ()), ("giveNotice", (0,)), ("expire", ())):
        again = lambda n=name, a=args: call(world, n, licence, *a, by=LICENSOR)  # noqa: E731
        assert error_of(again) == ("Licences_Ended", (licence,))


def test_p10_what_is_owed_survives_termination_and_no_guarantee_accrues_after_it(world: World) -> None:
    licence = terminated(world, guarantee=31_000)
    stop = world.chain.time
    assert stop == month(2) + 14 * DAY + 2
    due = world.due(licence, 2)
    assert due["end"] == stop
    assert error_of(lambda: world.due(licence, 3))[0] == "Licences_NoSuchPeriod"
    assert world.report(licence, 1, 0) == 31_000
    assert world.report(licence, 2, 0) == 31_000 * (stop - month(2)) // (30 * DAY)
    world.pay(licence, 0)
    world.restate(licence, 0, 900_000)
    world.pay(licence, 0, version=2)
    assert world.state(licence)["status"] == 3
    assert error_of(lambda: world.report(licence, 3, 0))[0] == "Licences_NoSuchPeriod"


def test_p10_periods_that_were_booked_before_the_stop_do_not_change(world: World) -> None:
    licence = reported(world, guarantee=31_000)
    before = world.lines(licence)
    world.at(LATE + 1)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.chain.move(10 * DAY + 1)
    call(world, "terminate", licence, by=LICENSOR)
    assert world.lines(licence) == before == world.due(licence, 0)["owedInAll"]
    world.restate(licence, 0, 310_001)
    assert world.lines(licence) == 31_000


def test_p10_expiry_is_public_and_final(world: World) -> None:
    licence = world.grant(end=month(1))
    perpetual = world.grant()
    world.at(month(1) - 1)
    assert error_of(lambda: call(world, "expire", licence)) == ("Licences_NotEnded", (licence, month(1)))
    world.at(month(1))
    assert error_of(lambda: call(world, "expire", perpetual)) == ("Licences_NotEnded", (perpetual, 0))
    call(world, "expire", licence)
    assert (world.state(licence)["status"], world.state(licence)["stop"]) == (2, 0)
    assert error_of(lambda: call(world, "expire", licence)) == ("Licences_Ended", (licence,))
    assert world.report(licence, 0, 1_000, pay=True) == 100


def test_expiry_ends_a_cure(world: World) -> None:
    licence = reported(world, end=month(3))
    world.at(month(3) - DAY)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.at(month(3))
    call(world, "expire", licence)
    assert world.state(licence)["cureUntil"] == 0
    world.pay(licence, 0)
    assert not world.entries("Cured")
    world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)


def test_p10_termination_after_the_end_of_the_term_does_not_move_the_end(world: World) -> None:
    licence = reported(world, end=month(2))
    world.at(month(5))
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.chain.move(10 * DAY + 1)
    call(world, "terminate", licence, by=LICENSOR)
    assert world.due(licence, 1)["end"] == month(2)
    assert error_of(lambda: world.due(licence, 2))[0] == "Licences_NoSuchPeriod"


def test_the_licensors_powers_follow_the_catalogue(world: World) -> None:
    licence = reported(world, gross=1_000 * USD)
    world.catalogues.offerOwnership(world.catalogue, BUYER, sender=LICENSOR)
    world.catalogues.acceptOwnership(world.catalogue, sender=BUYER)
    assert error_of(lambda: world.object(licence, 0, 2_000 * USD, by=LICENSOR))[0] == "Licences_NotLicensee"
    world.object(licence, 0, 2_000 * USD, by=BUYER)
    world.at(LATE + 1)
    assert error_of(lambda: call(world, "giveNotice", licence, 0, by=LICENSOR))[0] == "Licences_NotLicensor"
    call(world, "giveNotice", licence, 0, by=BUYER)


def test_a_licence_without_periods_has_no_breach(world: World) -> None:
    licence = world.grant(period_months=0, tiers=[], end=START + DAY)
    world.chain.move(1_000 * DAY)
    assert error_of(lambda: call(world, "giveNotice", licence, 0, by=LICENSOR)) == (
        "Licences_NoBreach",
        (licence, 0),
    )
    assert error_of(lambda: call(world, "bookMissing", licence, 0))[0] == "Licences_NoReports"
    call(world, "expire", licence)
