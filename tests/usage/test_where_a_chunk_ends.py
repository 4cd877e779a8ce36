"""Tables, flaws and figures of a file are the same wherever its chunks end, in the order of its lines. P-16."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from _files import HEAD, NAME, body, figures, foot, read, right, summary, usage, work, write
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.usage import flat
from ledger.usage.flaws import Flaw, FlawKind, FlawLog

TABLES = ("usage", "rejected", "works", "rights")

#: Lines of every kind, good and bad ones, ours and those of DDEX profiles.
LINES = [
    HEAD, "#comment", "", "\ufeffSU02", "SYAI.", "SY", "XX01\tA", "HEAD\taill/1", "AS",
    summary(), summary("2", usages="1"), summary("3", use="AiTraining", usages="x"), summary("1", territory="QQ"),
    "\t".join(["SY02.02", "1", "", "", "", "", "", "Worldwide", "", "5", "", "EUR", "9"]),
    work(), work("1", "R2", "work-2"), work("2", "R1", ""), work("2", "R2", identifier="GBAYE06014X8"), work("3"),
    usage(), usage("1", "R2"), usage("2", key="2"), usage("2", "R2", key=""), usage("3", key="9"),
    usage("3", count="x"), usage("1", weight="9" * 20), usage("3", "R1", key="3"), usage("2") + "\x01",
    right(), right("1", "2"), right("2", ""), right("9", "7"),
    "\t".join(["AS01", "1", "A1", "work-1", "", "Title", "", "Ann", "", "", "Sound"]),
    "\t".join(["SU02", "1", "1", "S1", "", "A1", "true", "7", "", ""]),
    "\t".join(["SU02", "1", "", "S1", "", "", "true", "7", "", ""]),
    "\t".join(["SU03.01", "2", "S1", "2", "D1", "5", "1.50", "2025-01-01", "2026-01-02"]),
    "\t".join(["RU01", "2", "1", "D1|D2", "4"]),
    foot(["x"]),
]  # fmt: skip


def seen(folder: Path, path: Path, chunk: int) -> dict:
    """All that a reading gives."""
    report = read(folder, path, chunk=chunk, details=True)
    tables = {name: pq.read_table(report.folder / f"{name}.parquet").to_pylist() for name in TABLES}
    facts = report.files[0]
    counted = (facts.lines, facts.all_lines, facts.blocks, facts.first_block, facts.last_line, facts.comments)
    return tables | {"flaws": list(report.flaws), "figures": figures(report), "counted": counted}


def the_same(path: Path, *chunks: int) -> dict:
    """Reads a file with chunks of these sizes; what the first gives, which the others must."""
    first: dict = {}
    for chunk in chunks:
        found = seen(path.parent, path, chunk)
        first = first or found
        for name, held in first.items():
            assert found[name] == held, (name, chunk)
    for name in TABLES:
        records = [row["record"] for row in first[name]]
        assert records == sorted(records), name
    return first


def test_rejected_lines_stand_in_the_order_of_the_file(tmp_path):
    """A summary that is cut to a record that is unknown, read ahead of the usages above it."""
    lines = [*body(), "#comment", work("4", "R1"), work("4", "R2", "work-2"), work("4", "R3", "work-3")]
    del lines[1]
    lines += [usage("4", one, output="", weight="", count="1") for one in ("R3", "R1")]
    lines += [summary("2", usages="1")[:5], usage("4", "R2", output="", weight="", count="1", key="2")]
    found = the_same(write(tmp_path, lines), 1 << 24, 7, 100, 400)
    kinds = [row["kind"] for row in found["rejected"]]
    assert kinds == ["unknown-summary"] * 6 + ["unknown-record", "unknown-summary"]


def test_a_carriage_return_of_a_line_stays_within_it(tmp_path):
    """Two before the end of line: one is a control character, also where the work is carried to the next chunk."""
    path = write(
        tmp_path, [HEAD, summary(), work() + "\r\r", usage(), work("2") + "\r", usage("2"), "ASAI.01\t3\r\r"]
    )
    found = the_same(path, 1 << 24, 7, 100, 150, 400)
    assert [row["work"] for row in found["usage"]] == [None, "work-1"]
    assert [row["kind"] for row in found["rejected"]] == ["control-character"] * 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=14),
    st.booleans(),
    st.integers(1, 300),
    st.integers(1, 300),
)
def test_lines_in_any_order(lines, headed, one, two):
    with TemporaryDirectory() as place:
        path = write(Path(place), [HEAD, *lines] if headed else lines)
        the_same(path, 1 << 24, one, two)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([*LINES[9:12], *LINES[14:27]]), min_size=8, max_size=40), st.integers(1, 200))
def test_our_own_lines_under_refused_summaries(lines, chunk):
    """Summaries that are refused, or come too late, beside works and usages."""
    with TemporaryDirectory() as place:
        the_same(write(Path(place), [HEAD, summary("3", usages="x"), *lines]), 1 << 24, chunk)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_of_more_than_a_mebibyte(tmp_path, end):
    """However it is met: within a chunk, across several, as a comment, at the end."""
    long = ["#" + "c" * (1 << 20), "SUAI.01\t" + "9" * (3 << 20), "SYAI.01\t1\t" + "9" * (1 << 20)]
    edge = "SUAI.01\t1" + "x" * ((1 << 20) - 9)
    lines = [HEAD, summary(), long[0], work(), edge, edge + "y", usage(), *long[1:]]
    path = tmp_path / NAME
    path.write_bytes("".join(line + end for line in lines).encode())
    found = the_same(path, 1 << 24, 1 << 20, (1 << 20) + 1, 300_000, 999)
    assert [one.line for one in found["flaws"] if one.kind == "line-length"] == [3, 6, 8, 9]


def test_a_packed_file_gives_what_the_plain_one_gives(tmp_path):
    """gzip hands out pieces of other sizes."""
    lines = [*body(), "SYAI.", *(line for _ in range(300) for line in LINES[1:])]
    plain = seen(tmp_path, write(tmp_path, lines), 4096)
    packed = tmp_path / "packed.tsv.gz"
    packed.write_bytes(gzip.compress(write(tmp_path, lines).read_bytes()))
    other = seen(tmp_path, packed, 4096)
    told = [one for one in other.pop("flaws") if one.kind is not FlawKind.FILE_NAME]
    assert told == plain.pop("flaws")
    assert other == plain


def test_flaws_beyond_memory_are_told_in_the_order_of_the_lines(tmp_path, monkeypatch):
    """What is held and what is handed on does not hang on the summaries' being read ahead."""
    lines = [HEAD, *[usage(key="9")] * 3, summary(territory="QQ"), *[usage(key="9")] * 3]
    path = write(tmp_path, lines)
    monkeypatch.setattr("ledger.usage.reader.FlawLog", lambda spill: FlawLog(1, spill))
    spilled: list[list[Flaw]] = []
    for chunk in (1 << 24, 1):
        spilled.append([])
        read(tmp_path, path, chunk=chunk, spill=spilled[-1].append)
    assert len(spilled[0]) > 6
    assert spilled[0] == spilled[1]


