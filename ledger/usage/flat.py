"""CSV and Parquet with the columns of our records: each row becomes a work and a usage line of our own format."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ledger.usage.cells import quoted
from ledger.usage.flaws import FlawKind
from ledger.usage.own_lines import OwnLineReader
from ledger.usage.records import SUMMARY, USAGE, WORK
from ledger.usage.sources import LINE_LIMIT, Source, SourceRefused
from ledger.usage.summary import Line, read_summary
from ledger.usage.tables import Tables
from ledger.usage.tsv import FileReader

#: Columns that a flat file may have; those of HEAD give the period. A name that two records share is one column.
HEAD_COLUMNS = ("MessageId", "UsageStartDate", "UsageEndDate")
WORK_COLUMNS = tuple(one.name for one in WORK.columns)
USAGE_COLUMNS = tuple(one.name for one in USAGE.columns)
SUMMARY_COLUMNS = tuple(
    one.name for one in SUMMARY.columns if one.name not in ("Usages", "SummaryRecordId", "UsageUnit", "Users")
)
COLUMNS = tuple(dict.fromkeys((*HEAD_COLUMNS, *SUMMARY_COLUMNS, *WORK_COLUMNS, *USAGE_COLUMNS)))
#: Columns that must be there.
NEEDED = ("DspResourceId", "Usages", "UseType")
_BLOCK = 8 * 1024 * 1024
_ROWS = 100_000


def is_flat(path: Path) -> bool:
    """Whether a file is CSV or Parquet, by its name and its first bytes."""
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz", ".parquet")):
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


class _Stream(io.RawIOBase):
    """The unpacked bytes of a source as a file."""

    def __init__(self, source: Source) -> None:
        self._pieces = source.pieces()
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def read_flat(
    source: Source, lines: OwnLineReader, tables: Tables, keys: Any, told: Callable[[], None]
) -> FileReader:
    """Reads a CSV or Parquet file. Rows count from 1; a CSV's header is row 1."""
    facts = lines.facts
    facts.flat = True
    parquet = not source.path.name.lower().endswith((".csv", ".csv.gz"))
    reader = FileReader(lines, tables, keys, lines_a_row=2, first_row=1 if parquet else 2)
    summaries: dict[tuple[str, ...], str] = {}
    try:
        for batch in _parquet(source) if parquet else _csv(source, lines, reader):
            if not facts.all_lines:
                _check_columns(batch.schema.names, lines)
            text = _texts(batch)
            ids = _summaries(text, len(batch), lines, summaries, reader)
            reader.chunk(_as_lines(text, ids, len(batch), reader.number(0)))
            told()
    except SourceRefused as refused:
        facts.whole = False
        lines.flaw(refused.kind, 0, "", "", refused.what, refused.why)
    except (pa.ArrowInvalid, pa.ArrowException, OSError) as error:
        facts.whole = False
        why = str(error).splitlines()[0][:200]
        lines.flaw(FlawKind.UNREADABLE, 0, "", "", "The table cannot be read.", why)
    reader.finish()
    return reader


def _check_columns(names: Sequence[str], lines: OwnLineReader) -> None:
    for name in NEEDED:
        if name not in names:
            raise SourceRefused(
                FlawKind.UNREADABLE, f"The column {name} is missing.", f"Needed are {', '.join(NEEDED)}."
            )
    for name in names:
        if names.count(name) > 1:
            raise SourceRefused(FlawKind.UNREADABLE, f"The column {quoted(name)} stands there twice.")
        if name not in COLUMNS:
            lines.flaw(
                FlawKind.CELLS,
                0,
                "",
                name[:80],
                f"The column {quoted(name)} is not known; it is passed over.",
            )


def _csv(source: Source, lines: OwnLineReader, reader: FileReader) -> Iterator[Any]:
    from pyarrow import csv

    passed: list[int] = []

    def short(row: Any) -> str:
        number = row.number or 0
        lines.flaw(
            FlawKind.CELLS,
            number,
            "",
            "",
            f"The row has {row.actual_columns} cells; the header has {row.expected_columns}.",
        )
        lines.flaw(FlawKind.MISSING_CELL, number, "", "", "The row cannot be told into columns.")
        lines.reject(number, FlawKind.MISSING_CELL, "", str(row.text).encode())
        passed.append(number)
        reader.left_out(passed)
        return "skip"

    stream = pa.PythonFile(_Stream(source), mode="r")
    options = csv.ReadOptions(block_size=_BLOCK, use_threads=False)
    parse = csv.ParseOptions(invalid_row_handler=short, newlines_in_values=False)
    first = csv.open_csv(
        stream,
        options,
        parse,
        csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(COLUMNS, pa.binary())),
    )
    yield from first


def _parquet(source: Source) -> Iterator[Any]:
    import pyarrow.parquet as pq

    # The footer says what the pages claim to unpack to: a bomb is refused before it is opened.
    with pq.ParquetFile(source.path) as file:
        claimed = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if claimed > source.largest:
            raise SourceRefused(FlawKind.SIZE, f"The file unpacks to {claimed:,} bytes.")
        yield from file.iter_batches(
            _ROWS, columns=[one for one in file.schema_arrow.names if one in COLUMNS]
        )


