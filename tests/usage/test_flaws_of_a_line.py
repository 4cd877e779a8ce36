"""One flaw at a time: found, named by line and cell, and its line neither lost nor counted twice."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from _files import DAMAGED, body, figures, read, right, summary, told, usage, work, write


def test_a_whole_file_has_no_flaw(tmp_path):
    report = read(tmp_path, write(tmp_path, body()))
    assert told(report) == []
    assert figures(report) == (4, 0, 0, 60)
    rows = pq.read_table(report.usage).to_pylist()
    assert [(row["work"], int(row["usages"]), row["weight_ppm"], row["record"]) for row in rows] == [
        ("work-1", 10, 500_000, 5),
        ("work-2", 10, 500_000, 6),
        ("work-3", 20, 1_000_000, 9),
        ("work-1", 20, None, 11),
    ]
    assert {row["use_type"] for row in rows} == {"AiInference"}
    assert rows[3]["confidence_bps"] is None
    assert rows[3]["outputs"] is None


#: Place in `body()`, what stands there instead, flaws, (accepted, unmatched, rejected), usages in all.
SPOILT = [
    (2, work(identifier=DAMAGED), [(3, "identifier", "ISRC|DOI|ContentHash")], (4, 0, 0), 60),
    (2, work(iswc="T-034.524.680-2"), [(3, "identifier", "ISWC")], (4, 0, 0), 60),
    (
        2,
        work(name=""),
        [(3, "missing-cell", "DspResourceId"), (5, "unknown-reference", "ResourceReference")],
        (3, 1, 0),
        60,
    ),
    (
        3,
        work(reference="R1", name="work-2"),
        [(4, "repeated-id", "ResourceReference"), (6, "unknown-reference", "ResourceReference")],
        (3, 1, 0),
        60,
    ),
    (
        4,
        usage(count="ten"),
        [(2, "sum", "Usages"), (5, "number", "Usages"), (6, "weights", "AttributionWeightPpm")],
        (2, 0, 2),
        50,
    ),
    (
        4,
        usage(count=""),
        [(2, "sum", "Usages"), (5, "missing-cell", "Usages"), (6, "weights", "AttributionWeightPpm")],
        (2, 0, 2),
        50,
    ),
    (
        8,
        usage("2", output="o2", count="20", weight="1000001"),
        [(9, "number", "AttributionWeightPpm")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", output="o2", count="20", weight="999999"),
        [(9, "weights", "AttributionWeightPpm")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", output="", count="20", weight="1000000"),
        [(9, "missing-cell", "SalesTransactionId")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", output="o2", count="20", weight="", sure="10001"),
        [(9, "number", "AttributionConfidenceBps")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", output="o2", count="20", weight="", outputs=str(2**63)),
        [(9, "number", "OutputCount")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", key="9", output="o2", count="20", weight=""),
        [(2, "sum", "Usages"), (9, "unknown-summary", "SummaryRecordId")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", "R9", output="o2", count="20", weight=""),
        [(9, "unknown-reference", "ResourceReference")],
        (3, 1, 0),
        60,
    ),
    (
        8,
        usage("2", output="o2", count="20", weight="", bearing="maybe"),
        [(9, "missing-cell", "IsRoyaltyBearing")],
        (3, 0, 1),
        60,
    ),
    (
        8,
        usage("2", output="o2", count="20", weight="", net="1,5"),
        [(9, "form", "AllocatedNetRevenue")],
        (4, 0, 0),
        60,
    ),
    (
        10,
        "\t".join(usage("3", output="", count="20", weight="").split("\t")[:7]),
        [(11, "cells", "")],
        (4, 0, 0),
        60,
    ),
    (10, usage("3", output="", count="20", weight="") + "\tmore", [(11, "cells", "")], (4, 0, 0), 60),
    (10, usage("3", output="a\0b", count="20", weight=""), [(11, "control-character", "")], (3, 0, 1), 60),
    (10, usage("3", output="a\x7fb", count="20", weight=""), [(11, "control-character", "")], (3, 0, 1), 60),
    (10, "SUXX.01\t3", [(2, "sum", "Usages"), (11, "unknown-record", "")], (3, 0, 1), 40),
    (
        9,
        work("1", name="work-1"),
        [(10, "order", "BlockId"), (11, "unknown-reference", "ResourceReference")],
        (3, 1, 0),
        60,
    ),
    (6, right(key="9"), [(7, "order", "SummaryRecordId")], (4, 0, 0), 60),
    (6, right().replace("1.50", "x"), [(7, "form", "AllocatedNetRevenue")], (4, 0, 0), 60),
    (1, summary(usages="61"), [(2, "sum", "Usages")], (4, 0, 0), 60),
    (1, summary(net="91"), [(2, "sum", "NetRevenue")], (4, 0, 0), 60),
    (1, summary(deduction=("refunds|fees", "10")), [(2, "sum", "Deductions")], (4, 0, 0), 60),
    (1, summary(territory="Atlantis"), [(2, "vocabulary", "Territory")], (4, 0, 0), 60),
    (1, summary(use="AiDreaming"), [(2, "vocabulary", "UseType")], (4, 0, 0), 60),
]


@pytest.mark.parametrize(
    ("place", "line", "flaws", "lines", "usages"),
    SPOILT,
    ids=[f"{one[2][-1][1]}-{i}" for i, one in enumerate(SPOILT)],
)
def test_one_flaw_is_found_and_nothing_is_lost(tmp_path, place, line, flaws, lines, usages):
    """P-15: what is reported is accepted, unmatched or rejected, each once."""
    spoilt = body()
    spoilt[place] = line
    report = read(tmp_path, write(tmp_path, spoilt))
    found = [one for one in told(report) if one[1] != "foot"]
    assert found == flaws
    assert figures(report) == (*lines, usages)
    rejected = pq.read_table(report.folder / "rejected.parquet")
    assert report.rejected.lines == sum(one[:2] in ("SU", "") for one in rejected["name"].to_pylist())


def test_a_number_of_38_digits_is_exact(tmp_path):
    lines = body()
    lines[10] = usage("3", output="", count="9" * 38, weight="")
    lines[1] = summary(usages="")
    report = read(tmp_path, write(tmp_path, lines))
    assert int(pq.read_table(report.usage)["usages"][3].as_py()) == 10**38 - 1
    assert report.total().usages == 10**38 - 1 + 40
    lines[10] = usage("3", output="", count="9" * 39, weight="")
    assert (11, "number", "Usages") in told(read(tmp_path, write(tmp_path, lines)))


def test_a_usage_above_its_summary_does_not_know_it(tmp_path):
    lines = body()
    lines.insert(11, summary("2", usages="5"))
    lines += [usage("3", output="", count="5", weight="", key="2")]
    report = read(tmp_path, write(tmp_path, lines))
    assert told(report) == [(12, "order", "")]
    lines[10] = usage("3", output="", count="20", weight="", key="2")
    found = told(read(tmp_path, write(tmp_path, lines)))
    assert (11, "unknown-summary", "SummaryRecordId") in found
