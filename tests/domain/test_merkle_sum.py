"""Merkle-sum trees: format by hand, proofs strict, both paths alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import sha3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import EDGE_SIZES, random_tree

from ledger.domain import merkle_sum
from ledger.domain.canonical import keccak256, uint_word
from ledger.domain.errors import FindingsError, ValueRefused
from ledger.domain.merkle_sum import (
    MerkleSumTree,
    Split,
    check_leaf,
    check_page,
    check_run,
    check_words,
    leaf_word,
    padded_words,
    read_leaf,
    root_of,
    used_words,
)
from ledger.domain.reverts import Revert

ROOT = Path(__file__).resolve().parents[2]
A, B, C = ("0x" + digit * 40 for digit in "123")
seeds = st.integers(min_value=0, max_value=2**32)


def payees(count: int) -> list[tuple[str, int]]:
    return [("0x" + (i + 1).to_bytes(20, "big").hex(), i + 1) for i in range(count)]


def test_three_payees_by_hand() -> None:
    tree = MerkleSumTree.build([(B, 2), (A, 1), (C, 3)])
    words = [leaf_word(A, 1), leaf_word(B, 2), leaf_word(C, 3), bytes(32)]
    left, right = keccak256(words[0] + words[1]), keccak256(words[2] + words[3])
    root = keccak256(left + uint_word(3) + right + uint_word(3))
    assert tree.split == Split(root, 6, 2)
    assert tree.id == keccak256(root + uint_word(6) + uint_word(2))
    assert tree.page_words(0) == words
    assert tree.page_proof(0) == []
    assert tree.leaf_proof(0) == [words[1], right, uint_word(3)]
    assert tree.leaf_proof(2) == [words[3], left, uint_word(3)]
    assert tree.entries() == [(A, 1), (B, 2), (C, 3)]
    assert [tree.index_of(payee) for payee in (A, B, C)] == [0, 1, 2]


def test_one_payee_is_its_own_root() -> None:
    tree = MerkleSumTree.build([(A, 7)])
    assert tree.split == Split(leaf_word(A, 7), 7, 0)
    assert tree.leaf_proof(0) == [] == tree.page_proof(0)
    assert check_leaf(tree.split, 0, tree.leaf(0), []) == tree.id
    assert check_page(tree.split, 0, tree.page_words(0), []) == tree.id


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_every_leaf_and_page_is_proved(size: int) -> None:
    tree = random_tree(Random(size), size)
    assert 1 << tree.depth >= size > (1 << tree.depth) // 2 or size == 1
    for index in range(size):
        assert check_leaf(tree.split, index, tree.leaf(index), tree.leaf_proof(index)) == tree.id
    for page in range(tree.pages):
        assert check_page(tree.split, page, tree.page_words(page), tree.page_proof(page)) == tree.id
        words = tree.page_words(page)
        assert padded_words(used_words(words), tree.depth) == words


@pytest.mark.parametrize("size", [1, 5, 128, 129, 300, 1000])
def test_every_run_of_pages_is_proved_by_the_node_above_it(size: int) -> None:
    tree = random_tree(Random(size), size)
    pages = 1
    while pages <= tree.pages:
        for first in range(0, tree.pages, pages):
            words, proof = tree.page_words(first, pages), tree.page_proof(first, pages)
            assert words == [one for page in range(first, first + pages) for one in tree.page_words(page)]
            assert len(proof) == 2 * max(0, tree.depth - 6 - pages.bit_length())
            assert check_run(tree.split, first, words, proof) == tree.id
        pages *= 2
    assert tree.page_proof(0, tree.pages) == []
    for first, count in ((0, 3), (1, 2), (2, 4), (0, 2 * tree.pages), (0, 0)):
        with pytest.raises(Revert, match=r"Splits_(RunMisplaced|PageOutOfRange)"):
            tree.page_words(first, count)
        with pytest.raises(Revert, match=r"Splits_(RunMisplaced|PageOutOfRange)"):
            tree.page_proof(first, count)


@pytest.mark.parametrize("size", [*EDGE_SIZES, 1000])
def test_the_batch_path_builds_the_same_tree(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = random_tree(Random(size), size).entries()
    Random(1).shuffle(entries)
    small = MerkleSumTree.build(entries)
    monkeypatch.setattr(merkle_sum, "BATCH_FROM", 1)
    large = MerkleSumTree.build(entries)
    assert (large.levels, large.split) == (small.levels, small.split)
    every = b"".join(b"".join(small.page_words(page)) for page in range(small.pages))
    assert root_of(every, small.depth) == (small.split.root, small.split.total)


def test_the_batch_path_refuses_what_the_other_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merkle_sum, "BATCH_FROM", 1)
    good = b"".join(leaf_word(payee, units) for payee, units in payees(5))
    MerkleSumTree(good)
    for bad in (
        good[32:] + good[:32],
        good + good[-32:],
        leaf_word("0x" + "00" * 20, 1) + good,
        good + b"\xff" * 20 + bytes(12),
    ):
        with pytest.raises(ValueRefused):
            MerkleSumTree(bad)


def test_payees_with_the_same_first_bytes_are_ordered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merkle_sum, "BATCH_FROM", 1)
    entries = [("0x" + "ab" * 8 + f"{i:024x}", i + 1) for i in range(50)]
    assert MerkleSumTree.build(entries[::-1]).entries() == entries


@pytest.mark.parametrize("size", [0, 8, 32, 64, 120, 128])
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 40])
def test_batch_keccak_is_keccak(size: int, count: int) -> None:
    import numpy as np

    from ledger.domain.keccak_batch import keccak256_rows

    rows = np.frombuffer(Random(size).randbytes(size * count), dtype=np.uint8).reshape(count, size)
    expected = [sha3.keccak_256(bytes(row)).digest() for row in rows]
    assert [bytes(row) for row in keccak256_rows(rows)] == expected


@pytest.mark.parametrize("size", [1, 31, 136, 256])
def test_batch_keccak_refuses_other_lengths(size: int) -> None:
    import numpy as np

    from ledger.domain.keccak_batch import keccak256_rows

    with pytest.raises(ValueError, match="bytes"):
        keccak256_rows(np.zeros((1, size), dtype=np.uint8))


def test_a_tree_does_not_depend_on_the_order_of_its_payees() -> None:
    entries = payees(300)
    Random(3).shuffle(entries)
    assert MerkleSumTree.build(entries).id == MerkleSumTree.build(payees(300)).id


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ((A, 1), "named in entry 1"),
        ((A.upper().replace("0X", "0x"), 1), "named in entry 1"),
        ((B, 0), "not within"),
        ((B, -1), "not within"),
        ((B, 2**96), "not within"),
        ((B, True), "not within"),
        ((B, "1"), "not within"),
        (("0x" + "00" * 20, 1), "zero address"),
        (("0x12", 1), "not an address"),
        ((None, 1), "not an address"),
        (("0x" + " " * 2 + "1" * 38, 1), "not an address"),
    ],
)
def test_a_split_lists_its_bad_entries(entry: tuple[object, object], says: str) -> None:
    with pytest.raises(FindingsError) as refused:
        MerkleSumTree.build([(A, 5), entry, entry])  # type: ignore[list-item]
    assert len(refused.value.findings) >= 2
    assert says in str(refused.value)


def test_no_payee_is_no_split() -> None:
    with pytest.raises(FindingsError, match="1 flaw"):
        MerkleSumTree.build([])


def test_out_of_range_is_refused() -> None:
    tree = MerkleSumTree.build(payees(3))
    with pytest.raises(Revert, match="IndexOutOfRange"):
        tree.leaf_proof(4)
    with pytest.raises(Revert, match="PageOutOfRange"):
        tree.page_words(1)
    with pytest.raises(ValueRefused):
        tree.index_of("0x" + "ff" * 20)


# The five exploits of sketches, and what else a strict proof refuses (P-11)


def test_P_11_the_same_leaf_opens_at_one_index_only() -> None:
    tree = MerkleSumTree.build(payees(4))
    proof = tree.leaf_proof(1)
    for index in (5, 9, 1 + (1 << 200)):
        with pytest.raises(Revert, match="IndexOutOfRange"):
            check_leaf(tree.split, index, tree.leaf(1), proof)
    for index in (0, 2, 3):
        with pytest.raises(Revert, match="ProofMismatch"):
            check_leaf(tree.split, index, tree.leaf(1), proof)
    with pytest.raises(Revert, match="WrongProofLength"):
        check_leaf(tree.split, 1, tree.leaf(1), [*proof, bytes(32), bytes(32)])
    with pytest.raises(Revert, match="WrongProofLength"):
        check_leaf(tree.split, 1, tree.leaf(1), proof[:-2])


def test_P_11_a_page_number_past_the_end_is_refused() -> None:
    small, large = MerkleSumTree.build(payees(5)), MerkleSumTree.build(payees(200))
    with pytest.raises(Revert, match="PageOutOfRange"):
        check_page(small.split, 1, small.page_words(0), [])
    with pytest.raises(Revert, match="PageOutOfRange"):
        check_page(large.split, 2, large.page_words(0), large.page_proof(0))
    with pytest.raises(Revert, match="ProofMismatch"):
        check_page(large.split, 1, large.page_words(0), large.page_proof(0))


def test_P_11_words_that_were_not_hashed_are_refused() -> None:
    tree = MerkleSumTree.build(payees(5))
    words = tree.page_words(0)
    for wrong in ([*words, leaf_word(A, 1)], words[:-1], words + words):
        with pytest.raises(Revert, match="WrongWordCount"):
            check_page(tree.split, 0, wrong, [])


def test_P_11_a_run_stands_in_its_place_whole_and_with_its_own_proof() -> None:
    tree = MerkleSumTree.build(payees(1000))
    words, proof = tree.page_words(2, 2), tree.page_proof(2, 2)
    assert check_run(tree.split, 2, words, proof) == tree.id
    for first, wrong, siblings, error in (
        (3, words, proof, Revert("Splits_RunMisplaced", 3, 2)),
        (8, words, proof, Revert("Splits_PageOutOfRange", 8, 8)),
        (2, words[:-1], proof, Revert("Splits_WrongWordCount", 255, 256)),
        (2, [*words, bytes(32)], proof, Revert("Splits_WrongWordCount", 257, 512)),
        (0, tree.page_words(0, 8) * 2, [], Revert("Splits_WrongWordCount", 2048, 1024)),
        (2, words, tree.page_proof(2), Revert("Splits_WrongProofLength", 6, 4)),
        (0, words, proof, Revert("Splits_ProofMismatch", tree.id)),
    ):
        with pytest.raises(Revert) as refused:
            check_run(tree.split, first, wrong, siblings)
        assert refused.value == error
    with pytest.raises(Revert, match="WrongWordCount"):
        check_page(tree.split, 2, words, proof)
    below = sum(int.from_bytes(one[20:], "big") for one in words)
    with pytest.raises(Revert) as refused:
        check_run(Split(tree.split.root, below - 1, tree.depth), 2, words, proof)
    assert refused.value == Revert("Splits_SumAboveTotal", below, below - 1)


def test_P_11_sums_do_not_wrap() -> None:
    leaf, neighbour = leaf_word(A, 5), leaf_word(B, 5)
    node = keccak256(leaf + neighbour)
    wrapping = uint_word(2**256 - 9)
    root = keccak256(node + uint_word(10) + b"\x01" * 32 + wrapping)
    split = Split(root, 1, 2)
    with pytest.raises(Revert, match="SumAboveTotal"):
        check_leaf(split, 0, leaf, [neighbour, b"\x01" * 32, wrapping])
    fits = Split(root, 12, 2)
    with pytest.raises(Revert, match="SumAboveTotal"):
        check_leaf(fits, 0, leaf, [neighbour, b"\x01" * 32, wrapping])
    with pytest.raises(Revert, match="SumAboveTotal"):
        check_leaf(fits, 0, leaf, [neighbour, b"\x01" * 32, uint_word(3)])


def test_P_11_at_depth_zero_the_leaf_is_hashed_by_nothing_and_so_compared() -> None:
    tree = MerkleSumTree.build([(A, 7)])
    for leaf in (leaf_word(B, 7), leaf_word(A, 6)):
        with pytest.raises(Revert, match="ProofMismatch"):
            check_leaf(tree.split, 0, leaf, [])
        with pytest.raises(Revert, match="ProofMismatch"):
            check_page(tree.split, 0, [leaf], [])
    with pytest.raises(Revert, match="ProofMismatch"):
        check_leaf(Split(tree.split.root, 8, 0), 0, tree.leaf(0), [])


def test_P_11_inner_nodes_do_not_pass_for_leaves() -> None:
    tree = MerkleSumTree.build(payees(4))
    node, sibling = tree.levels[1][:64], tree.levels[1][64:]
    with pytest.raises(Revert):
        check_leaf(Split(tree.split.root, 10, 1), 0, node[:32], [sibling[:32]])


@pytest.mark.parametrize("total", [0, 2**128, 2**256 - 1])
def test_totals_out_of_range_are_refused(total: int) -> None:
    with pytest.raises(Revert, match="TotalOutOfRange"):
        Split(bytes(32), total, 3).id  # noqa: B018


def test_depths_out_of_range_are_refused() -> None:
    with pytest.raises(Revert, match="DepthTooLarge"):
        Split(bytes(32), 1, 33).id  # noqa: B018


@pytest.mark.parametrize("word", [bytes(20) + b"\x01" * 12, b"\x01" * 20 + bytes(12)])
def test_payee_is_zero_if_and_only_if_units_are(word: bytes) -> None:
    tree = MerkleSumTree.build(payees(2))
    with pytest.raises(Revert, match="BadLeaf"):
        check_words([tree.leaf(0), word])
    with pytest.raises(Revert, match="BadLeaf"):
        check_leaf(tree.split, 0, word, tree.leaf_proof(0))


def test_splits_itself_is_no_payee() -> None:
    tree = MerkleSumTree.build([(A, 1), (B, 1)])
    with pytest.raises(Revert) as refused:
        check_words(tree.page_words(0), B)
    assert refused.value == Revert("Splits_PayeeIsSplits", 1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seeds)
def test_P_11_no_mutation_of_a_leaf_proof_passes(seed: int) -> None:
    rng = Random(seed)
    tree = random_tree(rng)
    index = rng.randrange(tree.leaves)
    parts: list[object] = [tree.split, index, tree.leaf(index), tree.leaf_proof(index)]
    for _ in range(20):
        mutated = list(parts)
        kind = rng.randrange(6)
        proof = list(tree.leaf_proof(index))
        if kind == 0:
            mutated[1] = rng.choice((rng.randrange(1 << tree.depth), index + (1 << tree.depth)))
        elif kind == 1:
            mutated[2] = _flip(rng, tree.leaf(index))
        elif kind == 2 and proof:
            at = rng.randrange(len(proof))
            proof[at] = _flip(rng, proof[at])
            mutated[3] = proof
        elif kind == 3:
            mutated[3] = rng.choice((proof[:-1], [*proof, bytes(32)], [*proof, bytes(32), bytes(32)]))
        elif kind == 4:
            root, total, depth = tree.split.root, tree.split.total, tree.split.depth
            mutated[0] = rng.choice(
                (
                    Split(root, total + 1, depth),
                    Split(root, total, depth + 1),
                    Split(_flip(rng, root), total, depth),
                )
            )
        else:
            other = rng.randrange(tree.leaves)
            mutated[2] = tree.leaf(other)
        if mutated == parts:
            continue
        with pytest.raises(Revert):
            check_leaf(*mutated)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seeds)
def test_P_11_no_mutation_of_a_page_passes(seed: int) -> None:
    rng = Random(seed)
    tree = random_tree(rng)
    page = rng.randrange(tree.pages)
    words, proof = tree.page_words(page), tree.page_proof(page)
    for _ in range(8):
        number, changed, siblings = page, list(words), list(proof)
        kind = rng.randrange(4)
        if kind == 0:
            number = rng.randrange(tree.pages + 2)
        elif kind == 1:
            at = rng.randrange(len(changed))
            changed[at] = _flip(rng, changed[at])
        elif kind == 2:
            rng.shuffle(changed)
        elif siblings:
            at = rng.randrange(len(siblings))
            siblings[at] = _flip(rng, siblings[at])
        if (number, changed, siblings) == (page, words, proof):
            continue
        with pytest.raises(Revert):
            check_page(tree.split, number, changed, siblings)


def _flip(rng: Random, word: bytes) -> bytes:
    value = int.from_bytes(word, "big") ^ (1 << rng.randrange(256))
    return value.to_bytes(32, "big")


def test_leaf_words_are_read_back() -> None:
    assert read_leaf(leaf_word(A, 2**96 - 1)) == (A, 2**96 - 1)


def test_a_million_payees_within_a_gigabyte() -> None:
    # In a process of its own, so that memory is counted from nothing; ru_maxrss would start at what we hold.
    program = """
import random, resource
from pathlib import Path
rng = random.Random(1)
entries = [("0x" + rng.randbytes(20).hex(), rng.randrange(1, 2**64)) for _ in range(1_000_000)]
from ledger.domain.merkle_sum import MerkleSumTree, check_leaf, check_page
tree = MerkleSumTree.build(entries)
check_leaf(tree.split, 999_999, tree.leaf(999_999), tree.leaf_proof(999_999))
check_page(tree.split, 8191, tree.page_words(8191), tree.page_proof(8191))
status = Path("/proc/self/status")
held = status.read_text().split() if status.exists() else []
print(held[held.index("VmHWM:") + 1] if held else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) < 1024 * 1024
