from __future__ import annotations

from datetime import UTC, datetime

import pytest

from freehold.aws.schedule_expressions import InvalidSchedule, next_time, parse_schedule


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(0 10 * * ? *)", "2024-01-01T09:59:59", "2024-01-01T10:00"),
        ("cron(0 10 * * ? *)", "2024-01-01T10:00:00", "2024-01-02T10:00"),
        ("cron(0/15 * * * ? *)", "2024-01-01T10:14:30", "2024-01-01T10:15"),
        ("cron(*/15 * * * ? *)", "2024-01-01T23:50", "2024-01-02T00:00"),
        ("cron(0 18 ? * MON-FRI *)", "2024-01-05T18:00", "2024-01-08T18:00"),
        ("cron(0 8 1 * ? *)", "2024-01-15T00:00", "2024-02-01T08:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2024-01-05T17:55", "2024-01-08T08:00"),
        ("cron(0 9 L * ? *)", "2024-02-01T00:00", "2024-02-29T09:00"),
        ("cron(0 9 LW * ? *)", "2024-03-01T00:00", "2024-03-29T09:00"),
        ("cron(0 9 15W * ? *)", "2024-06-01T00:00", "2024-06-14T09:00"),  # The 15th is a Saturday.
        ("cron(0 9 1W * ? *)", "2024-06-01T00:00", "2024-06-03T09:00"),  # Not back into May.
        ("cron(0 9 ? * 2#1 *)", "2024-01-02T00:00", "2024-02-05T09:00"),  # The first Monday.
        ("cron(0 9 ? * TUE#5 *)", "2024-01-31T00:00", "2024-04-30T09:00"),  # Only where there is a fifth.
        ("cron(0 9 ? * 6L *)", "2024-01-01T00:00", "2024-01-26T09:00"),  # The last Friday.
        ("cron(0 9 ? * L *)", "2024-01-01T00:00", "2024-01-06T09:00"),
        ("cron(0 0 29 2 ? *)", "2024-03-01T00:00", "2028-02-29T00:00"),
        ("cron(0 9 ? JAN,jul FRI-MON 2025-2026)", "2024-01-01T00:00", "2025-01-03T09:00"),
        ("cron(30 9 1 1 ? 2023)", "2024-01-01T00:00", None),
        ("rate(1 minute)", "2024-01-01T00:00", "2024-01-01T00:01"),
        ("rate(2 hours)", "2024-01-01T00:00", "2024-01-01T02:00"),
        ("rate(7 days)", "2024-01-01T00:00", "2024-01-08T00:00"),
    ],
)
def test_an_expression_is_due_when_aws_says(expression: str, after: str, expected: str | None) -> None:
    assert next_time(expression, at(after)) == (at(expected) if expected else None)


def test_a_rate_counts_from_its_anchor() -> None:
    anchor = at("2024-01-01T00:00:20")
    assert next_time("rate(5 minutes)", at("2024-01-01T00:12"), anchor) == at("2024-01-01T00:15:20")
    assert next_time("rate(5 minutes)", at("2024-01-01T00:15:20"), anchor) == at("2024-01-01T00:20:20")
    # A clock that was set back does not make it due before its first time.
    assert next_time("rate(5 minutes)", at("2023-01-01T00:00"), anchor) == at("2024-01-01T00:05:20")


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5minutes)",
        "rate(5 seconds)",
        "rate(-1 days)",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 ? * MON#6 *)",
        "cron(0 10 * * ? 1969)",
        "cron(30-10 10 * * ? *)",
        "cron(x 10 * * ? *)",
        "0 10 * * ? *",
        "",
    ],
)
def test_what_aws_refuses_is_refused(expression: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse_schedule(expression)
