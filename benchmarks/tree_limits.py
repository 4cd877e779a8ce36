"""The Merkle-sum tree beside OpenZeppelin's merkle-tree (JS) and the same hashing in C; 10,000,000 payees; proofs.

Bytes in, all levels kept. Each measurement is a process of its own; CPU seconds of the building alone, libraries
loaded, on all sides; the peak of memory is of the whole process. `python -m benchmarks.tree_limits PAYEES LARGE`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.compiler import ROOT
from benchmarks.machine import keep, own_cpu, own_peak_bytes

PAYEES, LARGE, RUNS = 1_000_000, 10_000_000, 3
PEERS = ROOT / "benchmarks" / "peers"
GOALS = {
    "times_faster_than_openzeppelin": 100,
    "times_c": 2.0,
    "peak_mb": 400,
    "times_for_ten_times_as_many": 12,
    "large_peak_gb": 4.0,
    "proofs_per_second": 200_000,
}


def write_words(path: Path, count: int) -> None:
    """Leaf words of distinct payees in no order, the same each time."""
    import numpy as np

    words = np.zeros((count, 32), dtype=np.uint8)
    drawn = hashlib.shake_128(b"million").digest(20 * count)
    words[:, :20] = np.frombuffer(drawn, dtype=np.uint8).reshape(-1, 20)
    words[:, 31] = np.arange(count) % 97 + 1
    path.write_bytes(words.tobytes())


def sort_words(path: Path, to: Path) -> None:
    """The same in order: what the hashing alone starts from."""
    from ledger.domain.merkle_batch import sorted_words

    to.write_bytes(sorted_words(path.read_bytes()))


def ours(path: Path, proofs: Path | None) -> dict[str, object]:
    """The tree of words in any order, and of words in order; and all proofs, where a file for them is named."""
    from ledger.domain.merkle_sum import BATCH_FROM, MerkleSumTree

    words = path.read_bytes()
    # Loads the compiled code.
    MerkleSumTree.from_words(words[: 32 * BATCH_FROM])
    before = own_cpu()
    tree = MerkleSumTree.from_words(words)
    figures: dict[str, object] = {"cpu_seconds": own_cpu() - before, "root": tree.split.root.hex()}
    figures["peak_mb"] = round(own_peak_bytes() / 1e6)
    ordered = tree.levels[0]
    del tree, words
    before = own_cpu()
    tree = MerkleSumTree(ordered)
    figures["in_order_cpu_seconds"] = own_cpu() - before
    if proofs:
        from ledger.usage.proofs_file import write_proofs

        write_proofs(MerkleSumTree(ordered[: 32 * BATCH_FROM]), proofs)
        started = time.perf_counter()
        made = write_proofs(tree, proofs)
        figures["proofs_per_second"] = round(made / (time.perf_counter() - started))
        figures["proofs_mb"] = round(proofs.stat().st_size / 1e6)
    return figures


def _ours(path: Path, proofs: Path | None = None) -> dict[str, Any]:
    arguments = [str(path), *([str(proofs)] if proofs else [])]
    return _run([sys.executable, "-m", "benchmarks.tree_limits", "here", *arguments])


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compiled(folder: Path) -> Path:
    """The C implementation, compiled with all that this machine's vectors offer."""
    program = folder / "merkle_sum"
    command = [os.environ.get("CC", "gcc"), "-O3", "-march=native", "-o", str(program)]
    subprocess.run([*command, str(PEERS / "merkle_sum.c")], check=True)
    return program


def measure(payees: int, large: int, runs: int) -> dict[str, object]:
    """All of it. Raises SystemExit where the trees differ."""
    with TemporaryDirectory(prefix="bench-tree-", dir=ROOT / "build") as name:
        folder = Path(name)
        words, in_order, big = folder / "words", folder / "in_order", folder / "big"
        write_words(words, payees)
        sort_words(words, in_order)
        write_words(big, large)
        program = compiled(folder)
        _ours(words)
        found = [
            (_ours(words, folder / "proofs.parquet"), _run([str(program), str(in_order)]), _ours(big))
            for _ in range(runs)
        ]
        # Minutes: once is enough for a factor of a hundred.
        node = _run(
            [_node(), "--max-old-space-size=12000", str(PEERS / "openzeppelin_merkle_tree.mjs"), str(words)]
        )
    mine = median(one["cpu_seconds"] for one, _, _ in found)
    if any(one["root"] != other["root"] for one, other, _ in found):
        raise SystemExit("the C implementation gives another root")
    return {
        "payees": payees,
        "runs": runs,
        "cpu_seconds": round(mine, 3),
        "in_order_cpu_seconds": round(median(one["in_order_cpu_seconds"] for one, _, _ in found), 3),
        "c_cpu_seconds": round(median(other["cpu_seconds"] for _, other, _ in found), 3),
        "openzeppelin_cpu_seconds": round(node["cpu_seconds"], 1),
        "times_faster_than_openzeppelin": round(node["cpu_seconds"] / mine),
        "times_c": round(
            median(one["in_order_cpu_seconds"] / other["cpu_seconds"] for one, other, _ in found), 2
        ),
        "peak_mb": max(one["peak_mb"] for one, _, _ in found),
        "large_payees": large,
        "large_cpu_seconds": round(median(ten["cpu_seconds"] for _, _, ten in found), 2),
        "times_for_ten_times_as_many": round(
            median(ten["cpu_seconds"] / one["cpu_seconds"] for one, _, ten in found), 1
        ),
        "large_peak_gb": round(max(ten["peak_mb"] for _, _, ten in found) / 1000, 2),
        "proofs_per_second": round(median(one["proofs_per_second"] for one, _, _ in found)),
        "proofs_mb": found[0][0]["proofs_mb"],
    }


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        raise SystemExit("node is missing")
    return node


def main(payees: int = PAYEES, large: int = LARGE, runs: int = RUNS, name: str = "tree_limits") -> None:
    """Measures and keeps the figures."""
    keep(name, measure(payees, large, runs), GOALS, "numba", "numpy", "pyarrow")


if __name__ == "__main__":
    if sys.argv[1] == "here":
        print(json.dumps(ours(Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)))
    else:
        print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]), 1)))
