"""Chunks made ready for the fast path while the one before is read: where cells and lines end, what is no UTF-8."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ledger.usage import kernel_cells
from ledger.usage.sources import Chunk, LongLine

T = TypeVar("T")

#: Places before the breaks of a chunk that are left for those of what is carried into it.
ROOM = 4096


class Ready(NamedTuple):
    """Whole lines as they are, and as the fast path sees them.

    `shown`: every byte that is no UTF-8, listed in `marks`, and every DEL is a control character below 32.
    `stops[ROOM:]`: the places of all bytes below 32. `heads`: of the lines that HEAD or a summary may be.
    """

    data: bytes
    shown: bytes
    marks: list[int]
    stops: Any
    heads: list[int]
    lines: int


class Readier:
    """Makes chunks ready. Two arrays take turns: one chunk may be made ready while the one before is in use."""

    def __init__(self) -> None:
        self._stops = [np.empty(0, np.int32), np.empty(0, np.int32)]
        self._heads = np.empty(1024, np.int32)

    def ready(self, data: bytes) -> Ready:
        """One chunk."""
        shown, marks = data, list[int]()
        lines, heads, wide, dele = self._breaks(data)
        if wide or dele:
            shown, marks = valid(data)
            if shown is not data:
                lines, heads, _, _ = self._breaks(shown)
        self._stops.reverse()
        return Ready(data, shown, marks, self._stops[1], self._heads[:heads].tolist(), lines)

    def _breaks(self, data: bytes) -> tuple[int, int, bool, bool]:
        if len(self._stops[0]) < ROOM + len(data):
            self._stops[0] = np.empty(ROOM + len(data), np.int32)
        buf = np.frombuffer(data, np.uint8)
        words = buf[: len(data) // 8 * 8].view("<u8")
        while True:
            lines, heads, wide, dele = kernel_cells.breaks(buf, words, self._stops[0], ROOM, self._heads)
            if heads <= len(self._heads):
                return lines, heads, wide, dele
            self._heads = np.empty(2 * heads, np.int32)

    def all(self, source: Iterator[Chunk | LongLine]) -> Iterator[Ready | LongLine]:
        """The chunks of a source."""
        for one in source:
            yield one if isinstance(one, LongLine) else self.ready(one.data)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, each worked out by a thread of its own while the one before is in use."""
    with ThreadPoolExecutor(1, "usage source") as thread:
        waiting = thread.submit(next, items, None)
        while (one := waiting.result()) is not None:
            waiting = thread.submit(next, items, None)
            yield one


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