def test_flaws_that_are_set_aside_wait_for_their_line():
    spilled: list[Flaw] = []
    log = FlawLog(1, spilled.append)
    with log.aside() as waiting:
        log.add(FlawKind.SUM, 0, 2, "", "", "read ahead")
    log.add(FlawKind.SUM, 0, 1, "", "", "above it")
    assert not spilled
    for one in waiting:
        log.put(one)
    assert [one.line for one in log] == [1]
    assert [one.line for one in spilled] == [2]
    assert len(log) == 2


def test_rows_of_a_table_keep_their_numbers(tmp_path, monkeypatch):
    """Rows that cannot be told into columns are left out, and those after them count on."""
    monkeypatch.setattr(flat, "_BLOCK", 4096)
    rows = ["DspResourceId,UseType,Usages", *(f"work-{i},aill::AiInference,1" for i in range(2, 1000))]
    for i in (*range(100, 1000, 100), *range(101, 1000, 100), *range(990, 1000)):
        rows[i - 1] = "short"
    rows[498] = rows[498].replace(",1", ",x")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    report = read(tmp_path, path)
    usages = pq.read_table(report.usage)
    assert usages["work"].to_pylist() == [f"work-{record}" for record in usages["record"].to_pylist()]
    rejected = pq.read_table(report.folder / "rejected.parquet")["record"].to_pylist()
    assert rejected == sorted(rejected)
    assert rejected == [i for i, row in enumerate(rows, 1) if row == "short" or row.endswith(",x")]
    assert report.rejected.lines == len(rejected)
