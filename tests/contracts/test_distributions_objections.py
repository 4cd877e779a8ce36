"""Objections: who may object, the bond, the counter-split, concession, the arbiter's choice and its silence."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from _distributions import (
    COUNTER,
    FALLBACK,
    FELL,
    HOLDER,
    NEW_HOLDER,
    OBJECTED,
    OPEN,
    OTHER_HOLDER,
    POSTED,
    SILENT,
    STOOD,
    Scene,
)
from _licences import (
    ARBITER,
    ARBITER_WINDOW,
    BUYER,
    DISPUTE_WINDOW,
    LICENSEE,
    LICENSOR,
    STRANGER,
    ZERO,
    month,
)
from _mini import keccak
from _splits import leaf_args, leaf_of, refused, tree_of
from eth_abi.abi import encode

from ledger.domain.merkle_sum import MerkleSumTree

AMOUNT = 1_000_000
BOND = AMOUNT // 100


class Posted(Scene):
    """July's money, and a posting that gives all of it to NEW_HOLDER but three units, which are held."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at(month(1))
        self.earn(0, AMOUNT)
        self.first = self.tree(AMOUNT - 3)
        self.other = self.tree(AMOUNT // 2, AMOUNT // 2)
        self.post(0, self.first, AMOUNT)

    def funds(self) -> tuple[int, int, int, int]:
        """What went to the posted, the counter- and the standing split, and what waits."""
        return self.got(self.first), self.got(self.other), self.got(self.standing), self.waiting(0)


@pytest.fixture
def scene() -> Posted:
    return Posted()


# Who


def test_a_holder_of_the_standing_split_objects(scene: Posted) -> None:
    before = int(scene.dollar.balanceOf(HOLDER))
    objection = scene.contest(0, scene.other)
    assert objection == (HOLDER, BOND, scene.other.id, AMOUNT, bytes(32), 0, scene.standing.id)
    state = scene.round(0)
    assert (state["stage"], state["deadline"]) == (OBJECTED, scene.chain.time + ARBITER_WINDOW)
    types = ["address", "uint256", "bytes32", "uint256", "bytes32", "uint256", "bytes32"]
    assert state["objection"] == keccak(encode(types, objection))
    assert before - int(scene.dollar.balanceOf(HOLDER)) == BOND == scene.bond_of(0)
    (entry,) = scene.told("Objected")
    assert (entry["caller"], entry["period"], entry["round"]) == (HOLDER, 0, 0)
    assert (entry["posted"], entry["postedTotal"], entry["amount"]) == (scene.first.id, AMOUNT - 3, AMOUNT)
    assert (entry["splitId"], entry["index"]) == (scene.standing.id, 0)
    assert entry["deadline"] == state["deadline"]
    assert scene.waiting(0) == AMOUNT
    scene.check_journal()


def test_a_holder_of_the_posted_split_objects(scene: Posted) -> None:
    scene.contest(0, by=NEW_HOLDER, tree=scene.first)
    assert scene.told("Objected")[0]["splitId"] == scene.first.id


def test_only_the_payee_of_a_leaf_of_these_splits_objects(scene: Posted) -> None:
    refused(
        lambda: scene.contest(0, by=OTHER_HOLDER), "Distributions_NotHolder", OTHER_HOLDER, scene.standing.id
    )
    mine = scene.publish(MerkleSumTree.build([(STRANGER, 5)]))
    refused(lambda: scene.contest(0, by=STRANGER, tree=mine), "Distributions_NotHolder", STRANGER, mine.id)
    scene.contest(0, by=OTHER_HOLDER, index=1)


def test_a_split_that_is_not_yet_standing_does_not_count(scene: Posted) -> None:
    later = scene.publish(MerkleSumTree.build([(STRANGER, 5)]))
    scene.catalogues.announce(scene.catalogue, later.id, sender=LICENSOR)
    refused(lambda: scene.contest(0, by=STRANGER, tree=later), "Distributions_NotHolder")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda leaf: (*leaf[:2], 4, *leaf[3:]), "Splits_IndexOutOfRange"),
        (lambda leaf: (*leaf[:2], 1, *leaf[3:]), "Splits_ProofMismatch"),
        (lambda leaf: (*leaf[:4], leaf[4][:-2]), "Splits_WrongProofLength"),
        (lambda leaf: (*leaf[:4], [*leaf[4], bytes(32)]), "Splits_WrongProofLength"),
        (lambda leaf: (*leaf[:3], leaf[3][:20] + bytes(12), leaf[4]), "Splits_BadLeaf"),
    ],
)
def test_p11_the_proof_is_strict(scene: Posted, change: Any, error: str) -> None:
    leaf = change(leaf_args(leaf_of(scene.standing, ZERO, 0)))
    protest = (leaf, (bytes(32), 0, 0), (ZERO, bytes(32), 0, 0), BOND)
    terms = scene.bytes[scene.licence]
    refused(
        lambda: scene.distributions.object(scene.licence, terms, 0, scene.rounds(0), protest, sender=HOLDER),
        error,
    )


