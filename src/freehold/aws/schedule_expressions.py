"""`rate(5 minutes)` and `cron(0 18 ? * MON-FRI *)`: when an expression is due next. Pure; all times are UTC.

Source: Amazon EventBridge User Guide, "Setting a schedule pattern for scheduled rules". Both a rule's validation and
the timer that fires it read expressions here, so an expression that was accepted is one that fires.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_RATE = re.compile(r"rate\(\s*(\d+) +(minutes?|hours?|days?)\s*\)")
_CRON = re.compile(r"cron\((.*)\)")
_UNIT_S = {"minute": 60, "hour": 3600, "day": 86_400}
_MONTH_NAMES = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_ANY = "?"


class InvalidSchedule(ValueError):
    """The text is neither a rate nor a cron expression of AWS's grammar."""


@dataclass(frozen=True, slots=True)
class Rate:
    interval_s: int

    def next_time(self, after: datetime, anchor: datetime) -> datetime:
        """The first multiple of the interval since `anchor` (when the rule was made or enabled) that is later."""
        passed = (after - anchor).total_seconds()
        steps = max(int(passed // self.interval_s), 0) + 1
        return anchor + timedelta(seconds=steps * self.interval_s)


@dataclass(frozen=True, slots=True)
class Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: _Days
    months: frozenset[int]
    years: frozenset[int]

    def next_time(self, after: datetime, anchor: datetime) -> datetime | None:
        """None when it is never due again."""
        start = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for year in sorted(self.years):
            if year < start.year:
                continue
            for month in sorted(self.months):
                if (year, month) < (start.year, start.month):
                    continue
                for day in self.days.of_month(year, month):
                    found = self._on_day(date(year, month, day), start)
                    if found is not None:
                        return found
        return None

    def _on_day(self, day: date, start: datetime) -> datetime | None:
        if day < start.date():
            return None
        for hour in self.hours:
            for minute in self.minutes:
                at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                if at >= start:
                    return at
        return None


@dataclass(frozen=True, slots=True)
class _Days:
    """Which days of a month: by number, or by weekday. One of the two is "?"."""

    numbers: frozenset[int] = frozenset()
    nearest_weekdays: tuple[int, ...] = ()  # "15W".
    last: bool = False  # "L".
    last_weekday: bool = False  # "LW".
    weekdays: frozenset[int] = frozenset()  # 1 = Sunday.
    last_of_weekday: tuple[int, ...] = ()  # "6L": the last Friday.
    nth_of_weekday: tuple[tuple[int, int], ...] = ()  # "3#2": the second Tuesday.

    def of_month(self, year: int, month: int) -> list[int]:
        length = calendar.monthrange(year, month)[1]
        found = {day for day in self.numbers if day <= length}
        if self.last:
            found.add(length)
        if self.last_weekday:
            found.add(_nearest_weekday(year, month, length))
        found |= {_nearest_weekday(year, month, day) for day in self.nearest_weekdays if day <= length}
        by_weekday: dict[int, list[int]] = {}
        for day in range(1, length + 1):
            by_weekday.setdefault(date(year, month, day).isoweekday() % 7 + 1, []).append(day)
        for weekday in self.weekdays:
            found.update(by_weekday[weekday])
        found.update(by_weekday[weekday][-1] for weekday in self.last_of_weekday)
        for weekday, nth in self.nth_of_weekday:
            found.update(by_weekday[weekday][nth - 1 : nth])
        return sorted(found)


Schedule = Rate | Cron


def parse_schedule(text: str) -> Schedule:
    """Raises InvalidSchedule."""
    rate = _RATE.fullmatch(text)
    if rate is not None:
        return _rate(int(rate.group(1)), rate.group(2))
    cron = _CRON.fullmatch(text)
    if cron is None:
        raise InvalidSchedule(text)
    fields = cron.group(1).split()
    if len(fields) != 6:
        raise InvalidSchedule(f"{text}: a cron expression has six fields")
    minutes, hours, days, months, weekdays, years = (field.upper() for field in fields)
    if (days == _ANY) == (weekdays == _ANY):
        raise InvalidSchedule(f"{text}: either the day of the month or the day of the week must be ?")
    return Cron(
        tuple(sorted(_numbers(minutes, 0, 59))),
        tuple(sorted(_numbers(hours, 0, 23))),
        _weekdays(weekdays) if days == _ANY else _month_days(days),
        frozenset(_numbers(months, 1, 12, _MONTHS)),
        frozenset(_numbers(years, _FIRST_YEAR, _LAST_YEAR)),
    )


def next_time(expression: str, after: datetime, anchor: datetime | None = None) -> datetime | None:
    """When it is due first after a time. `anchor`: from when a rate counts; without one, from `after`."""
    return parse_schedule(expression).next_time(after, anchor or after)


def _rate(value: int, unit: str) -> Rate:
    # "rate(1 minutes)" and "rate(5 minute)" are refused by AWS too.
    if value < 1 or (value == 1) == unit.endswith("s"):
        raise InvalidSchedule(f"rate({value} {unit})")
    return Rate(value * _UNIT_S[unit.removesuffix("s")])


def _month_days(text: str) -> _Days:
    numbers: set[int] = set()
    nearest: list[int] = []
    last = last_weekday = False
    for part in text.split(","):
        if part == "L":
            last = True
        elif part == "LW":
            last_weekday = True
        elif part.endswith("W"):
            nearest.append(_number(part[:-1], 1, 31, {}))
        else:
            numbers |= _numbers(part, 1, 31)
    return _Days(frozenset(numbers), tuple(nearest), last, last_weekday)


def _weekdays(text: str) -> _Days:
    weekdays: set[int] = set()
    last: list[int] = []
    nth: list[tuple[int, int]] = []
    for part in text.split(","):
        day, hash_sign, count = part.partition("#")
        if hash_sign:
            nth.append((_number(day, 1, 7, _DAYS), _number(count, 1, 5, {})))
        elif part == "L":
            weekdays.add(7)
        elif part.endswith("L"):
            last.append(_number(part[:-1], 1, 7, _DAYS))
        else:
            weekdays |= _numbers(part, 1, 7, _DAYS)
    return _Days(weekdays=frozenset(weekdays), last_of_weekday=tuple(last), nth_of_weekday=tuple(nth))


def _numbers(text: str, least: int, most: int, names: Mapping[str, int] | None = None) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, most, {}) if slash else 1
        first_text, dash, last_text = span.partition("-")
        if span == "*":
            first, last = least, most
        else:
            first = _number(first_text, least, most, names or {})
            last = _number(last_text, least, most, names or {}) if dash else most if slash else first
        if first <= last:
            found.update(range(first, last + 1, step))
        elif names is None:
            raise InvalidSchedule(text)
        else:  # "FRI-MON" goes round the end of the week, "NOV-FEB" round the end of the year.
            turned = [*range(first, most + 1), *range(least, last + 1)]
            found.update(turned[::step])
    return found


def _number(text: str, least: int, most: int, names: Mapping[str, int]) -> int:
    number = names.get(text)
    if number is None:
        if not (text.isascii() and text.isdigit()):
            raise InvalidSchedule(text)
        number = int(text)
    if not least <= number <= most:
        raise InvalidSchedule(text)
    return number


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Monday to Friday nearest to a day, never in another month."""
    weekday = date(year, month, day).isoweekday()
    length = calendar.monthrange(year, month)[1]
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 7:
        return day + 1 if day < length else day - 2
    return day
