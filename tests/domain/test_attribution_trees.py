"""Attribution leaves and trees: canonical, the same by both implementations, every leaf provable, fast when large."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from ledger.domain.attribution import (
    MAX_DEPTH,
    Credit,
    Credits,
    WorksUsed,
    id_hash,
    model_text,
    proves_credit,
    proves_use,
)
from ledger.domain.canonical import ZERO32, keccak256, uint_word
from ledger.domain.errors import ValueRefused
from ledger.domain.manifest import Manifest
from ledger.domain.manifest_file import parse_manifest_csv
from ledger.domain.merkle_pairs import PairTree, leaf_hashes
from ledger.domain.merkle_proof import SortedPairTree, leaf_hash
from ledger.domain.terms import ModelCovered

HEADER = "work,title,holder,payee,share,right\n"


def manifest(works: int) -> Manifest:
    rows = [f"work-{number},,Ann,0x{number + 1:040x},1000000,recording" for number in range(works)]
    return parse_manifest_csv(HEADER + "\n".join(rows) + "\n")


def batch(outputs: int, works: int = 4) -> Credits:
    lines = [
        Credit(
            f"out-{output}",
            f"work-{(output + work) % 97}",
            1_000_000 // works,
            9_000,
            keccak256(b"%d" % output),
        )
        for output in range(outputs)
        for work in range(works)
    ]
    return Credits.of(lines)


def test_a_leaf_is_the_double_hash_of_five_words() -> None:
    credit = Credit("out", "work", 250_000, 9_000, b"\x07" * 32)
    preimage = keccak256(b"out") + b"\x07" * 32 + keccak256(b"work") + uint_word(250_000) + uint_word(9_000)
    assert credit.leaf == keccak256(keccak256(preimage))
    assert (len(preimage), id_hash(""), Credit("out", "", 1).words[2]) == (160, ZERO32, ZERO32)


def test_a_model_is_named_as_the_terms_hash_it() -> None:
    assert keccak256(model_text("Muse", "1").encode()) == ModelCovered(name="Muse", version="1").hash


@pytest.mark.parametrize("outputs", [1, 2, 3, 5, 16])
def test_p16_every_line_is_proved_and_a_changed_one_is_not(outputs: int) -> None:
    """P-16: as the contract's views; tests/contracts compare the two."""
    lines = batch(outputs, 3)
    for credit in lines:
        found, proof = lines.prove(credit.output, credit.work)
        assert found == credit
        assert proves_credit(lines.root, credit.words, proof)
        output, content, work, weight, confidence = credit.words
        assert not proves_credit(lines.root, (output, content, work, weight + 1, confidence), proof)
        assert not proves_credit(lines.root, credit.words, [*proof, lines.root])
        assert not proves_credit(keccak256(lines.root), credit.words, proof)
    with pytest.raises(ValueRefused):
        lines.prove("out-0", "work-96")


@pytest.mark.parametrize(("weight", "confidence"), [(0, 0), (1_000_001, 0), (1, 10_001)])
def test_p16_figures_out_of_range_prove_nothing(weight: int, confidence: int) -> None:
    """P-16: as IAttributions.provesCredit."""
    credit = Credit("out", "work", weight, confidence)
    assert not proves_credit(credit.leaf, credit.words, [])
    good = Credit("out", "work", 1, 10_000)
    assert proves_credit(good.leaf, good.words, [])


def test_p11_a_proof_is_no_deeper_than_the_largest_tree() -> None:
    """P-11: 32 siblings."""
    credit = Credit("out", "work", 1)
    root, proof = credit.leaf, []
    for level in range(MAX_DEPTH + 1):
        sibling = keccak256(b"%d" % level)
        root = keccak256(min(root, sibling) + max(root, sibling))
        proof.append(sibling)
        assert proves_credit(root, credit.words, proof) is (level < MAX_DEPTH)


