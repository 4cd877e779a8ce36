"""The two real sample files: every flaw, compared with a list that was checked against the files by hand."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from _files import read, told

from ledger.operations.usage_files import FLAW_COLUMNS, write_flaws
from ledger.usage import records

SAMPLES = Path(__file__).parents[2] / "ledger" / "data" / "dsr"
YOUTUBE = SAMPLES / "DSR_TEST_YouTube_AdSupport-music_2015-Q4_IS_1of1_20160121T150926.tsv"
TINY = SAMPLES / "DSR_PADPIDA2014999999Z_PADPIDA2014111801Y_AdSupport_2015-02_AU_1of1_20150723T092522.tsv"
SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize(("path", "snapshot"), [(YOUTUBE, "youtube.csv"), (TINY, "tiny.csv")])
def test_every_flaw_of_the_samples_is_listed(tmp_path, path, snapshot):
    """Each line of the snapshot was checked by hand. Summary ids repeated, short rows, dates without dashes, totals
    that do not add up, FOOT counting comment lines: all of them are there.
    """
    report = read(tmp_path, path)
    write_flaws(tmp_path / "flaws.csv", report.flaws, [path.name])
    assert (tmp_path / "flaws.csv").read_text() == (SNAPSHOTS / snapshot).read_text()
    assert not report.refused
    rows = list(csv.reader((SNAPSHOTS / snapshot).read_text().splitlines()))
    assert tuple(rows[0]) == FLAW_COLUMNS
    assert len(rows) - 1 == len(report.flaws)


def test_the_usages_of_the_sample_are_all_there(tmp_path):
    report = read(tmp_path, YOUTUBE)
    rows = pq.read_table(report.usage).to_pylist()
    assert [(row["record"], row["work"], row["usages"]) for row in rows] == [
        (17, "A935917475088049", Decimal(7810)),
        (22, "A726198037646795", Decimal(2045)),
        (27, "XMhY7hsbhs4", Decimal(18)),
        (29, "XMhY7hsbhs4", Decimal(4)),
        (31, "XMhY7hsbhs4", Decimal(258)),
        (33, "XMhY7hsbhs4", Decimal(75)),
    ]
    assert {(row["use_type"], row["right_type"]) for row in rows} == {("Stream", "PerformingRight")}
    assert (report.accepted.lines, report.total().usages) == (6, 10_210)


def test_a_packed_sample_has_the_same_flaws(tmp_path):
    packed = tmp_path / (YOUTUBE.name + ".gz")
    packed.write_bytes(gzip.compress(YOUTUBE.read_bytes()))
    assert told(read(tmp_path, packed)) == told(read(tmp_path, YOUTUBE))


def test_the_records_are_those_of_the_columns_page():
    """Every record of columns.md has just these columns, optional and multi-valued where it says so."""
    page = (SAMPLES / "columns.md").read_text()
    held = {
        line[2:].split(":")[0]: line.split(": ", 1)[1] for line in page.splitlines() if line.startswith("- ")
    }
    plain = [name for name in held if " as SY01" not in f" {held[name]}"]
    assert set(held) <= set(records.RECORDS)
    for name in plain:
        record = records.RECORDS[name]
        shown = [
            one.name + ("?" if not one.needed else "") + ("*" if one.several else "")
            for one in record.columns
        ]
        assert shown == held[name].split(), name


def test_the_sample_names_the_columns_that_we_read():
    """The comment lines of the sample name its columns; two of its names are spelt otherwise there."""
    spelt = {"NumberofFiles": "NumberOfFiles", "RightsControllerProprietaryID": "RightsControllerPartyId"}
    spelt |= {
        "RightsControllerWorkID": "RightsControllerWorkId",
        "RightShare%": "RightSharePercentage",
        "RightType": "RightsType",
    }
    seen = 0
    for line in YOUTUBE.read_text().splitlines():
        if line.startswith("#"):
            name, *columns = line[1:].split("\t")
            assert [spelt.get(one, one) for one in columns] == [
                one.name for one in records.RECORDS[name].columns
            ]
            seen += 1
    assert seen == 8


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("AS02", "AS02.02"),
        ("SY02", "SY02.02"),
        ("LI01", "LI01.01"),
        ("SU03", "SU03.01"),
        ("SU01", "SU01"),
        ("RE01.01", "RE01"),
        ("SY02.07", "SY02.02"),
        ("SY03", None),
        ("SUAI", None),
        ("HEAD", "HEAD"),
        ("", None),
        ("AS02.x", None),
    ],
)
def test_records_without_version_are_read_as_the_newest(name, found):
    record = records.find(name)
    assert (record.name if record else None) == found


BASIC = [
    "HEAD\tdsrf/30\tBasicAudio\t1.2\tB1\t2026-04-02T00:00:00Z\t1\t1\t2026-01-01\t2026-03-31\tP1\tShop\t\t\t\t",
    "SY01.01\tS1\t\t\tPayAsYouGoModel\tPermanentDownload\tDE\t\t9\t\tEUR\t12.50\t\t\t",
    "SY02.02\tS2\t\t\tSubscriptionModel\tOnDemandStream\tDE\t\t30\t\tEUR\t3.00\tC\t\t\t\t\tPerformingRight\tMusic\t\t\t",
    "RE01\t1\tRL1\trel-1\t\t\t4006381333931\tAnn\t\tAlbum\t\t\t\t\t",
    "AS02.02\t1\tRS1\tres-1\tGBAYE0601498\tOne\t\tAnn\t\tPT3M\tMusicalWorkSoundRecording" + "\t" * 11,
    "AS02.02\t1\tRS2\tres-2\tGBAYE0601499\tTwo\t\tAnn\t\tPT3M\tMusicalWorkSoundRecording" + "\t" * 11,
    "SU01\t1\tS1\tT1\t\tRS1\ttrue\tfalse\t10\t1\t\t",
    "SU02\t1\tS2\tT2\t\tRS2\ttrue\t30\t\t",
    "FOOT\t9\t9\t2\t1\t1",
]


def _basic(tmp_path, lines):
    path = tmp_path / "DSR_R_S_shop_2026-Q1_DE_1of1_20260402T000000.tsv"
    path.write_text("".join(line + "\n" for line in lines))
    return read(tmp_path, path)


def test_the_basic_audio_profile_is_read(tmp_path):
    report = _basic(tmp_path, BASIC)
    assert told(report) == []
    rows = pq.read_table(report.usage).to_pylist()
    assert [(row["work"], int(row["usages"]), row["use_type"], row["right_type"]) for row in rows] == [
        ("res-1", 9, "PermanentDownload", None),
        ("res-2", 30, "OnDemandStream", "PerformingRight"),
    ]


@pytest.mark.parametrize(
    ("place", "old", "new", "flaw", "lines"),
    [
        (6, "\t10\t1\t", "\t10\t11\t", (7, "number", "Returns"), (1, 0, 1)),
        (6, "\tRS1\t", "\tRS9\t", (7, "unknown-reference", ""), (1, 1, 0)),
        (7, "\tS2\t", "\tS3\t", (8, "unknown-summary", "SummaryRecordId"), (1, 0, 1)),
        (7, "\t30\t", "\t\t", (8, "missing-cell", "NumberOfStreams"), (1, 0, 1)),
        (4, "PT3M\t", "3:00\t", (5, "form", "Duration"), (2, 0, 0)),
        (3, "4006381333931", "4006381333932", (4, "identifier", "ICPN"), (2, 0, 0)),
        (1, "\tDE\t", "\tXX\t", (2, "vocabulary", "Territory"), (2, 0, 0)),
    ],
)
def test_flaws_of_the_basic_audio_profile(tmp_path, place, old, new, flaw, lines):
    spoilt = list(BASIC)
    assert old in spoilt[place]
    spoilt[place] = spoilt[place].replace(old, new, 1)
    report = _basic(tmp_path, spoilt)
    assert flaw in told(report)
    assert (report.accepted.lines, report.unmatched.lines, report.rejected.lines) == lines
