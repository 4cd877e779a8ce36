"""Amounts at the edges: exact, or refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import ValueRefused
from ledger.domain.money import FIGURE_LIMIT, format_amount, parse_amount


@given(st.integers(min_value=0, max_value=FIGURE_LIMIT - 1), st.integers(min_value=0, max_value=18))
def test_every_amount_survives_the_way_out_and_in(units: int, decimals: int) -> None:
    assert parse_amount(format_amount(units, decimals), decimals) == units


@pytest.mark.parametrize(
    ("text", "decimals", "units"),
    [
        ("0", 6, 0),
        ("1", 6, 1_000_000),
        ("1250.5", 6, 1_250_500_000),
        ("0.000001", 6, 1),
        ("7", 0, 7),
        ("007.10", 2, 710),
    ],
)
def test_amounts_by_hand(text: str, decimals: int, units: int) -> None:
    assert parse_amount(text, decimals) == units


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("-1", "negative"),
        ("1e6", "exponent"),
        ("1,000", "thousands"),
        ("1.000.000", "thousands"),
        ("1 000", "thousands"),
        ("1,5", "comma"),
        (" 1", "spaces"),
        ("1.", "not an amount"),
        (".5", "not an amount"),
        ("+1", "not an amount"),
        ("NaN", "not an amount"),
        ("１", "not an amount"),
        ("1.1234567", "7 decimals"),
        ("1.0000000", "7 decimals"),
        ("9" * 40, "too large"),
        ("9" * 5000, "too large"),
        (1.5, "not a string"),
        (1, "not a string"),
        (None, "not a string"),
    ],
)
def test_what_is_no_amount_is_refused(text: object, says: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        parse_amount(text, 6)  # type: ignore[arg-type]
    assert says in refused.value.what
    assert refused.value.remedy


def test_amounts_are_shown_with_sign_grouping_and_symbol() -> None:
    assert format_amount(-1_250_500_000, 6, "TD", grouping=True) == "-1,250.500000 TD"
    assert format_amount(5, 0) == "5"
    assert format_amount(0, 2) == "0.00"