def test_the_arbiter_may_not_object() -> None:
    scene = Scene()
    scene.at(month(1))
    scene.earn(0, AMOUNT)
    tree = scene.publish(MerkleSumTree.build([(ARBITER, AMOUNT)]))
    scene.fund_holder(scene.dollar, ARBITER)
    scene.post(0, tree)
    refused(lambda: scene.contest(0, by=ARBITER, tree=tree), "Distributions_ArbiterIsParty", ARBITER)


# When, and how often


def test_the_window_closes(scene: Posted) -> None:
    deadline = scene.round(0)["deadline"]
    scene.at(deadline + 1)
    refused(lambda: scene.contest(0), "Distributions_WindowClosed", scene.licence, 0, deadline)
    scene.finish(0)


def test_one_objection_a_posting(scene: Posted) -> None:
    scene.contest(0)
    refused(
        lambda: scene.contest(0, by=OTHER_HOLDER, index=1),
        "Distributions_WrongStage",
        scene.licence,
        0,
        0,
        OBJECTED,
    )
    scene.chain.move(ARBITER_WINDOW + 1)
    refused(lambda: scene.finish(0), "Distributions_WrongStage")


def test_what_is_not_posted_cannot_be_objected_to(scene: Posted) -> None:
    wrong = [(scene.dollar.address, scene.other.id, AMOUNT, AMOUNT)]
    refused(lambda: scene.contest(0, rounds=wrong), "Distributions_Mismatch", scene.licence, 0, 0)
    refused(lambda: scene.contest(1, rounds=wrong), "Distributions_WrongStage")
    terms = scene.bytes[scene.licence]
    refused(
        lambda: scene.distributions.object(
            scene.licence, terms, 0, [], scene.protest(scene.standing), sender=HOLDER
        ),
        "Distributions_Mismatch",
    )


# The bond


def test_a_bond_below_one_percent_is_refused(scene: Posted) -> None:
    refused(lambda: scene.contest(0, pay=BOND - 1), "Distributions_BondTooSmall", BOND - 1, BOND)
    refused(lambda: scene.contest(0, pay=0), "Splits_NothingArrived")
    scene.contest(0, pay=BOND + 5)
    assert scene.objection(0)[1] == BOND + 5


@pytest.mark.parametrize(("amount", "bond"), [(1, 1), (100, 1), (101, 2), (199, 2), (10**24, 10**22)])
def test_the_bond_is_one_percent_rounded_up(amount: int, bond: int) -> None:
    scene = Scene()
    scene.at(month(1))
    scene.earn(0, amount)
    scene.post(0, scene.tree(amount))
    if bond > 1:
        refused(lambda: scene.contest(0, pay=bond - 1), "Distributions_BondTooSmall", bond - 1, bond)
    assert scene.contest(0)[1] == bond


def test_p12_money_that_lies_in_the_bonds_account_is_no_bond(scene: Posted) -> None:
    scene.donate(0, 10 * BOND, round_=0)
    refused(lambda: scene.contest(0, pay=1), "Distributions_BondTooSmall", 1, BOND)


def test_nobody_else_makes_distributions_pull(scene: Posted) -> None:
    call = scene.distributions.onSplitsPull
    refused(
        lambda: call(scene.dollar.address, 5, b"", sender=STRANGER),
        "Distributions_UnexpectedCallback",
        STRANGER,
    )


# The counter-split


def test_refused_counters(scene: Posted) -> None:
    unseen = tree_of([5], 300)
    refused(lambda: scene.contest(0, unseen), "Distributions_SplitNotPublished", unseen.id)
    large = scene.tree(AMOUNT + 1)
    refused(lambda: scene.contest(0, large), "Distributions_TotalAboveAmount", AMOUNT + 1, AMOUNT)
    refused(lambda: scene.contest(0, scene.first), "Distributions_CounterIsPosted", scene.first.id)


# The arbiter


def test_the_arbiter_chooses_the_posted_split_and_the_bond_joins_it(scene: Posted) -> None:
    scene.contest(0, scene.other)
    scene.choose(0, 1)
    assert scene.funds() == (AMOUNT - 3 + BOND, 0, 0, 3)
    assert scene.round(0)["stage"] == STOOD
    assert scene.told("Settled")[0]["outcome"] == POSTED
    (bond,) = scene.told("BondMoved")
    assert (bond["objector"], bond["upheld"], bond["splitId"], bond["amount"]) == (
        HOLDER,
        False,
        scene.first.id,
        BOND,
    )
    assert scene.bond_of(0) == 0
    scene.check_journal()


