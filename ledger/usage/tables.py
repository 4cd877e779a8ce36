"""The tables that reading makes: usages, works, rights, rejected lines, weights; and the files that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: The usage table: what the allocation reads.
USAGE_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("work", pa.string()),
    ("use_type", pa.dictionary(pa.int32(), pa.string())),
    ("right_type", pa.dictionary(pa.int32(), pa.string())),
    ("usages", pa.decimal128(38, 0)),
    ("weight_ppm", pa.int64()),
    ("confidence_bps", pa.int32()),
    ("outputs", pa.int64()),
    ("royalty_bearing", pa.bool_()),
    ("record", pa.int64()),
    ("file", pa.int32()),
)
#: What the usage table has besides, so that its file can be written back.
DETAIL_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("block", pa.string()),
    ("reference", pa.string()),
    ("summary", pa.string()),
    ("output", pa.string()),
    ("method", pa.string()),
    ("allocated_net_revenue", pa.string()),
)
WORK_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("file", pa.int32()),
    ("record", pa.int64()),
    ("block", pa.string()),
    ("reference", pa.string()),
    ("work", pa.string()),
    ("identifier", pa.string()),
    ("iswc", pa.string()),
    ("title", pa.string()),
    ("artist", pa.string()),
    ("controllers", pa.string()),
)
#: A right's line as it stands in its file.
RIGHT_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("file", pa.int32()),
    ("record", pa.int64()),
    ("text", pa.string()),
)
#: A line that counts for nothing; `usages` is NULL where it has none or they cannot be read.
REJECTED_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("file", pa.int32()),
    ("record", pa.int64()),
    ("kind", pa.string()),
    ("name", pa.string()),
    ("usages", pa.decimal128(38, 0)),
    ("text", pa.binary()),
)
#: Weights of neighbouring lines of one output added up, its id as two keyed 64-bit hashes; the run's first and last
#: line. A line between them that has a weight is one of them.
WEIGHT_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("h1", pa.uint64()),
    ("h2", pa.uint64()),
    ("weight", pa.int64()),
    ("file", pa.int32()),
    ("first", pa.int64()),
    ("last", pa.int64()),
)
TABLES = {
    "usage": USAGE_COLUMNS,
    "works": WORK_COLUMNS,
    "rights": RIGHT_COLUMNS,
    "rejected": REJECTED_COLUMNS,
    "weights": WEIGHT_COLUMNS,
}
#: Tables that only checks need; they are removed at the end.
PASSING = {"weights"}
_PLAIN = {"weights"}
#: Columns of few values, or of values that mostly repeat.
_REPEATED = ["use_type", "right_type", "kind", "name", "usages", "weight_ppm", "confidence_bps", "outputs"]
_REPEATED += ["summary", "method"]


class Tables:
    """Writes the tables of a report into a folder as Parquet; a thread of its own does the packing."""

    def __init__(self, folder: Path, *, details: bool) -> None:
        self.folder = folder
        self.details = details
        self._writers: dict[str, Any] = {}
        self._thread = ThreadPoolExecutor(1, "usage tables")
        self._pending: list[Future[None]] = []
        self.rows: dict[str, int] = dict.fromkeys(TABLES, 0)

    def __enter__(self) -> Tables:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True)
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def schema(self, name: str) -> Any:
        """The schema of a table."""
        columns = TABLES[name]
        if name == "usage" and self.details:
            columns += DETAIL_COLUMNS
        return pa.schema(columns)

    def path(self, name: str) -> Path:
        """The file of a table."""
        return self.folder / f"{name}.parquet"

    def add(self, name: str, columns: Sequence[Any]) -> None:
        """Appends rows, given as Arrow arrays in the schema's order. At most three batches wait to be packed."""
        schema = self.schema(name)
        batch = pa.record_batch(
            [_cast(one, field.type) for one, field in zip(columns, schema, strict=True)], schema
        )
        self.rows[name] += batch.num_rows
        while len(self._pending) >= 3:
            self._pending.pop(0).result()
        self._pending.append(self._thread.submit(self._write, name, schema, batch))

    def merged(
        self, name: str, one: Sequence[Any], two: Sequence[Any] | None, *, by: tuple[str, ...]
    ) -> list[Any]:
        """Rows of two lots as one, in the order of these columns; of equal ones those of the first stand first."""
        schema = self.schema(name)
        lots = [
            pa.table([_cast(column, field.type) for column, field in zip(lot, schema, strict=True)], schema)
            for lot in (one, two)
            if lot is not None
        ]
        whole = pa.concat_tables(lots).unify_dictionaries().combine_chunks()
        # Arrow's sort does not keep the order of equal rows by promise: their place decides.
        placed = whole.append_column("place", pa.array(range(len(whole)), pa.int64()))
        order = pc.sort_indices(placed, [(key, "ascending") for key in (*by, "place")])
        return [column.combine_chunks() for column in whole.take(order).columns]

    def _write(self, name: str, schema: Any, batch: Any) -> None:
        writer = self._writers.get(name)
        if writer is None:
            plain = name in _PLAIN
            writer = self._writers[name] = pq.ParquetWriter(
                self.path(name),
                schema,
                compression="none" if plain else "lz4",
                use_dictionary=False if plain else _REPEATED,
                column_encoding={one: "DELTA_BINARY_PACKED" for one in ("record", "file") if not plain},
                # Statistics of what is looked up by its place; of the other columns nobody asks for them.
                write_statistics=not plain and ["file", "record"],
                store_schema=True,
            )
        writer.write_batch(batch)

    def finish(self) -> None:
        """Waits for the packing, closes the files, and writes those tables empty that got no row."""
        for one in self._pending:
            one.result()
        self._pending = []
        for name in TABLES:
            if (
                name not in self._writers
                and name not in PASSING
                and (self.details or name in ("usage", "rejected"))
            ):
                schema = self.schema(name)
                self._write(name, schema, _empty(schema))
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


def _empty(schema: Any) -> Any:
    return pa.record_batch([pa.array([], field.type) for field in schema], schema)


def _cast(array: Any, kind: Any) -> Any:
    return array if array.type == kind else array.cast(kind)


def decimals(values: Any, large: dict[int, int]) -> Any:
    """DECIMAL(38, 0) of int64 values from 0; `large` holds those, by place, that do not fit 18 digits."""
    import numpy as np

    words = np.zeros((len(values), 2), np.int64)
    words[:, 0] = values
    for place, value in large.items():
        words[place] = np.array([value & (2**64 - 1), value >> 64], np.uint64).view(np.int64)
    return pa.Array.from_buffers(pa.decimal128(38, 0), len(values), [None, pa.py_buffer(words)])
