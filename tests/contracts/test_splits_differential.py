"""Random trees, and proofs with one thing wrong: model and contract refuse them for the same reason."""

from __future__ import annotations

import random

import pytest
from _splits import STRANGER, Ledger, Reverted, leaf_args, payout_args, run_args, split_args, tree_of

from ledger.domain.merkle_sum import Split
from ledger.domain.split_types import Leaf, PagePayout, Run

WORDS = [bytes(32), b"\xff" * 32]


class Proofs:
    """A leaf and a page of one tree with their proofs, one of which may be broken."""

    def __init__(self, rng: random.Random) -> None:
        units = [rng.choice([1, 3, 2**95, 2**96 - 1]) for _ in range(rng.choice([1, 2, 3, 8, 60, 130, 300]))]
        tree = tree_of(units)
        self.split, self.index = tree.split, rng.randrange(tree.leaves)
        self.page = self.index // 128
        self.leaf, self.siblings = tree.leaf(self.index), tree.leaf_proof(self.index)
        self.words, self.above = tree.page_words(self.page), tree.page_proof(self.page)

    def break_something(self, rng: random.Random) -> None:
        split = self.split
        match rng.randrange(9):
            case 0:
                total = rng.choice([split.total - 1, split.total + 1, 0, 2**128])
                self.split = Split(split.root, total, split.depth)
            case 1:
                depth = rng.choice([split.depth + 1, 33, max(split.depth - 1, 0)])
                self.split = Split(split.root, split.total, depth)
            case 2:
                past = (1 << split.depth, split.pages)
                self.index, self.page = rng.choice([(self.index ^ 1, self.page ^ 1), past])
            case 3:
                self.leaf = self.leaf[:20] + rng.choice([bytes(12), b"\xff" * 12])
                self.words = [*self.words[:-1], self.leaf]
            case 4 if self.siblings:
                self.siblings[rng.randrange(len(self.siblings))] = rng.choice([*WORDS, rng.randbytes(32)])
            case 5 if self.above:
                self.above[rng.randrange(len(self.above))] = rng.choice([*WORDS, rng.randbytes(32)])
            case 6:
                self.siblings, self.above = self.siblings[:-1], [*self.above, bytes(32)]
            case 7:
                self.words = rng.choice([self.words[:-1], [*self.words, bytes(32)]])
            case _:
                pass


def outcomes_of(ledger: Ledger, token: str, proofs: Proofs) -> set[str]:
    leaf = Leaf(proofs.split, token, proofs.index, proofs.leaf, proofs.siblings)
    page = Run(proofs.page, proofs.words, proofs.above)
    payout = PagePayout(proofs.page, 0, proofs.words, proofs.above)
    split = split_args(proofs.split)
    book, splits = ledger.book, ledger.splits
    outcomes = set()
    for model, contract in (
        (lambda: book.claim(STRANGER, [leaf]), lambda: splits.claim([leaf_args(leaf)], sender=STRANGER)),
        (
            lambda: book.pay_pages(STRANGER, proofs.split, token, [payout]),
            lambda: splits.payPages(split, token, 100_000, [payout_args(payout)], sender=STRANGER),
        ),
        (
            lambda: book.publish(STRANGER, proofs.split, [page]),
            lambda: splits.publish(split, [run_args(page)], sender=STRANGER),
        ),
    ):
        try:
            ledger.both(model, contract)
            outcomes.add("published")
        except Reverted as caught:
            outcomes.add(caught.name)
    return outcomes


@pytest.mark.parametrize("seed", range(4))
def test_p11_p16_broken_proofs_are_refused_alike(seed: int) -> None:
    rng = random.Random(seed)
    ledger = Ledger()
    token = ledger.token().address
    outcomes: set[str] = set()
    for _ in range(350):
        proofs = Proofs(rng)
        proofs.break_something(rng)
        outcomes |= outcomes_of(ledger, token, proofs)
    assert outcomes >= {
        "published",
        "Splits_NothingPaid",
        "Splits_ProofMismatch",
        "Splits_SumAboveTotal",
        "Splits_BadLeaf",
        "Splits_WrongProofLength",
        "Splits_WrongWordCount",
        "Splits_IndexOutOfRange",
        "Splits_PageOutOfRange",
        "Splits_TotalOutOfRange",
        "Splits_DepthTooLarge",
    }, outcomes
