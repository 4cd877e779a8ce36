"""The royalty maths, by hand and by property."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.royalty import (
    INTEREST_UNIT,
    NO_LIMIT,
    PPM,
    Tier,
    base_of,
    earned_by_tier,
    earned_down,
    guarantee_down,
    interest_numerator,
    owed_in_all,
    royalty_of,
)

TIERS = (Tier(1000, 100_000), Tier(5000, 200_000), Tier(NO_LIMIT, 300_000))
amounts = st.integers(min_value=0, max_value=2**104 - 1)
rates = st.integers(min_value=0, max_value=PPM)


@st.composite
def tiers(draw) -> tuple[Tier, ...]:
    limits = sorted(draw(st.sets(st.integers(min_value=1, max_value=2**104), max_size=5)))
    return tuple(Tier(limit, draw(rates)) for limit in [*limits, NO_LIMIT])


def test_tiers_by_hand() -> None:
    assert earned_down(TIERS, 0) == 0
    assert earned_down(TIERS, 1000) == 100
    assert earned_down(TIERS, 1001) == 100  # 100.2
    assert earned_down(TIERS, 5000) == 900
    assert earned_down(TIERS, 6000) == 1200
    assert earned_by_tier(TIERS, 6000) == [100 * PPM, 800 * PPM, 300 * PPM]
    assert earned_down((), 6000) == 0


def test_base_by_hand() -> None:
    assert base_of(1000, 300, 200_000) == 800
    assert base_of(1000, 100, 200_000) == 900
    assert base_of(999, 999, 333_333) == 999 - 332  # 332.99 rounded down
    assert base_of(1000, 2000, PPM) == 0


def test_owed_by_hand() -> None:
    assert owed_in_all(1500, advance=1000) == 500
    assert owed_in_all(900, advance=1000) == 0
    assert owed_in_all(1500, advance=1000, cap=400) == 400
    assert royalty_of(TIERS, 1000, 250) == 250
    assert guarantee_down(1000, 10, 31) == 322


def test_interest_by_hand() -> None:
    # 8 % a year on 1,000,000 for 73 days is 16,000.
    assert interest_numerator(1_000_000, 80_000, 73 * 86_400) // INTEREST_UNIT == 16_000
    assert interest_numerator(1_000_000, 80_000, -5) == 0


@given(tiers(), amounts)
def test_tiers_round_down_once(bands: tuple[Tier, ...], base: int) -> None:
    exact, lower = Fraction(0), 0
    for band in bands:
        exact += Fraction(max(0, min(base, band.up_to) - lower) * band.rate_ppm, PPM)
        lower = band.up_to
    assert earned_down(bands, base) == exact.numerator // exact.denominator


@given(tiers(), amounts, amounts)
def test_more_revenue_never_owes_less_nor_more_than_itself(
    bands: tuple[Tier, ...], base: int, more: int
) -> None:
    before, after = earned_down(bands, base), earned_down(bands, base + more)
    assert before <= after <= before + more + 1


@given(amounts, amounts, rates)
def test_deductions_are_capped(gross: int, deductions: int, cap: int) -> None:
    base = base_of(gross, deductions, cap)
    assert gross - gross * cap // PPM <= base <= gross
    assert base >= gross - deductions


@given(amounts, amounts, st.one_of(st.just(0), amounts))
def test_the_cap_and_the_advance_bound_what_is_owed(royalty: int, advance: int, cap: int) -> None:
    owed = owed_in_all(royalty, advance=advance, cap=cap)
    assert 0 <= owed <= royalty
    if cap:
        assert owed <= cap
    assert owed == 0 or royalty - advance >= owed
