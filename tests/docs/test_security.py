"""Each assumption in SECURITY.md names the tests that show it, and they exist."""

from __future__ import annotations

import re

import pytest
from _pages import ROOT

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/.]+)::(\w+)`", TEXT)
ROWS = re.findall(r"^\| .* \|$", TEXT, re.MULTILINE)


def test_there_are_assumptions():
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[test for _, test in NAMED])
def test_a_named_test_exists(file, test):
    source = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^ *(?:def|function) {test}\b", source, re.MULTILINE)


def test_every_row_names_a_test():
    rows = [row for row in ROWS if not row.startswith(("| what", "| ---", "|---"))]
    assert not [row for row in rows if not re.search(r"`tests/", row)]
