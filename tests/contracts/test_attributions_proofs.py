"""Attributions: proofs that a work was used and that an output owes credit; P-11's strictness about leaves."""

from __future__ import annotations

import pytest
from _attributions import Records, credit_leaf, credits_of, tree_of
from _catalogues import Manifest, merkle, work_leaf
from _licences import World
from _mini import Contract, keccak


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Records(World()).contract


@pytest.mark.parametrize("works", [1, 2, 3, 7, 16])
def test_every_work_used_is_provable_and_no_other(contract: Contract, works: int) -> None:
    manifest = Manifest.of(works, holders=1)
    for index, work in enumerate(manifest.works):
        proof = manifest.work_proof(index)
        assert contract.provesUse(manifest.root, work, proof)
        assert not contract.provesUse(manifest.root, work, [*proof, manifest.root])
        assert not contract.provesUse(keccak(manifest.root), work, proof)
        for place in range(4):
            forged = (*work[:place], keccak(b"forged"), *work[place + 1 :])
            assert not contract.provesUse(manifest.root, forged, proof)
        if proof:
            assert not contract.provesUse(manifest.root, work, proof[:-1])


def test_one_leaf_proves_licensed_and_used(contract: Contract) -> None:
    licensed = Manifest.of(6, holders=2)
    used = licensed.works[1:4]
    root, proofs = merkle([work_leaf(one) for one in used])
    for work, proof in zip(used, proofs, strict=True):
        assert contract.provesUse(root, work, proof)
        assert contract.provesUse(licensed.root, work, licensed.work_proof(licensed.works.index(work)))
    assert not contract.provesUse(root, licensed.works[0], licensed.work_proof(0))


@pytest.mark.parametrize(("outputs", "works"), [(1, 1), (1, 2), (3, 2), (5, 3)])
def test_every_credit_is_provable_and_no_other(contract: Contract, outputs: int, works: int) -> None:
    given = credits_of(outputs, works)
    root, proofs = tree_of(given)
    for credit, proof in zip(given, proofs, strict=True):
        assert contract.provesCredit(root, credit, proof)
        assert not contract.provesCredit(root, credit, [*proof, root])
        assert not contract.provesCredit(keccak(root), credit, proof)
        output, content, work, weight, confidence = credit
        for forged in [
            (keccak(output), content, work, weight, confidence),
            (output, keccak(content), work, weight, confidence),
            (output, content, keccak(work), weight, confidence),
            (output, content, work, weight - 1, confidence),
            (output, content, work, weight, confidence + 1),
        ]:
            assert not contract.provesCredit(root, forged, proof)


@pytest.mark.parametrize(
    ("weight", "confidence", "proved"),
    [
        (1, 0, True),
        (1_000_000, 10_000, True),
        (0, 0, False),
        (1_000_001, 0, False),
        (2**256 - 1, 0, False),
        (1, 10_001, False),
        (1, 2**256 - 1, False),
    ],
)
def test_a_weight_or_confidence_out_of_range_proves_nothing(
    contract: Contract, weight: int, confidence: int, proved: bool
) -> None:
    credit = (keccak(b"output"), bytes(32), keccak(b"work"), weight, confidence)
    assert contract.provesCredit(credit_leaf(credit), credit, []) is proved


def test_p11_a_proof_has_at_most_32_siblings(contract: Contract) -> None:
    """P-11: a proof deeper than the largest tree is refused, even where it would hash to the root."""
    [credit] = credits_of(1, 1)
    [work] = Manifest.of(1, 1).works
    for leaf, view, subject in (
        (credit_leaf(credit), "provesCredit", credit),
        (work_leaf(work), "provesUse", work),
    ):
        root, proof = leaf, []
        for level in range(33):
            sibling = keccak(b"%d" % level)
            root = keccak(min(root, sibling) + max(root, sibling))
            proof.append(sibling)
            assert getattr(contract, view)(root, subject, proof) is (level < 32)


def test_p11_inner_nodes_and_leaves_of_the_other_kind_prove_nothing(contract: Contract) -> None:
    """P-11: no preimage is read as another."""
    given = credits_of(2, 2)
    leaves = [credit_leaf(one) for one in given]
    pair = merkle(leaves[2:])[0]
    root = merkle(leaves)[0]
    forged = (min(leaves[:2]), max(leaves[:2]), bytes(32), bytes(32))
    assert not contract.provesUse(root, forged, [pair])
    assert not contract.provesCredit(root, (*forged[:3], 1, 0), [pair])
    output, content, work, weight, _ = given[0]
    as_work = (output, content, work, weight.to_bytes(32, "big"))
    assert not contract.provesUse(root, as_work, tree_of(given)[1][0])
