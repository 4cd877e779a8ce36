"""Exact division of millions of figures by largest remainder. Import it lazily: it brings numpy and numba.

A figure is two unsigned words of 64 bits, low and high, so that neither HUGEINT (2^127) nor DECIMAL(38,0) is
ever multiplied. An amount A < 2^104 is divided by weights w < 10^38 with the sum T < 10^38: A·w has up to
231 bits. As A and T are the same for all, R = floor(2^128·A/T) is worked out once; floor(w·R / 2^128) is then
floor(A·w/T) or one less, since the error w·(2^128·A/T − R)/2^128 is below 1, and the remainder A·w − q·T,
which is below 2·T < 2^128, tells which.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from ledger.domain.allocation_rule import WEIGHT_LIMIT
from ledger.domain.errors import ValueRefused

Words = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

_MASK = 2**64 - 1
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
#: Up to so many parts of one whole, the largest remainder is looked for by hand; beyond, by sorting.
_FEW = 24


class Figures:
    """An array of unsigned figures of up to 128 bits."""

    def __init__(self, low: Words, high: Words) -> None:
        self.low = low
        self.high = high

    @classmethod
    def zeros(cls, count: int) -> Figures:
        """So many zeros."""
        return cls(np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=np.uint64))

    @classmethod
    def of(cls, values: list[int]) -> Figures:
        """From Python integers."""
        return cls(
            np.array([value & _MASK for value in values], dtype=np.uint64),
            np.array([value >> 64 for value in values], dtype=np.uint64),
        )

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, index: int) -> int:
        return int(self.high[index]) << 64 | int(self.low[index])

    def at(self, positions: Any) -> Figures:
        """The figures at some positions, or where a mask is set."""
        return Figures(self.low[positions], self.high[positions])

    def where(self, mask: Any) -> Figures:
        """The figures with zeros where the mask is not set."""
        return Figures(np.where(mask, self.low, _ZERO), np.where(mask, self.high, _ZERO))

    def nonzero(self) -> npt.NDArray[np.bool_]:
        """Where figures are not zero."""
        found: npt.NDArray[np.bool_] = (self.low | self.high) != 0
        return found

    def total(self) -> int:
        """The exact sum."""
        found = np.zeros(4, dtype=np.uint64)
        _totals(self.low, self.high, found)
        return sum(int(one) << (32 * i) for i, one in enumerate(found))

    def add(self, other: Figures) -> None:
        """Adds figure by figure, in place. No sum of parts of one amount passes 128 bits."""
        self.low += other.low
        self.high += other.high + (self.low < other.low)

    def add_at(self, positions: Positions, other: Figures) -> None:
        """Adds each figure at its position, in place; a negative position is passed over."""
        _add_at(self.low, self.high, positions, other.low, other.high)

    def below(self, limit: int) -> npt.NDArray[np.bool_]:
        """Where figures are less than a limit below 2^128."""
        high, low = np.uint64(limit >> 64), np.uint64(limit & _MASK)
        found: npt.NDArray[np.bool_] = (self.high < high) | ((self.high == high) & (self.low < low))
        return found

    def bytes16(self) -> npt.NDArray[np.uint64]:
        """Shape (n, 2), little-endian: what Arrow's decimal128 holds."""
        return np.ascontiguousarray(np.stack([self.low, self.high], axis=1)).astype("<u8", copy=False)


@numba.njit(cache=True, nogil=True)
def _totals(low: Words, high: Words, out: Words) -> None:  # pragma: no cover - compiled
    """Sums of the four words of 32 bits: 2^32 figures are needed for one of them to wrap."""
    for i in range(len(low)):
        out[0] += low[i] & _LOW
        out[1] += low[i] >> _HALF
        out[2] += high[i] & _LOW
        out[3] += high[i] >> _HALF


@numba.njit(cache=True, nogil=True)
def _add_at(
    low: Words, high: Words, positions: Positions, other_low: Words, other_high: Words
) -> None:  # pragma: no cover - compiled
    for i in range(len(positions)):
        at = positions[i]
        if at >= 0:
            before = low[at]
            low[at] = before + other_low[i]
            high[at] += other_high[i] + (_ONE if low[at] < before else _ZERO)


@numba.njit(inline="always")
def _product(a: Any, b: Any) -> Any:  # pragma: no cover - compiled
    """Low and high word of a·b."""
    a0, a1, b0, b1 = a & _LOW, a >> _HALF, b & _LOW, b >> _HALF
    p00, p01, p10 = a0 * b0, a0 * b1, a1 * b0
    middle = (p00 >> _HALF) + (p01 & _LOW) + (p10 & _LOW)
    return a * b, a1 * b1 + (p01 >> _HALF) + (p10 >> _HALF) + (middle >> _HALF)


