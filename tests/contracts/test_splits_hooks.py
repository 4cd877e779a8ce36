"""Tokens that call their payees: whatever one does in a hook, nobody is paid less and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from _mini import Contract
from _splits import (
    MIN_GAS,
    OWNER,
    SINK,
    STRANGER,
    Ledger,
    Reverted,
    bits,
    leaf_args,
    leaf_of,
    payees,
    payout_args,
    payout_of,
    refused,
    split_args,
    tree_of,
)

from ledger.domain.merkle_sum import MerkleSumTree

TAKES, REFUSES, BURNS = 0, 1, 2


class Scene:
    """Three payees of equal units, the second of which has code and is called by the token."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.token = self.ledger.token("HookToken", 6)
        self.payee: Contract = self.ledger.chain.deploy("ReenteringPayee")
        self.address = self.payee.address.lower()
        entries = [(self.address, 1), (payees(1)[0], 1), ("0x" + "ff" * 20, 1)]
        self.tree = self.ledger.published(MerkleSumTree.build(entries))
        self.place = self.tree.index_of(self.address)
        assert self.place == 1
        self.credit()

    def credit(self) -> None:
        """300 units; the token would call Splits too, which takes no such calls, so the payer mints them."""
        payer = self.ledger.payer(self.token)
        payer.setSurplus(-300)
        payer.arm(self.token.address, self.token.data("mint", self.ledger.address, 300), 1, True)
        self.ledger.both(
            lambda: self.ledger.book.credit(payer.address.lower(), self.tree.id, self.token.address, 300),
            lambda: payer.credit(self.tree.id, self.token.address, 300, b""),
        )

    def leaf(self, place: int) -> tuple[Any, ...]:
        return leaf_args(leaf_of(self.tree, self.token.address, place))

    def data(self, call: str) -> bytes:
        splits, token = self.ledger.splits, self.token.address
        arguments: dict[str, tuple[Any, ...]] = {
            "claim": ([self.leaf(self.place)],),
            "claimTo": ([self.leaf(self.place)], self.address),
            "placeLeaves": ([self.leaf(self.place)], True),
            "setStandingAddress": (SINK,),
            "payPages": (split_args(self.tree.split), token, MIN_GAS, [payout_args(payout_of(self.tree))]),
            "credit": (self.tree.id, token, 50),
            "publish": (split_args(self.tree.split), []),
            "cancelClaimNonce": (),
            "owed": (self.leaf(2),),
            "pageState": (self.tree.id, token, 0),
            "leafState": (self.tree.id, token, 2),
        }
        return splits.data(call, *arguments[call])

    def balances(self) -> list[int]:
        return [self.token.balanceOf("0x" + self.tree.leaf(i)[:20].hex()) for i in range(3)]

    def pay(self, retry: int = 0, gas_each: int = MIN_GAS) -> None:
        page = payout_args(payout_of(self.tree, 0, retry))
        self.ledger.splits.payPages(split_args(self.tree.split), self.token.address, gas_each, [page])


@pytest.fixture
def scene() -> Scene:
    return Scene()


CHANGES = [
    "claim",
    "claimTo",
    "placeLeaves",
    "setStandingAddress",
    "payPages",
    "credit",
    "publish",
    "cancelClaimNonce",
]


@pytest.mark.parametrize("call", CHANGES)
@pytest.mark.parametrize("way", ["page", "claim", "claimTo"])
def test_p05_nothing_runs_within_a_payees_hook(scene: Scene, call: str, way: str) -> None:
    scene.payee.arm(scene.ledger.address, scene.data(call), 1, False)
    if way == "page":
        scene.ledger.pay(scene.tree, scene.token, gas_each=2_000_000)
        assert scene.balances() == [100, 100, 100]
    elif way == "claim":
        scene.ledger.claim([leaf_of(scene.tree, scene.token.address, i) for i in range(3)])
        assert scene.balances() == [100, 100, 100]
    else:
        leaf = leaf_of(scene.tree, scene.token.address, scene.place)
        scene.ledger.both(
            lambda: scene.ledger.book.claim_to(scene.address, [leaf], scene.address),
            lambda: scene.payee.execute(scene.ledger.address, scene.data("claimTo")),
        )
        assert scene.balances() == [0, 100, 0]
    assert (scene.payee.reactions(), scene.payee.lastSuccess()) == (1, False)
    assert scene.ledger.splits.standingAddress(scene.address) == "0x" + "00" * 20
    scene.ledger.same_state(scene.tree, scene.token.address)


