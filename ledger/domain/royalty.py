"""What is owed, as pure functions of integers: the formulas of contracts/interfaces/ILicences.sol.

Amounts are base units, rates parts per million. Each function rounds down once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.calendar import YEAR

PPM = 1_000_000
#: `up_to` of the last tier.
NO_LIMIT = 2**128 - 1
#: What one base unit of interest is in the numerator: ppm × seconds of a year of 365 days.
INTEREST_UNIT = PPM * YEAR


@dataclass(frozen=True, slots=True)
class Tier:
    """Net revenue up to `up_to` (absolute, beyond the lower tiers) bears `rate_ppm`."""

    up_to: int
    rate_ppm: int


def base_of(gross: int, deductions: int, cap_ppm: int) -> int:
    """Base b = gross − min(deductions, floor(gross × cap / 1e6))."""
    return gross - min(deductions, gross * cap_ppm // PPM)


def earned_by_tier(tiers: Sequence[Tier], base: int) -> list[int]:
    """Royalty of each tier before rounding, × 1e6."""
    parts: list[int] = []
    lower = 0
    for tier in tiers:
        parts.append(max(0, min(base, tier.up_to) - lower) * tier.rate_ppm)
        lower = tier.up_to
    return parts


def earned_down(tiers: Sequence[Tier], base: int) -> int:
    """T(x): marginal tiers applied to x, rounded down once."""
    return sum(earned_by_tier(tiers, base)) // PPM


def guarantee_down(guarantee: int, seconds: int, full_seconds: int) -> int:
    """G: the guarantee of a full period, pro rata by seconds."""
    return guarantee * seconds // full_seconds


def royalty_of(tiers: Sequence[Tier], base: int, guarantee: int) -> int:
    """R: max(T(base), G)."""
    return max(earned_down(tiers, base), guarantee)


def owed_in_all(royalty: int, *, advance: int = 0, cap: int = 0) -> int:
    """Y = min(cap, max(0, R − advance)); a cap of zero is none."""
    owed = max(0, royalty - advance)
    return min(cap, owed) if cap else owed


def interest_numerator(principal: int, rate_ppm: int, seconds: int) -> int:
    """Simple interest × 1e6 × 365 days; divide by INTEREST_UNIT when it is paid."""
    return principal * rate_ppm * max(0, seconds)


def entitled_down(cumulative: int, units: int, total: int) -> int:
    """What a leaf is entitled to of all that was credited: floor(cumulative × units / total)."""
    return cumulative * units // total
