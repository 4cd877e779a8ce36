"""What the fast path works on: arrays that are used again from chunk to chunk, and the table of summaries."""

from __future__ import annotations

from functools import cache
from string import ascii_uppercase
from typing import Any

import numpy as np
import pyarrow as pa

from ledger.domain.identifiers import Kind, is_valid
from ledger.usage import kernel
from ledger.usage.own_lines import OwnLineReader


@cache
def isrc_countries() -> Any:
    """Which of the 26 × 26 country codes an ISRC may begin with."""
    codes = [a + b for a in ascii_uppercase for b in ascii_uppercase]
    return np.array([is_valid(Kind.ISRC, f"{code}AAA0000000") for code in codes], np.uint8)


class Buffers:
    """Arrays for one chunk, as large as the largest chunk so far needed."""

    def __init__(self) -> None:
        self._lines = 0
        self.works: Any = ()
        self.slots: Any = ()
        self.uses: Any = ()
        self.events: Any = ()

    def fit(self, lines: int) -> None:
        """Makes room for so many lines, and empties the table of references."""
        if lines > self._lines:
            self._lines = size = max(lines, 1024)
            self.works = (
                np.empty((size, 10), np.int32),
                np.empty(size, np.int64),
                np.empty(size, np.bool_),
                np.empty(size, np.int32),
            )
            self.uses = (
                np.empty(size, np.int32),
                np.empty(size, np.int32),
                np.empty(size, np.int64),
                np.empty(size, np.uint8),
                np.empty(size, np.int32),
                np.empty(size, np.int32),
                np.empty(size, np.int64),
                np.empty(size, np.int32),
                np.empty(size, np.int64),
                np.empty(size, np.int8),
                np.empty(size, np.uint64),
                np.empty(size, np.uint64),
                np.empty(size, np.int8),
                np.empty((size, 14), np.int32),
            )
            self.events = (
                np.empty(2 * size, np.int32),
                np.empty(2 * size, np.int32),
                np.empty(2 * size, np.int32),
                np.empty(2 * size, np.int8),
                np.empty(2 * size, np.int32),
            )
            self.slots = np.empty(1 << (2 * size - 1).bit_length(), np.int32)
        self.slots.fill(-1)


class SummaryTable:
    """The summaries known to a chunk, as the fast path looks them up. Of several with one id the first."""

    def __init__(self, lines: OwnLineReader, keys: Any, seen: int) -> None:
        self.held = list(lines.by_id.values())
        self.place = {one.id: place for place, one in enumerate(self.held)}
        ids = [one.id.encode() for one in self.held]
        ends = np.cumsum([len(one) for one in ids], dtype=np.int64) if ids else np.zeros(0, np.int64)
        starts = ends - np.array([len(one) for one in ids], np.int64)
        buffer = np.frombuffer(b"".join(ids) or b"\0", np.uint8)
        known = np.array([one.line.number - seen - 1 for one in self.held], np.int64)
        slots = kernel.seed_summaries(buffer, starts, ends, keys[0])
        self.arrays = (buffer, starts, ends, known, slots)
        types = sorted({one.use_type for one in self.held})
        self.use_types = pa.array(types, pa.string())
        self.use_codes = np.array([types.index(one.use_type) for one in self.held], np.int32)
        rights = sorted({one.right_type for one in self.held if one.right_type})
        self._right_types = pa.array(rights, pa.string())
        self._right_codes = np.array(
            [rights.index(one.right_type) if one.right_type else -1 for one in self.held], np.int32
        )

    def __len__(self) -> int:
        return len(self.held)

    def refused(self) -> Any:
        """Of each summary whether no usage under it is accepted."""
        return np.array([one.refused is not None for one in self.held] or [False], np.bool_)

    def rights(self, places: Any) -> Any:
        """The right types of usages by the place of their summary; NULL where it names none."""
        if not len(self._right_types):
            return pa.nulls(len(places), pa.dictionary(pa.int32(), pa.string()))
        codes = self._right_codes[places]
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), self._right_types)
