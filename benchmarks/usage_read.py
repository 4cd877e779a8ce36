"""A DSR-style usage file read and validated, beside a line-by-line Python reader of the same checks.

`python -m benchmarks.usage_read [ROWS]`. Each runs in a process of its own, so that its peak of memory is its own; ours
writes the usage table as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.compiler import ROOT
from benchmarks.machine import keep, own_cpu, own_peak_bytes
from benchmarks.usage_rows import PlainReader, write_rows

ROWS = 10_000_000
GOALS = {"ratio": 10.0}


def ours(path: Path, folder: Path) -> dict[str, float]:
    """Reads, checks and writes the usage table."""
    from ledger.usage.reader import read_report

    (folder / "small").mkdir()
    # Loads what is loaded once a process: compiled code and libraries.
    read_report([write_rows(folder / "small", 1_000)], folder / "small")
    started, cpu = time.perf_counter(), own_cpu()
    report = read_report([path], folder)
    taken = {"seconds": time.perf_counter() - started, "cpu_seconds": own_cpu() - cpu}
    total = report.total()
    return taken | {"usages": total.usages, "flaws": len(report.flaws), "lines": report.files[0].lines}


def plain(path: Path, _folder: Path) -> dict[str, float]:
    """The same, line by line."""
    from ledger.usage.buffers import isrc_countries

    valid = isrc_countries()
    countries = frozenset(chr(65 + i // 26) + chr(65 + i % 26) for i in range(676) if valid[i])
    started, cpu = time.perf_counter(), own_cpu()
    reader = PlainReader(countries)
    reader.read(path)
    taken = {"seconds": time.perf_counter() - started, "cpu_seconds": own_cpu() - cpu}
    return taken | {"usages": reader.usages, "flaws": len(reader.flaws), "lines": reader.lines}


def alone(which: str, path: Path) -> dict[str, float]:
    """One of the readers in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.usage_read", which, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    held: dict[str, float] = json.loads(done.stdout)
    return held


def main(rows: int = ROWS, name: str = "usage_read") -> None:
    """Measures both on one file and keeps the figures."""
    with TemporaryDirectory() as folder:
        path = write_rows(Path(folder), rows)
        size = path.stat().st_size
        mine, theirs = alone("ours", path), alone("plain", path)
    same = ("usages", "flaws", "lines")
    if [mine[one] for one in same] != [theirs[one] for one in same]:
        raise SystemExit(f"the readers differ: {mine}, {theirs}")
    figures = {
        "rows": mine["lines"],
        "file_mb": round(size / 1e6, 1),
        "seconds": round(mine["seconds"], 2),
        "cpu_seconds": round(mine["cpu_seconds"], 2),
        "peak_gb": round(mine["peak"] / 1e9, 2),
        "plain_seconds": round(theirs["seconds"], 2),
        "plain_cpu_seconds": round(theirs["cpu_seconds"], 2),
        "plain_peak_gb": round(theirs["peak"] / 1e9, 2),
        "ratio": round(theirs["seconds"] / mine["seconds"], 1),
        "cpu_ratio": round(theirs["cpu_seconds"] / mine["cpu_seconds"], 1),
    }
    keep(name, figures, GOALS, "duckdb", "numba", "pyarrow")


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["plain"]):
        with TemporaryDirectory() as place:
            found = {"ours": ours, "plain": plain}[sys.argv[1]](Path(sys.argv[2]), Path(place))
        print(json.dumps(found | {"peak": own_peak_bytes()}))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
