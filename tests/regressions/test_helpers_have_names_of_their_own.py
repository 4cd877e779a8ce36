"""Test modules are imported by their bare names, so two helpers of one name would stand in for each other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
#: One a folder, which pytest tells apart by itself.
SHARED = {"conftest.py"}


def test_no_two_modules_of_the_tests_have_one_name() -> None:
    folders = [one for one in TESTS.rglob("*.py") if "brownie" not in one.parts and one.name not in SHARED]
    many = Counter(one.name for one in folders)
    assert [name for name, count in many.items() if count > 1] == []
