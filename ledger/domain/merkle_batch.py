"""Merkle-sum levels of large trees over numpy arrays. Import it lazily: it brings numpy and numba.

Arrays of words of 64 bits are little-endian views of the bytes; figures in the tree are big-endian.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from ledger.domain.keccak_batch import LANES, U, Words, _permute
from ledger.domain.merkle_sum import _padding

Bytes = npt.NDArray[np.uint8]
Halves = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]

_BYTE, _PAIR = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_LAST = np.uint64(1) << np.uint64(63)
#: The largest bucket that is put in order by insertion.
_BUCKET = 512
_ONE, _ZERO = np.uint64(1), np.uint64(0)


@numba.njit(inline="always")
def _turned(x: Any) -> Any:  # pragma: no cover - compiled
    """The eight bytes the other way round."""
    x = (x >> U[8]) & _BYTE | (x & _BYTE) << U[8]
    x = (x >> U[16]) & _PAIR | (x & _PAIR) << U[16]
    return x >> U[32] | x << U[32]


@numba.njit(cache=True, nogil=True)
def _keys(rows: Halves, high: Words, middle: Words, low: Words) -> None:  # pragma: no cover - compiled
    for i in range(len(rows)):
        high[i] = _turned(np.uint64(rows[i, 1]) << U[32] | np.uint64(rows[i, 0]))
        middle[i] = _turned(np.uint64(rows[i, 3]) << U[32] | np.uint64(rows[i, 2]))
        low[i] = _turned(np.uint64(rows[i, 4]))


@numba.njit(cache=True, nogil=True)
def _rows_at(rows: Halves, order: Positions, out: Halves) -> None:  # pragma: no cover - compiled
    for i in range(len(order)):
        for j in range(rows.shape[1]):
            out[i, j] = rows[order[i], j]


@numba.njit(cache=True, nogil=True)
def _rises(rows: Halves, new: npt.NDArray[np.bool_]) -> bool:  # pragma: no cover - compiled
    """Whether no row stands below the one before, by its first 20 bytes; `new` tells where it is above."""
    rises = True
    before = (_ZERO, _ZERO, _ZERO)
    for i in range(len(rows)):
        key = (
            _turned(np.uint64(rows[i, 1]) << U[32] | np.uint64(rows[i, 0])),
            _turned(np.uint64(rows[i, 3]) << U[32] | np.uint64(rows[i, 2])),
            _turned(np.uint64(rows[i, 4])),
        )
        new[i] = key > before
        rises &= key >= before
        before = key
    return rises


@numba.njit(cache=True, nogil=True)
def _bucket_order(
    keys: Words, shift: np.uint64, starts: Positions, order: Positions
) -> bool:  # pragma: no cover - compiled
    """The order of keys: into buckets by their first bits, then by insertion; False if a bucket is too large."""
    for i in range(len(keys)):
        starts[(keys[i] >> shift) + _ONE] += 1
    for bucket in range(1, len(starts)):
        if starts[bucket] > _BUCKET:
            return False
        starts[bucket] += starts[bucket - 1]
    for i in range(len(keys)):
        bucket = keys[i] >> shift
        order[starts[bucket]] = i
        starts[bucket] += 1
    first = 0
    for bucket in range(len(starts) - 1):
        for at in range(first + 1, starts[bucket]):
            moved = order[at]
            to = at
            while to > first and keys[order[to - 1]] > keys[moved]:
                order[to] = order[to - 1]
                to -= 1
            order[to] = moved
        first = starts[bucket]
    return True


def _order(keys: Words) -> Positions:
    """The order of keys. Addresses are spread evenly as a rule; where they are not, the usual sort is used."""
    bits = min(max(len(keys).bit_length() - 4, 8), 22)
    order: Positions = np.empty(len(keys), dtype=np.int64)
    starts = np.zeros(2**bits + 1, dtype=np.int64)
    return order if _bucket_order(keys, np.uint64(64 - bits), starts, order) else np.argsort(keys)


def _halves(rows: Bytes) -> Halves:
    return np.ascontiguousarray(rows).view("<u4")


def payee_order(rows: Bytes) -> Positions:
    """The order of rows by their first 20 bytes, a payee each."""
    keys = [np.empty(len(rows), dtype=np.uint64) for _ in range(3)]
    _keys(_halves(rows), *keys)
    order = _order(keys[0])
    first = keys[0][order]
    if bool((first[1:] == first[:-1]).any()):
        order = np.lexsort(keys[::-1])
    return order


def rows_at(rows: Bytes, order: Positions) -> Bytes:
    """Rows of a multiple of four bytes in a given order."""
    out = np.empty((len(order), rows.shape[1]), dtype=np.uint8)
    _rows_at(_halves(rows), order, out.view("<u4"))
    return out


def new_payees(rows: Bytes) -> npt.NDArray[np.bool_]:
    """Where another payee begins; rows are in order and no payee is zero."""
    new = np.empty(len(rows), dtype=np.bool_)
    _rises(_halves(rows), new)
    return new


@numba.njit(cache=True, nogil=True)
def _spread(rows: Words, starts: Positions, out: Words) -> None:  # pragma: no cover - compiled
    """Rows into 256 heaps by their first byte; heap b ends up from starts[b] to starts[b + 1]."""
    for i in range(len(rows)):
        starts[(rows[i, 0] & np.uint64(0xFF)) + _ONE] += 1
    for heap in range(1, 257):
        starts[heap] += starts[heap - 1]
    fill = starts.copy()
    for i in range(len(rows)):
        heap = rows[i, 0] & np.uint64(0xFF)
        for j in range(4):
            out[fill[heap], j] = rows[i, j]
        fill[heap] += 1


@numba.njit(cache=True, nogil=True)
def _sort_heaps(rows: Words, heaps: Positions, out: Words) -> bool:  # pragma: no cover - compiled
    """Puts each heap in order, which fits the cache; False if payees are not spread evenly."""
    largest = 0
    for heap in range(256):
        largest = max(largest, heaps[heap + 1] - heaps[heap])
    if largest > 64 + 4 * len(rows) // 256:
        return False
    bits = 8
    while 2 ** (bits + 3) < largest:
        bits += 1
    keys = np.empty(largest, dtype=np.uint64)
    order = np.empty(largest, dtype=np.int64)
    starts = np.empty(2**bits + 1, dtype=np.int64)
    shift = np.uint64(64 - bits)
    for heap in range(256):
        low = heaps[heap]
        count = heaps[heap + 1] - low
        starts[:] = 0
        for i in range(count):
            keys[i] = _turned(rows[low + i, 0])
            starts[((keys[i] << U[8]) >> shift) + _ONE] += 1
        for bucket in range(1, len(starts)):
            if starts[bucket] > _BUCKET:
                return False
            starts[bucket] += starts[bucket - 1]
        for i in range(count):
            bucket = (keys[i] << U[8]) >> shift
            order[starts[bucket]] = i
            starts[bucket] += 1
        first = 0
        for bucket in range(len(starts) - 1):
            for at in range(first + 1, starts[bucket]):
                moved = order[at]
                to = at
                while to > first and (
                    keys[order[to - 1]] > keys[moved]
                    or (
                        keys[order[to - 1]] == keys[moved]
                        and _rest_above(rows, low + order[to - 1], low + moved)
                    )
                ):
                    order[to] = order[to - 1]
                    to -= 1
                order[to] = moved
            first = starts[bucket]
        for i in range(count):
            for j in range(4):
                out[low + i, j] = rows[low + order[i], j]
    return True


@numba.njit(cache=True, nogil=True)
def _rest_above(rows: Words, a: int, b: int) -> bool:  # pragma: no cover - compiled
    """Whether the payee of row a is above that of row b in its bytes from the ninth on."""
    one, two = _turned(rows[a, 1]), _turned(rows[b, 1])
    if one != two:
        return bool(one > two)
    return bool((_turned(rows[a, 2]) >> U[32]) > (_turned(rows[b, 2]) >> U[32]))


def sorted_words(words: bytes) -> bytes:
    """Leaf words in ascending order of payee."""
    rows = np.frombuffer(words, dtype="<u8").reshape(-1, 4)
    spread, out = np.empty_like(rows), np.empty_like(rows)
    heaps = np.zeros(257, dtype=np.int64)
    _spread(rows, heaps, spread)
    if _sort_heaps(spread, heaps, out):
        return out.tobytes()
    plain = np.frombuffer(words, dtype=np.uint8).reshape(-1, 32)
    return rows_at(plain, payee_order(plain)).tobytes()


def words_in_order(words: bytes) -> bool:
    """Whether payees rise strictly and every leaf has payee and units."""
    rows = np.frombuffer(words, dtype="<u4").reshape(-1, 8)
    new = np.empty(len(rows), dtype=np.bool_)
    _rises(rows, new)
    return bool(new.all()) and bool((rows[:, 5] | rows[:, 6] | rows[:, 7]).all())


@numba.njit(cache=True, nogil=True)
def _level(below: Words, above: Words) -> None:  # pragma: no cover - compiled
    """Each row of `below` is two neighbours, 8 words of leaves or 16 of nodes; of `above` a node, 8 words."""
    count, width = below.shape
    state = np.zeros(25 * LANES, dtype=np.uint64)
    for first in range(0, count, LANES):
        held = min(LANES, count - first)
        state[:] = _ZERO
        for i in range(held):
            for j in range(width):
                state[LANES * j + i] = below[first + i, j]
        for i in range(LANES):
            state[LANES * width + i] ^= _ONE
            state[LANES * 16 + i] ^= _LAST
        _permute(state)
        for i in range(held):
            row = first + i
            if width == 8:
                left_high, left_low = _turned(below[row, 2] >> U[32]) >> U[32], _turned(below[row, 3])
                right_high, right_low = _turned(below[row, 6] >> U[32]) >> U[32], _turned(below[row, 7])
            else:
                left_high, left_low = _turned(below[row, 6]), _turned(below[row, 7])
                right_high, right_low = _turned(below[row, 14]), _turned(below[row, 15])
            low = left_low + right_low
            high = left_high + right_high + (_ONE if low < left_low else _ZERO)
            for j in range(4):
                above[row, j] = state[LANES * j + i]
            above[row, 4], above[row, 5] = _ZERO, _ZERO
            above[row, 6], above[row, 7] = _turned(high), _turned(low)


def levels_of(words: bytes, depth: int) -> list[bytes]:
    """All levels above and with the leaves; the same as the pure path of MerkleSumTree, in batches."""
    levels = [words]
    size = 32
    for level in range(depth):
        below = levels[-1]
        pairs, odd = divmod(len(below) // size, 2)
        above: Words = np.empty((pairs + odd, 8), dtype="<u8")
        whole = np.frombuffer(below, dtype="<u8", count=pairs * size // 4).reshape(pairs, size // 4)
        _level(whole, above[:pairs])
        if odd:
            last = np.frombuffer(below[-size:] + _padding(level), dtype="<u8").reshape(1, size // 4)
            _level(last, above[pairs:])
        levels.append(above.tobytes())
        size = 64
    return levels
