"""Licences: disputes that would put off a termination for ever, and an arbiter that is a side itself (P-06, P-08)."""

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
    STRANGER,
    ZERO,
    World,
    figures,
    month,
)
from _mini import Reverted

LATE = month(1) + 35 * DAY
CURE = 10 * DAY


@pytest.fixture
def world() -> World:
    return World()


def call(world: World, name: str, licence: int, *args: Any, by: str) -> Any:
    return getattr(world.licences, name)(licence, world.bytes[licence], *args, sender=by)


def refused(call_: Any) -> str:
    with pytest.raises(Reverted) as error:
        call_()
    return error.value.name


def stall(world: World, licence: int, version: int) -> int:
    """The licensee takes back its proposal, books the same figures again, and proposes anew; the next version."""
    world.settle(licence, 0, False, LICENSEE)
    world.restate(licence, 0, 1_000, version)
    world.object(licence, 0, 0, version + 1)
    return version + 1


def test_p06_a_licensee_that_disputes_itself_again_and_again_is_terminated_all_the_same(world: World) -> None:
    licence = world.grant(exclusive=0b001)
    world.at(month(1))
    world.report(licence, 0, 1_000)
    world.object(licence, 0, 0)
    version = 1
    while world.chain.time <= LATE:
        world.chain.move(DISPUTE_WINDOW)
        version = stall(world, licence, version)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    world.chain.move(CURE)
    version = stall(world, licence, version)
    world.chain.move(1)
    call(world, "terminate", licence, by=LICENSOR)
    assert world.licences.liveOf(world.catalogue, 0) == (0, 0)


def test_p06_figures_restated_when_they_were_overdue_are_overdue_while_they_are_disputed(
    world: World,
) -> None:
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    world.at(LATE)
    world.restate(licence, 0, 1_000)
    world.object(licence, 0, 0, 2)
    world.chain.move(1)
    notice = lambda: call(world, "giveNotice", licence, 0, by=LICENSOR)  # noqa: E731
    assert refused(notice) == "Licences_NoBreach"
    stall(world, licence, 2)
    notice()
    assert world.state(licence)["curePeriod"] == 0


def test_a_late_first_report_may_be_disputed_and_is_no_breach_meanwhile(world: World) -> None:
    licence = world.grant()
    world.at(LATE + DAY)
    world.report(licence, 0, 1_000)
    world.object(licence, 0, 0)
    notice = lambda: call(world, "giveNotice", licence, 0, by=LICENSOR)  # noqa: E731
    assert refused(notice) == "Licences_NoBreach"
    world.chain.move(DISPUTE_WINDOW)
    world.settle(licence, 0, False, LICENSEE)
    world.object(licence, 0, 0)
    world.chain.move(DISPUTE_WINDOW + 1)
    world.settle(licence, 0, False, STRANGER)
    assert refused(lambda: world.object(licence, 0, 0)) == "Licences_WindowClosed"
    notice()


def test_p06_a_dispute_of_late_figures_still_lowers_what_is_open(world: World) -> None:
    licence = world.grant()
    world.at(LATE + DAY)
    call(world, "bookMissing", licence, 0, by=STRANGER)
    world.restate(licence, 0, 1_000)
    world.object(licence, 0, 400, 2)
    call(world, "giveNotice", licence, 0, by=LICENSOR)
    call(world, "callArbiter", licence, 0, by=LICENSEE)
    world.settle(licence, 0, True, ARBITER)
    assert world.open_of(licence, 0) == 40
    world.pay(licence, 0, version=3)
    assert len(world.entries("Cured")) == 1


# An arbiter that is a side itself


def test_p08_an_arbiter_that_holds_the_licence_does_not_choose(world: World) -> None:
    """Otherwise it would lower whatever it owes."""
    licence = world.accept(world.terms(licensee=ZERO), by=ARBITER)
    world.at(month(1))
    world.licences.report(licence, world.bytes[licence], figures(0, 1_000), False, sender=ARBITER)
    world.object(licence, 0, 0, by=ARBITER)
    call(world, "callArbiter", licence, 0, by=ARBITER)
    assert refused(lambda: world.settle(licence, 0, True, ARBITER)) == "Licences_MayNotSettle"
    world.chain.move(ARBITER_WINDOW + 1)
    world.settle(licence, 0, False, STRANGER)
    assert world.open_of(licence, 0) == 100


def test_p08_an_arbiter_that_took_the_catalogue_over_does_not_choose(world: World) -> None:
    """Otherwise it would raise whatever it is owed."""
    licence = world.grant()
    world.at(month(1))
    world.report(licence, 0, 1_000)
    world.object(licence, 0, 10**9, by=LICENSOR)
    call(world, "callArbiter", licence, 0, by=LICENSOR)
    world.catalogues.offerOwnership(world.catalogue, ARBITER, sender=LICENSOR)
    world.catalogues.acceptOwnership(world.catalogue, sender=ARBITER)
    assert refused(lambda: world.settle(licence, 0, True, ARBITER)) == "Licences_MayNotSettle"
    world.settle(licence, 0, False, ARBITER)  # as the proposer that it is now
    assert world.open_of(licence, 0) == 100


def test_p08_an_arbiter_that_gave_the_licence_away_chooses_again(world: World) -> None:
    licence = world.accept(world.terms(licensee=ZERO), by=ARBITER)
    world.licences.transferFrom(ARBITER, BUYER, licence, sender=ARBITER)
    world.at(month(1))
    world.licences.report(licence, world.bytes[licence], figures(0, 1_000), False, sender=BUYER)
    world.object(licence, 0, 400, by=BUYER)
    call(world, "callArbiter", licence, 0, by=BUYER)
    world.settle(licence, 0, True, ARBITER)
    assert world.open_of(licence, 0) == 40
