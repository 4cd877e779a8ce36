"""Publication, and the strictness of proofs: each of these, left out, once took money out of a sketch."""

from __future__ import annotations

from typing import Any

import pytest
from _mini import keccak
from _splits import (
    MIN_GAS,
    OWNER,
    STRANGER,
    Ledger,
    Reverted,
    leaf_args,
    leaf_of,
    payout_args,
    payout_of,
    refused,
    run_args,
    run_of,
    split_args,
    tree_of,
)

from ledger.domain.merkle_sum import MerkleSumTree, Split, leaf_word
from ledger.domain.split_types import Leaf, PagePayout

MAX = 2**256 - 1


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def claim(ledger: Ledger, *leaves: Leaf) -> Any:
    return ledger.splits.claim([leaf_args(leaf) for leaf in leaves], sender=STRANGER)


def pay(ledger: Ledger, token: str, split: Split, *pages: PagePayout) -> Any:
    return ledger.splits.payPages(
        split_args(split), token, MIN_GAS, [payout_args(page) for page in pages], sender=STRANGER
    )


# ---- the five exploits


@pytest.mark.parametrize("depth", [0, 1, 3, 8])
def test_p11_a_leaf_opens_at_its_own_index_only(ledger: Ledger, depth: int) -> None:
    """Exploit 1: the same leaf at many indices, each with a checkpoint of its own."""
    tree = ledger.published(tree_of([5] * (1 << depth)))
    token = ledger.token()
    ledger.credit(tree, token, 1_000_000)
    true = leaf_of(tree, token.address, 0)
    size = 1 << depth
    for index in (size, size + 1, 2 * size, 1 << 32, 1 << 255, MAX - size + 1, MAX):
        false = Leaf(true.split, true.token, index, true.leaf, true.siblings)
        refused(lambda false=false: claim(ledger, false), "Splits_IndexOutOfRange", index, depth)
        with pytest.raises(Reverted):
            ledger.splits.owed(leaf_args(false))
        with pytest.raises(Reverted):
            ledger.splits.placeLeaves([leaf_args(false)], True, sender="0x" + true.leaf[:20].hex())
    for index in range(1, min(size, 20)):
        false = Leaf(true.split, true.token, index, true.leaf, true.siblings)
        refused(lambda false=false: claim(ledger, false), "Splits_ProofMismatch", tree.id)


@pytest.mark.parametrize("leaves", [1, 2, 128, 129, 1024])
def test_p11_a_page_number_past_the_end_is_refused(ledger: Ledger, leaves: int) -> None:
    """Exploit 2: page numbers whose low bits are those of a true page."""
    tree = ledger.published(tree_of([1] * leaves))
    token = ledger.token()
    ledger.credit(tree, token, 1_000_000)
    true = payout_of(tree, 0)
    for number in (tree.pages, 2 * tree.pages, 1 << 25, 1 << 128, MAX):
        false = PagePayout(number, 0, true.words, true.siblings)
        refused(
            lambda false=false: pay(ledger, token.address, tree.split, false),
            "Splits_PageOutOfRange",
            number,
            tree.pages,
        )
        page = (number, list(true.words), list(true.siblings))
        refused(
            lambda page=page: ledger.splits.publish(split_args(tree.split), [page]), "Splits_PageOutOfRange"
        )