def test_the_order_of_lines_does_not_matter() -> None:
    lines = list(batch(7))
    shuffled = lines.copy()
    Random(1).shuffle(shuffled)
    assert shuffled != lines
    assert Credits.of(shuffled).root == Credits.of(lines).root
    assert Credits.of(lines[1:]).root != Credits.of(lines).root


def test_the_lines_of_an_output_or_of_a_work() -> None:
    lines = batch(4)
    assert len(lines.credits_of(output="out-1")) == len(lines.credits_of("", "work-3")) == 4
    assert len(lines.credits_of("out-1", "work-3")) == 1
    assert (len(lines), lines.output_count) == (16, 4)


# ---- works used


def test_works_used_have_the_leaves_of_the_manifest() -> None:
    licensed = manifest(9)
    used = WorksUsed(licensed, ("work-7", "work-2", "work-5"))
    assert (len(used), len(WorksUsed(licensed, tuple(work.id for work in licensed.works)))) == (3, 9)
    for work_id in used.ids:
        work, proof = used.prove(work_id)
        assert proves_use(used.root, work.words, proof)
        same, licensed_proof = licensed.prove_work(work_id)
        assert same == work
        assert proves_use(licensed.works_root, work.words, licensed_proof)
        assert not proves_use(licensed.works_root, work.words, proof)
    assert WorksUsed(licensed, tuple(work.id for work in licensed.works)).root == licensed.works_root
    with pytest.raises(ValueRefused, match="did not use"):
        used.prove("work-1")


def test_works_that_the_manifest_lacks_are_refused() -> None:
    with pytest.raises(ValueRefused, match="2 of the works used"):
        WorksUsed(manifest(3), ("work-1", "work-8", "work-9"))
    with pytest.raises(ValueRefused, match="No work"):
        WorksUsed(manifest(3), ())


# ---- large trees


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 257, 1000])
def test_p16_both_trees_are_one_function(size: int) -> None:
    """P-16: leaves of equal beginnings, down to the last byte, and equal ones included."""
    rng = Random(size)
    leaves = [rng.randbytes(32) for _ in range(size)]
    if size > 4:
        leaves[1] = leaves[0][:8] + leaves[1][8:]
        leaves[2] = leaves[0][:31] + bytes([leaves[0][31] ^ 1])
        leaves[3] = leaves[0][:16] + leaves[3][16:]
        leaves[4] = leaves[0]
    pure = SortedPairTree(leaves)
    fast = PairTree(np.frombuffer(b"".join(leaves), dtype=np.uint8).reshape(-1, 32))
    assert fast.root == pure.root
    for leaf in set(leaves) - {leaves[0]} if size > 4 else leaves:
        assert fast.proof(leaf) == pure.proof(leaf)
    for absent in (bytes(32), b"\xff" * 32, leaves[0][:8] + rng.randbytes(24)):
        with pytest.raises(KeyError):
            fast.proof(absent)


@pytest.mark.parametrize("words", [1, 2, 4, 5, 8])
@pytest.mark.parametrize("rows", [1, 15, 16, 17, 40])
def test_p16_leaves_are_hashed_alike(words: int, rows: int) -> None:
    """P-16: one block of Keccak and two, any number beside each other."""
    preimages = Random(words * rows).randbytes(32 * words * rows)
    hashed = leaf_hashes(np.frombuffer(preimages, dtype=np.uint8).reshape(rows, -1))
    size = 32 * words
    assert [bytes(one) for one in hashed] == [
        leaf_hash(preimages[at : at + size]) for at in range(0, len(preimages), size)
    ]


def test_a_large_batch_takes_the_fast_path_to_the_same_root() -> None:
    lines = batch(6_000)
    assert len(lines) == 24_000
    assert isinstance(lines.tree, PairTree)
    pure = SortedPairTree([one.leaf for one in lines])
    assert lines.root == pure.root
    credit, proof = lines.prove("out-5999", "work-84")
    assert proof == pure.proof(credit.leaf)
