"""Posting a distribution: who, when, for how much, and the one replacement."""

from __future__ import annotations

from functools import partial

import pytest
from _distributions import NONE, OPEN, STOOD, UNOPPOSED, Scene, split_of, word_of
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
    month,
)
from _splits import refused, tree_of

AMOUNT = 1_000_000


@pytest.fixture
def scene() -> Scene:
    """August 2025 has begun; July was reported and paid."""
    made = Scene()
    made.at(month(1))
    made.earn(0, AMOUNT)
    return made


def test_dates_follow_payment_cure_and_windows(scene: Scene) -> None:
    dates = scene.dates(0)
    assert (dates["start"], dates["end"]) == (month(0), month(1))
    assert dates["payBy"] == month(1) + 30 * DAY
    assert dates["licensorBy"] == dates["payBy"] + 10 * DAY
    assert dates["postBy"] == dates["licensorBy"] + DISPUTE_WINDOW
    assert dates["decidedBy"] == dates["licensorBy"] + 3 * DISPUTE_WINDOW + ARBITER_WINDOW
    assert dates["heldUntil"] == dates["decidedBy"] + 730 * DAY


def test_a_posting_is_one_word_and_one_entry_that_tells_all(scene: Scene) -> None:
    tree = scene.tree(AMOUNT - 10, 7)
    what = scene.post(0, tree, AMOUNT)
    state = scene.round(0)
    deadline = scene.chain.time + DISPUTE_WINDOW
    assert (state["stage"], state["byLicensee"], state["replaced"], state["byArbiter"]) == (
        OPEN,
        False,
        False,
        False,
    )
    assert state["deadline"] == deadline
    assert int.from_bytes(state["commitment"], "big") == word_of(what, 0, 0)
    assert state["objection"] == bytes(32)
    (entry,) = scene.told("Posted")
    assert entry["caller"] == LICENSOR
    assert (entry["period"], entry["round"], entry["role"], entry["replacing"]) == (0, 0, 1, False)
    assert entry["arbiter"] == ARBITER
    assert (entry["splitId"], entry["total"], entry["amount"]) == (tree.id, AMOUNT - 3, AMOUNT)
    assert (entry["waits"], entry["deadline"], entry["uri"]) == (AMOUNT, deadline, "ipfs://usage")
    scene.check_journal()


def test_settling_moves_what_was_posted(scene: Scene) -> None:
    tree = scene.tree(AMOUNT - 10, 7)
    scene.post(0, tree, AMOUNT)
    refused(lambda: scene.finish(0), "Distributions_WindowOpen", scene.licence, 0, scene.round(0)["deadline"])
    scene.chain.move(DISPUTE_WINDOW)
    refused(lambda: scene.finish(0), "Distributions_WindowOpen")
    scene.chain.move(1)
    scene.finish(0)
    assert scene.owed(tree) == [AMOUNT - 10, 7]
    assert scene.waiting(0) == 3
    assert scene.round(0)["stage"] == STOOD
    (entry,) = scene.told("Settled")
    assert (entry["outcome"], entry["arrived"], entry["moved"]) == (UNOPPOSED, AMOUNT, AMOUNT - 3)
    scene.check_journal()


def test_p05_a_posting_or_settlement_that_is_sent_again_changes_nothing(scene: Scene) -> None:
    tree = scene.tree(AMOUNT)
    scene.post(0, tree)
    refused(lambda: scene.post(0, tree), "Distributions_WrongStage", scene.licence, 0, 0, OPEN)
    scene.chain.move(DISPUTE_WINDOW + 1)
    rounds = scene.rounds(0)
    scene.finish(0)
    refused(
        lambda: scene.distributions.settle(scene.licence, 0, rounds),
        "Distributions_WrongStage",
        scene.licence,
        0,
        0,
        STOOD,
    )
    refused(lambda: scene.post(0, tree, settled=[]), "Distributions_WrongStage")
    refused(lambda: scene.sweep(0), "Distributions_NothingToMove", scene.licence, 0)
    assert scene.got(tree) == AMOUNT


# Terms and periods


def test_refused_terms(scene: Scene) -> None:
    posting = scene.posting(scene.tree(AMOUNT))
    other = scene.bytes[scene.licence][:-1] + b"\x01"
    call = scene.distributions.post
    refused(
        lambda: call(scene.licence, other, 0, [], posting, sender=LICENSOR),
        "Distributions_TermsMismatch",
        scene.licence,
    )
    refused(
        lambda: call(99, scene.bytes[scene.licence], 0, [], posting, sender=LICENSOR),
        "Licences_Unknown",
        99,
    )


@pytest.mark.parametrize("elsewhere", [ZERO, STRANGER])
def test_terms_that_name_another_contract_are_refused(scene: Scene, elsewhere: str) -> None:
    number = scene.grant(distributions=elsewhere, start=month(1), end=month(6))
    scene.at(month(2))
    refused(
        lambda: scene.post(0, scene.tree(1), settled=[], licence=number),
        "Distributions_Elsewhere",
        number,
        elsewhere,
    )


