"""P-16, P-14, P-02: histories of weighted licences give the same on both builds of Distributions and on the model.

Posts, replacements, objections, concessions, choices, late money, held rounds, fallbacks and releases; each step is
compared to the byte: entries of all contracts in their order, errors with their arguments, rounds and views; in the end
the credits, the folds and the replay. DIFFERENTIAL_DISTRIBUTIONS sets how many a chunk runs, DIFFERENTIAL_SEED where
the seeds start ("fresh": anywhere); a failure prints the seed and every step.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from random import Random, SystemRandom

import pytest
from _pair import ROOT
from _pool import Pool, run_one

CHUNKS = 10
STEPS = 60
HISTORIES = int(os.environ.get("DIFFERENTIAL_DISTRIBUTIONS", "500"))
SEED = os.environ.get("DIFFERENTIAL_SEED", "0")
HERE, TEST = "tests/differential/test_p16_distributions.py", "test_p16_p14_p02_distributions_agree"
#: The number of the only one to run, as a failure names it.
ONLY = os.environ.get("DIFFERENTIAL_ONLY")
#: Errors that no history can reach, and why.
OUT_OF_REACH = {"Distributions_UnexpectedCallback": "takes a caller that is Splits' counterpart"}
OUTCOMES = {"Settled": range(1, 8), "StayedHeld": (4, 5)}


def run(seed: int, histories: int) -> Counter[tuple[str, str]]:
    """Runs histories that follow from a seed; returns what happened how often."""
    tally: Counter[tuple[str, str]] = Counter()
    pool = Pool()
    for number in range(histories) if ONLY is None else [int(ONLY)]:
        try:
            run_one(pool, Random(f"{seed} {number}"), tally, STEPS)
        except AssertionError as error:
            again = f"DIFFERENTIAL_SEED={seed} DIFFERENTIAL_ONLY={number} pytest -n0 {HERE}::{TEST}[0]"
            raise AssertionError(f"{again}\n{error}") from error
    return tally


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_p16_p14_p02_distributions_agree(chunk: int) -> None:
    start = SystemRandom().randrange(2**60) if SEED == "fresh" else int(SEED)
    tally = run(start + chunk, HISTORIES)
    outcomes: dict[str, Counter[str]] = {}
    for (name, outcome), times in sorted(tally.items()):
        outcomes.setdefault(name, Counter())[outcome] += times
    for name, counts in outcomes.items():
        print(f"{name:18}", dict(counts.most_common()))
    if HISTORIES < 300 or ONLY:
        return  # too few to meet everything
    text = (ROOT / "contracts" / "libraries" / "Errors.sol").read_text(encoding="utf-8")
    declared = set(re.findall(r"error (Distributions_\w+)\(", text))
    assert declared >= set(OUT_OF_REACH)
    missing = declared - set(OUT_OF_REACH) - {outcome for _, outcome in tally}
    assert not missing, f"never reached: {sorted(missing)}"
    wanted = {f"{name} {one}" for name, numbers in OUTCOMES.items() for one in numbers}
    wanted |= {"Posted", "Objected", "Conceded", "Swept", "BondMoved"}
    assert wanted <= set(outcomes["entry"]), f"never recorded: {sorted(wanted - set(outcomes['entry']))}"
