"""The hashing of pages beside the model: each depth of a page and above, padding anywhere, ill-formed words."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from _mini import Reverted, keccak
from _splits import (
    LIMIT,
    MIN_GAS,
    OWNER,
    STRANGER,
    Ledger,
    bits,
    leaf_args,
    leaf_of,
    payees,
    payout_args,
    payout_of,
    refused,
    run_args,
    split_args,
    tree_of,
)

from ledger.domain.merkle_sum import MerkleSumTree, Split, used_words
from ledger.domain.split_types import PagePayout, Run

DEPTHS = range(10)
PAGE = 128
ALONE = bytes.fromhex(STRANGER[2:]) + (7).to_bytes(12, "big")
BOMB = 10  # DialectToken.Dialect: moves, returns 32 zero bytes and `bombSize` more
MAX_UNITS = 2**96 - 1

Nodes = list[tuple[bytes, int]]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def levels_of(words: Sequence[bytes]) -> list[Nodes]:
    """(hash, sum) of every node, level by level, as ISplits says and no cleverer."""
    levels: list[Nodes] = [[(one, int.from_bytes(one[20:], "big")) for one in words]]
    while len(levels[-1]) > 1:
        below, leaves = levels[-1], len(levels) == 1
        pairs = zip(below[::2], below[1::2], strict=True)
        levels.append(
            [
                (
                    keccak(left[0] + right[0])
                    if leaves
                    else keccak(left[0] + word(left[1]) + right[0] + word(right[1])),
                    left[1] + right[1],
                )
                for left, right in pairs
            ]
        )
    return levels


def pages_of(words: Sequence[bytes]) -> tuple[Split, list[Run]]:
    """The split of these words, padding and all, and its pages with their proofs."""
    levels = levels_of(words)
    depth = len(levels) - 1
    root, total = levels[-1][0]
    pages = []
    for number in range(max(1, len(words) // PAGE)):
        proof: list[bytes] = []
        for level in range(7, depth):
            node, units = levels[level][(number >> (level - 7)) ^ 1]
            proof += [node, word(units)]
        pages.append(Run(number, list(words[number * PAGE : (number + 1) * PAGE]), proof))
    return Split(root, total, depth), pages


def random_words(rng: random.Random, depth: int) -> list[bytes]:
    """Leaves of a tree with padding in it and behind it; at least one leaf has units."""
    size, empty = 1 << depth, rng.choice([0, 0.1, 0.5, 0.97])
    words = [
        bytes(32)
        if rng.random() < empty
        else rng.randbytes(20) + rng.choice([1, rng.randrange(1, MAX_UNITS), MAX_UNITS]).to_bytes(12, "big")
        for _ in range(size)
    ]
    if rng.random() < 0.7:
        used = rng.randrange(size + 1)
        words[used:] = [bytes(32)] * (size - used)
    if not any(map(any, words)):
        words[rng.choice([0, size - 1, rng.randrange(size)])] = rng.randbytes(20) + (7).to_bytes(12, "big")
    return words


def credit_and_pay(ledger: Ledger, token: str, split: Split, pages: Sequence[Run], amount: int) -> None:
    payouts = [PagePayout(page.first_page, 0, page.words, page.siblings) for page in pages]
    args = [payout_args(one) for one in payouts]
    ledger.both(
        lambda: ledger.book.credit(OWNER, split.id, token, amount),
        lambda: ledger.splits.credit(split.id, token, amount, sender=OWNER),
    )
    ledger.both(
        lambda: ledger.book.pay_pages(STRANGER, split, token, payouts),
        lambda: ledger.splits.payPages(split_args(split), token, MIN_GAS, args, sender=STRANGER),
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_p11_p16_pages_of_random_trees_hash_as_the_model_says(ledger: Ledger, depth: int) -> None:
    """P-11: good pages are published, each word told up to the last that is not padding."""
    rng = random.Random(depth)
    for _ in range(40 if depth < 8 else 12):
        split, pages = pages_of(random_words(rng, depth))
        for page in pages:
            ledger.publish_runs(split, [page])
        told = [values for _, values in ledger.splits.events("PagePublished")][-len(pages) :]
        assert [list(values[5]) for values in told] == [used_words(page.words) for page in pages]
        assert ledger.splits.isPublished(split.id)


@pytest.mark.parametrize("depth", DEPTHS)
def test_p11_p16_dirty_words_and_changed_ones_are_refused_alike(ledger: Ledger, depth: int) -> None:
    """P-11: payees without units, units without a payee, Splits itself, and any bit changed after hashing."""
    rng = random.Random(100 + depth)
    itself = bytes.fromhex(ledger.address[2:])
    outcomes = set()
    for _ in range(60 if depth < 8 else 24):
        words = random_words(rng, depth)
        place = rng.randrange(len(words))
        fault = rng.randrange(5)
        if fault == 0:
            words[place] = bytes(20) + rng.choice([1, MAX_UNITS]).to_bytes(12, "big")
        elif fault == 1:
            words[place] = rng.choice([rng.randbytes(20), b"\xff" * 20, bytes(19) + b"\x01"]) + bytes(12)
        elif fault == 2:
            words[place] = itself + rng.choice([0, 5]).to_bytes(12, "big")
        if not any(any(one[20:]) for one in words):
            continue
        split, pages = pages_of(words)
        page = pages[place // PAGE]
        if fault == 3:
            changed = bytearray(page.words[place % PAGE])
            changed[rng.randrange(32)] ^= 1 << rng.randrange(8)
            page = Run(page.first_page, list(page.words), page.siblings)
            page.words[place % PAGE] = bytes(changed)  # type: ignore[index]
        try:
            ledger.publish_runs(split, [page])
            outcomes.add("published")
        except Reverted as caught:
            outcomes.add(caught.name)
    assert outcomes >= {"published", "Splits_BadLeaf", "Splits_PayeeIsSplits"}, outcomes
    assert outcomes & {"Splits_ProofMismatch", "Splits_SumAboveTotal"}


@pytest.mark.parametrize("depth", [3, 4, 7, 9])
def test_p11_every_single_leaf_behind_padding_is_hashed(ledger: Ledger, depth: int) -> None:
    """P-11: one leaf alone in its page, at each place: no padding in front of it or behind hides it."""
    size = 1 << depth
    for place in range(size) if size <= PAGE else (0, 7, 8, 127, 128, 255, 256, 383, size - 1):
        words = [bytes(32)] * size
        words[place] = ALONE
        split, pages = pages_of(words)
        page = pages[place // PAGE]
        ledger.splits.publish(split_args(split), [run_args(page)])
        told = list(ledger.splits.events("PagePublished"))[-1][1]
        assert len(told[5]) == place % PAGE + 1
        moved = list(page.words)
        moved[place % PAGE], moved[place % PAGE ^ 1] = bytes(32), ALONE
        empty = [bytes(32)] * len(page.words)
        for words_ in (moved, empty):
            false = Run(page.first_page, words_, page.siblings)
            with pytest.raises(Reverted, match="Splits_ProofMismatch"):
                ledger.splits.publish(split_args(split), [run_args(false)])


@pytest.mark.parametrize("depth", DEPTHS)
def test_p02_p16_pages_with_padding_anywhere_pay_as_the_model_says(ledger: Ledger, depth: int) -> None:
    """P-02: padding is passed over, wherever it stands, and nobody behind it is."""
    rng = random.Random(200 + depth)
    token = ledger.token("TestDollar")
    for _ in range(6 if depth < 8 else 3):
        words = random_words(rng, depth)
        split, pages = pages_of(words)
        ledger.splits.publish(split_args(split), [run_args(page) for page in pages])
        ledger.pass_over()
        ledger.book.publish(STRANGER, split, pages)
        for amount in (rng.randrange(10**6, 10**24), rng.randrange(10**6, 10**12)):
            credit_and_pay(ledger, token.address, split, pages, amount)


# ---- the first page's state lies beside the cumulative, until its first exception


@pytest.mark.parametrize("leaves", [3, 200])
def test_p04_a_first_page_keeps_its_state_when_it_takes_a_slot_of_its_own(
    ledger: Ledger, leaves: int
) -> None:
    tree, token = ledger.published(tree_of([1] * leaves)), ledger.token("BlocklistDollar")
    payee = payees(1)[0]
    for step in range(4):
        ledger.credit(tree, token, leaves * 100)
        if step in (1, 3):
            token.setBlocked(payee, step == 1)
            (ledger.blocked.add if step == 1 else ledger.blocked.discard)(payee)
        if step == 2:
            ledger.claim([leaf_of(tree, token.address, 2)])
        ledger.pay(tree, token, range(tree.pages), retry=bits(0) if step == 3 else 0)
        ledger.same_state(tree, token.address)
    assert ledger.state(tree, token) == (leaves * 400, 0)
    assert token.balanceOf(payee) == 400


def test_p04_a_first_page_paid_up_to_the_largest_credit(ledger: Ledger) -> None:
    """2^128 − 1 is the mark of a page with a slot of its own; a page may be paid as far."""
    tree, token = ledger.published(tree_of([1, 1, 1])), ledger.token("BlocklistDollar")
    blocked = payees(1)[0]
    for amount in (LIMIT - 10, 9):
        ledger.credit(tree, token, amount)
        ledger.pay(tree, token)
        ledger.same_state(tree, token.address)
    assert ledger.state(tree, token) == (LIMIT - 1, 0)
    refused(lambda: ledger.credit(tree, token, 1), "Splits_CreditTooLarge", tree.id, token.address.lower())
    refused(lambda: ledger.pay(tree, token), "Splits_NothingPaid")
    refused(lambda: ledger.claim([leaf_of(tree, token.address, 0)]), "Splits_NothingPaid")
    ledger.place([leaf_of(tree, token.address, 0)], True, blocked)
    assert ledger.state(tree, token) == (LIMIT - 1, bits(0))
    assert ledger.splits.owed(leaf_args(leaf_of(tree, token.address, 0))) == 0
    ledger.same_state(tree, token.address)


def test_p04_a_first_page_that_fails_at_its_largest_credit(ledger: Ledger) -> None:
    tree, token = ledger.published(tree_of([1, 1, 1])), ledger.token("BlocklistDollar")
    blocked = payees(1)[0]
    token.setBlocked(blocked, True)
    ledger.blocked.add(blocked)
    ledger.credit(tree, token, LIMIT - 1)
    ledger.pay(tree, token)
    ledger.same_state(tree, token.address)
    assert ledger.state(tree, token) == (LIMIT - 1, bits(0))
    token.setBlocked(blocked, False)
    ledger.blocked.discard(blocked)
    ledger.pay(tree, token, retry=bits(0))
    ledger.same_state(tree, token.address)
    assert ledger.state(tree, token) == (LIMIT - 1, 0)
    assert token.balanceOf(blocked) == (LIMIT - 1) // 3


# ---- what a transfer returned


@pytest.mark.parametrize("size", [1, 12, 30, 31, 32])
@pytest.mark.parametrize("payee", [1, 0x100, 1 << 152 | 1, (1 << 160) - 1])
def test_p01_zero_bytes_are_no_success_whoever_is_paid(ledger: Ledger, size: int, payee: int) -> None:
    """What is returned lands among the transfer's own bytes: none of a payee's completes it to a 1."""
    token = ledger.token("DialectToken", 6, 0)
    address = "0x" + payee.to_bytes(20, "big").hex()
    tree = ledger.published(MerkleSumTree.build([(address, 1), (payees(1)[0], 1)]))
    token.setDialect(address, BOMB)
    token.setBombSize((size - 32) % 2**256)
    ledger.splits.credit(tree.id, token.address, 200, sender=OWNER)
    page = payout_args(payout_of(tree, 0))
    refused(
        lambda: ledger.splits.payPages(split_args(tree.split), token.address, MIN_GAS, [page]),
        "Splits_OutflowTooLarge",
        token.address.lower(),
        200,
        100,
    )
    token.setBombSize(-32 % 2**256)
    assert ledger.splits.payPages(split_args(tree.split), token.address, MIN_GAS, [page]) == 200
