"""Merkle trees with sorted pairs, as OpenZeppelin's MerkleProof verifies them: works and shares of a
manifest.

Leaves are doubly hashed, so that no inner node passes for one. The shape is the one of OpenZeppelin's
merkle-tree library: leaves sorted, a complete binary tree in an array whose children of i are 2i + 1 and 2i
+ 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.canonical import keccak256


def leaf_hash(preimage: bytes) -> bytes:
    """keccak256(keccak256(preimage))."""
    return keccak256(keccak256(preimage))


def _pair(one: bytes, other: bytes) -> bytes:
    return keccak256(one + other if one < other else other + one)


class SortedPairTree:
    """A tree over leaf hashes, in any order; at least one."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        ordered = sorted(leaves)
        size = len(ordered)
        self._nodes = [b""] * (size - 1) + ordered[::-1]
        for at in range(size - 2, -1, -1):
            self._nodes[at] = _pair(self._nodes[2 * at + 1], self._nodes[2 * at + 2])
        self._places = {leaf: 2 * size - 2 - rank for rank, leaf in enumerate(ordered)}

    @property
    def root(self) -> bytes:
        """The top hash."""
        return self._nodes[0]

    def proof(self, leaf: bytes) -> list[bytes]:
        """Siblings from a leaf to the root. Raises KeyError for a leaf that is not in the tree."""
        at = self._places[leaf]
        siblings: list[bytes] = []
        while at:
            siblings.append(self._nodes[at + 1 if at % 2 else at - 1])
            at = (at - 1) // 2
        return siblings


def verify(root: bytes, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a leaf hash belongs to a tree with this root."""
    for sibling in proof:
        leaf = _pair(leaf, sibling)
    return leaf == root
