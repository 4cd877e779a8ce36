"""A rights holder with 10,000 lines: all are on the page, and each is verified. How fast: benchmarks/page.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from _chromium import NARROW

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.page import HOLDER, LINES, build, pages
from benchmarks.reported import GENESIS
from ledger.chain.node import LocalNode


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> tuple[str, Path]:
    """The anchor, and the pages."""
    with LocalNode.start(genesis_time=GENESIS) as node:
        return build(node, LINES), pages(node, tmp_path_factory.mktemp("many"))


def test_every_row_is_there_and_is_verified(visit, many):
    anchor, site = many
    seen = visit((site / f"holders/{HOLDER}.html").as_uri())
    lines = [one for one in seen.figures() if "/period/" in one.key]
    assert len(lines) == LINES
    assert len({one.key for one in lines}) == LINES
    earned = next(one for one in seen.figures() if one.key.endswith("/earned") and "licence" not in one.key)
    assert sum(int(one.value) for one in lines) == int(earned.value) > 0

    assert seen.prove(anchor) == "verified", seen.text("#verdict")

    assert set(seen.states()) == {"verified"}
    after = seen.figures()
    assert {one.said for one in after} == {"verified by this browser"}
    assert f"{len(after)}" in seen.text("#verdict").replace(",", "")


def test_one_wrong_row_among_them_is_found(visit, many):
    anchor, site = many
    path = site / f"holders/{HOLDER}.html"
    page = path.read_text()
    key = "/licence/3/period/1234/"
    start = page.rindex("<data", 0, page.index(key))
    value = page[page.index('value="', start) + 7 : page.index('" data-proof', start)]
    lying = path.with_name("lying.html")
    lying.write_text(page[:start] + page[start:].replace(f'value="{value}"', f'value="{int(value) + 1}"', 1))
    seen = visit(lying.as_uri(), viewport=NARROW)
    assert seen.prove(anchor) == "differs"
    (wrong,) = [one for one in seen.figures() if one.state == "differs"]
    assert key in wrong.key
    assert value in wrong.said
    assert seen.states()["verified"] == len(seen.figures()) - 1
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