@pytest.mark.parametrize("period", [6, 65_535, 65_536, 2**255])
def test_periods_that_the_licence_has_not_are_refused(period: int) -> None:
    scene = Scene(changes={"end": month(6)})
    scene.at(month(7))
    refused(
        lambda: scene.post(period, scene.tree(1), settled=[]),
        "Distributions_NoSuchPeriod",
        scene.licence,
        period,
    )


def test_a_period_that_runs_is_refused_until_its_last_second_is_over(scene: Scene) -> None:
    scene.donate(1, AMOUNT)
    tree = scene.tree(AMOUNT)
    scene.at(month(2) - 1)
    refused(lambda: scene.post(1, tree), "Distributions_PeriodNotOver", scene.licence, 1, month(2))
    scene.at(month(2))
    scene.post(1, tree)


def test_a_period_cut_by_termination_is_over_with_it() -> None:
    scene = Scene(changes={"days_to_report": 1, "days_to_pay": 1, "cure_days": 0})
    scene.at(month(1) + 5 * DAY)
    scene.licences.giveNotice(scene.licence, scene.bytes[scene.licence], 0, sender=LICENSOR)
    scene.chain.move(1)
    scene.licences.terminate(scene.licence, scene.bytes[scene.licence], sender=LICENSOR)
    stop = scene.chain.time
    assert scene.dates(1)["end"] == stop
    scene.donate(1, 100)
    scene.post(1, scene.tree(100))
    assert scene.dates(1)["payBy"] == stop + DAY


# Amounts


def test_refused_amounts_and_splits(scene: Scene) -> None:
    tree = scene.tree(AMOUNT)
    refused(lambda: scene.post(0, tree, AMOUNT - 1), "Distributions_TotalAboveAmount", AMOUNT, AMOUNT - 1)
    refused(lambda: scene.post(0, tree, AMOUNT + 1), "Distributions_AmountAboveWaiting", AMOUNT + 1, AMOUNT)
    unseen = tree_of([AMOUNT], 300)
    refused(lambda: scene.post(0, unseen), "Distributions_SplitNotPublished", unseen.id)
    root, _, depth = split_of(tree)
    posting = ((root, 2**128, depth), *scene.posting(tree)[1:])
    refused(
        lambda: scene.distributions.post(
            scene.licence, scene.bytes[scene.licence], 0, [], posting, sender=LICENSOR
        ),
        "Splits_TotalOutOfRange",
    )


def test_p11_a_split_published_in_part_is_refused(scene: Scene) -> None:
    tree = tree_of([1] * 200, 1000)
    page = (0, list(tree.page_words(0)), list(tree.page_proof(0)))
    scene.splits.publish(split_of(tree), [page])
    refused(lambda: scene.post(0, tree), "Distributions_SplitNotPublished", tree.id)


def test_an_account_without_money_is_refused() -> None:
    scene = Scene()
    scene.at(month(1))
    refused(lambda: scene.post(0, scene.tree(1)), "Distributions_AmountAboveWaiting", 1, 0)


# Who and when


def test_only_the_licensor_posts_until_its_deadline(scene: Scene) -> None:
    tree, dates = scene.tree(AMOUNT), scene.dates(0)
    for who in (LICENSEE, ARBITER, STRANGER):
        refused(partial(scene.post, 0, tree, by=who), "Distributions_MayNotPost", scene.licence, 0, who)
    scene.at(dates["licensorBy"])
    refused(lambda: scene.post(0, tree, by=LICENSEE), "Distributions_MayNotPost")
    scene.post(0, tree)


def test_the_licensee_posts_after_the_licensors_deadline(scene: Scene) -> None:
    scene.at(scene.dates(0)["licensorBy"] + 1)
    tree = scene.tree(AMOUNT)
    refused(lambda: scene.post(0, tree, by=STRANGER), "Distributions_MayNotPost")
    scene.post(0, tree, by=LICENSEE)
    assert scene.round(0)["byLicensee"]
    assert scene.told("Posted")[0]["role"] == 2
    refused(lambda: scene.post(0, tree), "Distributions_WrongStage")


def test_the_licensor_may_still_post_beside_the_licensee(scene: Scene) -> None:
    scene.at(scene.dates(0)["postBy"])
    scene.post(0, scene.tree(AMOUNT))
    assert not scene.round(0)["byLicensee"]


@pytest.mark.parametrize("who", [LICENSOR, LICENSEE])
def test_nobody_posts_after_the_last_date(scene: Scene, who: str) -> None:
    last = scene.dates(0)["postBy"]
    scene.at(last + 1)
    refused(
        lambda: scene.post(0, scene.tree(AMOUNT), by=who),
        "Distributions_PostingClosed",
        scene.licence,
        0,
        last,
    )
    assert scene.round(0)["stage"] == NONE


