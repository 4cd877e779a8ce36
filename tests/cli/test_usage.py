"""licence-ledger usage: check, import, export; what a terminal and a spreadsheet get to see."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "usage"))
from _files import NAME, body, usage, write

SAMPLE = next((Path(__file__).parents[2] / "ledger" / "data" / "dsr").glob("DSR_TEST_*.tsv"))


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_check_lists_every_flaw_of_the_sample_and_keeps_nothing(run, home):
    ran = run("usage", "check", SAMPLE, json=True, home=home)
    assert ran.code == 0
    assert len(ran.data["flaws"]) == 27
    assert ran.data["severities"] == {"refused": 0, "rejected": 0, "unmatched": 0, "noted": 27}
    assert ran.data["accepted"] == {"lines": 6, "usages": "10210", "unread": 0}
    assert ran.data["importable"]
    assert not home.exists()
    shown = run("usage", "check", SAMPLE, home=home).out
    assert "FOOT says 35; there are 27. It counts comments and empty lines too." in shown
    assert "6 usage lines, 10,210 usages" in shown


def test_strict_refuses_with_every_flaw(run, home):
    ran = run("usage", "check", SAMPLE, "--strict", json=True, home=home)
    assert ran.code == 2
    assert len(ran.error["findings"]) == 27
    assert run("usage", "import", SAMPLE, "--strict", home=home).code == 2


def test_import_and_export_give_the_file_back(run, home, tmp_path):
    path = write(tmp_path, body())
    ran = run("usage", "import", path, json=True, home=home)
    assert (ran.code, ran.data["known"], ran.data["flaws"]) == (0, False, [])
    folder = Path(ran.data["folder"])
    assert {one.name for one in folder.iterdir()} == {
        "usage.parquet", "works.parquet", "rights.parquet", "rejected.parquet", "flaws.csv", "report.json",
    }  # fmt: skip
    assert folder.parent == home / "files" / "usage"
    assert run("usage", "import", path, json=True, home=home).data["known"]
    for named in (folder, ran.data["report"][:18]):
        back = run("usage", "export", named, "--out", tmp_path / "back", json=True, home=home)
        assert Path(back.data["files"][0]["path"]).read_bytes() == path.read_bytes()
    assert run("usage", "export", "0xdead", json=True, home=home).code == 2


def test_the_sample_is_imported_with_all_its_flaws(run, home):
    ran = run("usage", "import", SAMPLE, json=True, home=home)
    assert ran.code == 0
    assert len((Path(ran.data["folder"]) / "flaws.csv").read_text().splitlines()) == 28
    refused = run("usage", "export", ran.data["report"], json=True, home=home)
    assert "not of our own format" in refused.error["what"]


def test_the_expected_hash(run, home, tmp_path):
    path = write(tmp_path, body())
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert run("usage", "import", path, "--expect", right, home=home).code == 0
    wrong = run("usage", "import", path, "--expect", "00" * 32, json=True, home=home)
    assert (wrong.code, len(wrong.error["findings"])) == (2, 1)
    assert run("usage", "check", path, "--expect", "xy", json=True, home=home).code == 2


def test_cells_steer_neither_terminal_nor_spreadsheet(run, home, tmp_path):
    lines = body()
    lines[8] = usage("2", "=cmd|' /C calc'!A0", output="", weight="", count="20")
    lines[10] = usage("3", "\x1b[2Jevil", output="", weight="", count="20")
    path = write(tmp_path, lines, name="=1+1.tsv")
    flaws = tmp_path / "flaws.csv"
    ran = run("usage", "check", path, "--flaws", flaws, home=home)
    assert "\x1b" not in ran.out
    text = flaws.read_text()
    assert "\x1b" not in text
    assert "'=1+1.tsv" in text
    assert not any(
        cell.startswith(("=", "+", "-", "@")) for line in text.splitlines() for cell in line.split(",")
    )


def test_a_missing_file_is_a_finding(run, home, tmp_path):
    ran = run("usage", "check", tmp_path / NAME, json=True, home=home)
    assert not ran.data["importable"]
    assert [one["kind"] for one in ran.data["flaws"]] == ["unreadable"]
    assert run("usage", "import", tmp_path / NAME, json=True, home=home).code == 2
