"""The exact gas figures that git holds: measured, compared, written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.compiler import ROOT
from benchmarks.gas import attributions, distributions, licences, peers, splits
from benchmarks.gas.chain import Chain, fresh_chain

FILE = ROOT / "snapshots" / "gas.json"
UPDATE = "If the change is meant: `make gas-snapshot`, then look at `git diff snapshots`."

Figures = dict[str, int]

SECTIONS: Mapping[str, Callable[[Chain], Figures]] = {
    "splits": splits.measure,
    "licences": licences.measure,
    "attributions": attributions.measure,
    "distributions": distributions.measure,
    "peers": peers.measure,
}


def measure(section: str) -> Figures:
    """One section's figures, on a fresh chain of its own."""
    with fresh_chain() as chain:
        return SECTIONS[section](chain)


def measure_all() -> dict[str, Figures]:
    """All figures."""
    return {section: measure(section) for section in SECTIONS}


def read(file: Path = FILE) -> dict[str, Figures]:
    """The figures that git holds."""
    found: dict[str, Figures] = json.loads(file.read_text(encoding="utf-8"))
    return found


def write(figures: Mapping[str, Figures], file: Path = FILE) -> None:
    """Keeps the figures, in the order in which they were measured."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def differences(held: Figures, now: Figures) -> list[str]:
    """What changed between two measurements of a section, a line each."""
    lines = []
    for name in [*held, *(one for one in now if one not in held)]:
        before, after = held.get(name), now.get(name)
        if before is None:
            lines.append(f"{name}: new, {after:,}")
        elif after is None:
            lines.append(f"{name}: no longer measured, was {before:,}")
        elif before != after:
            lines.append(f"{name}: {before:,} -> {after:,} ({after - before:+,})")
    return lines


def changes(now: Mapping[str, Figures]) -> list[str]:
    """What changed in all sections since the figures that git holds."""
    held = read() if FILE.is_file() else {}
    return [line for section, found in now.items() for line in differences(held.get(section, {}), found)]
