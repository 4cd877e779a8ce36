"""States of licences and periods: a copy has all that the original has."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from ledger.domain.licence_types import LicenceState, PeriodState

FULL = [
    LicenceState(**{one.name: number for number, one in enumerate(fields(LicenceState), 1)}),
    PeriodState(**{one.name: number for number, one in enumerate(fields(PeriodState), 1)}),
]


@pytest.mark.parametrize("state", FULL)
def test_a_copy_is_equal_and_another(state: LicenceState | PeriodState) -> None:
    made = state.copy()
    assert made == state
    assert made is not state
    for one in fields(state):
        assert getattr(made, one.name) == getattr(state, one.name)
        assert replace(state, **{one.name: 99}) != made
