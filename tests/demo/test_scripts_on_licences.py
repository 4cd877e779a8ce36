"""The scripts for reports and the audit, on the demonstration's licences."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.chain.node import LocalNode
from ledger.demo.opening import Opening
from ledger.demo.stage import Stage
from ledger.demo.year import Year
from ledger.operations import chains

ROOT = Path(__file__).parents[2]


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=120,
    )


@pytest.fixture
def year(tmp_path: Path) -> Iterator[Year]:
    stage = Stage(tmp_path, lambda text: None)
    try:
        opening = Opening(stage)
        opening.play()
        stage.at("2025-10-05")
        yield Year(opening)
    finally:
        stage.close()
        chains.stop(stage.home)


def test_revenue_is_reported_once_and_a_bad_file_whole_refused(year: Year, tmp_path: Path) -> None:
    home = ("--rpc", LocalNode.attach(year.stage.home.chain).url, "--home", str(tmp_path))
    file = tmp_path / "reports.csv"
    grosses = [(period, year.gross(year.opening.hybrid, period)) for period in (0, 1)]

    file.write_bytes(year.csv_of(year.opening.hybrid, [*grosses, (2, Decimal("-5"))]))
    refused = script("report_revenue", *home, "--from", "dev:2", str(file))
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "line 4" in refused.stderr
    assert not year.books().licences.states[year.opening.hybrid].next_period

    file.write_bytes(year.csv_of(year.opening.hybrid, grosses))
    first = script("report_revenue", *home, "--from", "dev:2", str(file))
    assert first.returncode == 0, first.stderr
    assert "2 reports booked, 0 had been booked before" in first.stdout
    again = script("report_revenue", *home, "--from", "dev:2", str(file))
    assert "0 reports booked, 2 had been booked before" in again.stdout, again.stderr
    assert year.books().licences.states[year.opening.hybrid].next_period == 2

    audited = script("audit", *home)
    assert audited.returncode == 0, audited.stderr
    assert "FAIL" not in audited.stdout
