from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.aws.quota_periods import OFFSET_MAX, period_of


@pytest.mark.parametrize(
    ("period", "offset", "day", "start", "end"),
    [
        ("DAY", 0, date(2026, 11, 27), date(2026, 11, 27), date(2026, 11, 28)),
        ("WEEK", 0, date(2026, 11, 27), date(2026, 11, 22), date(2026, 11, 29)),  # A Friday; the Sunday before.
        ("WEEK", 0, date(2026, 11, 29), date(2026, 11, 29), date(2026, 12, 6)),
        ("WEEK", 1, date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 30)),
        ("MONTH", 0, date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        ("MONTH", 14, date(2026, 12, 14), date(2026, 11, 15), date(2026, 12, 15)),
        ("MONTH", 27, date(2026, 3, 1), date(2026, 2, 28), date(2026, 3, 28)),
    ],
)
def test_a_period_begins_on_the_offsets_day(period: str, offset: int, day: date, start: date, end: date) -> None:
    assert period_of(period, offset, day) == (start, end)


@given(st.sampled_from(sorted(OFFSET_MAX)), st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.data())
def test_periods_follow_each_other_without_a_gap(period: str, day: date, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, OFFSET_MAX[period]))
    start, end = period_of(period, offset, day)
    assert start <= day < end
    assert period_of(period, offset, start) == (start, end) == period_of(period, offset, end - timedelta(days=1))
    assert period_of(period, offset, end)[0] == end
