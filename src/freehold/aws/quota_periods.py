"""Periods of usage plan quotas. API Gateway API Reference, "QuotaSettings"; the console calls the offset the day on
which a period starts, and API Gateway takes 0 for days, 0-6 for weeks, 0-27 for months."""

from __future__ import annotations

from datetime import date, timedelta

OFFSET_MAX = {"DAY": 0, "WEEK": 6, "MONTH": 27}


def period_of(period: str, offset: int, day: date) -> tuple[date, date]:
    """The first day of the period that `day` (UTC) is in, and the first of the next. Weeks start on Sunday."""
    if period == "DAY":
        return day, day + timedelta(days=1)
    if period == "WEEK":
        start = day - timedelta(days=(day.isoweekday() - offset) % 7)
        return start, start + timedelta(days=7)
    start = day.replace(day=1 + offset)
    if start > day:
        start = (start.replace(day=1) - timedelta(days=1)).replace(day=1 + offset)
    return start, (start.replace(day=1) + timedelta(days=32)).replace(day=1 + offset)
