"""P-16, P-11, P-03: random trees, proofs and payouts give the same on Splits of both builds and on the model.

Trees are in order, in disorder, or sparse up to depth 32; wrong proofs (each known exploit, flipped words, lengths,
indices, wrapping sums) are refused by all with the same error. DIFFERENTIAL_TREES sets how many a chunk grows,
DIFFERENTIAL_SEED where the seeds start ("fresh": anywhere); a failure prints the seed and every call.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from random import Random, SystemRandom

import pytest
from _grove import Grove
from _growth import run_one
from _pair import ROOT

CHUNKS = 10
TREES = int(os.environ.get("DIFFERENTIAL_TREES", "1000"))
SEED = os.environ.get("DIFFERENTIAL_SEED", "0")
HERE, TEST = "tests/differential/test_p16_trees.py", "test_p16_p11_p03_trees_agree"
#: The number of the only one to run, as a failure names it.
ONLY = os.environ.get("DIFFERENTIAL_ONLY")
#: Errors of Splits that the model cannot foresee, since they are about gas and about tokens that lie.
OUT_OF_REACH = {"Splits_NotEnoughGas", "Splits_OutflowTooLarge"}


def run(seed: int, trees: int) -> Counter[tuple[str, str]]:
    """Grows trees that follow from a seed; returns what happened how often."""
    tally: Counter[tuple[str, str]] = Counter()
    grove = Grove()
    for number in range(trees) if ONLY is None else [int(ONLY)]:
        try:
            run_one(grove, Random(f"{seed} {number}"), tally)
        except AssertionError as error:
            again = f"DIFFERENTIAL_SEED={seed} DIFFERENTIAL_ONLY={number} pytest -n0 {HERE}::{TEST}[0]"
            raise AssertionError(f"{again}\n{error}") from error
    return tally


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_p16_p11_p03_trees_agree(chunk: int) -> None:
    start = SystemRandom().randrange(2**60) if SEED == "fresh" else int(SEED)
    tally = run(start + chunk, TREES)
    outcomes: dict[str, Counter[str]] = {}
    for (name, outcome), times in sorted(tally.items()):
        outcomes.setdefault(name, Counter())[outcome] += times
    for name, counts in outcomes.items():
        print(f"{name:14}", dict(counts.most_common()))
    if TREES < 500 or ONLY:
        return  # too few to meet everything
    assert set(outcomes["tree"]) == {"in order", "in disorder", "sparse"}
    for name, counts in outcomes.items():
        if not name.startswith("wrong"):
            assert counts["ok"] or name in ("tree", "leaves", "longest run"), f"no {name} succeeded"
    text = (ROOT / "contracts" / "libraries" / "Errors.sol").read_text(encoding="utf-8")
    declared = set(re.findall(r"error (Splits_\w+)\(", text))
    missing = declared - OUT_OF_REACH - {outcome for _, outcome in tally}
    assert not missing, f"never reached: {sorted(missing)}"
