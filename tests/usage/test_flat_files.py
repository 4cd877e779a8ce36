"""CSV and Parquet with the columns of our records give the same usages as our own format."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _files import figures, read, told

from ledger.usage.flat import COLUMNS, NEEDED

ROWS = [
    {
        "DspResourceId": "work-1",
        "ISRC|DOI|ContentHash": "GBAYE0601498",
        "Usages": 10,
        "AttributionWeightPpm": 400_000,
    },
    {"DspResourceId": "work-2", "ISRC|DOI|ContentHash": "", "Usages": 20, "AttributionWeightPpm": 600_000},
    {
        "DspResourceId": "wörk, 3",
        "ISRC|DOI|ContentHash": "10.5281/zenodo.12",
        "Usages": 30,
        "AttributionWeightPpm": None,
    },
]
for i, row in enumerate(ROWS):
    row |= {
        "UseType": "aill::AiTraining" if i else "AiInference",
        "SalesTransactionId": "" if i == 2 else "o1",
    }
    row |= {
        "UsageStartDate": "2026-01-01",
        "UsageEndDate": "2026-03-31",
        "Territory": "DE",
        "IsRoyaltyBearing": "true",
    }


def csv_text(rows, columns=tuple(ROWS[0])):
    def cell(value):
        text = "" if value is None else str(value)
        return f'"{text}"' if "," in text else text

    return (
        "\n".join([",".join(columns), *(",".join(cell(row[name]) for name in columns) for row in rows)])
        + "\n"
    )


def expected(report):
    rows = pq.read_table(report.usage).to_pylist()
    assert [(row["work"], int(row["usages"]), row["weight_ppm"], row["use_type"]) for row in rows] == [
        ("work-1", 10, 400_000, "AiInference"),
        ("work-2", 20, 600_000, "AiTraining"),
        ("wörk, 3", 30, None, "AiTraining"),
    ]
    return [row["record"] for row in rows]


def test_csv_is_read(tmp_path):
    path = tmp_path / "usage.csv"
    path.write_text(csv_text(ROWS))
    report = read(tmp_path, path)
    assert told(report) == []
    assert expected(report) == [2, 3, 4]
    assert figures(report) == (3, 0, 0, 60)
    packed = tmp_path / "usage.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert expected(read(tmp_path, packed)) == [2, 3, 4]


def test_parquet_is_read(tmp_path):
    path = tmp_path / "usage.parquet"
    pq.write_table(pa.Table.from_pylist([row | {"IsRoyaltyBearing": True} for row in ROWS]), path)
    report = read(tmp_path, path)
    assert told(report) == []
    assert expected(report) == [1, 2, 3]


@pytest.mark.parametrize(
    ("old", "new", "flaw", "lines"),
    [
        ("GBAYE0601498", "GBAYE06014X8", (2, "identifier", "ISRC|DOI|ContentHash"), (3, 0, 0)),
        ("work-2,,20,", "work-2,,-20,", (3, "number", "Usages"), (1, 0, 2)),
        ("work-2,,20,", ",,20,", (3, "unknown-reference", "ResourceReference"), (2, 1, 0)),
        ("600000", "600001", (3, "weights", "AttributionWeightPpm"), (1, 0, 2)),
        ('"wörk, 3"', "wörk, 3", (4, "missing-cell", ""), (2, 0, 1)),
        ('"wörk, 3"', '"wörk\t3"', (4, "control-character", ""), (2, 1, 0)),
    ],
)
def test_flaws_of_a_row_are_found(tmp_path, old, new, flaw, lines):
    path = tmp_path / "usage.csv"
    text = csv_text(ROWS)
    assert old in text
    path.write_text(text.replace(old, new))
    report = read(tmp_path, path)
    assert flaw in told(report)
    assert figures(report)[:3] == lines


def test_a_table_without_the_needed_columns_is_refused(tmp_path):
    for name in NEEDED:
        path = tmp_path / "usage.csv"
        path.write_text(csv_text(ROWS, tuple(one for one in ROWS[0] if one != name)))
        report = read(tmp_path, path)
        assert report.refused
        assert name in report.refused[0].what


def test_unknown_columns_are_noted(tmp_path):
    path = tmp_path / "usage.csv"
    path.write_text(csv_text([row | {"Colour": "red"} for row in ROWS], (*ROWS[0], "Colour")))
    report = read(tmp_path, path)
    assert told(report) == [(0, "cells", "Colour")]
    assert "Colour" not in COLUMNS


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"x" * 40, b"PAR1xxxxPAR1"])
def test_a_broken_table_is_refused(tmp_path, content):
    for name in ("usage.csv", "usage.parquet"):
        path = tmp_path / name
        path.write_bytes(content)
        assert read(tmp_path, path).refused


def test_a_gigantic_row_is_refused(tmp_path):
    path = tmp_path / "usage.csv"
    path.write_text(csv_text(ROWS) + "x" * (40 << 20))
    assert read(tmp_path, path).refused
