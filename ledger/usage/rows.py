"""Rows out of the fast path's buffers, as Arrow arrays."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from ledger.usage import kernel_cells
from ledger.usage.buffers import Buffers
from ledger.usage.line_types import Use
from ledger.usage.tables import decimals


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
        """The work ids of usages; NULL where the reference is not resolved."""
        chosen = self.of(work)
        cells = self._buffers.works[0]
        offsets = np.empty(len(chosen) + 1, np.int32)
        out = np.empty(kernel_cells.offsets_at(chosen, cells, 2, offsets), np.uint8)
        kernel_cells.gather_at(self._buf, chosen, cells, 2, offsets, out)
        missing = chosen < 0
        bits = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
        return pa.StringArray.from_buffers(len(chosen), pa.py_buffer(offsets), pa.py_buffer(out), bits)


def gathered(buf: Any, cells: Any) -> Any:
    """Cells, given as (start, start of the next), as an Arrow array of strings."""
    count = len(cells)
    out = np.empty(kernel_cells.gather_size(count, cells, 0), np.uint8)
    offsets = np.empty(count + 1, np.int32)
    kernel_cells.gather(buf, count, cells, 0, offsets, out)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(out))


def other_rows(uses: list[Use], file: int, *, details: bool) -> list[Any]:
    """Usages of DDEX records as columns of the usage table."""
    count = len(uses)
    summaries = [use.summary for use in uses]
    columns = [
        pa.array([use.work for use in uses], pa.string()),
        pa.array([one.use_type if one else None for one in summaries], pa.string()).dictionary_encode(),
        pa.array([one.right_type if one else None for one in summaries], pa.string()).dictionary_encode(),
        decimals(np.zeros(count, np.int64), {i: use.usages for i, use in enumerate(uses)}),
        pa.nulls(count, pa.int64()),
        pa.nulls(count, pa.int32()),
        pa.nulls(count, pa.int64()),
        pa.array([use.bearing for use in uses]),
        pa.array([use.line for use in uses], pa.int64()),
        pa.array([file] * count, pa.int32()),
    ]
    if details:
        none = pa.nulls(count, pa.string())
        ids = pa.array([one.id if one else None for one in summaries], pa.string())
        columns += [none, none, ids, pa.array([use.output for use in uses], pa.string()), none, none]
    return columns


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


def any_between(marks: list[int], start: int, end: int) -> bool:
    """Whether one of the sorted marks lies there."""
    place = bisect_left(marks, start)
    return place < len(marks) and marks[place] < end
