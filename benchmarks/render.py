"""Puts tables into the documents, between `<!-- table: NAME -->` and `<!-- end of table -->`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import speed, table
from benchmarks.compiler import ROOT
from benchmarks.gas.snapshot import read

_BLOCK = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def tables() -> dict[str, str]:
    """Every table by the name of its marker."""
    gas, kept = read(), table.results()
    return {
        "gas-goals": table.goals(gas),
        "gas-per-payee": table.per_payee(gas),
        "gas-whole-jobs": table.whole_jobs(gas),
        "off-chain": speed.off_chain(kept),
        "speed": speed.goals(kept),
    }


def documents() -> Iterator[Path]:
    """The documents that may hold tables."""
    for file in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        if file.is_file() and "<!-- table: " in _text(file):
            yield file


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def rendered(text: str, fresh: dict[str, str]) -> str:
    """A document with fresh tables. Raises KeyError for a marker that names none."""
    return _BLOCK.sub(lambda block: f"{block[1]}{fresh[block[2]]}\n{block[3]}", text)


def stale() -> list[Path]:
    """The documents whose tables are not those of the figures."""
    fresh = tables()
    return [file for file in documents() if (text := _text(file)) != rendered(text, fresh)]


def main() -> None:
    """Writes every document that is not current."""
    fresh = tables()
    for file in stale():
        file.write_text(rendered(_text(file), fresh), encoding="utf-8")
        print(f"tables: {file.relative_to(ROOT)} is written", file=sys.stderr)
