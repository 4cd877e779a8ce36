"""Reporting periods: calendar periods in UTC, cut to the licence's term. Times are Unix seconds, ends
exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

DAY = 86_400
YEAR = 365 * DAY
#: The end of a perpetual licence that was not terminated.
FOREVER = 2**256 - 1

# Months count from January of the year 0 of the proleptic Gregorian calendar.
_DAYS_TO_EPOCH = 719_528  # from 1 January of the year 0 to 1 January 1970
_DAYS_IN_ERA = 146_097  # 400 years


def _days_before_year(year: int) -> int:
    """Days from 1 January of the year 0 to 1 January of `year`."""
    before = year - 1
    return 365 * year + before // 4 - before // 100 + before // 400 + 1


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_lengths(year: int) -> tuple[int, ...]:
    return (31, 29 if _is_leap(year) else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=8_192)
def month_start(month: int) -> int:
    """The first second of a month, counted from January of the year 0."""
    year, rest = divmod(month, 12)
    return (_days_before_year(year) + sum(_month_lengths(year)[:rest]) - _DAYS_TO_EPOCH) * DAY


@lru_cache(maxsize=8_192)
def month_of(time: int) -> int:
    """The month that contains a time, counted from January of the year 0."""
    day = time // DAY + _DAYS_TO_EPOCH
    year = day * 400 // _DAYS_IN_ERA
    while _days_before_year(year) > day:
        year -= 1
    while _days_before_year(year + 1) <= day:
        year += 1
    rest = day - _days_before_year(year)
    for number, length in enumerate(_month_lengths(year)):
        if rest < length:
            return year * 12 + number
        rest -= length
    raise AssertionError("a day lies in a month of its year")


@dataclass(frozen=True, slots=True)
class Span:
    """A period ∩ [licence start, stop), and the dates that follow from its end.

    `full_seconds` are those of the whole calendar period. Interest runs after the second `interest_from`.
    """

    start: int
    end: int
    full_seconds: int
    report_by: int
    pay_by: int
    interest_from: int

    @property
    def seconds(self) -> int:
        """Seconds covered."""
        return self.end - self.start


def calendar_period(start: int, months: int, period: int) -> tuple[int, int]:
    """Start and end of the whole calendar period: number 0 contains `start`, months are grouped from
    January.
    """
    first = (month_of(start) // months + period) * months
    return month_start(first), month_start(first + months)


def period_span(
    *,
    start: int,
    stop: int,
    months: int,
    period: int,
    accepted_at: int,
    days_to_report: int = 0,
    days_to_pay: int = 0,
    grace_days: int = 0,
) -> Span:
    """The span of period `period` of a licence. It is one of the licence's periods if its start is before
    `stop`.
    """
    full_start, full_end = calendar_period(start, months, period)
    end = min(full_end, stop)
    counted_from = max(end, accepted_at)
    pay_by = counted_from + days_to_pay * DAY
    return Span(
        start=start if period == 0 else full_start,
        end=end,
        full_seconds=full_end - full_start,
        report_by=counted_from + days_to_report * DAY,
        pay_by=pay_by,
        interest_from=pay_by + grace_days * DAY,
    )


def period_at(start: int, months: int, time: int) -> int:
    """Number of the period that contains `time`, which is not before `start`."""
    return month_of(time) // months - month_of(start) // months
