"""Writes usage files of our own format: line by line from figures, or back out of the tables of a report.

The same content gives the same bytes: UTF-8, LF, no time of writing, a gzip header without time or name.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ledger.domain.errors import LedgerError, ValueRefused
from ledger.usage.records import (
    FOOT,
    HEAD,
    MESSAGE_VERSION,
    PROFILE,
    PROFILE_VERSION,
    RIGHT,
    SUMMARY,
    USAGE,
    WORK,
    Record,
)
from ledger.usage.sources import LINE_LIMIT

#: gzip's level: the same zlib gives the same bytes at the same level.
_LEVEL = 6
_PAGE = 50_000


def line_of(record: Record, cells: Sequence[str]) -> str:
    """A record's line without its end. Raises ValueRefused for a wrong number of cells or control characters."""
    if len(cells) != len(record.columns):
        raise ValueRefused(f"{record.name} has {len(record.columns)} cells, not {len(cells)}.")
    for column, text in zip(record.columns, cells, strict=True):
        if any(ord(one) < 32 or ord(one) == 127 for one in text):
            raise ValueRefused(f"The {column.name} {text[:60]!r} has control characters.")
    text = "\t".join((record.name, *cells))
    if len(text.encode()) > LINE_LIMIT:
        raise ValueRefused(f"A line of {record.name} is longer than {LINE_LIMIT:,} bytes.")
    return text


def cells_of(record: Record, values: Mapping[str, object]) -> list[str]:
    """The cells of a record from values by column; several values of one column are a list.

    Raises ValueRefused for an unknown column or one that is missing.
    """
    names = {one.name for one in record.columns}
    if unknown := sorted(values.keys() - names):
        raise ValueRefused(
            f"{record.name} has no column {unknown[0]!r}.", remedy=f"Known: {', '.join(sorted(names))}."
        )
    cells = []
    for column in record.columns:
        value = values.get(column.name, "")
        if isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, list | tuple) and column.several:
            text = "|".join(str(one).replace("|", "\\|") for one in value)
        else:
            text = "" if value is None else str(value)
        if column.needed and text == "":
            raise ValueRefused(f"The {column.name} of {record.name} is missing.")
        cells.append(text)
    return cells


def head_values(
    message_id: str, created: str, start: str, end: str, sender: str, name: str, **more: object
) -> dict[str, object]:
    """HEAD of a report of one file in our format; days as 2026-01-31, `created` as 2026-04-02T00:00:00Z."""
    return {
        "MessageVersion": MESSAGE_VERSION,
        "Profile": PROFILE,
        "ProfileVersion": PROFILE_VERSION,
        "MessageId": message_id,
        "MessageCreatedDateTime": created,
        "FileNumber": 1,
        "NumberOfFiles": 1,
        "UsageStartDate": start,
        "UsageEndDate": end,
        "SenderPartyId": sender,
        "SenderName": name,
        **more,
    }


class UsageFile:
    """A usage file being written. Summaries come before works and usages; FOOT is written at the end.

    It is written beside its place and moved there whole; after an error there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._file: IO[bytes] = self._partial.open("wb")
        self._out: IO[bytes] = self._file
        if path.name.endswith(".gz"):
            self._out = gzip.GzipFile("", "wb", _LEVEL, self._file, mtime=0)  # type: ignore[assignment]
        self.lines = 0
        self.summaries = 0
        self.blocks = 0
        self._block: str | None = None

    def __enter__(self) -> UsageFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._file.closed:
            self._out.close()
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def text(self, line: str, *, counted: bool = True) -> None:
        """Writes a line as it is; comments do not count."""
        self._out.write(line.encode() + b"\n")
        self.lines += counted

    def head(self, values: Mapping[str, object]) -> None:
        """The first line."""
        self.text(line_of(HEAD, cells_of(HEAD, values)))

    def summary(self, values: Mapping[str, object]) -> None:
        """A summary record."""
        if self.blocks:
            raise LedgerError("A summary comes before the first work.", str(self.path))
        self.summaries += 1
        self.text(line_of(SUMMARY, cells_of(SUMMARY, values)))

    def work(self, values: Mapping[str, object]) -> None:
        """A work, at the beginning of a block or within it."""
        self._member(WORK, values)

    def usage(self, values: Mapping[str, object]) -> None:
        """A usage of a work of its block."""
        self._member(USAGE, values)

    def right(self, values: Mapping[str, object]) -> None:
        """A right in the usage above."""
        self._member(RIGHT, values)

    def _member(self, record: Record, values: Mapping[str, object]) -> None:
        cells = cells_of(record, values)
        if cells[0] != self._block:
            self._block = cells[0]
            self.blocks += 1
        self.text(line_of(record, cells))

    def close(self, *, lines_in_report: int | None = None, blocks_in_report: int | None = None) -> bytes:
        """Writes FOOT and moves the file into its place; its SHA-256. The counts of a report of several files."""
        self.text(
            line_of(
                FOOT,
                [
                    str(self.lines + 1),
                    str(self.lines + 1 if lines_in_report is None else lines_in_report),
                    str(self.summaries),
                    str(self.blocks),
                    str(self.blocks if blocks_in_report is None else blocks_in_report),
                ],
            )
        )
        return self.end()

    def end(self) -> bytes:
        """Moves the file into its place as it is; its SHA-256."""
        self._out.close()
        self._file.close()
        digest = hashlib.sha256()
        with self._partial.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        self._partial.replace(self.path)
        return digest.digest()


# ---- back out of the tables


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a report as its description keeps it: its head, summaries and foot as cells, its comments."""

    index: int
    name: str
    head: list[str]
    summaries: list[tuple[int, list[str]]]
    foot: list[str]
    comments: list[tuple[int, str]]


