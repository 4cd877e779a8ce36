"""Large trees with sorted pairs, the same as merkle_proof.SortedPairTree, over numpy arrays.

Import it lazily: it brings numpy and numba. Leaves are hashed twice; their preimages have up to 160 bytes, two
blocks of Keccak.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from ledger.domain.keccak_batch import LANES, Words, _permute, keccak256_rows

Bytes = npt.NDArray[np.uint8]

#: Words of 64 bits in one block of Keccak-256.
_RATE = 17
_LAST = np.uint64(1) << np.uint64(63)


@numba.njit(cache=True, nogil=True)
def _hash_two_blocks(rows: Words, out: Words) -> None:  # pragma: no cover - compiled
    """Hashes rows of 17 to 33 words (little-endian) into four words each: keccak_batch with a second block."""
    count, width = rows.shape
    rest = width - _RATE
    state = np.zeros(25 * LANES, dtype=np.uint64)
    for first in range(0, count, LANES):
        held = min(LANES, count - first)
        state[:] = 0
        for i in range(held):
            for j in range(_RATE):
                state[LANES * j + i] = rows[first + i, j]
        _permute(state)
        for i in range(held):
            for j in range(rest):
                state[LANES * j + i] ^= rows[first + i, _RATE + j]
        for i in range(LANES):
            state[LANES * rest + i] ^= np.uint64(1)
            state[LANES * (_RATE - 1) + i] ^= _LAST
        _permute(state)
        for i in range(held):
            for j in range(4):
                out[first + i, j] = state[LANES * j + i]


def leaf_hashes(preimages: Bytes) -> Bytes:
    """keccak256(keccak256(row)) of each row: uint8 (n, m), m a multiple of 32 up to 256, to uint8 (n, 32)."""
    width = preimages.shape[1] // 8
    if width < _RATE:
        return keccak256_rows(keccak256_rows(preimages))
    rows = np.ascontiguousarray(preimages).view("<u8")
    out: Words = np.empty((len(rows), 4), dtype=np.uint64)
    _hash_two_blocks(rows, out)
    return keccak256_rows(out.astype("<u8", copy=False).view(np.uint8))


def _in_order(rows: Bytes) -> Bytes:
    """Rows of 32 bytes in ascending order."""
    words = np.ascontiguousarray(rows).view(">u8")
    keys = words[:, 0].astype(np.uint64)
    order = np.argsort(keys)
    first = keys[order]
    if bool((first[1:] == first[:-1]).any()):
        order = np.lexsort([words[:, column].astype(np.uint64) for column in (3, 2, 1, 0)])
    return rows[order]


def _sorted_pairs(pairs: Bytes) -> Bytes:
    """Rows of two hashes, the lower one first."""
    words = pairs.view(">u8").reshape(-1, 2, 4)
    left, right = words[:, 0], words[:, 1]
    turned = left[:, 0] > right[:, 0]
    equal = left[:, 0] == right[:, 0]
    for column in (1, 2, 3):
        if not equal.any():
            break
        turned |= equal & (left[:, column] > right[:, column])
        equal &= left[:, column] == right[:, column]
    out = pairs.copy()
    out[turned, :32], out[turned, 32:] = pairs[turned, 32:], pairs[turned, :32]
    return out


class PairTree:
    """A tree over leaf hashes, uint8 (n, 32) in any order, n at least one; every level is kept."""

    def __init__(self, leaves: Bytes) -> None:
        size = len(leaves)
        nodes: Bytes = np.empty((2 * size - 1, 32), dtype=np.uint8)
        nodes[size - 1 :] = _in_order(leaves)[::-1]
        # Node i has the children 2i + 1 and 2i + 2, so the nodes of a level have those of neighbouring rows.
        for depth in range((size - 1).bit_length() - 1, -1, -1):
            low, high = (1 << depth) - 1, min((2 << depth) - 1, size - 1)
            if low < high:
                pairs = nodes[2 * low + 1 : 2 * high + 1].reshape(-1, 64)
                nodes[low:high] = keccak256_rows(_sorted_pairs(pairs))
        self._nodes = nodes
        self._size = size
        self._keys = nodes[size - 1 :][::-1].copy().view(">u8")[:, 0].astype(np.uint64)

    @property
    def root(self) -> bytes:
        """The top hash."""
        return bytes(self._nodes[0])

    def proof(self, leaf: bytes) -> list[bytes]:
        """Siblings from a leaf to the root. Raises KeyError for a leaf that is not in the tree."""
        rank = int(np.searchsorted(self._keys, np.uint64(int.from_bytes(leaf[:8], "big"))))
        while rank < self._size and bytes(self._nodes[2 * self._size - 2 - rank]) != leaf:
            if bytes(self._nodes[2 * self._size - 2 - rank, :8]) != leaf[:8]:
                raise KeyError(leaf)
            rank += 1
        if rank == self._size:
            raise KeyError(leaf)
        at = 2 * self._size - 2 - rank
        siblings: list[bytes] = []
        while at:
            siblings.append(bytes(self._nodes[at + 1 if at % 2 else at - 1]))
            at = (at - 1) // 2
        return siblings
