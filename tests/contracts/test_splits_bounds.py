"""P-15 and gas as a weapon: the largest calls fit in a transaction, and nobody is skipped by starving a page.

The chain of these tests keeps slots warm between calls; bounds leave room for that. Intrinsic gas counts.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from _mini import UNOPTIMISED, Contract, keccak
from _splits import (
    MIN_GAS,
    OWNER,
    STRANGER,
    TX_GAS,
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

from ledger.domain.merkle_sum import MerkleSumTree, Split, leaf_word
from ledger.domain.split_types import Leaf, PagePayout

BURN_GAS, LOOP = 13, 14
# What goes on a chain is the optimised build; the other does the same with more gas.
LIMIT = 2 * TX_GAS if UNOPTIMISED else TX_GAS
EACH = 32_000 if UNOPTIMISED else 27_000  # a payee of a page
ROOM = 100_000  # for slots that are warm here and cold on a chain


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def used(ledger: Ledger) -> int:
    return int(ledger.chain.evm.result.gas_used)


def pay(ledger: Ledger, tree: MerkleSumTree, token: Contract, **options: Any) -> Any:
    gas_each, retry = options.pop("gas_each", MIN_GAS), options.pop("retry", 0)
    page = payout_args(payout_of(tree, 0, retry))
    return ledger.splits.payPages(
        split_args(tree.split), token.address, gas_each, [page], sender=STRANGER, **options
    )


def grown(
    rng: random.Random, node: tuple[bytes, int], levels: int, index: int
) -> tuple[bytes, int, list[bytes]]:
    """Root, total and proof of a node, with random siblings of chosen sums `levels` high above it."""
    digest, units = node
    proof: list[bytes] = []
    for _ in range(levels):
        other, weight = rng.randbytes(32), rng.randrange(2**90)
        mine = digest + units.to_bytes(32, "big")
        theirs = other + weight.to_bytes(32, "big")
        digest = keccak(mine + theirs if index & 1 == 0 else theirs + mine)
        units += weight
        index >>= 1
        proof += [other, weight.to_bytes(32, "big")]
    return digest, units, proof


# ---- the gas of each transfer is the caller's word, and it holds


def test_p06_less_than_100_000_gas_each_is_refused(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1])), ledger.token()
    ledger.credit(tree, token, 100)
    for gas in (0, 1, MIN_GAS - 1):
        refused(
            lambda gas=gas: ledger.pay(tree, token, gas_each=gas), "Splits_GasPerTransferTooLow", gas, MIN_GAS
        )
    for gas in (2**64, 2**255, 2**256 - 1):
        with pytest.raises(Reverted):
            pay(ledger, tree, token, gas_each=gas)
    ledger.pay(tree, token, gas_each=MIN_GAS)


@pytest.mark.parametrize("gas_each", [100_000, 163_840, 400_000])
def test_p06_starving_a_page_skips_nobody(ledger: Ledger, gas_each: int) -> None:
    """Whatever its gas, the call reverts or pays everybody: each transfer gets the whole of `gas_each`."""
    tree, token = ledger.published(tree_of([1] * 8)), ledger.token("HungryToken", 6)
    token.setAppetite(gas_each - 500)  # what finding the function costs
    ledger.credit(tree, token, 800)
    outcomes = []
    for limit in range(100_000, 500_000 + gas_each + gas_each // 20, 997):
        mark = ledger.chain.evm.snapshot()
        try:
            pay(ledger, tree, token, gas_each=gas_each, gas=limit)
            assert ledger.state(tree, token) == (800, 0), limit
            outcomes.append(True)
        except Reverted:
            outcomes.append(False)
        ledger.chain.evm.revert(mark)
    assert set(outcomes) == {True, False}
    assert outcomes == sorted(outcomes)


@pytest.mark.parametrize("place", [0, 3, 7])
def test_p06_a_transfer_gets_the_whole_of_its_gas(ledger: Ledger, place: int) -> None:
    """A token that loops as long as it has gas shows how much it was given: writes to a slot, counted."""
    tree = ledger.published(tree_of([1] * 8))
    token = ledger.token("DialectToken", 6, 0)
    ledger.credit(tree, token, 800)
    token.setDialect(payees(8)[place], BURN_GAS)
    burnt = {}
    for gas_each in (100_000, 1_000_000):
        mark = ledger.chain.evm.snapshot()
        pay(ledger, tree, token, gas_each=gas_each, gas=TX_GAS)
        burnt[gas_each] = used(ledger)
        assert ledger.state(tree, token) == (800, bits(place))
        ledger.chain.evm.revert(mark)
    assert abs(burnt[1_000_000] - burnt[100_000] - 900_000) < 1_000


def test_p15_a_page_of_128_that_burn_all_their_gas_fits_in_a_transaction(ledger: Ledger) -> None:
    """All but one burn 100,000 gas, first in the page, then as leaves claimed ahead, then in a retry."""
    tree, token = ledger.published(tree_of([1] * 128)), ledger.token("DialectToken", 6, 0)
    ledger.credit(tree, token, 128_000)
    for payee in payees(128)[1:]:
        token.setDialect(payee, BURN_GAS)
    pay(ledger, tree, token, gas=LIMIT - ROOM)
    assert used(ledger) > 127 * MIN_GAS
    assert ledger.state(tree, token) == (128_000, (1 << 128) - 2)
    ledger.splits.credit(tree.id, token.address, 128_000, sender=OWNER)
    pay(ledger, tree, token, retry=2**256 - 1, gas=LIMIT - 127 * 2_000 - ROOM)
    assert ledger.state(tree, token) == (256_000, (1 << 128) - 2)
    assert ledger.splits.leafState(tree.id, token.address, 77) == (2, 0)


def test_p15_128_leaves_claimed_ahead_that_burn_fit_in_a_transaction(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1] * 128)), ledger.token("DialectToken", 6, 0)
    ledger.credit(tree, token, 128_000)
    ledger.splits.claim([leaf_args(leaf_of(tree, token.address, i)) for i in range(128)], sender=STRANGER)
    assert used(ledger) < LIMIT - 128 * 2_000
    ledger.splits.credit(tree.id, token.address, 128_000, sender=OWNER)
    for payee in payees(128)[1:]:
        token.setDialect(payee, BURN_GAS)
    pay(ledger, tree, token, gas=LIMIT - 127 * 7_000 - ROOM)
    assert ledger.state(tree, token) == (256_000, (1 << 128) - 2)
    assert ledger.splits.leafState(tree.id, token.address, 77) == (2, 128_000)


def test_p06_one_who_burns_costs_the_page_no_more_than_his_share(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1] * 16)), ledger.token("DialectToken", 6, 0)
    ledger.credit(tree, token, 1_600)
    token.setDialect(payees(16)[5], LOOP)
    pay(ledger, tree, token)
    assert used(ledger) < 16 * 40_000 + MIN_GAS + 60_000
    assert ledger.state(tree, token) == (1_600, bits(5))


# ---- a million payees


@pytest.mark.parametrize("depth", [7, 20, 32])
def test_p15_every_call_fits_at_any_number_of_payees(ledger: Ledger, depth: int) -> None:
    """A page and a leaf of a tree of 2^20 and of 2^32 leaves: a level costs a hash and no more."""
    rng = random.Random(depth)
    page_tree, token = tree_of([2**60 + i for i in range(128)]), ledger.token("TestDollar")
    number = rng.randrange(1 << (depth - 7))
    node = (page_tree.levels[7][:32], page_tree.split.total)
    root, total, proof = grown(rng, node, depth - 7, number)
    split = Split(root, total, depth)
    page = PagePayout(number, 0, page_tree.page_words(0), proof)
    ledger.splits.publish(split_args(split), [(number, list(page.words), proof)])
    assert used(ledger) < 400_000
    assert ledger.splits.publication(split.id) == (1, 1 << (depth - 7))
    assert ledger.splits.isPublished(split.id) == (depth == 7)
    ledger.payer(token).credit(split.id, token.address, 10**18, b"")
    ledger.splits.payPages(split_args(split), token.address, MIN_GAS, [payout_args(page)], sender=STRANGER)
    assert used(ledger) < 128 * EACH + 100_000 + ROOM
    for place in (0, 127):
        units = 2**60 + place
        assert token.balanceOf(payees(128)[place]) == 10**18 * units // total
    index = number * 128 + 5
    leaf = Leaf(split, token.address, index, page_tree.leaf(5), [*page_tree.leaf_proof(5), *proof])
    ledger.payer(token).credit(split.id, token.address, 10**18, b"")
    assert (
        ledger.splits.claim([leaf_args(leaf)])
        == 2 * 10**18 * (2**60 + 5) // total - 10**18 * (2**60 + 5) // total
    )
    assert used(ledger) < 200_000


def test_p15_many_pages_and_many_splits_in_one_call(ledger: Ledger) -> None:
    """Memory is given back between pages, so its price does not grow with the square of their number."""
    tree, token = ledger.published(tree_of([1] * 1_024)), ledger.token("TestDollar")
    ledger.splits.credit(tree.id, token.address, 1_024_000, sender=OWNER)
    costs = []
    for pages in ([0], [1], [2, 3, 4, 5, 6, 7]):
        payouts = [payout_args(payout_of(tree, number)) for number in pages]
        ledger.splits.payPages(split_args(tree.split), token.address, MIN_GAS, payouts)
        costs.append(used(ledger))
    assert costs[2] < 6.05 * costs[1]


def test_p15_claims_from_a_hundred_splits_in_one_call(ledger: Ledger) -> None:
    token = ledger.token("TestDollar")
    leaves = []
    for number in range(100):
        tree = MerkleSumTree.build([(STRANGER, 7), *tree_of([1] * 20, 5_000 + 100 * number).entries()])
        ledger.published(tree)
        ledger.splits.credit(tree.id, token.address, 2_700, sender=OWNER)
        leaves.append(leaf_args(leaf_of(tree, token.address, tree.index_of(STRANGER))))
        ledger.pass_over()
    ledger.splits.claimTo(leaves[:1], STRANGER, sender=STRANGER)
    one = used(ledger)
    ledger.splits.claimTo(leaves, STRANGER, sender=STRANGER)
    assert token.balanceOf(STRANGER) == 70_000
    assert used(ledger) < one + 99 * 60_000 < TX_GAS


def test_p15_publishing_a_page_costs_about_a_thousand_gas_a_payee(ledger: Ledger) -> None:
    tree = tree_of([1] * 128)
    ledger.published(tree)
    assert used(ledger) < 128 * 1_600
    assert leaf_word(STRANGER, 1)[:20].hex() == STRANGER[2:]