@pytest.mark.parametrize("leaves", [1, 2, 5, 128, 200])
def test_p11_a_page_has_exactly_the_words_that_are_hashed(ledger: Ledger, leaves: int) -> None:
    """Exploit 3: words behind those that were hashed."""
    tree = ledger.published(tree_of([7] * leaves))
    token = ledger.token()
    ledger.credit(tree, token, 1_000_000)
    true = payout_of(tree, 0)
    size = len(true.words)
    thief = leaf_word(STRANGER, 2**90)
    for words in (
        [*true.words, thief],
        [*true.words, *true.words],
        [*true.words, bytes(32)],
        list(true.words[:-1]),
        list(true.words[: size // 2]),
        [],
    ):
        false = PagePayout(0, 0, words, true.siblings)
        refused(
            lambda false=false: pay(ledger, token.address, tree.split, false),
            "Splits_WrongWordCount",
            len(words),
            size,
        )


def test_p11_a_sum_that_wraps_is_refused(ledger: Ledger) -> None:
    """Exploit 4: a sibling's sum of 2^256 − x takes units away again, so that leaves outweigh the total."""
    mine = leaf_word(STRANGER, 2**40)
    other = bytes(32)
    node = keccak(mine + other)
    for fake in (MAX - 2**40 + 1 + 10, MAX, 2**128, 11):
        total = (2**40 + fake) % 2**256
        root = keccak(node + word(2**40) + bytes(32) + word(fake))
        split = Split(root, min(max(total, 1), 10), 2)
        leaf = Leaf(split, ledger.token().address, 0, mine, [other, bytes(32), word(fake)])
        refused(lambda leaf=leaf: claim(ledger, leaf), "Splits_SumAboveTotal")
    # The sibling below the total, the running sum above it.
    root = keccak(node + word(2**40) + bytes(32) + word(2**40))
    split = Split(root, 2**40, 2)
    leaf = Leaf(split, ledger.token().address, 0, mine, [other, bytes(32), word(2**40)])
    refused(lambda: claim(ledger, leaf), "Splits_SumAboveTotal", 2**41, 2**40)


def test_p11_a_page_whose_sums_wrap_is_refused(ledger: Ledger) -> None:
    tree = tree_of([2**40] * 128)
    top, units = tree.levels[7][:32], 2**47
    for fake in (MAX - units + 1 + 10, MAX, 11):
        split = Split(keccak(top + word(units) + bytes(32) + word(fake)), 10, 8)
        page = PagePayout(0, 0, tree.page_words(0), [bytes(32), word(fake)])
        refused(
            lambda split=split, page=page: pay(ledger, ledger.token().address, split, page),
            "Splits_SumAboveTotal",
        )


def test_p11_a_leaf_that_was_never_hashed_is_refused(ledger: Ledger) -> None:
    """Exploit 5: at depth 0, or with an empty proof, the leaf has to be the root itself."""
    token = ledger.token()
    thief = leaf_word(STRANGER, 2**90)
    one = ledger.published(tree_of([9]))
    ledger.credit(one, token, 100)
    for split in (one.split, Split(one.split.root, 2**90, 0)):
        refused(
            lambda split=split: claim(ledger, Leaf(split, token.address, 0, thief, [])),
            "Splits_ProofMismatch",
        )
        page = PagePayout(0, 0, [thief], [])
        name = "Splits_ProofMismatch" if split.total > 9 else "Splits_SumAboveTotal"
        refused(lambda split=split, page=page: pay(ledger, token.address, split, page), name)
    for tree in (tree_of([1, 2]), tree_of([1] * 5), tree_of([1] * 300)):
        ledger.published(tree)
        expected = 2 * tree.depth - 1
        for length in (0, expected - 1, expected + 1, expected + 2, 65):
            leaf = Leaf(tree.split, token.address, 0, tree.leaf(0), [bytes(32)] * length)
            if length != expected:
                refused(lambda leaf=leaf: claim(ledger, leaf), "Splits_WrongProofLength", length, expected)
    refused(
        lambda: claim(ledger, Leaf(one.split, token.address, 0, one.leaf(0), [bytes(32)])),
        "Splits_WrongProofLength",
        1,
        0,
    )


def test_p11_a_page_proof_has_exactly_its_length(ledger: Ledger) -> None:
    token = ledger.token().address
    for leaves in (1, 100, 128, 129, 600):
        tree = tree_of([1] * leaves)
        true = payout_of(tree, 0)
        for siblings in (
            [*true.siblings, bytes(32)],
            [*true.siblings, bytes(32), bytes(32)],
            true.siblings[:-1],
        ):
            if len(siblings) == len(true.siblings):
                continue
            page = PagePayout(0, 0, true.words, siblings)
            refused(
                lambda tree=tree, page=page: pay(ledger, token, tree.split, page),
                "Splits_WrongProofLength",
                len(siblings),
                len(true.siblings),
            )


# ---- ranges, and nodes that pose as others


def test_p11_depth_and_total_stay_in_range(ledger: Ledger) -> None:
    for depth in (33, 2**128, MAX):
        refused(
            lambda depth=depth: ledger.splits.splitId((bytes(32), 1, depth)), "Splits_DepthTooLarge", depth
        )
    for total in (0, 2**128, MAX):
        refused(
            lambda total=total: ledger.splits.splitId((bytes(32), total, 1)), "Splits_TotalOutOfRange", total
        )
    for split in (Split(b"\x07" * 32, 1, 0), Split(b"\x08" * 32, 2**128 - 1, 32)):
        assert ledger.splits.splitId(split_args(split)) == split.id
        assert split.id == keccak(split.root + word(split.total) + word(split.depth))


def test_p11_an_inner_node_is_no_leaf_and_a_leaf_no_node(ledger: Ledger) -> None:
    """64 bytes above leaves, 128 above nodes: a tree read as deeper or shallower does not open."""
    token = ledger.token().address
    tree = tree_of([3, 4, 5, 6])
    low, high = tree.levels[1][:64], tree.levels[1][64:]
    for depth, leaf, siblings in (
        (1, low[:32], [high[:32]]),
        (3, tree.leaf(0), [tree.leaf(1), high[:32], high[32:], bytes(32), word(0)]),
        (0, tree.split.root, []),
    ):
        split = Split(tree.split.root, tree.split.total, depth)
        with pytest.raises(Reverted) as caught:
            claim(ledger, Leaf(split, token, 0, leaf, siblings))
        assert caught.value.name in ("Splits_ProofMismatch", "Splits_BadLeaf", "Splits_SumAboveTotal")


def test_p11_depth_32_opens_at_its_last_index(ledger: Ledger) -> None:
    """The deepest tree, one leaf at the far right, everything else padding."""
    token = ledger.token()
    leaf, units = leaf_word(STRANGER, 2**96 - 1), 2**96 - 1
    siblings, pad, pad_next = [bytes(32)], bytes(32), keccak(bytes(64))
    node = keccak(pad + leaf)
    for _ in range(31):
        siblings += [pad_next, word(0)]
        node, pad_next = (
            keccak(pad_next + word(0) + node + word(units)),
            keccak(pad_next + word(0) + pad_next + word(0)),
        )
    split = Split(node, units, 32)
    item = Leaf(split, token.address, 2**32 - 1, leaf, siblings)
    assert ledger.splits.owed(leaf_args(item)) == 0
    payer = ledger.payer(token)
    payer.credit(split.id, token.address, 12_345, b"")
    claim(ledger, item)
    assert token.balanceOf(STRANGER) == 12_345
    refused(
        lambda: claim(ledger, Leaf(split, token.address, 2**32, leaf, siblings)),
        "Splits_IndexOutOfRange",
        2**32,
        32,
    )


@pytest.mark.parametrize("which", ["payee without units", "units without payee"])
def test_p11_payee_is_zero_if_and_only_if_units_are(ledger: Ledger, which: str) -> None:
    bad = leaf_word(STRANGER, 0) if which == "payee without units" else bytes(20) + (5).to_bytes(12, "big")
    good = leaf_word(OWNER, 3)
    units = int.from_bytes(bad[20:], "big")
    split = Split(keccak(good + bad), 3 + units, 1)
    token = ledger.token().address
    refused(lambda: ledger.splits.publish(split_args(split), [(0, [good, bad], [])]), "Splits_BadLeaf", bad)
    refused(lambda: claim(ledger, Leaf(split, token, 1, bad, [good])), "Splits_BadLeaf", bad)
    if units:
        single = Split(bad, units, 0)
        refused(lambda: ledger.splits.publish(split_args(single), [(0, [bad], [])]), "Splits_BadLeaf", bad)


def test_p11_a_page_that_nobody_could_publish_takes_no_more_than_its_own(ledger: Ledger) -> None:
    """Credited by a caller whose word was false, units without a payee are paid to nobody."""
    good, bad = leaf_word(OWNER, 3), bytes(20) + (5).to_bytes(12, "big")
    split = Split(keccak(good + bad), 8, 1)
    token, before = ledger.token("TestDollar"), 2**180
    token.mint(ledger.address, 1_000)
    ledger.payer(token).credit(split.id, token.address, 80, b"")
    assert pay(ledger, token.address, split, PagePayout(0, 0, [good, bad], [])) == 30
    assert (token.balanceOf(OWNER) - before, ledger.held(token)) == (30, 1_050)
    refused(lambda: claim(ledger, Leaf(split, token.address, 1, bad, [good])), "Splits_BadLeaf", bad)


def test_p11_padding_cannot_be_claimed(ledger: Ledger) -> None:
    tree = ledger.published(tree_of([1, 1, 1]))
    item = leaf_of(tree, ledger.token().address, 3)
    refused(lambda: claim(ledger, item), "Splits_BadLeaf", bytes(32))


# ---- publication


def test_publication_by_pages_in_any_order_and_only_once(ledger: Ledger) -> None:
    tree = tree_of(range(1, 601))
    assert tree.pages == 8
    seen = []
    for number in (3, 0, 3, 7, 1):
        ledger.publish(tree, [number])
        seen.append(number)
        assert ledger.splits.publication(tree.id) == (len(set(seen)), 8)
        assert not ledger.splits.isPublished(tree.id)
        for page in range(9):
            assert ledger.splits.isPagePublished(tree.id, page) == (page in seen)
    ledger.publish(tree, [6, 5, 5, 4, 2, 0])
    assert ledger.splits.isPublished(tree.id)
    assert ledger.splits.publication(tree.id) == (8, 8)
    ledger.publish(tree, range(8))
    ledger.publish(tree, [])
    assert ledger.splits.publication(tree.id) == (8, 8)
    assert len(list(ledger.splits.events("PagePublished"))) == 8


@pytest.mark.parametrize("leaves", [1, 2, 3, 100, 128])
def test_publication_of_one_page_is_idempotent(ledger: Ledger, leaves: int) -> None:
    tree = tree_of([1] * leaves)
    assert not ledger.splits.isPublished(tree.id)
    assert not ledger.splits.isPagePublished(tree.id, 0)
    for _ in range(2):
        ledger.publish(tree, [0, 0])
        assert ledger.splits.isPublished(tree.id)
        assert ledger.splits.publication(tree.id) == (1, 1)
        assert ledger.splits.isPagePublished(tree.id, 0)
        assert not ledger.splits.isPagePublished(tree.id, 1)


def test_publication_tells_the_words_without_the_padding_behind(ledger: Ledger) -> None:
    tree = ledger.published(tree_of(range(1, 131)))
    told = [values for _, values in ledger.splits.events("PagePublished")]
    assert [len(values[5]) for values in told] == [128, 2]
    empty = MerkleSumTree.build([(STRANGER, 5)])
    ledger.published(empty)
    assert tree.id != empty.id


def test_p11_a_split_that_pays_splits_is_refused(ledger: Ledger) -> None:
    tree = MerkleSumTree.build([(OWNER, 1), (STRANGER, 1), (ledger.address, 1)])
    at = tree.index_of(ledger.address)
    refused(
        lambda: ledger.splits.publish(split_args(tree.split), [run_args(run_of(tree, 0))]),
        "Splits_PayeeIsSplits",
        at,
    )
    big = MerkleSumTree.build([(ledger.address, 1), *tree_of([1] * 140).entries()])
    page = big.index_of(ledger.address) // 128
    refused(
        lambda: ledger.splits.publish(split_args(big.split), [run_args(run_of(big, page))]),
        "Splits_PayeeIsSplits",
        big.index_of(ledger.address) % 128,
    )


def test_nobody_credits_a_split_before_every_page_is_public(ledger: Ledger) -> None:
    tree = tree_of([1] * 300)
    token = ledger.token()
    payer = ledger.payer(token)
    salt = b"\x05" * 32
    ledger.fund(OWNER, salt, token, 50)
    for number in range(tree.pages):
        refused(lambda: ledger.credit(tree, token, 10), "Splits_NotPublished", tree.id)
        refused(lambda: ledger.move_account(OWNER, salt, token, tree, 10), "Splits_NotPublished", tree.id)
        ledger.publish(tree, [number])
    ledger.credit(tree, token, 10)
    ledger.move_account(OWNER, salt, token, tree, 10)
    assert ledger.splits.cumulative(tree.id, token.address) == 20
    assert payer.lastAmount() == 50
