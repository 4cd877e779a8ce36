"""CPU time of `licence-ledger --help` beside that of `brownie --help`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.compiler import ROOT
from benchmarks.machine import keep

RUNS = 9
GOALS = {"cpu_seconds": 0.15}


def cpu_of(command: list[str], home: str) -> float:
    """Median CPU seconds, user and system, of a command; the first run, which warms the disk, is left out."""
    environment = {**os.environ, "HOME": home, "NO_COLOR": "1"}
    taken = []
    for _ in range(RUNS + 1):
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
        taken.append(used.ru_utime + used.ru_stime)
    return median(taken[1:])


def main() -> None:
    """Measures both and keeps the medians."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as home:
        ours = cpu_of([str(programs / "licence-ledger"), "--help"], home)
        brownie = cpu_of([str(programs / "brownie"), "--help"], home)
    figures = {
        "runs": RUNS,
        "cpu_seconds": round(ours, 3),
        "brownie_cpu_seconds": round(brownie, 3),
        "ratio": round(brownie / ours, 1),
    }
    keep("help", figures, GOALS, "typer", "eth-brownie")
