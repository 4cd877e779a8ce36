"""A report against the licence's terms, and against the catalogue's manifest."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from _files import HASH, body, figures, read, summary, told, usage, work, write

from ledger.domain.manifest_file import parse_manifest_json
from ledger.domain.terms import parse_terms
from ledger.operations.usage_files import aliases
from ledger.usage.checks import Against, period_days

PAYEE = "0x1111111111111111111111111111111111111111"
TERMS = {
    "terms": "1", "catalogue": 1, "licensor": PAYEE, "works_root": "0x" + "11" * 32,
    "model": {"name": "model", "version": "1"}, "scope": ["INFER", "RETRIEVE"],
    "reach": {"start": "2026-01-01", "end": "2027-01-01", "territories": {"include": ["WORLD"], "exclude": []}},
    "money": {"token": PAYEE, "symbol": "tUSD", "decimals": 6, "tiers": [{"rate_ppm": 100000}],
              "deduction_cap_ppm": 100000, "deduction_kinds": ["refunds"]},
    "duties": {"reporting_period": "QUARTER"}, "control": {"cure_days": 30},
}  # fmt: skip


def terms(**changed):
    held = json.loads(json.dumps(TERMS))
    for path, value in changed.items():
        *parents, last = path.split("__")
        place = held
        for one in parents:
            place = place[one]
        place[last] = value
    return parse_terms(json.dumps(held))


def test_a_report_within_its_licence_has_no_flaw(tmp_path):
    report = read(tmp_path, write(tmp_path, body()), against=Against(terms=terms(), licence=7))
    assert told(report) == []


@pytest.mark.parametrize(
    ("changed", "licence", "flaw", "rejected"),
    [
        ({}, 8, (2, "licence", "LicenceId"), 4),
        ({"scope": ["TRAIN"]}, 7, (2, "scope", "UseType"), 4),
        ({"model__version": "2"}, 7, (2, "model", "ModelVersion"), 4),
        ({"model__name": "other"}, 7, (2, "model", "ModelId"), 4),
        ({"reach__start": "2026-04-01"}, 7, (2, "period", "UsageStartDate"), 4),
        ({"reach__end": "2026-03-31"}, 7, (2, "period", "UsageEndDate"), 4),
        ({"reach__territories": {"include": ["DE"]}}, 7, (2, "territory", "Territory"), 4),
        (
            {"reach__territories": {"include": ["WORLD"], "exclude": ["FR"]}},
            7,
            (2, "territory", "Territory"),
            4,
        ),
        ({"money__deduction_cap_ppm": 99_999}, 7, (2, "deduction-cap", "Deductions"), 0),
        ({"money__deduction_kinds": ["taxes"]}, 7, (2, "deduction-cap", "DeductionType"), 0),
    ],
)
def test_what_the_licence_does_not_permit_is_rejected_and_valued(tmp_path, changed, licence, flaw, rejected):
    """P-15: a period reported under another licence, or outside of scope, term, territory or model."""
    report = read(tmp_path, write(tmp_path, body()), against=Against(terms=terms(**changed), licence=licence))
    assert told(report) == [flaw]
    assert figures(report) == (4 - rejected, 0, rejected, 60)
    lost = pq.read_table(report.folder / "rejected.parquet").to_pylist()
    assert [row["record"] for row in lost] == [5, 6, 9, 11][:rejected]
    assert sum(int(row["usages"]) for row in lost) == (60 if rejected else 0)
    assert all(row["text"].startswith(b"SUAI.01\t") for row in lost)


def test_a_country_within_the_territory_is_permitted(tmp_path):
    lines = body()
    lines[1] = summary(territory="DE")
    against = Against(terms=terms(reach__territories={"include": ["DE", "AT"]}))
    assert told(read(tmp_path, write(tmp_path, lines), against=against)) == []


def test_only_the_summary_at_fault_is_rejected(tmp_path):
    lines = body()
    lines[1] = summary(usages="40")
    lines.insert(2, summary("2", usages="20", use="AiTraining"))
    lines[11] = usage("3", output="", count="20", weight="", key="2")
    report = read(tmp_path, write(tmp_path, lines), against=Against(terms=terms()))
    assert told(report) == [(3, "scope", "UseType")]
    assert figures(report) == (3, 0, 1, 60)


def manifest(*works: tuple[str, list[list[str]]]):
    shares = [{"holder": "Ann", "payee": PAYEE, "share": 1_000_000}]
    held = [{"id": name, "identifiers": identifiers, "shares": shares} for name, identifiers in works]
    return aliases(parse_manifest_json(json.dumps({"manifest": "1", "works": held})))


def test_works_of_the_catalogue_are_named_as_it_names_them(tmp_path):
    known = manifest(
        ("work-1", []), ("two", [["content_hash", HASH]]), ("three", [["doi", "10.5281/ZENODO.12"]])
    )
    report = read(tmp_path, write(tmp_path, body()), against=Against(works=known), details=True)
    assert told(report) == []
    assert pq.read_table(report.usage)["work"].to_pylist() == ["work-1", "two", "three", "work-1"]


def test_unknown_and_withdrawn_works_are_unmatched_and_valued(tmp_path):
    """P-15: usage of a work withdrawn from the catalogue is a finding, and its part is not lost."""
    known, before = manifest(("work-2", [])), manifest(("work-1", []), ("work-2", []))
    gone = {key: work for key, work in before.items() if key not in known}
    report = read(tmp_path, write(tmp_path, body()), against=Against(works=known, withdrawn=gone))
    assert told(report) == [
        (5, "withdrawn-work", "DspResourceId"),
        (9, "unknown-work", "DspResourceId"),
        (11, "withdrawn-work", "DspResourceId"),
    ]
    assert figures(report) == (1, 3, 0, 60)
    assert pq.read_table(report.usage).num_rows == 4


def test_a_content_hash_names_its_work_wherever_the_manifest_has_it():
    share = {"holder": "Ann", "payee": PAYEE, "share": 1_000_000}
    works = [
        {"id": "a", "content_hash": HASH, "identifiers": [["content_hash", HASH]], "shares": [share]},
        {"id": "b", "content_hash": "0x" + "cd" * 32, "shares": [share]},
    ]
    held = parse_manifest_json(json.dumps({"manifest": "1", "works": works}))
    assert aliases(held) == {"a": "a", HASH.lower(): "a", "b": "b", "0x" + "cd" * 32: "b"}


def test_an_identifier_of_two_works_names_neither():
    twice = manifest(("a", [["isrc", "GBAYE0601498"]]), ("b", [["isrc", "GBAYE0601498"]]))
    assert twice == {"a": "a", "b": "b"}


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026", ("2026-01-01", "2026-12-31")), ("2026-Q4", ("2026-10-01", "2026-12-31")),
        ("2026-02", ("2026-02-01", "2026-02-28")), ("2026-12", ("2026-12-01", "2026-12-31")),
        ("2026-02-03", ("2026-02-03", "2026-02-03")), ("2026-02-03--2026-03-01", ("2026-02-03", "2026-03-01")),
        ("2026-051", None), ("2026-13", None), ("2026-Q7", None), ("2026-02-30", None),
    ],
)  # fmt: skip
def test_periods_of_file_names(text, days):
    found = period_days(text)
    assert (tuple(map(str, found)) if found else None) == days


def test_a_work_is_found_by_its_iswc(tmp_path):
    lines = body()
    lines[2] = work(name="mine", identifier="", iswc="T0345246801")
    known = manifest(("song", [["iswc", "T-034.524.680-1"]]), ("work-2", []), ("work-3", []), ("work-1", []))
    report = read(tmp_path, write(tmp_path, lines), against=Against(works=known), details=True)
    assert told(report) == []
    assert pq.read_table(report.usage)["work"].to_pylist()[0] == "song"
