"""Files of attribution: the credits of a batch of outputs, and the works that a training run used; CSV or Parquet.

A file is refused whole, with every bad line listed: what is recorded cannot be taken back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ledger.domain.attribution import BPS, Credits
from ledger.domain.canonical import ZERO32
from ledger.domain.errors import Findings, ValueRefused
from ledger.domain.royalty import PPM
from ledger.operations.manifests import read_text

CREDIT_COLUMNS = ("output", "content_hash", "work", "weight_ppm", "confidence_bps")
WORK_COLUMNS = ("work",)
_PARQUET = b"PAR1"
_LARGEST_TEXT = 500
_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,7}", re.ASCII)

#: The cells of a line, as they stand in the file; None for a missing value of Parquet.
_Cells = Sequence[Any]


def read_credits(content: bytes, name: str) -> Credits:
    """The lines of a batch. Raises FindingsError with every bad line, ValueRefused for what is no such table."""
    findings = Findings()
    outputs: list[str] = []
    hashes: list[bytes] = []
    works: list[str] = []
    weights: list[int] = []
    confidences: list[int] = []
    for where, cells in _lines(content, name, CREDIT_COLUMNS, findings):
        output, content_hash, work, weight, confidence = cells
        outputs.append(_text(output, "output", where, findings, needed=True))
        hashes.append(_hash(content_hash, where, findings))
        works.append(_text(work, "work", where, findings, needed=False))
        weights.append(_figure(weight, "weight_ppm", 1, PPM, where, findings))
        confidences.append(_figure(confidence, "confidence_bps", 0, BPS, where, findings))
    if not outputs and not findings:
        findings.add("", "The file holds no credit.", "Write one line for each output and work.")
    findings.raise_if_any("The batch was refused", name)
    return Credits(outputs, hashes, works, weights, confidences)


def read_works(content: bytes, name: str) -> tuple[str, ...]:
    """The ids of the works that a run used, each once. Raises FindingsError with every bad line."""
    findings = Findings()
    seen: dict[str, str] = {}
    for where, (cell,) in _lines(content, name, WORK_COLUMNS, findings):
        work = _text(cell, "work", where, findings, needed=True)
        if work in seen:
            findings.add(where, f"The work {work!r} was named before, at {seen[work]}.", "Name it once.")
        elif work:
            seen[work] = where
    if not seen and not findings:
        findings.add("", "The file names no work.", "Write one work's id a line.")
    findings.raise_if_any("The list of works was refused", name)
    return tuple(seen)


# ---- tables


def _lines(
    content: bytes, name: str, columns: tuple[str, ...], findings: Findings
) -> Iterator[tuple[str, _Cells]]:
    """Place and cells of each line, the cells in the order of `columns`."""
    if content.startswith(_PARQUET):
        return _parquet_lines(content, name, columns)
    return _csv_lines(read_text(content, name), name, columns, findings)


def _csv_lines(
    text: str, name: str, columns: tuple[str, ...], findings: Findings
) -> Iterator[tuple[str, _Cells]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    places: list[int] = []
    try:
        for cells in rows:
            if not any(cells):
                continue
            if not places:
                places = _places([cell.strip() for cell in cells], columns, name)
                continue
            where = f"line {rows.line_num}"
            if len(cells) != len(columns):
                findings.add(where, f"The line has {len(cells)} cells, not {len(columns)}.")
                continue
            yield where, [cells[place].strip() for place in places]
    except csv.Error as error:
        findings.add(f"line {rows.line_num}", f"The line is no CSV: {error}.")
    if not places:
        _places([], columns, name)


def _parquet_lines(content: bytes, name: str, columns: tuple[str, ...]) -> Iterator[tuple[str, _Cells]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        _places(file.schema_arrow.names, columns, name)
        number = 0
        for batch in file.iter_batches(batch_size=65_536, columns=list(columns)):
            for cells in zip(*(batch.column(one).to_pylist() for one in columns), strict=True):
                number += 1
                yield f"row {number}", cells
    except (pa.ArrowException, OSError) as error:
        raise ValueRefused("The file is no Parquet that can be read.", name, str(error)) from error


def _places(found: Sequence[str], columns: tuple[str, ...], name: str) -> list[int]:
    """Where each column stands. Raises ValueRefused unless they are exactly those."""
    if sorted(found) != sorted(columns):
        raise ValueRefused(
            f"The file does not have the columns {', '.join(columns)}.",
            name,
            f"It has {', '.join(map(repr, found)) or 'none'}.",
            "Name exactly these columns, in any order.",
        )
    return [found.index(one) for one in columns]


# ---- cells


def _text(cell: Any, column: str, where: str, findings: Findings, *, needed: bool) -> str:
    if cell is None or cell == "":
        if needed:
            findings.add(where, f"The {column} is empty.")
        return ""
    if not isinstance(cell, str) or len(cell) > _LARGEST_TEXT or not cell.isprintable():
        findings.add(
            where, f"The {column} is no text of at most {_LARGEST_TEXT} letters without control characters."
        )
        return ""
    return cell


def _hash(cell: Any, where: str, findings: Findings) -> bytes:
    if cell in (None, "", b""):
        return ZERO32
    if isinstance(cell, bytes) and len(cell) == 32:
        return cell
    if isinstance(cell, str) and (found := _HASH.fullmatch(cell)):
        return bytes.fromhex(found[1])
    findings.add(
        where, "The content_hash is no hash of 32 bytes.", "Write 64 hexadecimal digits, or nothing."
    )
    return ZERO32


def _figure(cell: Any, column: str, low: int, high: int, where: str, findings: Findings) -> int:
    value = cell if isinstance(cell, int) and not isinstance(cell, bool) else None
    if isinstance(cell, str) and _DIGITS.fullmatch(cell):
        value = int(cell)
    if value is None or not low <= value <= high:
        findings.add(where, f"The {column} is not a whole number from {low:,} to {high:,}.")
        return low
    return value
