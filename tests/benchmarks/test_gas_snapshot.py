"""Gas is exact: a figure that moves is a line of git that somebody has to look at."""

import pytest

from benchmarks import table
from benchmarks.gas import snapshot
from ledger.chain.requests import GAS_CAP


@pytest.mark.parametrize("section", snapshot.SECTIONS)
def test_gas_equals_the_snapshot(section: str) -> None:
    held, now = snapshot.read()[section], snapshot.measure(section)
    changed = snapshot.differences(held, now)
    assert not changed, "\n".join(["gas changed:", *changed, snapshot.UPDATE])


def test_every_call_of_ours_fits_into_a_transaction() -> None:
    held = snapshot.read()
    for section in ("splits", "licences"):
        for name, gas in held[section].items():
            assert gas < GAS_CAP, name


def test_goals_are_told_as_they_are() -> None:
    assert table.verdict([10], [10]) == "met"
    assert table.verdict([11], [10]) == "missed by 10.0 %"
    assert table.verdict([10, 12], [10, 10]) == "met / missed by 20.0 %"


def test_every_goal_has_its_figures() -> None:
    held = snapshot.read()
    for goal in table.GOALS:
        values = goal.ours(held)
        assert len(goal.limits) in (0, len(values)), goal.job
        assert all(value > 0 for value in values), goal.job
