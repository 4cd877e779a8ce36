"""Keccak-256 of many messages of one length at once, compiled by numba. Import it lazily: it costs a second.

FIPS 202's permutation Keccak-f[1600], sixteen messages side by side so that a vector register holds a lane of
each; padding as Ethereum's Keccak-256 (0x01 … 0x80). One block only: messages of at most 128 bytes.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

#: Messages hashed side by side. The unrolled round below has this number written into its offsets.
LANES = 16
#: Words of 64 bits in one block of Keccak-256.
_RATE_WORDS = 17

_ROUND_CONSTANTS = np.array(
    [
        0x0000000000000001,
        0x0000000000008082,
        0x800000000000808A,
        0x8000000080008000,
        0x000000000000808B,
        0x0000000080000001,
        0x8000000080008081,
        0x8000000000008009,
        0x000000000000008A,
        0x0000000000000088,
        0x0000000080008009,
        0x000000008000000A,
        0x000000008000808B,
        0x800000000000008B,
        0x8000000000008089,
        0x8000000000008003,
        0x8000000000008002,
        0x8000000000000080,
        0x000000000000800A,
        0x800000008000000A,
        0x8000000080008081,
        0x8000000000008080,
        0x0000000080000001,
        0x8000000080008008,
    ],
    dtype=np.uint64,
)
#: Shift distances as unsigned words: signed ones would turn the state into floats.
U = tuple(np.uint64(distance) for distance in range(64))


# The round is written out: known offsets let the compiler use vector registers, which is ten times faster.
@numba.njit(cache=True, nogil=True)
def _permute(s: Words) -> None:  # pragma: no cover - compiled
    """Keccak-f[1600] on sixteen states; lane j of message i is s[16·j + i]."""
    for r in range(24):
        for i in range(16):
            c0 = s[0 + i] ^ s[80 + i] ^ s[160 + i] ^ s[240 + i] ^ s[320 + i]
            c1 = s[16 + i] ^ s[96 + i] ^ s[176 + i] ^ s[256 + i] ^ s[336 + i]
            c2 = s[32 + i] ^ s[112 + i] ^ s[192 + i] ^ s[272 + i] ^ s[352 + i]
            c3 = s[48 + i] ^ s[128 + i] ^ s[208 + i] ^ s[288 + i] ^ s[368 + i]
            c4 = s[64 + i] ^ s[144 + i] ^ s[224 + i] ^ s[304 + i] ^ s[384 + i]
            d0 = c4 ^ (c1 << U[1] | c1 >> U[63])
            d1 = c0 ^ (c2 << U[1] | c2 >> U[63])
            d2 = c1 ^ (c3 << U[1] | c3 >> U[63])
            d3 = c2 ^ (c4 << U[1] | c4 >> U[63])
            d4 = c3 ^ (c0 << U[1] | c0 >> U[63])
            b0 = s[0 + i] ^ d0
            t = s[80 + i] ^ d0
            b16 = t << U[36] | t >> U[28]
            t = s[160 + i] ^ d0
            b7 = t << U[3] | t >> U[61]
            t = s[240 + i] ^ d0
            b23 = t << U[41] | t >> U[23]
            t = s[320 + i] ^ d0
            b14 = t << U[18] | t >> U[46]
            t = s[16 + i] ^ d1
            b10 = t << U[1] | t >> U[63]
            t = s[96 + i] ^ d1
            b1 = t << U[44] | t >> U[20]
            t = s[176 + i] ^ d1
            b17 = t << U[10] | t >> U[54]
            t = s[256 + i] ^ d1
            b8 = t << U[45] | t >> U[19]
            t = s[336 + i] ^ d1
            b24 = t << U[2] | t >> U[62]
            t = s[32 + i] ^ d2
            b20 = t << U[62] | t >> U[2]
            t = s[112 + i] ^ d2
            b11 = t << U[6] | t >> U[58]
            t = s[192 + i] ^ d2
            b2 = t << U[43] | t >> U[21]
            t = s[272 + i] ^ d2
            b18 = t << U[15] | t >> U[49]
            t = s[352 + i] ^ d2
            b9 = t << U[61] | t >> U[3]
            t = s[48 + i] ^ d3
            b5 = t << U[28] | t >> U[36]
            t = s[128 + i] ^ d3
            b21 = t << U[55] | t >> U[9]
            t = s[208 + i] ^ d3
            b12 = t << U[25] | t >> U[39]
            t = s[288 + i] ^ d3
            b3 = t << U[21] | t >> U[43]
            t = s[368 + i] ^ d3
            b19 = t << U[56] | t >> U[8]
            t = s[64 + i] ^ d4
            b15 = t << U[27] | t >> U[37]
            t = s[144 + i] ^ d4
            b6 = t << U[20] | t >> U[44]
            t = s[224 + i] ^ d4
            b22 = t << U[39] | t >> U[25]
            t = s[304 + i] ^ d4
            b13 = t << U[8] | t >> U[56]
            t = s[384 + i] ^ d4
            b4 = t << U[14] | t >> U[50]
            s[0 + i] = b0 ^ (~b1 & b2) ^ _ROUND_CONSTANTS[r]
            s[16 + i] = b1 ^ (~b2 & b3)
            s[32 + i] = b2 ^ (~b3 & b4)
            s[48 + i] = b3 ^ (~b4 & b0)
            s[64 + i] = b4 ^ (~b0 & b1)
            s[80 + i] = b5 ^ (~b6 & b7)
            s[96 + i] = b6 ^ (~b7 & b8)
            s[112 + i] = b7 ^ (~b8 & b9)
            s[128 + i] = b8 ^ (~b9 & b5)
            s[144 + i] = b9 ^ (~b5 & b6)
            s[160 + i] = b10 ^ (~b11 & b12)
            s[176 + i] = b11 ^ (~b12 & b13)
            s[192 + i] = b12 ^ (~b13 & b14)
            s[208 + i] = b13 ^ (~b14 & b10)
            s[224 + i] = b14 ^ (~b10 & b11)
            s[240 + i] = b15 ^ (~b16 & b17)
            s[256 + i] = b16 ^ (~b17 & b18)
            s[272 + i] = b17 ^ (~b18 & b19)
            s[288 + i] = b18 ^ (~b19 & b15)
            s[304 + i] = b19 ^ (~b15 & b16)
            s[320 + i] = b20 ^ (~b21 & b22)
            s[336 + i] = b21 ^ (~b22 & b23)
            s[352 + i] = b22 ^ (~b23 & b24)
            s[368 + i] = b23 ^ (~b24 & b20)
            s[384 + i] = b24 ^ (~b20 & b21)


@numba.njit(cache=True, nogil=True)
def _hash_rows(rows: Words, out: Words) -> None:  # pragma: no cover - compiled
    """Hashes each row of `rows` (little-endian words) into the four words of the same row of `out`."""
    count, width = rows.shape
    state = np.zeros(25 * LANES, dtype=np.uint64)
    for first in range(0, count, LANES):
        held = min(LANES, count - first)
        state[:] = 0
        for i in range(held):
            for j in range(width):
                state[LANES * j + i] = rows[first + i, j]
        for i in range(LANES):
            state[LANES * width + i] ^= np.uint64(1)
            state[LANES * 16 + i] ^= np.uint64(1) << np.uint64(63)
        _permute(state)
        for i in range(held):
            for j in range(4):
                out[first + i, j] = state[LANES * j + i]


def keccak256_rows(messages: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Keccak-256 of each row: uint8 (n, m), m a multiple of 8 and at most 128, to uint8 (n, 32)."""
    count, size = messages.shape
    if size % 8 or size > 8 * (_RATE_WORDS - 1):
        raise ValueError(f"rows must have a multiple of 8 and at most 128 bytes, not {size}")
    rows: Any = np.ascontiguousarray(messages).view("<u8")
    out: npt.NDArray[np.uint64] = np.empty((count, 4), dtype=np.uint64)
    _hash_rows(rows, out)
    return out.astype("<u8", copy=False).view(np.uint8)
