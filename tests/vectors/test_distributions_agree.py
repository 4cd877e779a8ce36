"""P-16, P-14, P-02, P-15: Distributions and the Python model agree on random histories of weighted licences.

Entries of all contracts, errors, rounds, views, credits, folds and the replay are compared. DISTRIBUTIONS sets how many
histories (10,000 in the long run); LEDGER_BUILD=unoptimised takes the build without the optimiser.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "contracts"), str(TESTS / "domain"), str(TESTS / "differential")]

from _pair import BUILDS  # noqa: E402
from _pool import Pool, run_one  # noqa: E402

HISTORIES = int(os.environ.get("DISTRIBUTIONS", "300"))
BATCHES = 6
STEPS = 60
#: Of one transaction (EIP-7825).
MOST_GAS = 2**24


@pytest.fixture(scope="module")
def pool() -> Pool:
    """One set of contracts for all histories."""
    return Pool(BUILDS[:1])


@pytest.mark.parametrize("batch", range(BATCHES))
def test_p16_p14_p02_p15_the_model_and_distributions_agree_on_histories(pool: Pool, batch: int) -> None:
    tally: Counter[tuple[str, str]] = Counter()
    for seed in range(batch, HISTORIES, BATCHES):
        run_one(pool, Random(seed), tally, STEPS)
    # Slots stay warm between calls here; a cold access costs at most 26 times as much as a warm one.
    most = max(pool.most_gas.values())
    assert most * 26 < MOST_GAS, pool.most_gas
    if HISTORIES >= 300:
        for entry in ("Posted", "Objected", "Conceded", "Settled 1", "Settled 6", "Swept", "BondMoved"):
            assert tally["entry", entry], f"no {entry} in this batch"
