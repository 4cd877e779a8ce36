"""A holder with very many periods: every line stands in the page, light enough to be shown at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from _html import HTML, all_of, by_id, text_of, tree
from _scene import ANN

from ledger.report.statement import Point
from ledger.web import holder_view, pages
from ledger.web.holder_view import ROWS_TOGETHER, thinned
from ledger.web.pages import Site

LINES = 10_000


def rows_of(body: bytes) -> list[tuple[str, str, str]]:
    """Name, key and value of each period of a page."""
    found = []
    for row in all_of(by_id(tree(body), "earned"), "tr"):
        figure = next(all_of(row, "data"), None)
        if row.get("class") != "why" and figure is not None:
            name = text_of(row.find(HTML + "th"))
            found.append((name, figure.get("data-proof") or "", figure.get("value")))
    return found


def test_with_many_periods_the_reasons_stand_on_the_licences_page_and_no_line_is_lost(site, monkeypatch):
    full = Site(site.snapshot).get(f"holders/{ANN}.html").body
    monkeypatch.setattr(holder_view, "REASONS_SHOWN", 1)
    light = Site(site.snapshot).get(f"holders/{ANN}.html").body
    assert rows_of(light) == rows_of(full)
    assert b'<tr class="why">' in full
    assert b'<tr class="why">' not in light
    root = tree(light)
    links = [one.get("href") for one in all_of(by_id(root, "earned"), "a") if "#period-" in one.get("href")]
    assert links
    for link in links:
        path, _, anchor = link.removeprefix("../").partition("#")
        assert "How the line came about" in text_of(by_id(tree(site.get(path).body), anchor))


@pytest.fixture
def many(site, monkeypatch) -> bytes:
    """A page of ten thousand periods."""
    view = holder_view.holder_view(site.snapshot, ANN)
    part = next(one for one in view.licences if one.number == 1)
    line = replace(part.tables[0][-1], lines=())
    tables = [
        [replace(line, what=f"Period {place}")] * ROWS_TOGETHER for place in range(LINES // ROWS_TOGETHER)
    ]
    huge = replace(view, licences=(replace(part, tables=tables),), light=True)
    monkeypatch.setattr(pages, "holder_view", lambda *_: huge)
    return Site(site.snapshot).get(f"holders/{ANN}.html").body


def test_ten_thousand_lines_are_lean_and_laid_out_a_table_at_a_time(many):
    assert len(rows_of(many)) == LINES
    assert len(many) < 650 * LINES
    root = tree(many)
    assert by_id(root, "earned").get("class") == "many"
    chunks = [one for one in all_of(root, "div") if one.get("class") == "chunk"]
    assert max(len(list(all_of(one, "tr"))) for one in chunks) <= ROWS_TOGETHER + 1
    assert len(list(root.iter())) < 12 * LINES


def test_a_plot_of_many_credits_keeps_its_ends_and_a_size_that_can_be_seen():
    points = [Point(time, time * 10, time) for time in range(25_000)]
    shown = thinned(points)
    assert len(shown) <= 402
    assert (shown[0], shown[-1]) == (points[0], points[-1])
    assert [one.time for one in shown] == sorted({one.time for one in shown})
    assert thinned(points[:50]) == points[:50]