@pytest.mark.parametrize("mood", [REFUSES, BURNS])
def test_p06_a_payee_that_refuses_delays_only_itself(scene: Scene, mood: int) -> None:
    scene.payee.setMood(mood)
    scene.ledger.blocked = {scene.address}
    scene.ledger.pay(scene.tree, scene.token)
    assert scene.balances() == [100, 0, 100]
    refused(
        lambda: scene.ledger.splits.claim([scene.leaf(scene.place)], gas=3_000_000), "Splits_TransferFailed"
    )
    scene.payee.setMood(TAKES)
    scene.ledger.blocked = set()
    scene.ledger.pay(scene.tree, scene.token, retry=bits(1), gas_each=300_000)
    assert scene.balances() == [100, 100, 100]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("view", ["owed", "pageState", "leafState"])
def test_p11_read_only_reentrancy_is_refused(scene: Scene, view: str, place: int) -> None:
    """In the middle of a page later payees look paid already; a contract that reads this would be misled."""
    tree, token = scene.tree, scene.token.address
    arguments = {
        "owed": (scene.leaf(place),),
        "pageState": (tree.id, token, 0),
        "leafState": (tree.id, token, place),
    }
    scene.payee.arm(scene.ledger.address, scene.ledger.splits.data(view, *arguments[view]), 1, False)
    scene.ledger.pay(scene.tree, scene.token, gas_each=2_000_000)
    assert (scene.payee.reactions(), scene.payee.lastSuccess()) == (1, False)
    assert scene.balances() == [100, 100, 100]


def test_views_that_a_payer_needs_work_within_its_callback(scene: Scene) -> None:
    payer, token = scene.ledger.payer(scene.token), scene.ledger.token("TestDollar")
    token.mint(payer.address, 1_000)
    payer.setSurplus(0)
    for view, arguments in (
        ("cumulative", (scene.tree.id, scene.token.address)),
        ("isPublished", (scene.tree.id,)),
        ("accountBalance", (bytes(32), scene.token.address)),
        ("splitId", (split_args(scene.tree.split),)),
    ):
        payer.arm(scene.ledger.address, scene.ledger.splits.data(view, *arguments), 1, True)
        payer.credit(scene.tree.id, token.address, 10, b"")
        assert payer.lastSuccess()


def test_p12_a_donation_within_a_hook_hides_no_outflow_and_counts_as_nothing(scene: Scene) -> None:
    data = scene.token.data("mint", scene.ledger.address, 100)
    scene.payee.arm(scene.token.address, data, 1, True)
    scene.ledger.pay(scene.tree, scene.token, gas_each=1_000_000)
    assert scene.balances() == [100, 100, 100]
    assert scene.ledger.held(scene.token) == 100
    assert scene.ledger.splits.cumulative(scene.tree.id, scene.token.address) == 300
    refused(lambda: scene.ledger.pay(scene.tree, scene.token), "Splits_NothingPaid")


def test_p06_a_hook_that_needs_more_gas_waits_for_a_caller_that_gives_it(scene: Scene) -> None:
    """100,000 gas serve no long hook: its payee is passed over, keeps all, and a richer retry pays it."""
    data = scene.ledger.splits.data("isPublished", scene.tree.id)
    scene.payee.arm(scene.ledger.address, data, 1, True)
    try:
        scene.pay()
    except Reverted as caught:
        raise AssertionError(caught) from None
    state = scene.ledger.state(scene.tree, scene.token)
    if state[1]:
        assert state == (300, bits(1))
        scene.pay(retry=bits(1), gas_each=1_000_000)
    assert scene.balances() == [100, 100, 100]


def test_p14_the_head_is_the_fold_after_hooks_that_tried(scene: Scene) -> None:
    """A lost update of the head would show here: the entry of the page is folded after all hooks."""
    for call in CHANGES:
        scene.payee.arm(scene.ledger.address, scene.data(call), 1, False)
        scene.ledger.pay(scene.tree, scene.token, gas_each=2_000_000)
        assert not scene.payee.lastSuccess()
        scene.credit()
        scene.ledger.chain.move(12)
    scene.ledger.same_state(scene.tree, scene.token.address)
    assert scene.balances() == [100 * len(CHANGES)] * 3


def test_p01_a_hostile_token_between_two_good_ones_gets_nothing_of_theirs() -> None:
    """A token that reenters in its transfer, claimed in one call with good ones."""
    ledger = Ledger()
    good, evil = ledger.token("TestDollar"), ledger.token("ReenteringToken", 6)
    tree = ledger.published(tree_of([1, 1]))
    for token in (good, evil):
        ledger.credit(tree, token, 100)
    leaves = [leaf_of(tree, token.address, i) for token in (good, evil, good) for i in (0, 1)]
    evil.arm(ledger.address, ledger.splits.data("claim", [leaf_args(leaf) for leaf in leaves]), 9, False)
    ledger.claim(leaves, sender=STRANGER)
    assert (evil.reactions() > 0, evil.lastSuccess()) == (True, False)
    assert [good.balanceOf(one) for one in payees(2)] == [50, 50]
    assert (ledger.held(good), ledger.held(evil)) == (0, 0)
    assert good.balanceOf(OWNER) > 0
