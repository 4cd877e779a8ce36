"""The page of the formats says what the code reads: columns, kinds of flaws, tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.operations.usage_files import FLAW_COLUMNS
from ledger.usage import flat, records, tables
from ledger.usage.flaws import ABOUT, FlawKind

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "usage-files.md").read_text(encoding="utf-8")
#: First cell of a row of a table, the others.
ROWS = re.findall(r"^\| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)


def shown(record: records.Record) -> str:
    marks = (("" if one.needed else "?") + ("*" if one.several else "") for one in record.columns)
    return " ".join(
        one.name.replace("|", "\\|") + mark for one, mark in zip(record.columns, marks, strict=True)
    )


@pytest.mark.parametrize("profile", records.PROFILES)
def test_every_record_has_its_columns(profile):
    for record in records.PROFILES[profile]:
        assert (record.name, shown(record)) in ROWS
    if profile != "ours":
        assert f"### {profile}\n" in PAGE


def test_every_kind_of_flaw_is_there():
    kinds = [(name, *rest.split(" | ", 1)) for name, rest in ROWS if name in set(FlawKind)]
    assert kinds == [(kind.value, ABOUT[kind].severity.value, ABOUT[kind].meaning) for kind in FlawKind]


def test_the_tables_have_their_columns():
    held = dict(ROWS)
    for name in ("usage", "works", "rights", "rejected"):
        columns = [one for one, _ in tables.TABLES[name]]
        columns += [one for one, _ in tables.DETAIL_COLUMNS] if name == "usage" else []
        assert held[f"{name}.parquet"].split() == columns
    assert tuple(held["flaws.csv"].split()) == FLAW_COLUMNS


def test_the_columns_of_flat_files_are_there():
    assert ", ".join(f"`{one}`" for one in flat.COLUMNS) + "." in PAGE
    assert (
        ", ".join(f"`{one}`" for one in flat.NEEDED[:-1]) + f" and `{flat.NEEDED[-1]}` must be there" in PAGE
    )


def test_the_usage_table_is_the_one_that_the_allocation_reads():
    assert [name for name, _ in tables.USAGE_COLUMNS] == [
        "work",
        "use_type",
        "right_type",
        "usages",
        "weight_ppm",
        "confidence_bps",
        "outputs",
        "royalty_bearing",
        "record",
        "file",
    ]