def test_the_arbiter_chooses_the_counter_and_the_bond_goes_back(scene: Posted) -> None:
    scene.contest(0, scene.other)
    scene.choose(0, 2)
    assert scene.funds() == (0, AMOUNT, 0, 0)
    assert scene.told("Settled")[0]["outcome"] == COUNTER
    own = scene.own_split(HOLDER)
    assert scene.told("BondMoved")[0]["splitId"] == own.id
    assert scene.splits.isPublished(own.id)
    before = int(scene.dollar.balanceOf(HOLDER))
    scene.splits.claim([leaf_args(leaf_of(own, scene.dollar.address, 0))])
    assert int(scene.dollar.balanceOf(HOLDER)) - before == BOND
    scene.check_journal()


def test_the_arbiter_chooses_the_fallback_and_the_bond_goes_back(scene: Posted) -> None:
    scene.contest(0, scene.other)
    scene.choose(0, 3)
    assert scene.funds() == (0, 0, AMOUNT, 0)
    assert scene.round(0)["stage"] == FELL
    assert scene.told("Settled")[0]["outcome"] == FALLBACK
    assert scene.told("BondMoved")[0]["upheld"]
    assert scene.got(scene.own_split(HOLDER)) == BOND


def test_a_second_bond_goes_back_to_the_same_split(scene: Posted) -> None:
    scene.contest(0)
    scene.choose(0, 3)
    scene.at(month(2))
    scene.earn(1, AMOUNT)
    scene.post(1, scene.tree(AMOUNT))
    scene.contest(1)
    scene.choose(1, 3)
    assert scene.got(scene.own_split(HOLDER)) == 2 * BOND


def test_refused_choices(scene: Posted) -> None:
    scene.contest(0)
    for who in (LICENSOR, LICENSEE, HOLDER, STRANGER):
        refused(partial(scene.choose, 0, 1, by=who), "Distributions_NotArbiter", who)
    for choice in (0, 4, 2**255):
        refused(partial(scene.choose, 0, choice), "Distributions_BadChoice", choice)
    refused(lambda: scene.choose(0, 2), "Distributions_BadChoice", 2)
    deadline = scene.round(0)["deadline"]
    scene.at(deadline + 1)
    refused(lambda: scene.choose(0, 1), "Distributions_WindowClosed", scene.licence, 0, deadline)


def test_a_choice_about_another_objection_is_refused(scene: Posted) -> None:
    given = scene.contest(0, scene.other)
    terms, rounds = scene.bytes[scene.licence], scene.rounds(0)
    for place, value in enumerate((STRANGER, BOND + 1, scene.first.id, 1, scene.first.id, 1, scene.first.id)):
        forged = (*given[:place], value, *given[place + 1 :])
        refused(
            partial(scene.distributions.choose, scene.licence, terms, 0, rounds, forged, 2, sender=ARBITER),
            "Distributions_ObjectionMismatch",
            scene.licence,
            0,
            0,
        )


def test_the_arbiter_that_is_a_party_may_not_choose(scene: Posted) -> None:
    scene.contest(0)
    scene.catalogues.offerOwnership(scene.catalogue, ARBITER, sender=LICENSOR)
    scene.catalogues.acceptOwnership(scene.catalogue, sender=ARBITER)
    refused(lambda: scene.choose(0, 1), "Distributions_ArbiterIsParty", ARBITER)


def test_the_arbiter_that_posted_may_not_choose_after_handing_the_catalogue_on() -> None:
    scene = Scene()
    scene.catalogues.offerOwnership(scene.catalogue, ARBITER, sender=LICENSOR)
    scene.catalogues.acceptOwnership(scene.catalogue, sender=ARBITER)
    scene.at(month(1))
    scene.earn(0, AMOUNT)
    scene.post(0, scene.tree(AMOUNT), by=ARBITER)
    assert scene.round(0)["byArbiter"]
    scene.catalogues.offerOwnership(scene.catalogue, BUYER, sender=ARBITER)
    scene.catalogues.acceptOwnership(scene.catalogue, sender=BUYER)
    scene.post(0, scene.tree(AMOUNT - 1, 1), by=BUYER, replace=True)
    scene.contest(0)
    refused(lambda: scene.choose(0, 1), "Distributions_ArbiterIsParty", ARBITER)


