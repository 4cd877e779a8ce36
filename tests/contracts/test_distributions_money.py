"""Money through the rounds of a period: exact for what was posted, late money, held money, fallback, release."""

from __future__ import annotations

from functools import partial

import pytest
from _distributions import (
    COUNTER,
    FALLBACK,
    FELL,
    HOLDER,
    NONE,
    NOTHING,
    RELEASED,
    SILENT,
    STOOD,
    Scene,
)
from _licences import ARBITER_WINDOW, DAY, DISPUTE_WINDOW, LICENSEE, LICENSOR, STRANGER, month
from _mini import account
from _splits import leaf_args, leaf_of, refused

AMOUNT = 1_000_000


@pytest.fixture
def scene() -> Scene:
    """August 2025 has begun; July was reported and paid."""
    made = Scene()
    made.at(month(1))
    made.earn(0, AMOUNT)
    return made


def everything(scene: Scene, period: int) -> int:
    """What is in a period's account, and all that ever left it."""
    name = scene.splits.accountId(scene.distributions.address, scene.salt(period))
    moved = [values for topic, values in scene.splits.events("AccountMoved") if topic == name]
    return scene.waiting(period) + sum(int(values[-1]) for values in moved)


# Exactness


def test_p02_each_leaf_gets_exactly_its_units(scene: Scene) -> None:
    units = [333_333, 333_334, 7, 300_000]
    tree = scene.tree(*units)
    scene.stand(0, tree, AMOUNT)
    assert scene.owed(tree) == units
    assert scene.got(tree) == sum(units)
    assert scene.waiting(0) == AMOUNT - sum(units)
    assert everything(scene, 0) == AMOUNT


