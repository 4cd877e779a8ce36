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
from ledger.usage.lines import SUMMARIES
from ledger.usage.own_lines import OwnLineReader
from ledger.usage.records import HEAD, SUMMARY, USAGE, WORK
from ledger.usage.sources import LINE_LIMIT, Source, SourceRefused, looked_at
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
#: Up to it a floating-point number tells every whole number from its neighbours.
_EXACT = float(2**53 - 1)


def is_flat(path: Path) -> bool:
    """Whether a file is CSV or Parquet, by its name and its first bytes."""
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz", ".parquet")):
        return True
    if name.endswith((".tsv", ".tsv.gz")):
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError:
        return False


class _Stream(io.RawIOBase):
    """The unpacked bytes of a source as a file."""

    def __init__(self, source: Source) -> None:
        self._pieces = looked_at(source.pieces())
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
        for batch in _parquet(source, lines) if parquet else _csv(source, lines, reader):
            text = _texts(batch)
            ids = _summaries(text, len(batch), lines, summaries, reader)
            reader.chunk(_as_lines(text, ids, len(batch), reader.number(0)))
            told()
    except SourceRefused as refused:
        facts.whole = False
        lines.flaw(refused.kind, 0, "", "", refused.what, refused.why)
    except UnicodeDecodeError:
        facts.whole = False
        lines.flaw(FlawKind.FILE_ENCODING, 0, "", "", "The names of the columns are not UTF-8.")
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
        held = str(row.text).splitlines() or [""]
        if len(held) > 1:
            what = f"The row spans {len(held):,} lines: a quotation mark is not closed where it should be."
            lines.flaw(
                FlawKind.FORM, number, "", "", what, "Each of the lines counts as a usage without a number."
            )
        for text in held:
            lines.reject(number, FlawKind.MISSING_CELL, "", text.encode())
        passed.append(number)
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
    _check_columns(first.schema.names, lines)
    for batch in first:
        reader.left_out(passed)
        yield batch
    reader.left_out(passed)


def _parquet(source: Source, lines: OwnLineReader) -> Iterator[Any]:
    import pyarrow.parquet as pq

    # The footer says what the pages claim to unpack to: a bomb is refused before it is opened.
    with pq.ParquetFile(source.path) as file:
        claimed = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        if claimed > source.largest:
            raise SourceRefused(FlawKind.SIZE, f"The file unpacks to {claimed:,} bytes.")
        names = file.schema_arrow.names
        _check_columns(names, lines)
        yield from file.iter_batches(_ROWS, columns=[one for one in names if one in COLUMNS])


def _texts(batch: Any) -> dict[str, Any]:
    """Each known column as bytes; NULL is empty, tabs and ends of line become a control character."""
    found = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name not in COLUMNS:
            continue
        try:
            found[name] = _text(column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            what = f"The column {name} holds {column.type}, which is no text and no number."
            raise SourceRefused(FlawKind.UNREADABLE, what) from error
    return found


def _text(column: Any) -> Any:
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "true", "false")
    if pa.types.is_floating(column.type):
        column = _plain(column)
    elif pa.types.is_decimal(column.type):
        column = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    if not (pa.types.is_binary(column.type) or pa.types.is_string(column.type)):
        column = column.cast(pa.string())
    column = pc.fill_null(column.cast(pa.binary()), b"")
    if _has_breaks(column):
        return pa.array([_unbroken(one) for one in column.to_pylist()], pa.binary())
    return column


def _plain(column: Any) -> Any:
    """Numbers with a floating point as text: whole ones that are exact as such, as 1000 and not as 1e+03."""
    column = column.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less_equal(pc.abs(column), _EXACT))
    digits = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, digits, column.cast(pa.string()))


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
            known[key] = _register(cells, len(known) + 1, reader.number(2 * row), lines)
        ids.append((place, known[key]))
    by_place = [one for _, one in sorted(ids)]
    firsts = firsts.append_column("id", pa.array(by_place, pa.binary()))
    if len(by_place) == 1:
        return pa.array(by_place * count, pa.binary())
    joined = table.append_column("row", pa.array(range(count))).join(
        firsts.select([*names, "id"]), keys=names, join_type="left outer"
    )
    return joined.sort_by("row").column("id").combine_chunks()


def _register(cells: dict[str, str], place: int, number: int, lines: OwnLineReader) -> str:
    """Enters a combination of the summary columns as a summary; its id, which no other has."""
    if place > SUMMARIES:
        what = (
            f"There are more than {SUMMARIES:,} combinations of licence, use, territory, figures and period."
        )
        raise SourceRefused(FlawKind.SIZE, what)
    facts = lines.facts
    key = given_id = cells.get("SummaryRecordId") or str(place)
    while key in lines.by_id:
        key = f"{key}/{place}"
    if key != given_id and cells.get("SummaryRecordId"):
        above = lines.by_id[given_id].line.number
        lines.flaw(
            FlawKind.REPEATED_ID, number, SUMMARY.name, "SummaryRecordId",
            f"The summary id {quoted(given_id)} stands at row {above} too, where it means other figures.",
            "Each of them counts for what its own row says.",
        )  # fmt: skip
    other = _of_another_report(cells, number, lines)
    texts = [SUMMARY.name, *(cells.get(one.name, "") for one in SUMMARY.columns)]
    texts[1] = key
    given = [one if one.name in cells else None for one in SUMMARY.columns]
    from ledger.usage import cells as cells_of

    for column, value in zip(given, texts[1:], strict=True):
        if column is not None and value and (found := cells_of.check(column, value)) is not None:
            lines.flaw(found.kind, number, SUMMARY.name, column.name, found.what, found.why)
    one = read_summary(len(facts.summaries), Line(facts.index, number, SUMMARY, texts))
    lines.by_id[key] = one
    facts.summaries.append(one)
    one.refused = other
    lines.judge(one)
    return key


def _of_another_report(cells: dict[str, str], number: int, lines: OwnLineReader) -> FlawKind | None:
    """Takes message and period of the first rows that state them for the file's; why a row of others is rejected."""
    facts = lines.facts
    if facts.head is None:
        if any(cells.get(name) for name in HEAD_COLUMNS):
            held = ["HEAD", *(cells.get(one.name, "") for one in HEAD.columns)]
            facts.head = Line(facts.index, number, HEAD, held)
        return None
    found: FlawKind | None = None
    for name in HEAD_COLUMNS:
        stated, given = facts.head.get(name), cells.get(name, "")
        if given and not stated:
            facts.head.cells[HEAD.place(name)] = given
        elif given and given != stated:
            kind = FlawKind.OVERLAP if name == "MessageId" else FlawKind.PERIOD
            found = found or kind
            what = f"The {name} {quoted(given)} is not that of the first rows: {quoted(stated)}."
            lines.flaw(kind, number, "", name, what, "A file is of one report.")
    return found


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
