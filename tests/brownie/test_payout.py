"""Brownie's own way through the heart of the contracts: publish a split, credit it, pay its page."""

import brownie
import pytest

from ledger.domain.merkle_sum import MerkleSumTree

GAS_EACH = 100_000


@pytest.fixture(autouse=True)
def isolated(fn_isolation):
    """Every test starts on the same chain."""


@pytest.fixture
def splits(Splits, accounts):
    return Splits.deploy({"from": accounts[0]})


@pytest.fixture
def dollar(TestDollar, accounts):
    return TestDollar.deploy({"from": accounts[0]})


@pytest.fixture
def split(splits, accounts):
    """Thirds among three payees, published."""
    tree = MerkleSumTree.build([(str(payee), 1) for payee in accounts[1:4]])
    split = (tree.split.root, tree.split.total, tree.split.depth)
    words = tree.page_words(0)
    splits.publish(split, [(0, words, [])], {"from": accounts[0]})
    return split, words


def test_thirds_are_exact(splits, dollar, split, accounts):
    content, words = split
    dollar.mint(accounts[0], 100, {"from": accounts[0]})
    dollar.approve(splits, 100, {"from": accounts[0]})
    splits.credit(splits.splitId(content), dollar, 100, {"from": accounts[0]})
    splits.payPages(content, dollar, GAS_EACH, [(0, 0, words, [])], {"from": accounts[5]})
    assert [int(dollar.balanceOf(payee)) for payee in accounts[1:4]] == [33, 33, 33]
    assert int(dollar.balanceOf(splits)) == 1


def test_a_page_that_owes_nothing_is_refused(splits, dollar, split, accounts):
    content, words = split
    with brownie.reverts():
        splits.payPages(content, dollar, GAS_EACH, [(0, 0, words, [])], {"from": accounts[5]})