@pytest.mark.parametrize("late", [1, 2, 999, AMOUNT, 12_345_678])
def test_p02_late_money_goes_in_the_same_proportions(scene: Scene, late: int) -> None:
    tree = scene.tree(400_000, 200_000, 1)
    scene.stand(0, tree, AMOUNT)
    scene.donate(0, late)
    expected = (AMOUNT + late) * 600_001 // AMOUNT
    if expected > 600_001:
        assert scene.outlook(0)["sweepable"] == expected - 600_001
        assert scene.sweep(0) == expected - 600_001
    else:
        refused(lambda: scene.sweep(0), "Distributions_NothingToMove")
    assert scene.got(tree) == expected
    assert scene.waiting(0) == AMOUNT + late - expected
    assert scene.owed(tree) == [expected * units // 600_001 for units in (400_000, 200_000, 1)]


def test_p03_late_money_in_parts_gives_what_it_gives_at_once(scene: Scene) -> None:
    tree = scene.tree(123_457, 500_000)
    scene.stand(0, tree, AMOUNT)
    arrived = AMOUNT
    for part in (1, 1, 3, 7, 500, 99_999, 1):
        scene.donate(0, part)
        arrived += part
        if scene.outlook(0)["sweepable"]:
            scene.sweep(0)
        assert scene.got(tree) == arrived * 623_457 // AMOUNT
    scene.check_journal()


def test_late_payments_and_restatements_of_the_licensee_are_late_money(scene: Scene) -> None:
    tree = scene.tree(AMOUNT // 2)
    scene.stand(0, tree, AMOUNT)
    scene.restate(scene.licence, 0, AMOUNT * 20)
    scene.pay(scene.licence, 0, version=2)
    assert scene.sweep(0) == AMOUNT // 2
    (swept,) = scene.told("Swept")
    assert (swept["round"], swept["arrived"], swept["moved"]) == (0, 2 * AMOUNT, AMOUNT)
    assert scene.round(0)["moved"] == AMOUNT


def test_p12_dust_before_a_posting_or_a_settlement_stops_neither(scene: Scene) -> None:
    scene.donate(0, 1)
    tree = scene.tree(AMOUNT)
    scene.post(0, tree)
    scene.donate(0, 5)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert scene.got(tree) == AMOUNT + 6
    assert scene.waiting(0) == 0
    assert scene.owed(tree) == [AMOUNT + 6]


def test_a_posting_for_a_part_of_the_money_sets_the_proportions_of_all(scene: Scene) -> None:
    tree = scene.tree(1, 3)
    scene.stand(0, tree, 5)
    assert scene.got(tree) == AMOUNT * 4 // 5
    assert scene.waiting(0) == AMOUNT // 5


# Held money


def test_held_money_is_distributed_by_later_rounds(scene: Scene) -> None:
    first, second, third = (
        scene.tree(600_000),
        scene.tree(250_000, first=300),
        scene.tree(150_000, first=400),
    )
    scene.stand(0, first, AMOUNT)
    assert scene.outlook(0)["round"] == 1
    assert (scene.outlook(0)["step"], scene.outlook(0)["waits"]) == (1, 400_000)
    scene.stand(0, second, 400_000)
    scene.stand(0, third)
    assert scene.waiting(0) == 0
    scene.donate(0, AMOUNT)
    assert scene.sweep(0) == AMOUNT
    assert [scene.got(tree) for tree in (first, second, third)] == [1_200_000, 500_000, 300_000]
    assert [scene.round(0, number)["moved"] for number in range(3)] == [1_200_000, 500_000, 300_000]
    assert scene.outlook(0)["step"] == 9
    scene.check_journal()


def test_a_later_round_settled_after_late_money_moves_for_all_rounds(scene: Scene) -> None:
    first, second = scene.tree(600_000), scene.tree(400_000, first=300)
    scene.stand(0, first, AMOUNT)
    scene.post(0, second)
    scene.donate(0, 500)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert (scene.got(first), scene.got(second)) == (600_300, 400_200)
    assert [entry["round"] for entry in scene.told("Swept")] == [0]


def test_later_rounds_are_the_licensors_at_any_time(scene: Scene) -> None:
    scene.stand(0, scene.tree(600_000), AMOUNT)
    scene.at(scene.dates(0)["licensorBy"] + 1)
    other = scene.tree(400_000, first=300)
    refused(lambda: scene.post(0, other, by=LICENSEE), "Distributions_MayNotPost")
    refused(lambda: scene.post(0, other, by=STRANGER), "Distributions_MayNotPost")
    scene.at(scene.dates(0)["decidedBy"] + 300 * DAY)
    refused(lambda: scene.post(0, other, 400_001), "Distributions_AmountAboveWaiting", 400_001, 400_000)
    scene.post(0, other)


def test_p17_a_later_round_needs_time_for_all_windows(scene: Scene) -> None:
    scene.stand(0, scene.tree(600_000), AMOUNT)
    dates, other = scene.dates(0), scene.tree(400_000, first=300)
    latest = dates["heldUntil"] - DISPUTE_WINDOW - ARBITER_WINDOW
    scene.at(latest)
    assert scene.outlook(0)["until"] == latest
    scene.chain.move(1)
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (0, dates["heldUntil"])
    refused(lambda: scene.post(0, other), "Distributions_TooLate", scene.licence, 0, dates["heldUntil"])


def test_the_settled_rounds_have_to_be_given_whole_and_in_order(scene: Scene) -> None:
    first, second = scene.tree(600_000), scene.tree(100_000, first=300)
    one = scene.stand(0, first, AMOUNT)
    two = scene.stand(0, second, 400_000)
    scene.donate(0, 1000)
    sweep = scene.distributions.sweep
    for rounds, error in (
        ([], "Distributions_Mismatch"),
        ([one], "Distributions_WrongStage"),
        ([two, one], "Distributions_Mismatch"),
        ([one, (*two[:3], two[3] - 1)], "Distributions_Mismatch"),
        ([one, two, two], "Distributions_WrongStage"),
    ):
        refused(partial(sweep, scene.licence, 0, rounds), error)
    third = scene.tree(5, first=400)
    refused(lambda: scene.post(0, third, settled=[one]), "Distributions_WrongStage")
    refused(lambda: scene.post(0, third, settled=[one, one]), "Distributions_Mismatch")
    assert sweep(scene.licence, 0, [one, two]) == 600 + 100


def test_p15_there_are_eight_rounds_at_most(scene: Scene) -> None:
    for number in range(8):
        scene.stand(0, scene.tree(10, first=500 + number), 20)
    assert len(scene.settled(0)) == 8
    refused(lambda: scene.post(0, scene.tree(10)), "Distributions_RoundsUsedUp", scene.licence, 0)
    assert (scene.outlook(0)["step"], scene.outlook(0)["until"]) == (0, scene.dates(0)["heldUntil"])


# Objections to later rounds


def held(scene: Scene) -> int:
    """A posting for 400,000 held units, and an objection with a counter for half of them."""
    scene.stand(0, scene.tree(600_000), AMOUNT)
    scene.post(0, scene.tree(400_000, first=300))
    scene.contest(0, scene.tree(200_000, first=400))
    return 400_000 // 100


def test_an_objection_to_a_later_round_knows_no_fallback(scene: Scene) -> None:
    bond = held(scene)
    assert scene.objection(0)[4:] == (bytes(32), 0, bytes(32))
    scene.choose(0, 3)
    assert scene.round(0, 1) == {**scene.round(0, 2), "stage": NONE}
    assert scene.waiting(0) == 400_000
    assert scene.told("StayedHeld")[0]["outcome"] == FALLBACK
    assert scene.got(scene.own_split(HOLDER)) == bond
    scene.stand(0, scene.tree(399_999, first=300), 400_000)
    assert scene.waiting(0) == 1


def test_silence_about_a_later_round_leaves_the_money_held(scene: Scene) -> None:
    bond = held(scene)
    scene.chain.move(ARBITER_WINDOW + 1)
    scene.close(0)
    assert scene.told("StayedHeld")[0]["outcome"] == SILENT
    assert scene.waiting(0) == 400_000
    assert scene.got(scene.tree(600_000)) == 600_000 + bond
    scene.check_journal()


def test_a_counter_to_a_later_round_is_chosen(scene: Scene) -> None:
    held(scene)
    scene.choose(0, 2)
    assert scene.got(scene.tree(200_000, first=400)) == 200_000
    assert scene.told("Settled")[1]["outcome"] == COUNTER
    assert scene.waiting(0) == 200_000


def test_an_objection_to_a_later_round_reads_no_last_distribution(scene: Scene) -> None:
    scene.stand(0, scene.tree(AMOUNT))
    scene.at(month(2))
    scene.earn(1, AMOUNT)
    scene.stand(1, scene.tree(600_000), AMOUNT)
    scene.post(1, scene.tree(400_000, first=300))
    assert scene.distributions.lastStood(scene.licence, 1) == (True, 0)
    assert scene.contest(1)[4:] == (bytes(32), 0, bytes(32))


# The fallback


def test_p17_nothing_posted_falls_back_to_the_standing_split(scene: Scene) -> None:
    last = scene.dates(0)["decidedBy"]
    scene.at(last)
    refused(lambda: scene.fall_back(0), "Distributions_NotYet", scene.licence, 0, last)
    scene.at(last + 1)
    scene.fall_back(0)
    assert scene.got(scene.standing) == AMOUNT
    assert scene.round(0)["stage"] == FELL
    assert scene.told("Settled")[0]["outcome"] == NOTHING
    scene.donate(0, 7)
    assert scene.sweep(0) == 7
    assert scene.got(scene.standing) == AMOUNT + 7
    assert scene.outlook(0)["step"] == 9
    refused(lambda: scene.fall_back(0), "Distributions_WrongStage")
    scene.check_journal()


def test_p07_the_fallback_is_the_split_that_stood_when_the_period_began(scene: Scene) -> None:
    scene.catalogues.announce(scene.catalogue, scene.tree(9).id, sender=LICENSOR)
    scene.at(scene.dates(0)["decidedBy"] + 1)
    assert scene.catalogues.splitAt(scene.catalogue, scene.chain.time) != scene.standing.id
    scene.fall_back(0)
    assert scene.got(scene.standing) == AMOUNT


def test_what_is_posted_does_not_fall_back(scene: Scene) -> None:
    scene.at(scene.dates(0)["postBy"])
    tree = scene.tree(AMOUNT)
    scene.post(0, tree)
    scene.at(scene.dates(0)["decidedBy"] + 1)
    refused(lambda: scene.fall_back(0), "Distributions_WrongStage")
    scene.finish(0)
    assert scene.got(tree) == AMOUNT


def test_nothing_to_fall_back_with(scene: Scene) -> None:
    scene.at(scene.dates(1)["decidedBy"] + 1)
    refused(lambda: scene.fall_back(1), "Distributions_NothingToMove", scene.licence, 1)
    assert scene.outlook(1)["step"] == 0
    scene.donate(1, 3)
    scene.fall_back(1)


def august(scene: Scene, amount: int) -> None:
    """August 2025 is over and paid; the licensor is silent until the hard deadline."""
    scene.at(max(scene.chain.time, month(2)))
    scene.earn(1, amount)
    scene.at(scene.dates(1)["decidedBy"] + 1)


@pytest.mark.parametrize(
    ("amount", "to_last"), [(700, 700), (AMOUNT - 3, AMOUNT - 3), (AMOUNT + 5, AMOUNT - 3)]
)
def test_the_last_distribution_that_stood_gets_at_most_what_it_gave(
    scene: Scene, amount: int, to_last: int
) -> None:
    tree = scene.tree(AMOUNT - 3)
    last = scene.stand(0, tree, AMOUNT)
    assert scene.distributions.lastStood(scene.licence, 1) == (True, 0)
    august(scene, amount)
    refused(lambda: scene.fall_back(1), "Distributions_Mismatch", scene.licence, 0, 0)
    refused(lambda: scene.fall_back(1, (*last[:2], last[2] + 1, last[3])), "Distributions_Mismatch")
    scene.fall_back(1, last)
    assert scene.got(tree) == AMOUNT - 3 + to_last
    assert scene.got(scene.standing) == amount - to_last
    scene.donate(1, 10)
    scene.sweep(1)
    more = min(10, AMOUNT - 3 - to_last)
    assert scene.got(tree) == AMOUNT - 3 + to_last + more
    assert scene.got(scene.standing) == amount - to_last + 10 - more
    assert scene.outlook(1)["step"] == 9
    scene.check_journal()


def test_what_fell_back_is_no_last_distribution(scene: Scene) -> None:
    scene.at(scene.dates(0)["decidedBy"] + 1)
    scene.fall_back(0)
    august(scene, 500)
    assert scene.distributions.lastStood(scene.licence, 1) == (False, 0)
    waits = scene.waiting(1)
    scene.fall_back(1)
    assert scene.got(scene.standing) == AMOUNT + waits


def test_a_counter_that_was_chosen_is_a_last_distribution(scene: Scene) -> None:
    scene.post(0, scene.tree(AMOUNT))
    other = scene.tree(AMOUNT - 1, 1)
    scene.contest(0, other)
    scene.choose(0, 2)
    august(scene, 500)
    scene.fall_back(1, scene.settled(0)[0])
    assert scene.got(other) == AMOUNT + 500


def test_later_periods_and_old_ones_are_no_last_distribution(scene: Scene) -> None:
    scene.at(month(14))
    for period in range(1, 14):
        scene.earn(period, 100)
    scene.donate(13, 5)
    late = scene.weighted(days_to_report=500, days_to_pay=1000)
    scene.licence = late
    scene.donate(0, 100)
    scene.donate(12, 100)
    scene.donate(13, 100)
    scene.stand(0, scene.tree(100))
    assert scene.distributions.lastStood(late, 12) == (True, 0)
    assert scene.distributions.lastStood(late, 13) == (False, 0)
    scene.stand(12, scene.tree(100))
    assert scene.distributions.lastStood(late, 13) == (True, 12)
    assert scene.distributions.lastStood(late, 12) == (True, 0)
    assert scene.distributions.lastStood(late, 0) == (False, 0)


def test_the_fallback_of_an_objection_is_fixed_with_it(scene: Scene) -> None:
    last = scene.stand(0, scene.tree(AMOUNT - 3), AMOUNT)
    scene.at(month(2))
    scene.earn(1, 700)
    scene.post(1, scene.tree(700, first=300))
    refused(lambda: scene.contest(1), "Distributions_Mismatch", scene.licence, 0, 0)
    objection = scene.contest(1, last=last)
    assert objection[4:] == (last[1], AMOUNT - 3, scene.standing.id)
    scene.choose(1, 3)
    assert scene.got(scene.tree(AMOUNT - 3)) == AMOUNT - 3 + 700


# Release


def test_p17_what_is_held_is_released_into_the_split_of_round_0(scene: Scene) -> None:
    tree = scene.tree(600_000)
    scene.stand(0, tree, AMOUNT)
    last = scene.dates(0)["heldUntil"]
    scene.at(last)
    refused(lambda: scene.release(0), "Distributions_NotYet", scene.licence, 0, last)
    scene.at(last + 1)
    assert scene.outlook(0)["step"] == 8
    scene.release(0)
    assert scene.got(tree) == AMOUNT
    assert scene.told("Settled")[1]["outcome"] == RELEASED
    scene.donate(0, 11)
    assert scene.sweep(0) == 11
    assert scene.got(tree) == AMOUNT + 11
    refused(lambda: scene.release(0), "Distributions_NothingToMove")
    refused(lambda: scene.post(0, tree), "Distributions_AmountAboveWaiting")
    scene.check_journal()


def test_p17_eight_rounds_do_not_stop_the_release(scene: Scene) -> None:
    for number in range(8):
        scene.stand(0, scene.tree(10, first=500 + number), 20)
    scene.at(scene.dates(0)["heldUntil"] + 1)
    scene.release(0)
    assert scene.waiting(0) == 0
    scene.donate(0, AMOUNT)
    scene.sweep(0)
    assert scene.waiting(0) == 0
    assert everything(scene, 0) == 2 * AMOUNT


def test_release_needs_a_first_round_and_ends_what_is_posted(scene: Scene) -> None:
    scene.at(scene.dates(0)["heldUntil"] + 1)
    refused(lambda: scene.release(0), "Distributions_Mismatch")
    scene.fall_back(0)
    refused(lambda: scene.release(0), "Distributions_NothingToMove")


def test_p17_a_posting_that_nobody_settled_is_settled_before_the_release(scene: Scene) -> None:
    first, other = scene.tree(600_000), scene.tree(300_000, first=300)
    scene.stand(0, first, AMOUNT)
    scene.post(0, other, 400_000)
    scene.at(scene.dates(0)["heldUntil"] + 1)
    refused(lambda: scene.release(0), "Distributions_WrongStage")
    scene.finish(0)
    scene.release(0)
    assert (scene.got(first), scene.got(other)) == (700_000, 300_000)


# Payees


def test_p17_every_leaf_can_be_claimed(scene: Scene) -> None:
    tree = scene.tree(600_000, 400_000)
    scene.stand(0, tree)
    for index, units in enumerate((600_000, 400_000)):
        scene.splits.claim([leaf_args(leaf_of(tree, scene.dollar.address, index))])
        assert scene.dollar.balanceOf(account(200 + index)) - (10**30 if index == 0 else 0) == units


def test_money_in_another_token_is_nobodys(scene: Scene) -> None:
    other = scene.chain.deploy("PlainToken", 6)
    other.mint(scene.payer.address, 100)
    scene.donate(0, 100, token=other.address)
    tree = scene.tree(AMOUNT)
    one = scene.stand(0, tree)
    refused(
        lambda: scene.distributions.sweep(scene.licence, 0, [(other.address, *one[1:])]),
        "Distributions_Mismatch",
    )
    assert scene.waiting(0, other.address) == 100
    assert scene.round(0)["stage"] == STOOD
