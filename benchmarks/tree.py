"""CPU time and memory of the tree of a million payees, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

from benchmarks.compiler import ROOT
from benchmarks.machine import keep, own_cpu, own_peak_bytes

RUNS = 3
GOALS = {"cpu_seconds": 10.0, "peak_gb": 1.0}


def measure_here() -> None:
    """Builds the tree once and prints what it took; loading numba and numpy counts."""
    import hashlib

    count = 1_000_000
    drawn = hashlib.shake_128(b"million").digest(20 * count)
    units = [number.to_bytes(12, "big") for number in range(1, 98)]
    words = b"".join(drawn[20 * i : 20 * i + 20] + units[i % 97] for i in range(count))
    del drawn
    before = own_cpu()
    from ledger.domain.merkle_sum import MerkleSumTree

    tree = MerkleSumTree.from_words(words)
    split_id = tree.id
    cpu = own_cpu() - before
    before = own_cpu()
    proofs = [tree.page_proof(page) for page in range(tree.pages)]
    print(
        json.dumps(
            {
                "cpu_seconds": round(cpu, 2),
                "all_page_proofs_cpu_seconds": round(own_cpu() - before, 2),
                "peak_gb": round(own_peak_bytes() / 1e9, 2),
                "pages": len(proofs),
                "split_id": split_id.hex(),
            }
        )
    )


def main() -> None:
    """Measures in fresh processes and keeps the median."""
    found = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.tree"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        found.append(json.loads(done.stdout))
    figures = {
        "payees": 1_000_000,
        "runs": RUNS,
        "cpu_seconds": median(one["cpu_seconds"] for one in found),
        "all_page_proofs_cpu_seconds": median(one["all_page_proofs_cpu_seconds"] for one in found),
        "peak_gb": max(one["peak_gb"] for one in found),
        "pages": found[0]["pages"],
    }
    keep("tree", figures, GOALS, "numba", "numpy")


if __name__ == "__main__":
    measure_here()
