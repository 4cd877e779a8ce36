"""What somebody might try: each game of the design's list of attacks, and what comes of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from _distributions import FELL, HOLDER, NEW_HOLDER, OPEN, OTHER_HOLDER, Scene
from _licences import (
    ARBITER,
    ARBITER_WINDOW,
    DISPUTE_WINDOW,
    LICENSEE,
    LICENSOR,
    NO_PERMIT,
    STRANGER,
    figures,
    month,
)
from _mini import Contract, account
from _splits import refused

from ledger.domain.merkle_sum import MerkleSumTree

AMOUNT = 1_000_000
BOND = AMOUNT // 100
PUPPET = NEW_HOLDER


@pytest.fixture
def scene() -> Scene:
    """August 2025 has begun; July was reported and paid."""
    made = Scene()
    made.at(month(1))
    made.earn(0, AMOUNT)
    return made


# Objection, concession and replacement games


def test_p08_a_poster_cannot_object_to_itself_and_concede_past_the_holders(scene: Scene) -> None:
    """A puppet's counter-split never stands without a window of its own, in which anybody may object."""
    fair = scene.tree(AMOUNT // 2, AMOUNT // 2)
    scene.post(0, fair)
    loot = scene.publish(MerkleSumTree.build([(STRANGER, AMOUNT)]))
    scene.contest(0, loot, by=PUPPET, tree=fair)
    scene.concede(0)
    assert scene.round(0)["stage"] == OPEN
    scene.chain.move(DISPUTE_WINDOW)
    refused(lambda: scene.finish(0), "Distributions_WindowOpen")
    scene.contest(0, fair)
    scene.chain.move(ARBITER_WINDOW + 1)
    refused(lambda: scene.concede(0), "Distributions_WindowClosed")
    scene.close(0)
    assert scene.got(loot) == 0
    assert scene.got(scene.standing) == AMOUNT + BOND


def test_a_puppets_objection_only_leads_to_the_arbiter_or_the_fallback(scene: Scene) -> None:
    loot = scene.publish(MerkleSumTree.build([(PUPPET, AMOUNT)]))
    scene.post(0, loot)
    scene.contest(0, by=PUPPET, tree=loot)
    scene.chain.move(ARBITER_WINDOW + 1)
    refused(lambda: scene.finish(0), "Distributions_WrongStage")
    scene.close(0)
    assert scene.got(loot) == 0


def test_an_objection_cannot_be_bought_back(scene: Scene) -> None:
    scene.post(0, scene.tree(AMOUNT))
    scene.contest(0)
    for call in (
        lambda: scene.post(0, scene.tree(AMOUNT - 1, 1), replace=True),
        lambda: scene.finish(0),
        lambda: scene.contest(0, by=OTHER_HOLDER, index=1),
        lambda: scene.post(0, scene.tree(AMOUNT)),
        lambda: scene.fall_back(0),
    ):
        refused(call, "Distributions_WrongStage")


def test_p08_the_fallback_is_not_what_a_licensor_posted_for_dust(scene: Scene) -> None:
    """A distribution that nobody minded, since it was for a unit, is worth a unit as a fallback."""
    loot = scene.publish(MerkleSumTree.build([(STRANGER, 1)]))
    cheap = scene.weighted()
    scene.licence = cheap
    scene.donate(0, 1)
    last = scene.stand(0, loot, 1)
    scene.at(month(2))
    scene.donate(1, AMOUNT)
    scene.at(scene.dates(1)["decidedBy"] + 1)
    scene.fall_back(1, last)
    assert (scene.got(loot), scene.got(scene.standing)) == (2, AMOUNT - 1)


def test_p08_the_fallback_is_not_what_a_licensor_posted_for_others_held_money(scene: Scene) -> None:
    """What counts is what went to the split, not what the posting was for."""
    loot = scene.publish(MerkleSumTree.build([(STRANGER, 1)]))
    last = scene.stand(0, loot, AMOUNT)
    scene.at(month(2))
    scene.earn(1, AMOUNT)
    scene.at(scene.dates(1)["decidedBy"] + 1)
    scene.fall_back(1, last)
    assert (scene.got(loot), scene.got(scene.standing)) == (2, AMOUNT - 1)


def test_later_periods_do_not_choose_an_earlier_ones_fallback(scene: Scene) -> None:
    scene.at(month(2))
    scene.earn(1, AMOUNT)
    loot = scene.publish(MerkleSumTree.build([(STRANGER, AMOUNT)]))
    last = scene.stand(1, loot)
    scene.at(scene.dates(0)["decidedBy"] + 1)
    scene.fall_back(0, last)
    assert (scene.got(loot), scene.got(scene.standing)) == (AMOUNT, AMOUNT)


def test_another_licences_distribution_is_no_fallback(scene: Scene) -> None:
    loot = scene.publish(MerkleSumTree.build([(STRANGER, AMOUNT)]))
    last = scene.stand(0, loot)
    scene.licence = scene.weighted(days_to_report=100, days_to_pay=100)
    scene.donate(1, AMOUNT)
    scene.at(scene.dates(1)["decidedBy"] + 1)
    scene.fall_back(1, last)
    assert (scene.got(loot), scene.got(scene.standing)) == (AMOUNT, AMOUNT)


# The arbiter paying itself


def test_p08_a_look_alike_of_licences_reaches_no_period_of_ours(scene: Scene) -> None:
    """Its licence has the number and the terms of ours, and names our Distributions."""
    spoof = scene.chain.deploy("Licences", scene.splits.address, scene.catalogues.address)
    terms, what = scene.bytes[scene.licence], scene.what()
    spoof.offer(terms, what, sender=LICENSOR)
    spoof.accept(terms, what, b"", NO_PERMIT, sender=LICENSEE)
    assert spoof.count() == scene.licences.count() == scene.licence
    scene.dollar.approve(spoof.address, 10**30, sender=LICENSEE)
    spoof.report(scene.licence, terms, figures(0, AMOUNT * 90), True, sender=LICENSEE)
    assert scene.waiting(0) == AMOUNT
    assert scene.state(scene.licence)["nextPeriod"] == 1


def test_the_arbiter_cannot_choose_its_own_counter(scene: Scene) -> None:
    scene.fund_holder(scene.dollar, ARBITER)
    mine = scene.publish(MerkleSumTree.build([(ARBITER, 10), (account(500), AMOUNT - 10)]))
    scene.post(0, mine)
    refused(lambda: scene.contest(0, by=ARBITER, tree=mine), "Distributions_ArbiterIsParty", ARBITER)
    scene.contest(0)
    scene.choose(0, 3)
    assert scene.got(mine) == 0


def test_p08_an_arbiter_that_conceded_may_not_choose_after_handing_the_catalogue_on(scene: Scene) -> None:
    loot = scene.publish(MerkleSumTree.build([(STRANGER, AMOUNT)]))
    scene.post(0, scene.tree(AMOUNT))
    scene.contest(0, loot)
    for old, new in ((LICENSOR, ARBITER), (ARBITER, LICENSOR)):
        scene.catalogues.offerOwnership(scene.catalogue, new, sender=old)
        scene.catalogues.acceptOwnership(scene.catalogue, sender=new)
        if new == ARBITER:
            scene.concede(0, by=ARBITER)
    assert scene.round(0)["byArbiter"]
    scene.contest(0)
    refused(lambda: scene.choose(0, 1), "Distributions_ArbiterIsParty")
    scene.chain.move(ARBITER_WINDOW + 1)
    scene.close(0)
    assert scene.got(loot) == 0


def test_p08_the_arbiter_chooses_among_three_and_nothing_else(scene: Scene) -> None:
    scene.post(0, scene.tree(AMOUNT))
    scene.contest(0)
    loot = scene.publish(MerkleSumTree.build([(ARBITER, AMOUNT)]))
    rounds = [(scene.dollar.address, loot.id, AMOUNT, AMOUNT)]
    for choice in (1, 3):
        refused(
            partial(
                scene.distributions.choose,
                scene.licence,
                scene.bytes[scene.licence],
                0,
                rounds,
                scene.objection(0),
                choice,
                sender=ARBITER,
            ),
            "Distributions_Mismatch",
        )


# Bonds


def test_dust_in_a_bonds_account_goes_with_the_bond(scene: Scene) -> None:
    scene.post(0, scene.tree(AMOUNT))
    scene.donate(0, 3, round_=0)
    scene.contest(0)
    scene.donate(0, 4, round_=0)
    scene.choose(0, 3)
    assert scene.got(scene.own_split(HOLDER)) == BOND + 7
    assert scene.bond_of(0) == 0


def test_the_bond_never_becomes_money_of_the_period_before_it_is_decided(scene: Scene) -> None:
    tree = scene.tree(AMOUNT)
    scene.post(0, tree)
    scene.contest(0)
    assert (scene.waiting(0), scene.bond_of(0)) == (AMOUNT, BOND)
    scene.choose(0, 1)
    assert scene.got(tree) == AMOUNT + BOND
    refused(lambda: scene.sweep(0), "Distributions_NothingToMove")


def test_p08_a_bond_is_pulled_from_the_objector_alone(scene: Scene) -> None:
    """Allowances of others to Distributions are of no use to anyone."""
    scene.post(0, scene.tree(AMOUNT))
    before = [int(scene.dollar.balanceOf(who)) for who in (OTHER_HOLDER, NEW_HOLDER)]
    scene.contest(0)
    assert before == [int(scene.dollar.balanceOf(who)) for who in (OTHER_HOLDER, NEW_HOLDER)]


# Deadlines


def test_p17_whatever_is_tried_the_money_is_decided_by_the_hard_deadline(scene: Scene) -> None:
    """The slowest path: posted, replaced, objected to, and an arbiter that says nothing."""
    dates = scene.dates(0)
    scene.at(dates["postBy"])
    scene.post(0, scene.tree(AMOUNT), by=LICENSEE)
    scene.chain.move(DISPUTE_WINDOW)
    scene.post(0, scene.tree(AMOUNT - 1, 1), by=LICENSEE, replace=True)
    scene.chain.move(DISPUTE_WINDOW)
    scene.contest(0, scene.tree(AMOUNT - 2, 2))
    assert scene.chain.time + ARBITER_WINDOW == dates["decidedBy"]
    scene.at(dates["decidedBy"] + 1)
    scene.close(0)
    assert scene.got(scene.standing) == AMOUNT + BOND
    assert scene.waiting(0) == 0


def test_p17_a_licensor_that_gives_its_catalogue_away_stops_nothing(scene: Scene) -> None:
    scene.post(0, scene.tree(AMOUNT))
    scene.catalogues.offerOwnership(scene.catalogue, STRANGER, sender=LICENSOR)
    scene.catalogues.acceptOwnership(scene.catalogue, sender=STRANGER)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert scene.waiting(0) == 0


def test_p17_the_end_of_a_licence_stops_nothing() -> None:
    scene = Scene(changes={"end": month(1)})
    scene.at(month(1))
    scene.earn(0, AMOUNT)
    scene.licences.expire(scene.licence, scene.bytes[scene.licence])
    scene.stand(0, scene.tree(AMOUNT))
    assert scene.waiting(0) == 0


# Donations


def test_p12_a_donation_to_the_account_is_only_more_money_for_the_same_leaves(scene: Scene) -> None:
    tree = scene.tree(AMOUNT - 1, 1)
    scene.post(0, tree)
    scene.donate(0, AMOUNT)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert scene.owed(tree) == [2 * AMOUNT - 2, 2]


def test_p12_a_credit_to_the_posted_split_by_a_stranger_changes_nothing_here(scene: Scene) -> None:
    tree = scene.tree(AMOUNT // 2)
    scene.post(0, tree, AMOUNT)
    scene.dollar.mint(STRANGER, AMOUNT)
    scene.dollar.approve(scene.splits.address, AMOUNT, sender=STRANGER)
    scene.splits.credit(tree.id, scene.dollar.address, AMOUNT, sender=STRANGER)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert scene.waiting(0) == AMOUNT // 2
    assert scene.owed(tree)[0] == AMOUNT + AMOUNT // 2


def test_p08_only_distributions_moves_the_account(scene: Scene) -> None:
    loot = scene.publish(MerkleSumTree.build([(STRANGER, 1)]))
    for who in (LICENSOR, LICENSEE, ARBITER, STRANGER):
        refused(
            partial(scene.splits.moveAccount, scene.salt(0), scene.dollar.address, loot.id, 1, sender=who),
            "Splits_AccountTooSmall",
        )


# Tokens


def odd(name: str, *args: Any) -> tuple[Scene, Contract]:
    """A licence in an odd token, July's money posted for, holders with bonds."""
    scene = Scene()
    token = scene.chain.deploy(name, 6, *args)
    scene.token = token
    token.mint(scene.payer.address, 10**30)
    scene.fund_holder(token, HOLDER, OTHER_HOLDER)
    scene.licence = scene.weighted(token=token.address)
    scene.at(month(1))
    scene.donate(0, AMOUNT)
    return scene, token


def test_p12_a_bond_in_a_token_with_a_fee_is_what_arrives() -> None:
    scene, _ = odd("FeeToken", 10_000)
    amount = scene.waiting(0)
    assert amount == AMOUNT * 99 // 100
    scene.post(0, scene.tree(amount))
    bond = amount // 100
    refused(lambda: scene.contest(0, pay=bond), "Distributions_BondTooSmall", bond - bond // 100, bond)
    scene.contest(0, pay=2 * bond)
    assert scene.objection(0)[1] == scene.bond_of(0) == 2 * bond - 2 * bond // 100
    scene.choose(0, 3)
    assert scene.got(scene.own_split(HOLDER)) == 2 * bond - 2 * bond // 100


def guarded(scene: Scene, token: Contract, target: Contract, name: str, *args: Any) -> None:
    """In the middle of a bond's transfer the token makes this call; it is refused by the guard."""
    token.arm(target.address, target.data(name, *args), 1, False)
    scene.contest(0)
    assert token.reactions() == 1
    assert not token.lastSuccess()
    assert bytes(token.lastReturned())[:4] == bytes.fromhex("3ee5aeb5"), "ReentrancyGuardReentrantCall"


@pytest.mark.parametrize(
    "name", ["settle", "sweep", "object", "post", "fallBack", "roundOf", "closeObjection"]
)
def test_a_token_that_calls_back_while_a_bond_is_pulled_finds_the_guard(name: str) -> None:
    scene, token = odd("ReenteringToken")
    tree = scene.tree(AMOUNT)
    scene.post(0, tree)
    terms, rounds = scene.bytes[scene.licence], scene.rounds(0)
    objection = (HOLDER, BOND, bytes(32), 0, bytes(32), 0, scene.standing.id)
    arguments: dict[str, tuple[Any, ...]] = {
        "settle": (scene.licence, 0, rounds),
        "sweep": (scene.licence, 0, rounds),
        "object": (scene.licence, terms, 0, rounds, scene.protest(scene.standing, pay=BOND)),
        "post": (scene.licence, terms, 0, [], scene.posting(tree)),
        "fallBack": (scene.licence, terms, 0, rounds[0]),
        "closeObjection": (scene.licence, 0, rounds, objection),
        "roundOf": (scene.licence, 0, 0),
    }
    guarded(scene, token, scene.distributions, name, *arguments[name])
    assert scene.bond_of(0) == BOND
    scene.choose(0, 3)
    assert scene.got(scene.standing) == AMOUNT
    assert scene.round(0)["stage"] == FELL
    scene.check_journal()


def test_a_token_that_calls_splits_while_a_bond_is_pulled_adds_nothing_to_it() -> None:
    scene, token = odd("ReenteringToken")
    scene.post(0, scene.tree(AMOUNT))
    salt = scene.distributions.bondSaltOf(scene.licence, 0, 0)
    guarded(scene, token, scene.payer, "fund", scene.distributions.address, salt, token.address, 5, b"")
    assert scene.bond_of(0) == BOND


def test_a_second_pull_within_a_bonds_pull_is_refused() -> None:
    scene, token = odd("ReenteringToken")
    scene.post(0, scene.tree(AMOUNT))
    target = scene.distributions
    token.arm(target.address, target.data("onSplitsPull", token.address, 10**6, b""), 1, False)
    scene.contest(0)
    assert not token.lastSuccess()
    assert scene.objection(0)[1] == BOND


def test_p14_a_token_cannot_use_a_licence_whose_acceptance_is_under_way() -> None:
    """P-14: a posting would stand in the journals before the acceptance of its licence."""
    scene, token = odd("ReenteringToken")
    terms = scene.terms(token=token.address, upfront_fee=10, distributions=scene.distributions.address)
    number = scene.licences.count() + 1
    token.arm(
        scene.distributions.address, scene.distributions.data("deadlinesOf", number, terms, 0), 1, False
    )
    what = scene.what()
    scene.licences.offer(terms, what, sender=LICENSOR)
    scene.fund(token, LICENSEE)
    scene.licences.accept(terms, what, b"", NO_PERMIT, sender=LICENSEE)
    assert (token.reactions(), token.lastSuccess()) == (1, False)
    assert bytes(token.lastReturned())[:4] == bytes.fromhex("3ee5aeb5"), "ReentrancyGuardReentrantCall"
    assert scene.distributions.deadlinesOf(number, terms, 0)
