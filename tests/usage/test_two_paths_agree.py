"""The fast path and the exact path judge alike, and nothing depends on where a chunk ends."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from _files import HEAD, body, figures, foot, read, summary, told, usage, work, write
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.usage import cells
from ledger.usage.own_lines import OwnLineReader
from ledger.usage.records import RIGHT, USAGE, WORK
from ledger.usage.summary import FileFacts

IDENTIFIER = WORK.columns[3]
ISWC = WORK.columns[4]


def near(*texts: str):
    """One of the texts, or one with a letter changed, put in or taken out."""
    letters = "0123456789ABCXTabcfx.-/ :é"

    def change(three):
        text, place, letter, how = three
        at = place % (len(text) + 1)
        return text[:at] + (letter if how < 2 else "") + text[at + (how != 1) :]

    changed = st.tuples(
        st.sampled_from(texts), st.integers(0, 99), st.sampled_from(letters), st.integers(0, 2)
    ).map(change)
    return st.one_of(st.sampled_from(texts), changed)


IDENTIFIERS = near(
    "GBAYE0601498", "US-RC1-76-07839", "XXAYE0601498", "QM1234512345", "0x" + "0f" * 32, "0x" + "00" * 32, "AB" * 32,
    "10.5281/zenodo.12", "10.1000.10/x", "doi:10.1234/a", "https://doi.org/10.1234/a", "10.123/a",
)  # fmt: skip
ISWCS = near(
    "T-034.524.680-1",
    "T0345246801",
    "T-034.524.680-2",
    "T9109247316",
    "T0702472794",
    "ISWC T0345246801",
    "T 034 524 680 1",
)
NUMBERS = near(
    "0", "7", "1000000", "10000", "10001", "1000001", "9" * 18, "9" * 19, "1" + "0" * 18, "9" * 38, "007"
)
AMOUNTS = near("0", "12.50", "1.", ".5", "-3.25", "1" * 19, "0." + "1" * 18, "9" * 17 + ".1", "1.2.3", "1e3")


def flawed(folder: Path, lines: list[str]) -> set[int]:
    report = read(folder, write(folder, lines))
    return {one.line for one in report.flaws if one.line > 2 and one.record != "FOOT"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(IDENTIFIERS, ISWCS), min_size=1, max_size=60))
def test_identifiers_are_judged_alike(pairs):
    lines = [HEAD, summary(usages="0")]
    lines += [work(str(i), identifier=one, iswc=two) for i, (one, two) in enumerate(pairs, 1)]
    expected = {
        i
        for i, (one, two) in enumerate(pairs, 3)
        if (one and cells.check(IDENTIFIER, one)) or (two and cells.check(ISWC, two))
    }
    with TemporaryDirectory() as place:
        assert flawed(Path(place), lines) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, AMOUNTS), min_size=1, max_size=40))
def test_numbers_are_judged_alike_and_add_up_exactly(rows):
    lines = [HEAD, summary(usages="", net="")]
    expected, total = set(), 0
    for i, (count, sure, outputs, net) in enumerate(rows, 1):
        lines += [
            work(str(i)),
            usage(str(i), output="", weight="", count=count, sure=sure, outputs=outputs, net=net),
        ]
        held = dict(zip([one.name for one in USAGE.columns], lines[-1].split("\t")[1:], strict=True))
        bad = any(held[one.name] and cells.check(one, held[one.name]) for one in USAGE.columns)
        if bad or count == "" or (outputs.isdigit() and int(outputs) >= 2**63):
            expected.add(2 * i + 2)
        value = cells.read_count(count)
        total += value or 0
    with TemporaryDirectory() as place:
        report = read(Path(place), write(Path(place), lines))
        assert {one.line for one in report.flaws if one.line > 2 and one.record != "FOOT"} == expected
        assert report.total().usages == total
        assert report.total().lines == len(rows)
        kept = pq.read_table(report.usage)["usages"].to_pylist()
        assert sum(map(int, kept)) == report.accepted.usages + report.unmatched.usages


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=30))
def test_rights_and_net_revenue_add_up_exactly(rows):
    lines = [HEAD, summary(usages="0", net="")]
    for i, (one, two) in enumerate(rows, 1):
        lines += [work(str(i)), "\t".join([RIGHT.name, str(i), "1", "Pub", "", "", "100", "", one, two])]
    with TemporaryDirectory() as place:
        path = write(Path(place), lines)
        sums: dict = {}
        from ledger.usage import reader as reader_of

        seen = {}
        original = reader_of.check_sums
        reader_of.check_sums = lambda files, held, flaws: seen.update(held)
        try:
            read(Path(place), path)
        finally:
            reader_of.check_sums = original
        exact = OwnLineReader(FileFacts(0, "x"), read(Path(place), path).flaws, sums)
        for number, line in enumerate(lines, 1):
            if line.startswith(RIGHT.name):
                exact.own_right(number, line.encode(), encoding=False)
        assert seen["1"].right_net == sums["1"].right_net
        assert seen["1"].right_amount == sums["1"].right_amount


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_depends_on_where_a_chunk_ends(data):
    lines = [
        *body(),
        "#comment",
        work("4", "R1"),
        work("4", "R2", "work-2"),
        work("4", "R3", "work-3"),
        usage("4", "R3", output="", weight="", count="1"),
        usage("4", "R1", output="", weight="", count="1"),
        summary("2", usages="1"),
        usage("4", "R2", output="", weight="", count="1", key="2"),
    ]
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(1, len(lines) - 1))
        how = data.draw(st.integers(0, 3))
        if how == 0:
            del lines[place]
        elif how == 1:
            lines.insert(place, lines[data.draw(st.integers(1, len(lines) - 1))])
        elif how == 2:
            at = data.draw(st.integers(0, len(lines[place])))
            lines[place] = (
                lines[place][:at] + data.draw(st.sampled_from("\t\0\x7f9é")) + lines[place][at + 1 :]
            )
        else:
            lines[place] = lines[place][: data.draw(st.integers(0, len(lines[place])))]
    with TemporaryDirectory() as place:
        folder = Path(place)
        path = write(folder, lines)
        found = []
        for chunk in (1 << 24, data.draw(st.integers(1, 400))):
            report = read(folder, path, chunk=chunk, details=True)
            tables = [
                pq.read_table(report.folder / f"{name}.parquet").to_pylist()
                for name in ("usage", "rejected", "works", "rights")
            ]
            found.append((told(report), figures(report), tables))
        for name, whole, pieces in zip(
            ("usage", "rejected", "works", "rights"), found[0][2], found[1][2], strict=True
        ):
            assert whole == pieces, name
        assert found[0][:2] == found[1][:2]
        every = sum(
            line[:4] in ("SUAI",) and line.count("\t") > 0 and line.startswith("SUAI.01\t") for line in lines
        )
        assert report.total().lines >= every - 1


@pytest.mark.parametrize("works", [1, 2, 3, 7, 8, 9, 10, 50, 3000])
def test_references_are_found_in_blocks_of_any_size(tmp_path, works):
    lines = [HEAD, summary(usages=str(works))]
    lines += [work("1", f"R{i}", f"work-{i}") for i in range(works)]
    lines += [usage("1", f"R{i}", output="", weight="", count="1") for i in reversed(range(works))]
    path = write(tmp_path, lines)
    for chunk in (1 << 24, 5000):
        report = read(tmp_path, path, chunk=chunk)
        assert told(report) == []
        assert pq.read_table(report.usage)["work"].to_pylist() == [
            f"work-{i}" for i in reversed(range(works))
        ]
    assert foot(lines).split("\t")[4] == "1"
