"""P-16, P-18, P-14: random licence histories give the same on the contracts of both builds and on the model.

Each step is compared to the byte: outcome or error with its arguments, output, entries, states; in the end the
views, the fold and the replay. DIFFERENTIAL_HISTORIES sets how many a chunk runs, DIFFERENTIAL_SEED where the
seeds start ("fresh": anywhere); a failure prints the seed and every step.
"""

from __future__ import annotations

import functools
import os
import re
from collections import Counter
from random import Random, SystemRandom

import pytest
from _history import run_one
from _pair import ROOT
from _town import Town

from ledger.domain.chain_terms import ChainTerms

CHUNKS = 10
HISTORIES = int(os.environ.get("DIFFERENTIAL_HISTORIES", "1100"))
SEED = os.environ.get("DIFFERENTIAL_SEED", "0")
HERE, TEST = "tests/differential/test_p16_histories.py", "test_p16_p18_p14_histories_agree"
#: The number of the only one to run, as a failure names it.
ONLY = os.environ.get("DIFFERENTIAL_ONLY")
#: Errors of Licences and Catalogues that no history can reach, and why.
OUT_OF_REACH = {
    "Licences_VersionsUsedUp": "takes 32,768 restatements of one period",
    "Licences_UnexpectedCallback": "takes a caller that is Splits' counterpart",
    "Catalogues_NoPosition": "is of a view",
}
ALSO = {
    "Splits_NothingArrived",
    "ERC20InsufficientAllowance",
    "ERC721InsufficientApproval",
    "ERC721InvalidReceiver",
}
ALSO |= {"ERC721IncorrectOwner", "ERC721NonexistentToken"}


def reachable() -> set[str]:
    """Every error that licensor, licensee, arbiter or stranger can cause."""
    text = (ROOT / "contracts" / "libraries" / "Errors.sol").read_text(encoding="utf-8")
    declared = set(re.findall(r"error ((?:Licences|Catalogues)_\w+)\(", text))
    assert declared >= set(OUT_OF_REACH)
    return (declared - set(OUT_OF_REACH)) | ALSO


def run(seed: int, histories: int) -> Counter[tuple[str, str]]:
    """Runs histories that follow from a seed; returns what happened how often."""
    tally: Counter[tuple[str, str]] = Counter()
    town = Town(Random(seed))
    for number in range(histories) if ONLY is None else [int(ONLY)]:
        try:
            run_one(town, Random(f"{seed} {number}"), tally)
        except AssertionError as error:
            again = f"DIFFERENTIAL_SEED={seed} DIFFERENTIAL_ONLY={number} pytest -n0 {HERE}::{TEST}[0]"
            raise AssertionError(f"{again}\n{error}") from error
    return tally


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoding of terms, a pure function, is remembered: it would take half of the time."""
    monkeypatch.setattr(ChainTerms, "encode", functools.lru_cache(maxsize=64)(ChainTerms.encode))
    hashed = functools.lru_cache(maxsize=64)(ChainTerms.hash.fget)  # type: ignore[attr-defined]
    monkeypatch.setattr(ChainTerms, "hash", property(hashed))


@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_p16_p18_p14_histories_agree(chunk: int) -> None:
    start = SystemRandom().randrange(2**60) if SEED == "fresh" else int(SEED)
    tally = run(start + chunk, HISTORIES)
    outcomes: dict[str, Counter[str]] = {}
    for (name, outcome), times in sorted(tally.items()):
        outcomes.setdefault(name, Counter())[outcome] += times
    for name, counts in outcomes.items():
        print(f"{name:18}", dict(counts.most_common()))
    if HISTORIES < 500 or ONLY:
        return  # too few to meet everything
    for name, counts in outcomes.items():
        if name not in ("history", "feature", "entry", "licences"):
            assert counts["ok"], f"no {name} succeeded"
            assert len(counts) > 1, f"no {name} was refused"
    assert all(outcomes["feature"].values()), outcomes["feature"]
    missing = reachable() - {outcome for _, outcome in tally}
    assert not missing, f"never reached: {sorted(missing)}"
