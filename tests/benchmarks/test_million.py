"""The bench of a distribution does what it says, at a small size: it ends the process unless every balance is right."""

import pytest

from benchmarks import million
from ledger.chain.requests import GAS_CAP


def test_a_small_distribution_is_published_posted_settled_paid_and_claimed() -> None:
    found = million.measure(3_000, 3, 10)
    assert (found["payees"], found["pages"], found["publish_calls"]) == (3_000, 32, 1)
    assert (found["payees_paid"], found["claims"]) == (3 * 128, 10)
    assert 0 < found["costliest_call_gas"] < GAS_CAP


def test_a_wrong_balance_ends_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    right = million.Work.balances
    monkeypatch.setattr(
        million.Work, "balances", lambda work, payees: [one + 1 for one in right(work, payees)]
    )
    with pytest.raises(SystemExit, match="instead of"):
        million.measure(200, 1, 1)
