"""CSV and Parquet with the columns of our records give the same usages as our own format."""

from __future__ import annotations

import gzip
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from _files import figures, read, told

from ledger.usage import flat
from ledger.usage.checks import Against
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


PLAIN = {"DspResourceId": "w", "Usages": "1", "UseType": "aill::AiInference"}


def write_csv(folder, rows, **how):
    path = folder / "usage.csv"
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    path.write_bytes(csv_text([dict.fromkeys(names, "") | row for row in rows], names).encode(**how))
    return path


@pytest.mark.parametrize(
    ("column", "other", "kind"),
    [
        ("LicenceId", "8", "licence"),
        ("UsageStartDate", "2025-01-01", "period"),
        ("MessageId", "M2", "overlap"),
    ],
)
def test_rows_of_another_report_do_not_hide_under_a_summary_id(tmp_path, column, other, kind):
    mine = {"LicenceId": "7", "UsageStartDate": "2026-01-01", "MessageId": "M1"}
    rows = [PLAIN | mine | {"SummaryRecordId": "1"}, PLAIN | mine | {"SummaryRecordId": "1", column: other}]
    report = read(tmp_path, write_csv(tmp_path, rows), against=Against(licence=7))
    assert told(report) == [(3, "repeated-id", "SummaryRecordId"), (3, kind, column)]
    assert figures(report) == (1, 0, 1, 2)


def test_each_row_has_the_use_that_it_says(tmp_path):
    """Under a summary id that is given twice, and under one that equals a number that we give."""
    for ids in (("1", "1"), ("", "1"), ("2", "")):
        rows = [
            PLAIN | {"SummaryRecordId": ids[0]},
            PLAIN | {"SummaryRecordId": ids[1], "UseType": "aill::AiTraining"},
        ]
        report = read(tmp_path, write_csv(tmp_path, rows))
        assert pq.read_table(report.usage)["use_type"].to_pylist() == ["AiInference", "AiTraining"]


def test_a_message_seen_before_needs_no_dates(tmp_path):
    report = read(
        tmp_path,
        write_csv(tmp_path, [PLAIN | {"MessageId": "M1"}]),
        against=Against(seen=frozenset({"M1"})),
    )
    assert [one.kind.value for one in report.refused] == ["seen"]


@pytest.mark.parametrize(("encoding", "kind"), [("utf-16", "file-encoding"), ("latin-1", "file-encoding")])
def test_a_table_in_another_encoding_is_refused(tmp_path, encoding, kind):
    report = read(tmp_path, write_csv(tmp_path, [PLAIN | {"Größe": "5"}], encoding=encoding))
    assert [one.kind.value for one in report.refused] == [kind]


def test_a_parquet_file_of_another_name_is_refused(tmp_path):
    for name in ("usage.csv", "usage.tsv"):
        pq.write_table(pa.Table.from_pylist([PLAIN]), tmp_path / name)
        report = read(tmp_path, tmp_path / name)
        assert report.refused[0].what == "The file is no text, whatever its name says."


def test_columns_of_an_empty_table_are_checked_too(tmp_path):
    (tmp_path / "usage.csv").write_text("DspResourceId,Usages,Colour\n")
    assert "UseType" in read(tmp_path, tmp_path / "usage.csv").refused[0].what
    path = tmp_path / "usage.parquet"
    pq.write_table(pa.Table.from_pylist([PLAIN | {"Colour": ["red"]}]), path)
    assert told(read(tmp_path, path)) == [(0, "cells", "Colour")]


def test_lines_within_an_open_quotation_mark_are_counted(tmp_path):
    (tmp_path / "usage.csv").write_text(csv_text([PLAIN] * 4, tuple(PLAIN)).replace("w,1", '"w,1', 1))
    report = read(tmp_path, tmp_path / "usage.csv")
    assert (2, "form", "") in told(report)
    assert report.rejected.as_dict() == {"lines": 4, "usages": "0", "unread": 4}


@pytest.mark.parametrize(
    ("values", "usages"),
    [
        (pa.array([1e15, 2.0, 2.5, float("nan"), float("inf"), -1.0, None]), ["1000000000000000", "2"]),
        (pa.array([Decimal("3.00"), Decimal("1.50"), Decimal(-4)], pa.decimal128(10, 2)), ["3"]),
        (pa.array([2**64 - 1, 0], pa.uint64()), [str(2**64 - 1), "0"]),
    ],
)
def test_whole_numbers_of_any_type_are_usages(tmp_path, values, usages):
    path = tmp_path / "usage.parquet"
    names = {name: [text] * len(values) for name, text in PLAIN.items()}
    pq.write_table(pa.table(names | {"Usages": values}), path)
    report = read(tmp_path, path)
    assert [str(one) for one in pq.read_table(report.usage)["usages"].to_pylist()] == usages
    assert report.total().lines == len(values)


def test_a_column_that_holds_lists_is_named(tmp_path):
    path = tmp_path / "usage.parquet"
    pq.write_table(pa.Table.from_pylist([PLAIN | {"Title": ["a", "b"]}]), path)
    assert "Title holds list" in read(tmp_path, path).refused[0].what


def test_a_table_of_too_many_combinations_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(flat, "SUMMARIES", 2)
    report = read(tmp_path, write_csv(tmp_path, [PLAIN | {"GrossRevenue": str(i)} for i in range(3)]))
    assert [one.kind.value for one in report.refused] == ["size"]