def test_roles_follow_catalogue_and_licence(scene: Scene) -> None:
    scene.catalogues.offerOwnership(scene.catalogue, BUYER, sender=LICENSOR)
    scene.catalogues.acceptOwnership(scene.catalogue, sender=BUYER)
    tree = scene.tree(AMOUNT)
    refused(lambda: scene.post(0, tree), "Distributions_MayNotPost")
    scene.post(0, tree, by=BUYER)
    refused(lambda: scene.post(0, tree, by=LICENSOR, replace=True), "Distributions_MayNotPost")


# The replacement


def test_p06_one_replacement_restarts_the_window(scene: Scene) -> None:
    first, second = scene.tree(AMOUNT), scene.tree(AMOUNT - 1, 1)
    scene.post(0, first)
    scene.chain.move(DISPUTE_WINDOW)
    scene.post(0, second, replace=True)
    state = scene.round(0)
    assert state["replaced"]
    assert state["deadline"] == scene.chain.time + DISPUTE_WINDOW
    assert scene.told("Posted")[1]["replacing"]
    refused(lambda: scene.post(0, first, replace=True), "Distributions_Replaced", scene.licence, 0, 0)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert (scene.got(first), scene.got(second)) == (0, AMOUNT)


def test_only_the_side_that_posted_replaces(scene: Scene) -> None:
    scene.at(scene.dates(0)["licensorBy"] + 1)
    scene.post(0, scene.tree(AMOUNT), by=LICENSEE)
    other = scene.tree(AMOUNT - 1, 1)
    refused(lambda: scene.post(0, other, replace=True), "Distributions_MayNotPost")
    scene.post(0, other, by=LICENSEE, replace=True)
    assert scene.round(0)["byLicensee"]


def test_no_replacement_after_the_window_or_an_objection_or_of_nothing(scene: Scene) -> None:
    tree, other = scene.tree(AMOUNT), scene.tree(AMOUNT - 1, 1)
    refused(lambda: scene.post(0, tree, replace=True), "Distributions_WrongStage", scene.licence, 0, 0, NONE)
    scene.post(0, tree)
    refused(lambda: scene.post(0, other, AMOUNT + 1, replace=True), "Distributions_AmountAboveWaiting")
    scene.contest(0)
    refused(lambda: scene.post(0, other, replace=True), "Distributions_WrongStage")
    scene.at(month(2))
    scene.earn(1, AMOUNT)
    scene.post(1, tree)
    scene.chain.move(DISPUTE_WINDOW + 1)
    refused(lambda: scene.post(1, other, replace=True), "Distributions_WindowClosed")


def test_p17_the_latest_posting_replaced_and_objected_to_at_the_last_second_ends_in_time(
    scene: Scene,
) -> None:
    dates = scene.dates(0)
    scene.at(dates["postBy"])
    scene.post(0, scene.tree(AMOUNT), by=LICENSEE)
    scene.chain.move(DISPUTE_WINDOW)
    scene.post(0, scene.tree(AMOUNT - 1, 1), by=LICENSEE, replace=True)
    scene.chain.move(DISPUTE_WINDOW)
    scene.contest(0)
    assert scene.round(0)["deadline"] == dates["decidedBy"]


# What can be done now


def test_outlook_of_the_first_round(scene: Scene) -> None:
    dates = scene.dates(0)
    seen = scene.outlook(0)
    assert (seen["round"], seen["stage"], seen["step"], seen["waits"]) == (0, NONE, 1, AMOUNT)
    assert seen["until"] == dates["licensorBy"]
    assert (scene.outlook(1)["step"], scene.outlook(1)["until"]) == (0, month(2) - 1)
    scene.at(dates["licensorBy"] + 1)
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (2, dates["postBy"])
    assert scene.outlook(1)["step"] == 0, "nothing was paid"
    scene.at(dates["postBy"] + 1)
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (0, dates["decidedBy"])
    scene.at(dates["decidedBy"] + 1)
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (7, 0)


def test_outlook_of_a_posting(scene: Scene) -> None:
    scene.post(0, scene.tree(AMOUNT))
    deadline = scene.round(0)["deadline"]
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (3, deadline)
    scene.at(deadline)
    scene.contest(0)
    deadline = scene.round(0)["deadline"]
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (5, deadline)
    scene.at(deadline + 1)
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (6, 0)
    scene.close(0)
    assert (scene.outlook(0)["round"], scene.outlook(0)["step"]) == (1, 9)


def test_getters(scene: Scene) -> None:
    assert scene.distributions.licences().lower() == scene.licences.address.lower()
    assert scene.distributions.splits().lower() == scene.splits.address.lower()
    assert scene.distributions.catalogues().lower() == scene.catalogues.address.lower()
    given = scene.distributions.standingSplit(scene.licence, scene.bytes[scene.licence], 0)
    assert given == scene.standing.id
    assert [scene.distributions.bondOf(n) for n in (1, 100, 101, 12345)] == [1, 1, 2, 124]