#: A line of each table as SQL: what concat_ws puts together.
_LINES: Mapping[str, str] = {
    "works": "concat_ws(chr(9), 'ASAI.01', block, reference, work, identifier, iswc, title, artist, controllers)",
    "usage": "concat_ws(chr(9), 'SUAI.01', block, summary, output, reference, royalty_bearing::VARCHAR, "
    "usages::VARCHAR, "
    "coalesce(weight_ppm::VARCHAR, ''), method, coalesce(confidence_bps::VARCHAR, ''), "
    "coalesce(outputs::VARCHAR, ''), allocated_net_revenue)",
    "rights": "text",
}


def write_back(folder: Path, parts: Sequence[Part], target: Path) -> list[Path]:
    """Writes the files of a report out of its tables, accepted and unmatched lines; our own format only.

    Files that had no flaw come out as they went in. FOOT counts what is written.
    """
    for name in _LINES:
        if not (folder / f"{name}.parquet").is_file():
            raise LedgerError(
                f"The table {name} is missing.",
                str(folder),
                "The report was read without its details.",
                "Import it again: `licence-ledger usage import`.",
            )
    target.mkdir(parents=True, exist_ok=True)
    written: list[tuple[Part, UsageFile]] = []
    from ledger.usage.checks import connect

    with connect(folder) as engine:
        for part in parts:
            if not part.head or any(cells[0] != SUMMARY.name for _, cells in part.summaries):
                raise LedgerError(
                    "The report is not of our own format, which alone is written.",
                    part.name,
                    remedy="Keep the file as it came; its usage table is usage.parquet.",
                )
            if Path(part.name).name != part.name or part.name.startswith("."):
                raise LedgerError("The name of the file is no plain name.", part.name)
            file = UsageFile(target / part.name)
            _write_part(engine, folder, part, file)
            written.append((part, file))
    lines = sum(file.lines + bool(part.foot) for part, file in written)
    blocks = sum(file.blocks for _, file in written)
    for part, file in written:
        if part.foot:
            counts = [file.lines + 1, lines, file.summaries, file.blocks, blocks]
            cells = [str(count) if said else "" for count, said in zip(counts, part.foot[1:], strict=False)]
            file.text("\t".join([FOOT.name, *cells]))
        file.end()
    return [file.path for _, file in written]


def _write_part(engine: Any, folder: Path, part: Part, file: UsageFile) -> None:
    notes = iter(sorted(part.comments))
    note = next(notes, None)
    last: str | None = None
    for number, kind, block, text in _merged(engine, folder, part):
        while note is not None and note[0] < number:
            file.text(note[1], counted=False)
            note = next(notes, None)
        if kind == 1:
            file.summaries += 1
        elif kind == 2 and block != last:
            file.blocks += 1
            last = block
        file.text(text)
    while note is not None:
        file.text(note[1], counted=False)
        note = next(notes, None)


def _merged(engine: Any, folder: Path, part: Part) -> Iterator[tuple[int, int, str, str]]:
    """The lines of a file in their order: (line number, 0 head, 1 summary, 2 member of a block; block; text)."""
    yield (1, 0, "", "\t".join(part.head))
    for number, cells in part.summaries:
        yield (number, 1, "", "\t".join(cells))
    selects = [
        f"SELECT record, {'split_part(text, chr(9), 2)' if name == 'rights' else 'block'} AS block, {line} AS text "
        f"FROM read_parquet('{str(folder / name).replace(chr(39), chr(39) * 2)}.parquet') WHERE file = {part.index}"
        for name, line in _LINES.items()
    ]
    rows = engine.execute(" UNION ALL ".join(selects) + " ORDER BY record")
    while page := rows.fetchmany(_PAGE):
        for record, block, text in page:
            yield (record, 2, block, text)
