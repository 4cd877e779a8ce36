"""P-16: the verifier in Node, the Python model and the contracts make the same of the same 2,000 vectors.

Trees, proofs of leaves (most of them wrong), entitlements, folds of journals, terms (most of them wrong), and histories
of licences, whose every line is recomputed and whose storage is compared word by word.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from _contracts import Contracts
from _vectors import COUNTS, by_model, vectors

RUNNER = Path(__file__).with_name("run_vectors.mjs")


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts()


def test_p16_there_are_2000_vectors():
    assert sum(COUNTS.values()) == 2_000


@pytest.mark.parametrize("kind", COUNTS)
def test_p16_javascript_python_and_solidity_agree(kind, contracts, built, node, tmp_path):
    made = list(vectors(kind, contracts.places, contracts.token))
    file = tmp_path / "vectors.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in made))
    ran = node(RUNNER, built / "verifier.mjs", file)
    assert ran.returncode == 0, ran.stderr
    by_node = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(by_node) == len(made) == COUNTS[kind]
    good = 0
    for number, (vector, found) in enumerate(zip(made, by_node, strict=True)):
        expected = by_model(vector, number, contracts.places, contracts.token)
        on_chain = contracts.run(vector, number)
        where = f"{kind} {number}"
        assert found == on_chain, where
        assert _known(expected) == _known(on_chain, expected), where
        good += not {"error", "which"} & {name for name, value in found.items() if value is not None}
    # Neither side gets away with refusing, or accepting, everything.
    assert good > 0
    if kind in ("leaf", "terms"):
        assert good < COUNTS[kind]


def _known(result: dict[str, Any], other: dict[str, Any] | None = None) -> dict[str, Any]:
    """Without the field of bad terms where the model cannot tell it."""
    by = other or result
    return {name: value for name, value in result.items() if name != "which" or by["which"] is not None}
