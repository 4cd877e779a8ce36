"""The manifest table as columns in order: works, their right types, the shares, and who is paid for each.

Columns: `work`, `holder`, `payee` (20 bytes; NULL is held), `share_ppm`, `right_type` (or NULL), `size` (or NULL).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import lcm
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ledger.domain.allocation import right_name
from ledger.domain.errors import Findings, ValueRefused
from ledger.domain.merkle_batch import new_payees, payee_order, rows_at
from ledger.domain.royalty import PPM
from ledger.usage.engine_limbs import Figures, Positions, Words

if TYPE_CHECKING:
    from ledger.domain.manifest import Manifest

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

COLUMNS = ("work", "holder", "payee", "share_ppm", "right_type", "size")
#: Flaws shown at most; a bad table has them by the million.
_SHOWN = 20
_REFUSED = "The manifest was refused"


@dataclass(frozen=True)
class Holders:
    """The shares of a catalogue in order of (work, right type, holder, payee, share).

    Groups are the right types of a work. `group_starts[w]` is the first group of work w, `share_starts[g]`
    the first share of group g; both have one entry more. `share_payee` is a row of `payees`, or −1: held.
    """

    works: pa.LargeStringArray
    sizes: Words
    rights: tuple[str, ...]
    group_starts: Positions
    group_right: Positions
    share_starts: Positions
    share_ppm: Words
    share_holder: pa.LargeStringArray
    share_payee: Positions
    payees: Bytes

    @property
    def group_work(self) -> Positions:
        """The work of each group."""
        return np.repeat(np.arange(len(self.works)), np.diff(self.group_starts))

    @property
    def one_right_each(self) -> bool:
        """Whether no work has more than one right type."""
        return len(self.group_right) == len(self.works)

    @property
    def group_has_payee(self) -> Mask:
        """Whether any share of a group has a payee."""
        return np.logical_or.reduceat(self.share_payee >= 0, self.share_starts[:-1])


def read_holders(path: Path) -> Holders:
    """The manifest table of a Parquet file. Raises ValueRefused or FindingsError."""
    import pyarrow.parquet as pq

    try:
        return holders_of(pq.read_table(path))
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueRefused("The manifest table cannot be read.", str(path), str(error)) from error


def manifest_table(manifest: Manifest) -> pa.Table:
    """The table of a works manifest. A work's weight, scaled to whole numbers, is its size."""
    scale = lcm(*(work.weight.denominator for work in manifest.works))
    rows = [(work, share) for work in manifest.works for share in work.shares]
    return pa.table(
        {
            "work": pa.array([work.id for work, _ in rows], pa.large_string()),
            "holder": pa.array([share.holder for _, share in rows], pa.large_string()),
            "payee": pa.array(
                [bytes.fromhex(share.payee[2:]) if share.payee else None for _, share in rows], pa.binary(20)
            ),
            "share_ppm": pa.array([share.ppm for _, share in rows], pa.int64()),
            "right_type": pa.array(
                [right_name(share.right_type) or None for _, share in rows], pa.large_string()
            ),
            "size": pa.array([int(work.weight * scale) for work, _ in rows], pa.int64()),
        }
    )


def holders_of(table: pa.Table) -> Holders:
    """The columns of a manifest table, ordered where they are not. Raises FindingsError with its flaws."""
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise ValueRefused(
            f"The manifest table has no column {missing[0]!r}.", remedy=f"It needs {', '.join(COLUMNS)}."
        )
    if table.num_rows == 0:
        raise ValueRefused("The manifest table has no row.", remedy="Name the works and their holders.")
    columns = _Columns(table)
    in_order, new_work, new_group = columns.compare()
    if not in_order:
        columns = columns.ordered()
        in_order, new_work, new_group = columns.compare()
    work_starts, share_starts = _starts(new_work), _starts(new_group)
    columns.check(new_work, share_starts)
    share_payee, payees = columns.payees()
    return Holders(
        works=columns.work if bool(new_work.all()) else columns.work.take(pa.array(work_starts[:-1])),
        sizes=columns.size[work_starts[:-1]].astype(np.uint64),
        rights=columns.rights,
        group_starts=np.append(0, np.cumsum(new_group))[work_starts],
        group_right=columns.right[share_starts[:-1]],
        share_starts=share_starts,
        share_ppm=columns.ppm.astype(np.uint64),
        share_holder=columns.holder,
        share_payee=share_payee,
        payees=payees,
    )


