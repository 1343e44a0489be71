from __future__ import annotations

import json

import pytest

from freehold.engine import events
from freehold.sandbox.sandbox import Exit


def test_the_report_line_is_as_cloudwatch_shows_it() -> None:
    report = events.Report("id", 15.742, 128, 56, 130.489)
    assert events.report_line(report) == (
        "REPORT RequestId: id\tDuration: 15.74 ms\tBilled Duration: 16 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 56 MB\tInit Duration: 130.49 ms\t"
    )


def test_a_failed_report_names_its_error() -> None:
    line = events.report_line(events.Report("id", 1.0, 128, 56, None, "error", "Runtime.ExitError"))
    assert line.endswith("Max Memory Used: 56 MB\tStatus: error\tError Type: Runtime.ExitError\t")
    assert events.report_line(events.Report("id", 1.0, 128, 56, None, "timeout", "x")).endswith("Status: timeout\t")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (Exit(0, None, 0), "Runtime exited without providing a reason"),
        (Exit(127, None, 0), "Runtime exited with error: exit status 127"),
        (Exit(None, 9, 0), "Runtime exited with error: signal: killed"),
        (Exit(None, 11, 0), "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_exits_are_told_in_awss_words(end: Exit, words: str) -> None:
    assert events.exit_words(end) == words


def test_platform_records_are_json_with_the_time() -> None:
    record = json.loads(events.platform_record("report", events.report_record(events.Report("id", 2.5, 128, 9)), 1000))
    assert record == {
        "time": "1970-01-01T00:00:01.000Z",
        "type": "platform.report",
        "record": {
            "requestId": "id",
            "metrics": {"durationMs": 2.5, "billedDurationMs": 3, "memorySizeMB": 128, "maxMemoryUsedMB": 9},
            "status": "success",
        },
    }
