"""Periods in UTC, cut to the term."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.calendar import (
    DAY,
    FOREVER,
    calendar_period,
    month_of,
    month_start,
    period_at,
    period_span,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


@given(st.integers(min_value=0, max_value=253_402_300_799))
def test_months_are_those_of_the_calendar(time: int) -> None:
    when = EPOCH + timedelta(seconds=time)
    month = month_of(time)
    assert divmod(month, 12) == (when.year, when.month - 1)
    assert EPOCH + timedelta(seconds=month_start(month)) == datetime(when.year, when.month, 1, tzinfo=UTC)


@given(st.integers(min_value=0, max_value=2**40))
def test_a_time_lies_in_its_month(time: int) -> None:
    month = month_of(time)
    assert month_start(month) <= time < month_start(month + 1)


@pytest.mark.parametrize(
    ("months", "period", "first", "after"),
    [
        (1, 0, (2024, 2, 1), (2024, 3, 1)),
        (1, 11, (2025, 1, 1), (2025, 2, 1)),
        (3, 0, (2024, 1, 1), (2024, 4, 1)),
        (3, 4, (2025, 1, 1), (2025, 4, 1)),
        (6, 1, (2024, 7, 1), (2025, 1, 1)),
        (12, 0, (2024, 1, 1), (2025, 1, 1)),
    ],
)
def test_periods_are_grouped_from_january(
    months: int, period: int, first: tuple[int, ...], after: tuple[int, ...]
) -> None:
    assert calendar_period(utc(2024, 2, 29, 12), months, period) == (utc(*first), utc(*after))


def test_P_09_edges_and_dates_of_a_stub_period() -> None:
    start, stop = utc(2024, 2, 29, 12), utc(2024, 3, 15)
    first = period_span(
        start=start,
        stop=stop,
        months=1,
        period=0,
        accepted_at=0,
        days_to_report=10,
        days_to_pay=20,
        grace_days=5,
    )
    assert (first.start, first.end, first.full_seconds) == (start, utc(2024, 3, 1), 29 * DAY)
    assert first.seconds == DAY // 2
    assert first.report_by == utc(2024, 3, 11)
    assert first.pay_by == utc(2024, 3, 21)
    assert first.interest_from == utc(2024, 3, 26)
    last = period_span(start=start, stop=stop, months=1, period=1, accepted_at=utc(2025, 1, 1), days_to_pay=1)
    assert (last.start, last.end) == (utc(2024, 3, 1), stop)
    assert last.pay_by == utc(2025, 1, 2)
    assert period_span(start=start, stop=stop, months=1, period=2, accepted_at=0).start >= stop


@given(
    st.integers(min_value=946_684_800, max_value=4_000_000_000),
    st.sampled_from([1, 3, 6, 12]),
    st.integers(min_value=0, max_value=400),
)
def test_periods_follow_each_other_without_gap(start: int, months: int, period: int) -> None:
    one = period_span(start=start, stop=FOREVER, months=months, period=period, accepted_at=0)
    following = period_span(start=start, stop=FOREVER, months=months, period=period + 1, accepted_at=0)
    assert one.end == following.start
    assert one.start < one.end
    assert period_at(start, months, one.start) == period == period_at(start, months, one.end - 1)
