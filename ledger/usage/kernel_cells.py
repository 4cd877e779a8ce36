"""Bytes and single cells of the fast path: ends of cells, numbers, identifiers, hashes, texts. Compiled by numba."""

# mypy: disable-error-code="assignment, return-value, no-any-return"
# Plain loops and comparisons are what numba compiles well.
# ruff: noqa: PLR1714, SIM110
from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_ZERO, _DOT = 48, 46
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_LF = 10
# Lanes of eight bytes: the top bit of a byte stays clear after adding 0x60 just where the byte is below 0x20.
_SEVENS, _RAISE, _TOPS, _ONES = (np.uint64(byte * 0x0101010101010101) for byte in (0x7F, 0x60, 0x80, 0x01))
_ONE, _SEVEN, _LAST = np.uint64(1), np.uint64(7), np.uint64(56)
_ORDER = np.uint64(0x0001020304050607)


@numba.njit(cache=True, nogil=True, inline="always")
def same(buf: Bytes, a: int, b: int, length: int) -> bool:  # pragma: no cover - compiled
    """Whether the same bytes stand in two places."""
    for i in range(length):
        if buf[a + i] != buf[b + i]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def hash_of(buf: Bytes, start: int, end: int, factor: Any) -> Any:  # pragma: no cover - compiled
    """A keyed hash of bytes, eight at a time."""
    value = factor ^ (np.uint64(end - start) * _MIX)
    at = start
    while at + 8 <= end:
        word = np.uint64(0)
        for i in range(8):
            word |= np.uint64(buf[at + i]) << np.uint64(8 * i)
        value = (value ^ word) * factor
        value ^= value >> _SHIFT
        at += 8
    word = np.uint64(0)
    for i in range(end - at):
        word |= np.uint64(buf[at + i]) << np.uint64(8 * i)
    value = (value ^ word) * factor
    value ^= value >> _SHIFT
    value = value * _MIX
    return value ^ (value >> _SHIFT)


@numba.njit(cache=True, nogil=True, inline="always")
def count(buf: Bytes, start: int, end: int) -> int:  # pragma: no cover - compiled
    """A whole number of at most 18 digits; -1 for anything else."""
    if start == end or end - start > 18:
        return -1
    value = 0
    for i in range(start, end):
        digit = np.int64(buf[i]) - _ZERO
        if digit < 0 or digit > 9:
            return -1
        value = value * 10 + digit
    return value