def _texts(batch: Any) -> dict[str, Any]:
    """Each known column as bytes; NULL is empty, tabs and ends of line become a control character."""
    return {
        name: _text(column)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name in COLUMNS
    }


def _text(column: Any) -> Any:
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    if not (pa.types.is_binary(column.type) or pa.types.is_string(column.type)):
        column = column.cast(pa.string())
    column = pc.fill_null(column.cast(pa.binary()), b"")
    if _has_breaks(column):
        return pa.array([_unbroken(one) for one in column.to_pylist()], pa.binary())
    return column


def _has_breaks(column: Any) -> bool:
    data = column.buffers()[2]
    held = bytes(data) if data is not None else b""
    return any(one in held for one in (b"\t", b"\n", b"\r"))


def _unbroken(text: bytes) -> bytes:
    for one in (b"\t", b"\n", b"\r"):
        text = text.replace(one, b"\x1a")
    return text[: LINE_LIMIT // 4]


def _summaries(
    text: dict[str, Any],
    count: int,
    lines: OwnLineReader,
    known: dict[tuple[str, ...], str],
    reader: FileReader,
) -> Any:
    """The summary id of each row; a summary of its own for each combination of the summary columns."""
    names = [name for name in (*HEAD_COLUMNS, "SummaryRecordId", *SUMMARY_COLUMNS) if name in text]
    table = pa.table({name: text[name] for name in names})
    firsts = table.append_column("row", pa.array(range(count))).group_by(names).aggregate([("row", "min")])
    columns = {name: firsts.column(name).to_pylist() for name in names}
    rows = firsts.column("row_min").to_pylist()
    ids = []
    for place, row in sorted(enumerate(rows), key=lambda pair: pair[1]):
        cells = {name: columns[name][place].decode("utf-8", "replace") for name in names}
        key = tuple(cells.values())
        if key not in known:
            known[key] = cells.get("SummaryRecordId") or str(len(known) + 1)
            _register(cells, known[key], reader.number(2 * row), lines)
        ids.append((place, known[key]))
    by_place = [one for _, one in sorted(ids)]
    firsts = firsts.append_column("id", pa.array(by_place, pa.binary()))
    if len(by_place) == 1:
        return pa.array(by_place * count, pa.binary())
    joined = table.append_column("row", pa.array(range(count))).join(
        firsts.select([*names, "id"]), keys=names, join_type="left outer"
    )
    return joined.sort_by("row").column("id").combine_chunks()


def _register(cells: dict[str, str], key: str, number: int, lines: OwnLineReader) -> None:
    facts = lines.facts
    if facts.head is None and cells.get("UsageStartDate"):
        from ledger.usage.records import HEAD

        facts.head = Line(
            facts.index, number, HEAD, ["HEAD", *(cells.get(one.name, "") for one in HEAD.columns)]
        )
    texts = [SUMMARY.name, *(cells.get(one.name, "") for one in SUMMARY.columns)]
    texts[1] = key
    given = [one if one.name in cells else None for one in SUMMARY.columns]
    from ledger.usage import cells as cells_of

    for column, value in zip(given, texts[1:], strict=True):
        if column is not None and value and (found := cells_of.check(column, value)) is not None:
            lines.flaw(found.kind, number, SUMMARY.name, column.name, found.what, found.why)
    if key in lines.by_id:
        return
    one = read_summary(len(facts.summaries), Line(facts.index, number, SUMMARY, texts))
    lines.by_id[key] = one
    facts.summaries.append(one)
    lines.judge(one)


def _as_lines(text: dict[str, Any], ids: Any, count: int, first: int) -> bytes:
    """Two lines a row: its work and its usage, in a block of its own."""
    empty = pa.array([b""] * count, pa.binary())
    rows = pa.array(range(first, first + count), pa.int64()).cast(pa.string()).cast(pa.binary())
    held = {
        **{name: text.get(name, empty) for name in (*WORK_COLUMNS, *USAGE_COLUMNS)},
        "BlockId": rows,
        "ResourceReference": pa.array([b"R"] * count, pa.binary()),
        "SummaryRecordId": ids,
        "IsRoyaltyBearing": text.get("IsRoyaltyBearing", pa.array([b"true"] * count, pa.binary())),
    }
    work = [pa.scalar(WORK.name.encode()), *(held[name] for name in WORK_COLUMNS)]
    usage = [pa.scalar(USAGE.name.encode()), *(held[name] for name in USAGE_COLUMNS)]
    pair = pc.binary_join_element_wise(
        pc.binary_join_element_wise(*work, b"\t"), pc.binary_join_element_wise(*usage, b"\t"), b"\n"
    )
    ended = pc.binary_join_element_wise(pair, pa.scalar(b""), b"\n")
    _, offsets, data = ended.buffers()
    end = np.frombuffer(offsets, np.int32)[ended.offset + count] if count else 0
    return memoryview(data)[:end].tobytes()
