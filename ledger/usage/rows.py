"""Rows out of the fast path's buffers, as Arrow arrays; and the bytes of a chunk that are no UTF-8."""

from __future__ import annotations

import re
from bisect import bisect_left
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from ledger.usage import kernel_cells
from ledger.usage.buffers import Buffers


class Rows:
    """Chosen rows of the buffers as Arrow arrays; all of them where `keep` is None."""

    def __init__(self, buf: Any, buffers: Buffers, n: int, keep: Any) -> None:
        self._buf = buf
        self._buffers = buffers
        self._n = n
        self._keep = keep

    def of(self, values: Any) -> Any:
        """The chosen ones of values by row."""
        return values if self._keep is None else values[self._keep]

    def text(self, cells: Any, column: int) -> Any:
        """One column of cells as strings."""
        chosen = cells[: self._n, column : column + 2]
        chosen = np.ascontiguousarray(
            chosen if self._keep is None else cells[self._keep, column : column + 2]
        )
        return gathered(self._buf, chosen)

    def works(self, work: Any) -> Any:
        """The work ids: gathered once a work, then taken; NULL where the reference is not resolved."""
        chosen = self.of(work)
        cells = self._buffers.works[0]
        most = int(chosen.max(initial=-1)) + 1
        known = gathered(self._buf, np.ascontiguousarray(cells[:most, 2:4]))
        missing = chosen < 0
        return known.take(pa.array(chosen, mask=missing if missing.any() else None))


def gathered(buf: Any, cells: Any) -> Any:
    """Cells, given as (start, start of the next), as an Arrow array of strings."""
    count = len(cells)
    out = np.empty(kernel_cells.gather_size(count, cells, 0), np.uint8)
    offsets = np.empty(count + 1, np.int32)
    kernel_cells.gather(buf, count, cells, 0, offsets, out)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(out))


def optional(values: Any, kind: Any) -> Any:
    """Numbers of which -1 stands for none; copied, for the buffers are filled again before they are written."""
    missing = values < 0
    values = values.copy()
    return pa.array(values, kind, mask=missing) if missing.any() else pa.array(values).cast(kind)


def exact(sums: Any) -> Fraction:
    """A sum of amounts kept apart by their scale, as low and high words."""
    return sum(
        (Fraction(int(low) + (int(high) << 32), 10**scale) for scale, (low, high) in enumerate(sums)),
        Fraction(0),
    )


def valid(data: bytes) -> tuple[bytes, list[int]]:
    """The data with each byte that is no UTF-8 replaced by a control character, and where those were."""
    marks: list[int] = []
    shown = data
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            text = data.decode("utf-8", "surrogateescape")
            shown = re.sub("[\udc80-\udcff]", "\x1a", text).encode()
            different = np.frombuffer(shown, np.uint8) != np.frombuffer(data, np.uint8)
            marks = [int(one) for one in np.flatnonzero(different)]
    # The fast path knows control characters by their being below 32; DEL is not.
    return shown.replace(b"\x7f", b"\x1a") if b"\x7f" in shown else shown, marks


def any_between(marks: list[int], start: int, end: int) -> bool:
    """Whether one of the sorted marks lies there."""
    place = bisect_left(marks, start)
    return place < len(marks) and marks[place] < end