@numba.njit(cache=True, nogil=True)
def amount(buf: Bytes, start: int, end: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """Units and scale of a decimal of at most 18 digits without sign; scale -1 for anything else."""
    if start == end or end - start > 19:
        return 0, -1
    value, dot, digits = 0, -1, 0
    for i in range(start, end):
        byte = np.int64(buf[i])
        if byte == _DOT:
            if dot >= 0 or i == start or i == end - 1:
                return 0, -1
            dot = i
            continue
        digit = byte - _ZERO
        if digit < 0 or digit > 9:
            return 0, -1
        value = value * 10 + digit
        digits += 1
    if digits > 18:
        return 0, -1
    return value, (end - 1 - dot if dot >= 0 else 0)


@numba.njit(cache=True, nogil=True)
def is_isrc(buf: Bytes, start: int, end: int, countries: Bytes) -> bool:  # pragma: no cover - compiled
    """Two letters of a country, three letters or digits, seven digits."""
    if end - start != 12:
        return False
    a, b = np.int64(buf[start]) - 65, np.int64(buf[start + 1]) - 65
    if a < 0 or a > 25 or b < 0 or b > 25 or countries[a * 26 + b] == 0:
        return False
    for i in range(2, 12):
        byte = buf[start + i]
        digit = 48 <= byte <= 57
        if not (digit or (i < 5 and 65 <= byte <= 90)):
            return False
    return True


@numba.njit(cache=True, nogil=True)
def is_hash(buf: Bytes, start: int, end: int) -> bool:  # pragma: no cover - compiled
    """0x and 64 hexadecimal digits in lower case, not zero."""
    if end - start != 66 or buf[start] != 48 or buf[start + 1] != 120:
        return False
    some = False
    for i in range(start + 2, end):
        byte = buf[i]
        if not (48 <= byte <= 57 or 97 <= byte <= 102):
            return False
        some |= byte != 48
    return some


@numba.njit(cache=True, nogil=True)
def is_doi(buf: Bytes, start: int, end: int) -> bool:  # pragma: no cover - compiled
    """10., four to nine digits, a slash, printable ASCII."""
    if end - start < 9 or buf[start] != 49 or buf[start + 1] != 48 or buf[start + 2] != _DOT:
        return False
    at = start + 3
    while at < end and 48 <= buf[at] <= 57:
        at += 1
    if at - start - 3 < 4 or at - start - 3 > 9 or at >= end - 1 or buf[at] != 47:
        return False
    for i in range(at + 1, end):
        if buf[i] < 33 or buf[i] > 126:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def is_iswc(buf: Bytes, start: int, end: int) -> bool:  # pragma: no cover - compiled
    """T and ten digits, or T-034.524.680-1; the tenth is the check digit of ISO 15707."""
    dotted = end - start == 15
    if not (dotted or end - start == 11) or buf[start] != 84:
        return False
    total, weight = 1, 1
    last = -1
    for i in range(start + 1, end):
        place = i - start
        byte = np.int64(buf[i])
        if dotted and (place == 1 or place == 5 or place == 9 or place == 13):
            if byte != (45 if place == 1 or place == 13 else _DOT):
                return False
            continue
        digit = byte - _ZERO
        if digit < 0 or digit > 9:
            return False
        if weight <= 9:
            total += weight * digit
            weight += 1
        else:
            last = digit
    return last == (10 - total % 10) % 10


@numba.njit(cache=True, nogil=True)
def breaks(  # pragma: no cover - compiled
    buf: Bytes, words: Any, out: Any, first: int, heads: Any
) -> tuple[int, int, bool, bool]:
    """Places of all bytes below 32 into out[first:], eight bytes at a time; `words`: the buffer, little-endian.

    `heads` gets the places of lines that begin with HE, SY or a byte order mark, as far as it has room. Returns
    the lines, how many such places there are, and whether a byte above 127 or a DEL is among the others.
    """
    count, found_heads, lines, line = first, 0, 0, 0
    size = len(buf)
    seen, dele = np.uint64(0), np.uint64(0)
    for w in range(len(words) + 1):
        if w < len(words):
            word = words[w]
        else:
            # What is left, filled up with spaces.
            word = np.uint64(0x2020202020202020)
            for i in range(8 * w, size):
                place = np.uint64(8 * (i - 8 * w))
                word ^= np.uint64(0x20 ^ buf[i]) << place
        seen |= word
        low = word & _SEVENS
        dele |= (low + _ONES) & ~word
        found = ~((low + _RAISE) | word) & _TOPS
        while found:
            lowest = found & (~found + _ONE)
            found ^= lowest
            at = w * 8 + np.int64(((lowest >> _SEVEN) * _ORDER) >> _LAST)
            out[count] = at
            count += 1
            if buf[at] == _LF:
                lines += 1
                if at - line > 1:
                    a, b = buf[line], buf[line + 1]
                    if (a == 83 and b == 89) or (a == 72 and b == 69) or (a == 0xEF and b == 0xBB):
                        if found_heads < len(heads):
                            heads[found_heads] = line
                        found_heads += 1
                line = at + 1
    return lines, found_heads, (seen & _TOPS) != 0, (dele & _TOPS) != 0


@numba.njit(cache=True, nogil=True)
def hashes(buf: Bytes, start: int, end: int, factors: Any) -> Any:  # pragma: no cover - compiled
    """Both hashes of an output's id."""
    return hash_of(buf, start, end, factors[0]), hash_of(buf, start, end, factors[1])


@numba.njit(cache=True, nogil=True)
def gather_size(n: int, cells: Any, column: int) -> int:  # pragma: no cover - compiled
    """Bytes of one column's cells together."""
    total = 0
    for i in range(n):
        total += cells[i, column + 1] - 1 - cells[i, column] if cells[i, column + 1] > cells[i, column] else 0
    return total


@numba.njit(cache=True, nogil=True)
def gather(buf: Bytes, n: int, cells: Any, column: int, offsets: Any, out: Bytes) -> None:  # pragma: no cover
    """Copies one column's cells one after the other; a cell ends a byte before the next begins."""
    at = 0
    for i in range(n):
        offsets[i] = at
        for j in range(cells[i, column], cells[i, column + 1] - 1):
            out[at] = buf[j]
            at += 1
    offsets[n] = at


@numba.njit(cache=True, nogil=True)
def offsets_at(rows: Any, cells: Any, column: int, offsets: Any) -> int:  # pragma: no cover - compiled
    """Where the texts of one column of these rows begin, one after the other; a negative row has none."""
    total = 0
    for i in range(len(rows)):
        offsets[i] = total
        if rows[i] >= 0:
            row = cells[rows[i]]
            total += max(0, row[column + 1] - 1 - row[column])
    offsets[len(rows)] = total
    return total


@numba.njit(cache=True, nogil=True)
def gather_at(  # pragma: no cover - compiled
    buf: Bytes, rows: Any, cells: Any, column: int, offsets: Any, out: Bytes
) -> None:
    """Copies the texts of one column of these rows to their offsets."""
    for i in range(len(rows)):
        if rows[i] >= 0:
            start, at = cells[rows[i], column], offsets[i]
            for j in range(offsets[i + 1] - at):
                out[at + j] = buf[start + j]
