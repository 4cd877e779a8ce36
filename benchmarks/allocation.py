"""Usage rows in Parquet to the exact allocation, beside plain DuckDB doing the group-by alone.

Each in a process of its own, in turn, with the same threads and memory; that the sum is the amount is checked.
The goal is held to CPU seconds, which other work on the machine disturbs less than the clock.
`python -m benchmarks.allocation ROWS PAYEES` runs it at another size.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.compiler import ROOT
from benchmarks.machine import keep, own_cpu, own_peak_bytes

ROWS, PAYEES, RUNS = 100_000_000, 3_000_000, 3
AMOUNT = 10**15 + 7
THREADS, MEMORY = 2, "2GB"
GOALS = {"times_plain_group_by_cpu": 1.3, "peak_gb": 4.0}


def write_inputs(folder: Path, rows: int, payees: int) -> None:
    """A usage table of rows and a manifest of works, one payee each, out of a fixed hash: the same each time."""
    import duckdb

    with duckdb.connect(
        config={"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(folder)}
    ) as db:
        db.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
        work = "'QZA' || lpad(({})::VARCHAR, 9, '0')"
        db.execute(f"""
            COPY (SELECT {work.format(f"hash(i) % {payees}")} AS work, 'AiInference' AS use_type,
                NULL::VARCHAR AS right_type, (1 + hash(i + 7) % 1000)::DECIMAL(38,0) AS usages,
                NULL::BIGINT AS weight_ppm, NULL::INTEGER AS confidence_bps, NULL::BIGINT AS outputs,
                true AS royalty_bearing, i AS record, 0 AS file
                FROM range({rows}) AS t(i))
            TO '{folder}/usage.parquet' (FORMAT parquet)""")
        db.execute(f"""
            COPY (SELECT {work.format("i")} AS work, 'holder ' || i AS holder,
                unhex(substr(sha256(i::VARCHAR), 1, 40)) AS payee, 1000000::BIGINT AS share_ppm,
                NULL::VARCHAR AS right_type, NULL::BIGINT AS size
                FROM range({payees}) AS t(i) ORDER BY i)
            TO '{folder}/manifest.parquet' (FORMAT parquet)""")


def plain(folder: Path) -> dict[str, object]:
    """DuckDB alone, to an Arrow table in memory."""
    import duckdb

    with duckdb.connect(
        config={"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(folder / "spill")}
    ) as db:
        db.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
        found = db.sql(
            f"SELECT work, sum(usages) AS usages FROM '{folder}/usage.parquet' GROUP BY work"
        ).to_arrow_table()
    return {"works": found.num_rows}


def ours(folder: Path) -> dict[str, object]:
    """The allocation, up to the leaves of the split."""
    from ledger.domain.allocation_rule import AllocationRule
    from ledger.domain.terms_fields import Allocation
    from ledger.usage.allocation import allocate
    from ledger.usage.allocation_holders import read_holders
    from ledger.usage.engine import duckdb_engine, usage_of

    with (
        duckdb_engine(memory=MEMORY, threads=THREADS, spill=folder) as engine,
        ThreadPoolExecutor(1) as aside,
    ):
        usage = usage_of(engine, [folder / "usage.parquet"])
        holders = aside.submit(read_holders, folder / "manifest.parquet")
        found = allocate(usage, holders, AllocationRule(Allocation.USAGE), AMOUNT)
    words = found.leaf_words
    if found.total + found.held != AMOUNT:
        raise SystemExit("the sum is not the amount")
    return {"works": len(found.holders.works), "payees": len(words) // 32, "held": found.held}


JOBS: dict[str, Callable[[Path], dict[str, object]]] = {"plain": plain, "ours": ours}


def measure_here(job: str, folder: Path) -> None:
    """Does one job and prints what it took, from when libraries and compiled code are loaded, on both sides."""
    JOBS[job](folder / "tiny")
    started, before = time.perf_counter(), own_cpu()
    found = JOBS[job](folder)
    figures = {
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(own_cpu() - before, 2),
        "peak_gb": round(own_peak_bytes() / 1e9, 2),
    }
    print(json.dumps(figures | found))


def _run(job: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.allocation", job, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(rows: int, payees: int, runs: int) -> dict[str, object]:
    """Both jobs in turn, `runs` times; medians, and the ratio of CPU times and of the clock's."""
    with TemporaryDirectory(prefix="bench-allocation-", dir=ROOT / "build") as name:
        folder = Path(name)
        (folder / "tiny").mkdir()
        write_inputs(folder / "tiny", 100, 10)
        write_inputs(folder, rows, payees)
        _run("ours", folder)  # warms the file cache for both
        found = [(_run("plain", folder), _run("ours", folder)) for _ in range(runs)]
    clock = [round(median(pair[i]["seconds"] for pair in found), 2) for i in (0, 1)]
    cpu = [round(median(pair[i]["cpu_seconds"] for pair in found), 2) for i in (0, 1)]
    return {
        "rows": rows,
        "payees": int(found[0][1]["payees"]),
        "runs": runs,
        "plain_seconds": clock[0],
        "ours_seconds": clock[1],
        "plain_cpu_seconds": cpu[0],
        "ours_cpu_seconds": cpu[1],
        "times_plain_group_by": round(median(two["seconds"] / one["seconds"] for one, two in found), 2),
        "times_plain_group_by_cpu": round(
            median(two["cpu_seconds"] / one["cpu_seconds"] for one, two in found), 2
        ),
        "peak_gb": max(pair[1]["peak_gb"] for pair in found),
        "plain_peak_gb": max(pair[0]["peak_gb"] for pair in found),
    }


def main(rows: int = ROWS, payees: int = PAYEES, runs: int = RUNS, name: str = "allocation") -> None:
    """Measures and keeps the figures."""
    keep(name, measure(rows, payees, runs), GOALS, "duckdb", "ibis-framework", "numba", "pyarrow")


if __name__ == "__main__":
    if sys.argv[1] in JOBS:
        measure_here(sys.argv[1], Path(sys.argv[2]))
    else:
        print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]), 1)))
