"""P-16: Splits and the Python model agree on random trees and on every wrong proof, error by error.

TREES sets how many (10,000 in the long run); LEDGER_BUILD=unoptimised takes the build without the optimiser.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "contracts"), str(HERE.parent / "domain")]

from _mini import Chain, Contract, Reverted  # noqa: E402
from strategies import STRANGER, TOKEN, random_tree  # noqa: E402

from ledger.domain.journal import encode_entry  # noqa: E402
from ledger.domain.merkle_sum import MerkleSumTree, Split, check_leaf  # noqa: E402
from ledger.domain.reverts import Revert  # noqa: E402
from ledger.domain.split_book import SplitBook  # noqa: E402
from ledger.domain.split_types import Run  # noqa: E402

TREES = int(os.environ.get("TREES", "1500"))
BATCHES = 10
MUTATIONS = 6


@pytest.fixture(scope="module")
def splits() -> Contract:
    """One Splits for all trees: their ids differ."""
    return Chain().deploy("Splits")


@pytest.mark.parametrize("batch", range(BATCHES))
def test_P_11_P_16_the_model_and_splits_agree_on_trees(splits: Contract, batch: int) -> None:
    for seed in range(batch, TREES, BATCHES):
        rng = Random(seed)
        tree = random_tree(rng)
        book = SplitBook(splits.address.lower())
        assert splits.splitId(_split(tree.split)) == tree.id
        for first, pages in _runs(rng, 0, tree.pages):
            good = Run(first, tree.page_words(first, pages), tree.page_proof(first, pages))
            for one in (*(_wrong_run(rng, tree, good) for _ in range(2)), (tree.split, good)):
                _same_run(splits, book, *one, where=f"seed {seed}, {pages} pages from {first}")
        assert splits.isPublished(tree.id)
        assert book.is_published(tree.id)
        for _ in range(MUTATIONS):
            index = rng.randrange(tree.leaves)
            leaf = (tree.split, index, tree.leaf(index), tree.leaf_proof(index))
            _same_leaf(splits, *leaf, where=f"seed {seed}, leaf {index}")
            _same_leaf(splits, *_wrong_leaf(rng, tree, index), where=f"seed {seed}, wrong leaf {index}")


def _outcome(call: Callable[[], Any]) -> Any:
    """What a call of either side gives: nothing, or the error's name and arguments."""
    try:
        call()
    except Revert as error:
        return error.name, error.arguments
    except Reverted as error:
        return error.name, error.values
    return None


def _same_run(splits: Contract, book: SplitBook, split: Split, run: Run, where: str) -> None:
    splits.chain.logs.clear()
    made: list[Any] = []
    args = (_split(split), [(run.first_page, list(run.words), list(run.siblings))])
    expected = _outcome(lambda: made.extend(book.publish(STRANGER, split, [run])))
    assert _outcome(lambda: splits.publish(*args, sender=STRANGER)) == expected, where
    found = [(log.topics[0], log.topics[1], log.data) for log in splits.chain.logs]
    logs = [encode_entry("Splits", one, 1, 1) for one in made]
    assert found == [(log.topic0, log.topic1, log.data) for log in logs], where


def _same_leaf(
    splits: Contract, split: Split, index: int, word: bytes, proof: list[bytes], where: str
) -> None:
    expected = _outcome(lambda: check_leaf(split, index, word, proof))
    leaf = (_split(split), TOKEN, index, word, proof)
    assert _outcome(lambda: splits.owed(leaf)) == expected, where


def _split(split: Split) -> tuple[bytes, int, int]:
    return split.root, split.total, split.depth


def _flip(rng: Random, word: bytes) -> bytes:
    return (int.from_bytes(word, "big") ^ (1 << rng.randrange(256))).to_bytes(32, "big")


def _wrong_split(rng: Random, split: Split) -> Split:
    root, total, depth = split.root, split.total, split.depth
    return rng.choice(
        (
            Split(_flip(rng, root), total, depth),
            Split(root, rng.choice((0, 1, total - 1, total + 1, 2**128 - 1, 2**128, 2**256 - 1)), depth),
            Split(root, total, rng.choice((0, depth + 1, max(0, depth - 1), 32, 33, 2**255))),
        )
    )


def _wrong_proof(rng: Random, proof: list[bytes]) -> list[bytes]:
    changed = list(proof)
    if changed and rng.random() < 0.6:
        at = rng.randrange(len(changed))
        changed[at] = rng.choice((_flip(rng, changed[at]), b"\xff" * 32, bytes(32)))
        return changed
    return rng.choice((changed[:-1], [*changed, bytes(32)], [*changed, bytes(32), bytes(32)]))


def _wrong_leaf(rng: Random, tree: MerkleSumTree, index: int) -> tuple[Split, int, bytes, list[bytes]]:
    split, word, proof = tree.split, tree.leaf(index), tree.leaf_proof(index)
    match rng.randrange(4):
        case 0:
            return _wrong_split(rng, split), index, word, proof
        case 1:
            wrong = rng.choice((index ^ 1, index + (1 << tree.depth), 2**256 - 1, index | 1 << 255))
            return split, wrong, word, proof
        case 2:
            return (
                split,
                index,
                rng.choice((_flip(rng, word), word[:20] + bytes(12), bytes(20) + word[20:])),
                proof,
            )
        case _:
            return split, index, word, _wrong_proof(rng, proof)


def _runs(rng: Random, first: int, pages: int) -> list[tuple[int, int]]:
    """First page and length of runs that make up so many pages."""
    if pages == 1 or rng.random() < 0.4:
        return [(first, pages)]
    half = pages // 2
    return [*_runs(rng, first, half), *_runs(rng, first + half, half)]


def _wrong_run(rng: Random, tree: MerkleSumTree, run: Run) -> tuple[Split, Run]:
    words, first = list(run.words), run.first_page
    match rng.randrange(4):
        case 0:
            return _wrong_split(rng, tree.split), run
        case 1:
            number = rng.choice((first + 1, first ^ 1, first + len(words) // 128, tree.pages, 2**256 - 1))
            return tree.split, Run(number, words, run.siblings)
        case 2:
            at = rng.randrange(len(words))
            words[at] = rng.choice(
                (_flip(rng, words[at]), words[at][:20] + bytes(12), bytes(20) + b"\x01" * 12)
            )
            longer = rng.choice(
                (words, words[:-1], [*words, bytes(32)], [*words, *words], words[: len(words) // 2])
            )
            return tree.split, Run(first, longer, run.siblings)
        case _:
            return tree.split, Run(first, words, _wrong_proof(rng, list(run.siblings)))
