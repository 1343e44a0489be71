"""One line per invocation, whatever comes first: the answer or the record."""

from __future__ import annotations

import click
import pytest

from freehold.aws.errors import AwsError
from freehold.cli.dev.activity import Activity
from freehold.engine.invocation import Invocation, InvocationRecord, InvocationResult


class Invoked:
    """An invoker that reports to the activity as the engine does, or fails."""

    def __init__(self, activity: Activity, error: Exception | None = None) -> None:
        self.activity = activity
        self.error = error

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        if self.error:
            raise self.error
        self.activity.on_record(record(invocation.request_id))
        return InvocationResult(b"{}", None, "$LATEST")


def record(request_id: str, **changes: object) -> InvocationRecord:
    values = {
        "region": "us-east-1",
        "function_name": "hello",
        "version": "$LATEST",
        "request_id": request_id,
        "status": "",
        "error_type": None,
        "duration_ms": 12.3,
        "billed_ms": 13,
        "init_ms": None,
        "max_memory_mb": 50,
        "lines": ["one", "two\nlines"],
    }
    return InvocationRecord(**(values | changes))  # type: ignore[arg-type]


def invocation(request_id: str) -> Invocation:
    return Invocation("arn:aws:lambda:us-east-1:0:function:hello", b"{}", request_id)


@pytest.fixture
def written() -> list[str]:
    return []


@pytest.fixture
def activity(written: list[str]) -> Activity:
    return Activity(lambda text: written.append(click.unstyle(text)))


async def test_a_request_has_its_invocation_and_its_output(activity: Activity, written: list[str]) -> None:
    exchange = activity.begin("GET", "/items")
    await activity.watch(Invoked(activity)).invoke(invocation("r"))
    assert written == []
    activity.end(exchange, 200, 0.02)
    assert written == ["GET /items 200 12 ms warm hello\n  | one\n  | two\n  | lines"]


async def test_a_record_that_comes_after_the_answer_is_waited_for(activity: Activity, written: list[str]) -> None:
    exchange = activity.begin("GET", "/items")
    activity.note("r")
    activity.end(exchange, 500, 0.02)
    assert written == []
    activity.on_record(record("r", init_ms=130.4, status="error", error_type="KeyError", lines=[]))
    assert written == ["GET /items 500 12 ms cold (init 130 ms) KeyError hello"]


async def test_a_request_without_an_invocation_has_its_own_time(activity: Activity, written: list[str]) -> None:
    activity.end(activity.begin("GET", "/nope"), 404, 0.002)
    assert written == ["GET /nope 404 2 ms"]


async def test_an_invocation_that_was_refused_is_not_waited_for(activity: Activity, written: list[str]) -> None:
    exchange = activity.begin("GET", "/items")
    with pytest.raises(AwsError):
        await activity.watch(Invoked(activity, AwsError("TooManyRequestsException", "m"))).invoke(invocation("r"))
    activity.end(exchange, 503, 0.001)
    assert written == ["GET /items 503 1 ms"]


async def test_an_invocation_from_elsewhere_has_a_line_of_its_own(activity: Activity, written: list[str]) -> None:
    activity.on_record(record("other", lines=[]))
    assert written == ["INVOKE hello 12 ms warm"]