def _starts(new: Mask) -> Positions:
    return np.append(np.flatnonzero(new), len(new))


def text_column(column: Any) -> pa.LargeStringArray:
    """One array of text with offsets of 64 bits, NULL as the empty text."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = whole.cast(pa.large_string())
    return whole.fill_null("") if whole.null_count else whole


def text_buffers(column: pa.LargeStringArray) -> tuple[Positions, Bytes]:
    """Offsets (one more than rows) and bytes of a text column."""
    _, offsets, data = column.buffers()
    at = np.frombuffer(offsets, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    return at, np.frombuffer(data or b"", dtype=np.uint8)


class _Columns:
    """The table's columns as arrays."""

    def __init__(self, table: pa.Table) -> None:
        self.work = text_column(table["work"])
        self.holder = text_column(table["holder"])
        # BLOB and fixed binary alike; NULL is no byte.
        payee = table["payee"].combine_chunks().cast(pa.large_binary())
        self.payee = payee.fill_null(b"") if payee.null_count else payee
        self.ppm = _integers(table["share_ppm"], "share_ppm")
        self.size = _integers(table["size"], "size")
        named = table["right_type"].combine_chunks().dictionary_encode()
        names = [right_name(name) for name in named.dictionary.to_pylist()]
        self.rights = tuple(sorted({"", *names}, key=str.encode))
        codes = np.array([self.rights.index(name) for name in names] + [0], dtype=np.int64)
        self.right = codes[named.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)]

    def compare(self) -> tuple[bool, Mask, Mask]:
        """Whether rows are in order, where a work begins, where a group begins."""
        new_work, new_group = np.ones(len(self.ppm), np.bool_), np.ones(len(self.ppm), np.bool_)
        in_order = _compare(
            *text_buffers(self.work),
            *text_buffers(self.holder),
            *text_buffers(self.payee),
            self.right,
            self.ppm,
            new_work,
            new_group,
        )
        return bool(in_order), new_work, new_group

    def ordered(self) -> _Columns:
        """The same rows in order."""
        keys = pa.table(
            {
                "work": self.work,
                "right": self.right,
                "holder": self.holder,
                "payee": self.payee,
                "ppm": self.ppm,
            }
        )
        order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
        other: _Columns = object.__new__(_Columns)
        rows = order.to_numpy()
        other.work, other.holder, other.payee = (
            column.take(order) for column in (self.work, self.holder, self.payee)
        )
        other.ppm, other.size, other.right, other.rights = (
            self.ppm[rows],
            self.size[rows],
            self.right[rows],
            self.rights,
        )
        return other

    def check(self, new_work: Mask, share_starts: Positions) -> None:
        """Shares of a group sum to the whole, sizes of a work agree, works and payees are what they must be."""
        findings = Findings()

        def note(rows: Iterable[int], what: str) -> None:
            for row in list(rows)[:_SHOWN]:
                findings.add(str(self.work[int(row)]), what)

        sums = np.add.reduceat(self.ppm, share_starts[:-1])
        note(
            share_starts[:-1][sums != PPM], f"The shares of a right do not sum to {PPM:,} parts per million."
        )
        note(np.flatnonzero((self.ppm < 0) | (self.ppm > PPM)), "A share is not within 0 to 1,000,000.")
        note(
            np.flatnonzero(~new_work[1:] & (self.size[1:] != self.size[:-1])) + 1, "The rows differ in size."
        )
        note(np.flatnonzero(self.size < 0), "The size is negative.")
        lengths = np.diff(text_buffers(self.payee)[0])
        note(np.flatnonzero((lengths != 0) & (lengths != 20)), "The payee is not 20 bytes.")
        note(np.flatnonzero(np.diff(text_buffers(self.work)[0]) == 0), "A row names no work.")
        findings.raise_if_any(_REFUSED)

    def payees(self) -> tuple[Positions, Bytes]:
        """For each share the row of its payee among all payees in order, each once; −1 without one."""
        offsets, data = text_buffers(self.payee)
        has = np.flatnonzero(np.diff(offsets))
        rows = data[offsets[0] : offsets[-1]].reshape(-1, 20)
        share_payee = np.full(len(self.ppm), -1, dtype=np.int64)
        if not len(rows):
            return share_payee, rows
        order = payee_order(rows)
        rows = rows_at(rows, order)
        new = new_payees(rows)
        if not new[0]:
            raise ValueRefused(
                "A payee is the zero address.",
                str(self.work[int(has[order[0]])]),
                remedy="Leave the payee out where nobody is known.",
            )
        share_payee[has[order]] = np.cumsum(new) - 1
        return share_payee, rows if bool(new.all()) else rows[new]


