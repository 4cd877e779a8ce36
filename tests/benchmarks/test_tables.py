"""The tables in the documents are those of the figures that git holds."""

import pytest

from benchmarks import render
from benchmarks.compiler import ROOT


def test_tables_in_documents_are_current() -> None:
    names = [str(file.relative_to(ROOT)) for file in render.stale()]
    assert not names, f"run `.venv/bin/python -m benchmarks tables`: {', '.join(names)}"


def test_a_table_is_replaced_between_its_markers() -> None:
    text = "before\n<!-- table: one -->\nold\n<!-- end of table -->\nafter\n"
    once = render.rendered(text, {"one": "| new |"})
    assert once == "before\n<!-- table: one -->\n| new |\n<!-- end of table -->\nafter\n"
    assert render.rendered(once, {"one": "| new |"}) == once


def test_a_marker_without_a_table_is_refused() -> None:
    with pytest.raises(KeyError):
        render.rendered("<!-- table: other -->\n<!-- end of table -->", {"one": ""})


def test_there_is_a_document_with_the_gas_of_everything() -> None:
    shown = "".join(file.read_text(encoding="utf-8") for file in render.documents())
    for name in render.tables():
        assert f"<!-- table: {name} -->" in shown
