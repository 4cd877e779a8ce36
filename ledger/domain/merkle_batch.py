"""Merkle-sum levels of large trees over numpy arrays. Import it lazily: it brings numpy and numba."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ledger.domain.keccak_batch import keccak256_rows
from ledger.domain.merkle_sum import _padding

Bytes = npt.NDArray[np.uint8]


def _columns(words: Bytes) -> tuple[Any, Any, Any]:
    """A payee's 20 bytes as three integers of native order: 8, 8 and 4 bytes."""
    high = words[:, 0:8].copy().view(">u8").astype(np.uint64).ravel()
    middle = words[:, 8:16].copy().view(">u8").astype(np.uint64).ravel()
    low = words[:, 16:20].copy().view(">u4").astype(np.uint32).ravel()
    return high, middle, low


def sorted_words(words: bytes) -> bytes:
    """Leaf words in ascending order of payee."""
    rows = np.frombuffer(words, dtype=np.uint8).reshape(-1, 32)
    high, middle, low = _columns(rows)
    order = np.argsort(high)
    if bool((high[order][1:] == high[order][:-1]).any()):
        order = np.lexsort((low, middle, high))
    return rows[order].tobytes()


def words_in_order(words: bytes) -> bool:
    """Whether payees rise strictly and every leaf has payee and units."""
    rows = np.frombuffer(words, dtype=np.uint8).reshape(-1, 32)
    high, middle, low = _columns(rows)
    same_high = high[1:] == high[:-1]
    same_middle = same_high & (middle[1:] == middle[:-1])
    rises = (
        (high[1:] > high[:-1])
        | (same_high & (middle[1:] > middle[:-1]))
        | (same_middle & (low[1:] > low[:-1]))
    )
    first_payee = bool(rows[0, :20].any())
    return bool(rises.all()) and first_payee and bool(rows[:, 20:].any(axis=1).all())


def _add(left_high: Any, left_low: Any, right_high: Any, right_low: Any) -> tuple[Any, Any]:
    """128-bit sums of two words each; the carry is where the low word wrapped."""
    low = left_low + right_low
    return left_high + right_high + (low < left_low), low


def levels_of(words: bytes, depth: int) -> list[bytes]:
    """All levels above and with the leaves; the same as the pure path of MerkleSumTree, in batches."""
    levels = [words]
    rows = np.frombuffer(words, dtype=np.uint8).reshape(-1, 32)
    high = rows[:, 20:24].copy().view(">u4").astype(np.uint64).ravel()
    low = rows[:, 24:32].copy().view(">u8").astype(np.uint64).ravel()
    for level in range(depth):
        if len(rows) % 2:
            rows = np.vstack([rows, np.frombuffer(_padding(level), dtype=np.uint8)])
            high, low = np.append(high, np.uint64(0)), np.append(low, np.uint64(0))
        hashes = keccak256_rows(rows.reshape(len(rows) // 2, -1))
        high, low = _add(high[0::2], low[0::2], high[1::2], low[1::2])
        above: Bytes = np.zeros((len(hashes), 64), dtype=np.uint8)
        above[:, :32] = hashes
        above[:, 48:56] = high.astype(">u8").view(np.uint8).reshape(-1, 8)
        above[:, 56:64] = low.astype(">u8").view(np.uint8).reshape(-1, 8)
        levels.append(above.tobytes())
        rows = above
    return levels