def test_the_arbiter_that_is_the_licensee_may_not_choose() -> None:
    scene = Scene()
    scene.licence = scene.accept(
        scene.terms(distributions=scene.distributions.address, licensee=ZERO), by=ARBITER
    )
    scene.at(month(1))
    scene.donate(0, AMOUNT)
    scene.post(0, scene.tree(AMOUNT))
    scene.contest(0)
    refused(lambda: scene.choose(0, 1), "Distributions_ArbiterIsParty", ARBITER)


# Silence


def test_a_silent_arbiter_leaves_the_fallback_and_the_bond_joins_it(scene: Posted) -> None:
    scene.contest(0, scene.other)
    deadline = scene.round(0)["deadline"]
    scene.at(deadline)
    refused(lambda: scene.close(0), "Distributions_WindowOpen", scene.licence, 0, deadline)
    scene.at(deadline + 1)
    scene.close(0)
    assert scene.funds() == (0, 0, AMOUNT + BOND, 0)
    assert scene.told("Settled")[0]["outcome"] == SILENT
    assert not scene.told("BondMoved")[0]["upheld"]
    scene.check_journal()


def test_a_catalogue_without_an_arbiter_is_a_silent_one() -> None:
    scene = Scene()
    scene.catalogue = scene.create(arbiter=ZERO)
    scene.catalogues.announce(scene.catalogue, scene.standing.id, sender=LICENSOR)
    scene.licence = scene.weighted()
    scene.at(month(1))
    scene.earn(0, AMOUNT)
    scene.post(0, scene.tree(AMOUNT))
    scene.contest(0)
    refused(lambda: scene.choose(0, 1, by=STRANGER), "Distributions_NotArbiter")
    scene.chain.move(ARBITER_WINDOW + 1)
    scene.close(0)
    assert scene.got(scene.standing) == AMOUNT + BOND


# Concession


def test_p06_a_concession_makes_the_counter_the_posting_open_to_objections_anew(scene: Posted) -> None:
    scene.contest(0, scene.other)
    for who in (LICENSEE, HOLDER, ARBITER):
        refused(partial(scene.concede, 0, by=who), "Distributions_MayNotPost", scene.licence, 0, who)
    scene.concede(0)
    state = scene.round(0)
    assert (state["stage"], state["replaced"]) == (OPEN, True)
    assert state["deadline"] == scene.chain.time + DISPUTE_WINDOW
    assert scene.got(scene.own_split(HOLDER)) == BOND
    assert scene.told("Conceded")[0]["splitId"] == scene.other.id
    scene.contest(0, by=OTHER_HOLDER, index=1)
    refused(lambda: scene.concede(0), "Distributions_Replaced")
    scene.choose(0, 1)
    assert scene.funds() == (0, AMOUNT + BOND, 0, 0)
    scene.check_journal()


def test_a_concession_that_nobody_objects_to_is_settled(scene: Posted) -> None:
    scene.contest(0, scene.other)
    scene.concede(0)
    scene.chain.move(DISPUTE_WINDOW + 1)
    scene.finish(0)
    assert scene.funds() == (0, AMOUNT, 0, 0)


def test_refused_concessions(scene: Posted) -> None:
    refused(
        lambda: scene.distributions.concede(
            scene.licence,
            scene.bytes[scene.licence],
            0,
            scene.rounds(0),
            (ZERO, 0, bytes(32), 0, bytes(32), 0, bytes(32)),
            sender=LICENSOR,
        ),
        "Distributions_WrongStage",
    )
    scene.contest(0)
    refused(lambda: scene.concede(0), "Distributions_BadChoice", 2)
    scene.at(scene.round(0)["deadline"] + 1)
    refused(lambda: scene.concede(0), "Distributions_WindowClosed")


def test_no_concession_after_a_replacement(scene: Posted) -> None:
    scene.post(0, scene.tree(AMOUNT - 1, 1), replace=True)
    scene.contest(0, scene.other)
    refused(lambda: scene.concede(0), "Distributions_Replaced", scene.licence, 0, 0)


def test_p17_a_concession_needs_time_for_all_windows() -> None:
    scene = Scene()
    scene.at(month(1))
    scene.earn(0, AMOUNT)
    dates = scene.dates(0)
    scene.at(dates["postBy"])
    scene.post(0, scene.tree(AMOUNT))
    scene.chain.move(DISPUTE_WINDOW)
    scene.contest(0, scene.tree(AMOUNT - 1, 1))
    last = dates["decidedBy"] - DISPUTE_WINDOW - ARBITER_WINDOW
    scene.at(last + 1)
    refused(lambda: scene.concede(0), "Distributions_TooLate", scene.licence, 0, dates["decidedBy"])
