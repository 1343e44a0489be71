from __future__ import annotations

from typing import Any

import pytest

from freehold.aws.event_patterns import InvalidPattern, compile_pattern, parse_pattern

EVENT: dict[str, Any] = {
    "source": "my.app",
    "detail": {
        "state": "Running",
        "count": 5,
        "ok": True,
        "none": None,
        "ip": "10.0.1.7",
        "file": "images/a.PNG",
        "tags": ["red", "green"],
        "empty": [],
        "items": [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}],
    },
}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"state": ["Running"]}, True),
        ({"state": ["stopped", "Running"]}, True),
        ({"state": ["running"]}, False),
        ({"count": [5]}, True),
        ({"count": [5.0]}, True),
        ({"count": ["5"]}, False),
        ({"ok": [True]}, True),
        ({"count": [True]}, False),
        ({"none": [None]}, True),
        ({"absent": [None]}, False),
        ({"tags": ["green"]}, True),
        ({"tags": ["blue"]}, False),
        ({"items": {"kind": ["a"], "n": [1]}}, True),
        ({"items": {"kind": ["a"], "n": [2]}}, False),
        ({"state": [{"prefix": "Run"}]}, True),
        ({"state": [{"prefix": {"equals-ignore-case": "rUN"}}]}, True),
        ({"file": [{"suffix": ".png"}]}, False),
        ({"file": [{"suffix": {"equals-ignore-case": ".png"}}]}, True),
        ({"state": [{"equals-ignore-case": "RUNNING"}]}, True),
        ({"file": [{"wildcard": "images/*.PNG"}]}, True),
        ({"file": [{"wildcard": "*.gif"}]}, False),
        ({"state": [{"anything-but": "Running"}]}, False),
        ({"state": [{"anything-but": ["a", "b"]}]}, True),
        ({"count": [{"anything-but": [4, 6]}]}, True),
        ({"state": [{"anything-but": {"prefix": "Run"}}]}, False),
        ({"state": [{"anything-but": {"suffix": ["x", "g"]}}]}, False),
        ({"file": [{"anything-but": {"wildcard": "*.gif"}}]}, True),
        ({"absent": [{"anything-but": "x"}]}, False),
        ({"count": [{"numeric": [">", 0, "<=", 5]}]}, True),
        ({"count": [{"numeric": ["<", 5]}]}, False),
        ({"count": [{"numeric": ["=", 5]}]}, True),
        ({"state": [{"numeric": [">", 0]}]}, False),
        ({"state": [{"exists": True}]}, True),
        ({"state": [{"exists": False}]}, False),
        ({"absent": [{"exists": False}]}, True),
        ({"absent": {"deeper": [{"exists": False}]}}, True),
        ({"empty": [{"exists": False}]}, True),
        ({"ip": [{"cidr": "10.0.0.0/16"}]}, True),
        ({"ip": [{"cidr": "10.1.0.0/16"}]}, False),
        ({"state": [{"cidr": "10.1.0.0/16"}]}, False),
        ({"$or": [{"state": ["x"]}, {"count": [5]}]}, True),
        ({"$or": [{"state": ["x"]}, {"count": [6]}]}, False),
        ({"$or": [{"state": ["x"]}, {"count": [5]}], "ok": [False]}, False),
    ],
)
def test_a_pattern_matches_what_the_user_guide_says(detail: dict[str, Any], expected: bool) -> None:
    assert compile_pattern({"source": ["my.app"], "detail": detail})(EVENT) is expected


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"a": "x"}',
        '{"a": []}',
        '{"a": {}}',
        '{"a": [["x"]]}',
        '{"a": [{"like": "x"}]}',
        '{"a": [{"prefix": 1}]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"numeric": ["~", 1]}]}',
        '{"a": [{"exists": "yes"}]}',
        '{"a": [{"cidr": "10.0.0.0/99"}]}',
        '{"a": [{"wildcard": "**"}]}',
        '{"a": [{"prefix": "a", "suffix": "b"}]}',
        '{"$or": [{"a": [1]}]}',
    ],
)
def test_a_broken_pattern_is_refused(text: str) -> None:
    with pytest.raises(InvalidPattern):
        parse_pattern(text)