def _integers(column: Any, name: str) -> Positions:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    try:
        whole = whole.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise ValueRefused(
            f"The column {name} holds something else than whole numbers.", "", str(error)
        ) from error
    if whole.null_count == len(whole):
        return np.zeros(len(whole), dtype=np.int64)
    values: Positions = (whole.fill_null(0) if whole.null_count else whole).to_numpy(zero_copy_only=False)
    return values


@numba.njit(cache=True, nogil=True)
def compare_text(
    a: Bytes, a_from: int, a_to: int, b: Bytes, b_from: int, b_to: int
) -> int:  # pragma: no cover - compiled
    """Below, at or above zero as text a stands before, with or after b, by bytes."""
    for i in range(min(a_to - a_from, b_to - b_from)):
        difference: int = np.int64(a[a_from + i]) - np.int64(b[b_from + i])  # type: ignore[assignment]
        if difference != 0:
            return difference
    return (a_to - a_from) - (b_to - b_from)


@numba.njit(cache=True, nogil=True)
def _compare(
    w_at: Positions,
    w: Bytes,
    h_at: Positions,
    h: Bytes,
    p_at: Positions,
    p: Bytes,
    right: Positions,
    ppm: Positions,
    new_work: Mask,
    new_group: Mask,
) -> bool:  # pragma: no cover - compiled
    in_order = True
    for i in range(1, len(right)):
        order = compare_text(w, w_at[i - 1], w_at[i], w, w_at[i], w_at[i + 1])
        new_work[i] = order != 0
        new_group[i] = order != 0 or right[i] != right[i - 1]
        if order == 0:
            order = right[i - 1] - right[i]
        if order == 0:
            order = compare_text(h, h_at[i - 1], h_at[i], h, h_at[i], h_at[i + 1])
        if order == 0:
            order = compare_text(p, p_at[i - 1], p_at[i], p, p_at[i], p_at[i + 1])
        if order == 0:
            order = ppm[i - 1] - ppm[i]
        in_order &= order <= 0
    return in_order


@numba.njit(cache=True, nogil=True)
def _lower_bounds(
    at: Positions, data: Bytes, wanted_at: Positions, wanted: Bytes, out: Positions
) -> None:  # pragma: no cover - compiled
    for i in range(len(out)):
        low, high = 0, len(at) - 1
        while low < high:
            middle = (low + high) // 2
            if compare_text(data, at[middle], at[middle + 1], wanted, wanted_at[i], wanted_at[i + 1]) < 0:
                low = middle + 1
            else:
                high = middle
        out[i] = low


def lower_bounds(texts: pa.LargeStringArray, wanted: pa.LargeStringArray) -> Positions:
    """For each wanted text how many of the ordered texts stand before it."""
    out = np.zeros(len(wanted), dtype=np.int64)
    _lower_bounds(*text_buffers(texts), *text_buffers(wanted), out)
    return out


def size_figures(sizes: Words) -> Figures:
    """Sizes as figures."""
    return Figures(sizes, np.zeros(len(sizes), dtype=np.uint64))