@numba.njit(cache=True, nogil=True)
def _quotients(
    low: Words,
    high: Words,
    r: Words,
    a: Words,
    t: Words,
    q_low: Words,
    q_high: Words,
    m_low: Words,
    m_high: Words,
) -> None:  # pragma: no cover - compiled
    """Quotients q and remainders m of A·w by T, with R, A and T as little-endian words."""
    for i in range(len(low)):
        w0, w1 = low[i], high[i]
        # w·R as six words; the two lowest only carry, and of the rest q needs two.
        _, carry = _product(w0, r[0])
        c1, c2 = carry, _ZERO
        x, y = _product(w0, r[1])
        c1 += x
        c2 += y + (_ONE if c1 < x else _ZERO)
        x, y = _product(w1, r[0])
        c1 += x
        add = _ONE if c1 < x else _ZERO
        c2 += add
        c3 = _ONE if c2 < add else _ZERO
        c2 += y
        c3 += _ONE if c2 < y else _ZERO
        x, y = _product(w0, r[2])
        c2 += x
        c3 += y + (_ONE if c2 < x else _ZERO)
        x, y = _product(w1, r[1])
        c2 += x
        c3 += y + (_ONE if c2 < x else _ZERO)
        c3 += w0 * r[3] + w1 * r[2]
        # m = A·w − q·T in 128 bits
        x, y = _product(a[0], w0)
        y += a[0] * w1 + a[1] * w0
        u, v = _product(c2, t[0])
        v += c2 * t[1] + c3 * t[0]
        y -= v + (_ONE if x < u else _ZERO)
        x -= u
        if y > t[1] or (y == t[1] and x >= t[0]):
            y -= t[1] + (_ONE if x < t[0] else _ZERO)
            x -= t[0]
            c2 += _ONE
            c3 += _ONE if c2 == _ZERO else _ZERO
        q_low[i], q_high[i], m_low[i], m_high[i] = c2, c3, x, y


def _words(value: int, count: int) -> Words:
    return np.array([value >> (64 * i) & _MASK for i in range(count)], dtype=np.uint64)


def divide(amount: int, weights: Figures) -> Figures:
    """An amount below 2^104 in proportion to weights, by largest remainder; ties to what stands first.

    Raises ValueRefused where the weights sum to zero, or to 10^38 or more.
    """
    total = weights.total()
    if not 0 < total < WEIGHT_LIMIT:
        raise ValueRefused(
            f"Weights that sum to {total:,} cannot divide an amount.",
            why="They sum to zero, or to 10^38 or more.",
            remedy="Check the figures of the usage file.",
        )
    parts, rest = Figures.zeros(len(weights)), Figures.zeros(len(weights))
    reciprocal = _words((amount << 128) // total, 4)
    _quotients(
        weights.low,
        weights.high,
        reciprocal,
        _words(amount, 2),
        _words(total, 2),
        parts.low,
        parts.high,
        rest.low,
        rest.high,
    )
    if left := amount - parts.total():
        chosen = _largest(rest, left)
        parts.low[chosen] += _ONE
        parts.high[chosen] += parts.low[chosen] == 0
    return parts


def _largest(rest: Figures, count: int) -> Positions:
    """Positions of the `count` largest figures, ties to the lowest position; `count` < figures."""
    high = rest.high
    if int(high.max()) == 0:
        return _largest_words(rest.low, count)
    edge = np.partition(high, len(high) - count)[len(high) - count]
    above = np.flatnonzero(high > edge)
    at_edge = np.flatnonzero(high == edge)
    return np.concatenate([above, at_edge[_largest_words(rest.low[at_edge], count - len(above))]])


def _largest_words(words: Words, count: int) -> Positions:
    edge = np.partition(words, len(words) - count)[len(words) - count]
    above = np.flatnonzero(words > edge)
    return np.concatenate([above, np.flatnonzero(words == edge)[: count - len(above)]])


@numba.njit(cache=True, nogil=True)
def _divide_each(
    low: Words, high: Words, starts: Positions, weights: Words, out_low: Words, out_high: Words
) -> None:  # pragma: no cover - compiled
    """Divides amount i among the weights from starts[i] to starts[i + 1], which sum to less than 2^32."""
    for i in range(len(low)):
        first, last = starts[i], starts[i + 1]
        a0, a1 = low[i], high[i]
        if last - first == 1:
            out_low[first], out_high[first] = a0, a1
            continue
        if a0 == _ZERO and a1 == _ZERO:
            continue
        total = _ZERO
        for j in range(first, last):
            total += weights[j]
        # A = c·T + b by words of 32 bits; c·w needs no more than 128 bits, b·w / T fits one word.
        rest = _ZERO
        c = np.zeros(4, dtype=np.uint64)
        for k in range(4):
            word = (a1 if k < 2 else a0) >> (_HALF if k % 2 == 0 else _ZERO) & _LOW
            rest = rest << _HALF | word
            c[k] = rest // total
            rest %= total
        c1, c0 = c[0] << _HALF | c[1], c[2] << _HALF | c[3]
        left_low, left_high = a0, a1
        remainders = np.zeros(last - first, dtype=np.int64)
        for j in range(first, last):
            x, y = _product(c0, weights[j])
            y += c1 * weights[j]
            add = rest * weights[j] // total
            x += add
            y += _ONE if x < add else _ZERO
            out_low[j], out_high[j] = x, y
            remainders[j - first] = np.int64(rest * weights[j] % total)
            left_high -= y + (_ONE if left_low < x else _ZERO)
            left_low -= x
        left = np.int64(left_low)
        if left == 0:
            continue
        if left_high != _ZERO or left > last - first:
            raise ValueError("weights that sum to 2^32 or more")
        if last - first <= _FEW:
            for _ in range(left):
                best = 0
                for j in range(1, last - first):
                    if remainders[j] > remainders[best]:
                        best = j
                remainders[best] = -1
                out_low[first + best] += _ONE
                out_high[first + best] += _ONE if out_low[first + best] == _ZERO else _ZERO
        else:
            order = np.argsort(-remainders, kind="mergesort")
            for k in range(left):
                at = first + order[k]
                out_low[at] += _ONE
                out_high[at] += _ONE if out_low[at] == _ZERO else _ZERO


def divide_each(amounts: Figures, starts: Positions, weights: Words) -> Figures:
    """Each amount among the weights from starts[i] up to starts[i + 1], by largest remainder.

    Weights of one amount sum to 1 to 2^32 − 1; ties go to what stands first.
    """
    parts = Figures.zeros(len(weights))
    _divide_each(amounts.low, amounts.high, starts, weights, parts.low, parts.high)
    return parts
