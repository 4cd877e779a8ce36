"""Files that are not what they should be: each a clear finding, memory bounded, nothing lost."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from _files import HEAD, NAME, body, figures, foot, read, summary, told, usage, work, write

from ledger.usage import lines as lines_of
from ledger.usage import sources
from ledger.usage.checks import Against
from ledger.usage.flaws import ABOUT, FlawKind, FlawLog, Severity

GZ = NAME + ".gz"


def kinds(report) -> list[str]:
    return [kind for _, kind, _ in told(report)]


def test_another_hash_is_refused(tmp_path):
    path = write(tmp_path, body())
    right = hashlib.sha256(path.read_bytes()).digest()
    assert not read(tmp_path, path, against=Against(hashes={NAME: right})).refused
    report = read(tmp_path, path, against=Against(hashes={NAME: bytes(32)}))
    assert kinds(report) == ["hash"]
    assert report.refused[0].severity is Severity.REFUSED


def test_the_hash_is_that_of_the_packed_file(tmp_path):
    path = tmp_path / GZ
    path.write_bytes(gzip.compress(write(tmp_path, body()).read_bytes()))
    report = read(tmp_path, path)
    assert report.files[0].sha256 == hashlib.sha256(path.read_bytes()).digest()
    assert told(report) == []
    assert figures(report) == (4, 0, 0, 60)


@pytest.mark.parametrize("lines", [3, 5, 8, 11])
def test_a_file_cut_between_lines_is_refused(tmp_path, lines):
    report = read(tmp_path, write(tmp_path, body()[:lines], end=False))
    assert (lines, "cut", "") in told(report)
    assert report.refused


def test_a_file_cut_in_a_line_is_refused(tmp_path):
    path = write(tmp_path, body())
    path.write_bytes(path.read_bytes()[:-150])
    report = read(tmp_path, path)
    assert "cut" in kinds(report)
    assert report.refused


def test_a_missing_last_end_of_line_is_no_flaw(tmp_path):
    path = write(tmp_path, body())
    path.write_bytes(path.read_bytes()[:-1])
    assert told(read(tmp_path, path)) == []


def test_windows_ends_of_line_are_read(tmp_path):
    path = write(tmp_path, body())
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    report = read(tmp_path, path)
    assert told(report) == []
    assert figures(report) == (4, 0, 0, 60)


@pytest.mark.parametrize("cut", [20, 100, -5])
def test_a_torn_archive_is_refused(tmp_path, cut):
    path = tmp_path / GZ
    path.write_bytes(gzip.compress(write(tmp_path, body() * 1).read_bytes())[:cut])
    assert kinds(read(tmp_path, path))[0] in ("cut", "unreadable")


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / GZ
    packed = bytearray(gzip.compress(write(tmp_path, body()).read_bytes()))
    packed[60] ^= 0xFF
    path.write_bytes(packed)
    assert "unreadable" in kinds(read(tmp_path, path))


def test_two_archives_in_one_file_are_read_on(tmp_path):
    path = tmp_path / GZ
    content = write(tmp_path, body()).read_bytes()
    path.write_bytes(gzip.compress(content[:700]) + gzip.compress(content[700:]))
    assert told(read(tmp_path, path)) == []


def test_a_name_that_hides_the_archive_is_noted(tmp_path):
    path = write(tmp_path, body())
    plain = path.read_bytes()
    path.write_bytes(gzip.compress(plain))
    (tmp_path / GZ).write_bytes(plain)
    for one in (path, tmp_path / GZ):
        report = read(tmp_path, one)
        assert told(report) == [(0, "file-name", "")]
        assert figures(report) == (4, 0, 0, 60)


def test_a_chunk_has_no_more_lines_than_memory_has_room_for(tmp_path, monkeypatch):
    """Eight megabytes of empty lines took 1.6 GB."""
    monkeypatch.setattr(sources, "LINES", 100)
    path = tmp_path / NAME
    lines = [b"a" * 250, *[b""] * 1000, b"b" * 99, b"c" * 100, *[b"d"] * 200, b"e" * 300]
    path.write_bytes(b"\n".join(lines) + b"\n")
    pieces = [one.data for one in sources.Source(path).chunks()]
    assert b"".join(pieces) == path.read_bytes()
    assert all(piece.endswith(b"\n") and piece.count(b"\n") <= 100 for piece in pieces)


def test_too_many_summaries_are_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr(lines_of, "SUMMARIES", 3)
    lines = [HEAD, *(summary(str(i), usages="0") for i in range(50))]
    report = read(tmp_path, write(tmp_path, lines))
    assert [one for one in told(report) if one[1] == "size"] == [(5, "size", "")]
    assert pq.read_table(report.folder / "rejected.parquet")["record"].to_pylist() == list(range(5, 52))


MANY = "9" * 38


def test_usages_of_more_than_38_digits_in_all_are_counted(tmp_path):
    """Rejected by their weights, and of a work that nobody knows."""
    lines = [HEAD, summary(usages=""), work()]
    lines += [usage(count=MANY) for _ in range(3)]
    report = read(tmp_path, write(tmp_path, lines))
    assert report.rejected.as_dict() == {"lines": 3, "usages": str(3 * int(MANY)), "unread": 0}
    lines[3:] = [usage(count=MANY, weight="", output="") for _ in range(4)]
    report = read(tmp_path, write(tmp_path, lines), against=Against(works={}))
    assert report.unmatched.as_dict() == {"lines": 4, "usages": str(4 * int(MANY)), "unread": 0}


def test_of_many_outputs_just_those_with_wrong_weights_are_rejected(tmp_path):
    """Runs of lines longer and shorter than a span, some of them in several pieces."""
    lines, wrong = [HEAD, summary(usages=""), work()], []
    for number in range(60):
        size = 1 + number * 7 % 40
        each = 1_000_000 // size
        weights = [1_000_000 - each * (size - 1), *[each] * (size - 1)]
        if number % 3 == 0:
            weights[0] -= 1
            wrong += range(len(lines) + 1, len(lines) + 1 + size)
        lines += [usage(output=f"o{number}", weight=str(one), count="1") for one in weights]
        # A line of another output within the run, and one without a weight.
        lines.insert(-1, usage(output="", weight="", count="1"))
        wrong = [one + (one == len(lines) - 1) for one in wrong] if number % 3 == 0 else wrong
    report = read(tmp_path, write(tmp_path, lines))
    assert [line for line, kind, _ in told(report) if kind == "weights"] == wrong


def test_a_zip_bomb_is_refused_at_once(tmp_path):
    path = tmp_path / GZ
    with gzip.open(path, "wb") as file:
        for _ in range(1024):
            file.write(bytes(1024 * 1024))
    report = read(tmp_path, path)
    assert kinds(report)[0] in ("size", "file-encoding")
    with gzip.open(path, "wb") as file:
        file.write(HEAD.encode() + b"\n" + summary().encode() + b"\n")
        for _ in range(256):
            file.write((b"#" * 1023 + b"\n") * 1024)
    report = read(tmp_path, path)
    assert "size" in kinds(report)
    assert "times its size" in report.refused[0].what


def test_a_file_beyond_the_limit_is_refused(tmp_path):
    assert "size" in kinds(read(tmp_path, write(tmp_path, body()), largest=500))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_refused(tmp_path, encoding):
    path = write(tmp_path, body())
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    report = read(tmp_path, path)
    assert kinds(report)[0] == "file-encoding"
    assert report.refused


def test_a_line_in_latin_1_is_rejected_and_valued(tmp_path):
    lines = body()
    lines[8] = usage("2", output="Zürich", count="20", weight="")
    path = write(tmp_path, lines)
    path.write_bytes(path.read_bytes().replace("Zürich".encode(), "Zürich".encode("latin-1")))
    report = read(tmp_path, path)
    assert told(report) == [(9, "encoding", "")]
    assert figures(report) == (3, 0, 1, 60)
    assert b"Z\xfcrich" in pq.read_table(report.folder / "rejected.parquet")["text"][0].as_py()


def test_a_byte_order_mark_is_noted(tmp_path):
    path = write(tmp_path, body())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert told(read(tmp_path, path)) == [(1, "form", "")]


def test_a_work_in_latin_1_leaves_its_usages_unmatched(tmp_path):
    lines = body()
    path = write(tmp_path, lines)
    path.write_bytes(path.read_bytes().replace("«Ä»".encode(), b"\xc4"))
    report = read(tmp_path, path)
    assert told(report) == [(8, "encoding", ""), (9, "unknown-reference", "ResourceReference")]
    assert figures(report) == (3, 1, 0, 60)


def test_a_long_line_is_passed_over(tmp_path):
    lines = body()
    lines.insert(9, "SUAI.01\t" + "x" * (3 << 20))
    report = read(tmp_path, write(tmp_path, lines), chunk=1 << 18)
    assert (10, "line-length", "") in told(report)
    assert figures(report)[2] == 1
    assert report.rejected.unread == 1
    assert report.files[0].all_lines == 13


#: The peak of a process alone, in KiB: on Linux ru_maxrss starts at what its parent held when it started it.
PEAK = """
import resource
from pathlib import Path
status = Path('/proc/self/status')
held = status.read_text().split() if status.exists() else []
peak = int(held[held.index('VmHWM:') + 1]) if held else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
"""


def test_a_gigabyte_of_one_line_takes_little_memory(tmp_path):
    """1 GB without an end of line: refused as cut, in a process whose memory is measured."""
    path = tmp_path / NAME
    with path.open("wb") as file:
        file.write("\n".join(body()).encode() + b"\n" + b"y" * 8192)
        file.seek(1 << 30, 1)
        file.write(b"x")
    program = (
        "import sys; from pathlib import Path; from ledger.usage.reader import read_report\n"
        "report = read_report([Path(sys.argv[1])], Path(sys.argv[2]))\n"
        f"{PEAK}print(peak, *[one.kind.value for one in report.flaws])"
    )
    (tmp_path / "tables").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(tmp_path / "tables")],
        capture_output=True,
        text=True,
        check=True,
    )
    peak, *found = done.stdout.split()
    assert "line-length" in found
    assert "cut" in found
    assert int(peak) < 700_000


def test_a_missing_file_and_an_empty_one_are_refused(tmp_path):
    assert kinds(read(tmp_path, tmp_path / NAME)) == ["unreadable"]
    (tmp_path / NAME).write_bytes(b"")
    report = read(tmp_path, tmp_path / NAME)
    assert report.refused
    assert set(kinds(report)) == {"no-head", "cut"}


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"x" * 100, b"\x00" * 5000, bytes(range(256)) * 40])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    assert read(tmp_path, tmp_path / NAME).refused


def test_a_message_seen_before_is_refused(tmp_path):
    """P-15: nothing is reported twice."""
    path = write(tmp_path, body())
    assert not read(tmp_path, path, against=Against(seen=frozenset({"M2"}))).refused
    assert told(read(tmp_path, path, against=Against(seen=frozenset({"M1"})))) == [(1, "seen", "MessageId")]


def part(number: int, of: int, *, name: str = "", **head: str) -> tuple[str, list[str]]:
    cells = HEAD.split("\t")
    cells[6], cells[7] = str(number), str(of)
    for place, value in head.items():
        cells[int(place[1:])] = value
    lines = [
        "\t".join(cells),
        summary(usages="40"),
        work(str(number)),
        usage(str(number), output=f"o{number}", count="20", weight="1000000"),
    ]
    return name or NAME.replace("1of1", f"{number}of{of}"), lines


def write_part(folder: Path, number: int, of: int, **head: str) -> Path:
    name, lines = part(number, of, **head)
    total = 2 * (len(lines) + 1)
    end = foot(lines).split("\t")
    end[2], end[5] = str(total), "2"
    return write(folder, [*lines, "\t".join(end)], name=name, end=False)


def test_the_files_of_a_report_are_one(tmp_path):
    report = read(tmp_path, write_part(tmp_path, 1, 2), write_part(tmp_path, 2, 2))
    assert told(report) == []
    assert figures(report) == (2, 0, 0, 40)
    assert pq.read_table(report.usage)["file"].to_pylist() == [0, 1]


def test_a_missing_part_is_noted_and_sums_are_left_open(tmp_path):
    assert told(read(tmp_path, write_part(tmp_path, 2, 2))) == [(1, "parts", "NumberOfFiles")]


def test_weights_of_one_output_are_summed_over_files(tmp_path):
    first, second = (write_part(tmp_path, number, 2) for number in (1, 2))
    for path in (first, second):
        path.write_bytes(path.read_bytes().replace(b"\to1\t", b"\tone\t").replace(b"\to2\t", b"\tone\t"))
    report = read(tmp_path, first, second)
    assert told(report) == [(4, "weights", "AttributionWeightPpm")] * 2
    assert figures(report) == (0, 0, 2, 40)
    for path in (first, second):
        path.write_bytes(path.read_bytes().replace(b"\t1000000\t", b"\t500000\t"))
    assert told(read(tmp_path, first, second)) == []


def test_the_same_part_twice_is_refused(tmp_path):
    first = write_part(tmp_path, 1, 2)
    (tmp_path / "again").mkdir()
    second = write_part(tmp_path / "again", 1, 2)
    assert "overlap" in kinds(read(tmp_path, first, second))


def test_parts_of_different_periods_are_refused(tmp_path):
    report = read(tmp_path, write_part(tmp_path, 1, 2), write_part(tmp_path, 2, 2, _8="2025-12-01"))
    assert ("overlap", "UsageStartDate") in [(kind, cell) for _, kind, cell in told(report)]


def test_a_name_that_contradicts_head_is_noted(tmp_path):
    report = read(
        tmp_path, write(tmp_path, body(), name=NAME.replace("2026-Q1", "2026-02").replace("1of1", "2of3"))
    )
    assert sorted(cell for _, kind, cell in told(report) if kind == "file-name") == [
        "FileNumber", "NumberOfFiles", "UsageEndDate", "UsageStartDate",
    ]  # fmt: skip
    assert kinds(read(tmp_path, write(tmp_path, body(), name="usage.tsv"))) == ["file-name"]


def test_lines_after_foot_and_no_head_are_told(tmp_path):
    lines = body()
    report = read(
        tmp_path,
        write(
            tmp_path, [*lines, foot(lines), work("4"), usage("4", output="", weight="", count="0")], end=False
        ),
    )
    assert (12, "order", "") in told(report)
    assert "no-head" in kinds(read(tmp_path, write(tmp_path, lines[1:])))


def test_comments_and_empty_lines_are_no_lines(tmp_path):
    lines = body()
    lines.insert(3, "#ASAI.01\tBlockId")
    lines.insert(5, "")
    path = write(tmp_path, lines)
    assert told(read(tmp_path, path)) == []
    path.write_bytes(path.read_bytes().replace(b"FOOT\t12\t", b"FOOT\t14\t"))
    report = read(tmp_path, path)
    assert told(report) == [(14, "foot", "NumberOfLinesInFile")]
    assert "comments" in next(iter(report.flaws)).why


def test_every_kind_has_a_severity_and_a_meaning():
    assert set(ABOUT) == set(FlawKind)
    assert all(one.meaning for one in ABOUT.values())


def test_many_flaws_do_not_hide_the_one_that_refuses():
    spilled = []
    log = FlawLog(held=3, spill=spilled.append)
    for line in range(10):
        log.add(FlawKind.SUM, 0, line, "", "", "x")
    log.add(FlawKind.CUT, 0, 11, "", "", "cut")
    assert [one.kind for one in log.held()][-1] is FlawKind.CUT
    assert (len(log), len(spilled), log.complete) == (11, 7, False)
    assert log.of(Severity.REFUSED) == 1
