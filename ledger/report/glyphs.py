"""Which letters the package's fonts have: a PDF must show every letter, so the others are written out."""

from __future__ import annotations

import struct
from bisect import bisect_right
from functools import cache
from importlib import resources


def printable(text: str) -> str:
    """Text with each letter that no font has written as its code in Unicode."""
    if text.isascii():
        return text
    starts, ends = _covered()
    return "".join(one if one < "\x7f" or _has(ord(one), starts, ends) else _code(one) for one in text)


def _code(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


def _has(code: int, starts: list[int], ends: list[int]) -> bool:
    place = bisect_right(starts, code) - 1
    return place >= 0 and code <= ends[place]


@cache
def _covered() -> tuple[list[int], list[int]]:
    """Ranges of all codes that a font has, in order: first and last of each."""
    ranges: list[tuple[int, int]] = []
    for file in resources.files("ledger").joinpath("data", "fonts").iterdir():
        if file.name.endswith(".ttf") and "Mono" not in file.name and "Bold" not in file.name:
            ranges += cmap_ranges(file.read_bytes())
    starts: list[int] = []
    ends: list[int] = []
    for first, last in sorted(ranges):
        if ends and first <= ends[-1] + 1:
            ends[-1] = max(ends[-1], last)
        else:
            starts.append(first)
            ends.append(last)
    return starts, ends


def cmap_ranges(font: bytes) -> list[tuple[int, int]]:
    """The codes that a TrueType font maps to a glyph: tables `cmap` of formats 4 and 12 (OpenType 1.9, cmap)."""
    tables = struct.unpack_from(">H", font, 4)[0]
    base = next(
        struct.unpack_from(">I", font, at + 8)[0]
        for at in range(12, 12 + 16 * tables, 16)
        if font[at : at + 4] == b"cmap"
    )
    found: list[tuple[int, int]] = []
    for number in range(struct.unpack_from(">H", font, base + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", font, base + 4 + 8 * number)
        at = base + offset
        form = struct.unpack_from(">H", font, at)[0]
        if form == 12:
            groups = struct.unpack_from(">I", font, at + 12)[0]
            found += [struct.unpack_from(">II", font, at + 16 + 12 * group) for group in range(groups)]
        elif form == 4 and (platform, encoding) in ((0, 3), (3, 1)):
            found += _segments(font, at)
    return found


def _segments(font: bytes, at: int) -> list[tuple[int, int]]:
    """The codes of a table of format 4; a code may be mapped to no glyph, one by one."""
    count = struct.unpack_from(">H", font, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", font, at + 14)
    starts = struct.unpack_from(f">{count}H", font, at + 16 + 2 * count)
    deltas = struct.unpack_from(f">{count}H", font, at + 16 + 4 * count)
    offsets_at = at + 16 + 6 * count
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    found = []
    for place in range(count):
        for code in range(starts[place], min(ends[place], 0xFFFE) + 1):
            glyph = code
            if offsets[place]:
                where = offsets_at + 2 * place + offsets[place] + 2 * (code - starts[place])
                glyph = struct.unpack_from(">H", font, where)[0]
                if glyph == 0:
                    continue
            if (glyph + deltas[place]) % 65_536:
                found.append((code, code))
    return found
