from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import SetClock
from tests.engines import ARN, MemoryStore

from freehold.aws.call import Aws, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import SystemClock
from freehold.engine.async_invoke import CONFIG, AsyncInvoker
from freehold.engine.concurrency import Concurrency
from freehold.engine.destinations import Destinations
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.state.queue import Message, QueueFailed
from freehold.state.sqlite_queue import SqliteQueue
from freehold.state.store import Put


class MemoryQueue:
    """Meets `Queue`."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.taken: set[int] = set()
        self.emptied = asyncio.Event()

    async def put(self, topic: str, body: bytes, due_s: float, lane: str = "", once: str = "") -> int:
        number = len(self.messages) + 1
        self.messages[number] = Message(number, lane, body, due_s)
        return number

    async def take(self, topic: str, now_s: float, places: int) -> list[Message]:
        due = [one for one in self.messages.values() if one.due_s <= now_s and one.id not in self.taken]
        self.taken |= {one.id for one in due}
        return due

    async def retry(self, message_id: int, body: bytes, due_s: float) -> None:
        self.messages[message_id] = Message(message_id, "", body, due_s)
        self.taken.discard(message_id)

    async def keep(self, message_id: int, body: bytes) -> None:
        self.messages[message_id] = replace(self.messages[message_id], body=body)

    async def ack(self, message_id: int) -> None:
        del self.messages[message_id]
        self.emptied.set()

    async def next_due_s(self, topic: str, now_s: float) -> float | None:
        return min((one.due_s for one in self.messages.values() if one.id not in self.taken), default=None)


class Answering:
    """Meets `Invoker`: gives the next of its answers."""

    def __init__(self, clock: SetClock, *answers: InvocationResult | AwsError) -> None:
        self.clock = clock
        self.answers = list(answers)
        self.calls: list[tuple[float, Invocation]] = []

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        self.calls.append((self.clock.at_s, invocation))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, AwsError):
            raise answer
        return answer


GOOD = InvocationResult(b'"ok"', None, "$LATEST")
BAD = InvocationResult(b'{"errorMessage": "no"}', "Unhandled", "$LATEST")
THROTTLED = AwsError("TooManyRequestsException", "Rate Exceeded.")

Run = Callable[..., Awaitable[tuple[Answering, list[tuple[str, str, Json]], SetClock]]]


@pytest.fixture
def run() -> Run:
    async def run_event(
        *answers: InvocationResult | AwsError,
        config: Json | None = None,
        dead_letter: str = "",
        reserved: int | None = None,
    ) -> tuple[Answering, list[tuple[str, str, Json]], SetClock]:
        clock = SetClock(longest_sleep_s=3600)
        told: list[tuple[str, str, Json]] = []

        def bind(call: Call) -> Aws:
            return Telling(call, told)

        store, queue, invoker = MemoryStore(), MemoryQueue(), Answering(clock, *answers)
        concurrency = Concurrency(10)
        concurrency.reserve("us-east-1/f", reserved)
        if config is not None:
            store.put_now(Put(CONFIG, "us-east-1/f/$LATEST", config))
        destinations = Destinations(bind, clock, lambda arn: dead_letter)
        later = AsyncInvoker(store, queue, invoker, concurrency, destinations, clock)
        await later.enqueue(Invocation(ARN + "f", b'{"a": 1}', "the-id"))
        later.start()
        async with asyncio.timeout(5):
            await queue.emptied.wait()
        await later.stop()
        return invoker, told, clock

    return run_event


class Telling:
    """Meets `Aws`."""

    def __init__(self, call: Call, told: list[tuple[str, str, Json]]) -> None:
        self.call = call
        self._told = told

    async def __call__(self, service: str, operation: str, request: Json) -> Json:
        self._told.append((service, operation, request))
        return {"QueueUrl": "http://queue"} if operation == "GetQueueUrl" else {}


def _both(arn: str) -> dict[str, Any]:
    return {"DestinationConfig": {"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}}}


async def test_a_function_error_is_tried_again_after_one_and_two_minutes_with_the_same_id(run: Run) -> None:
    invoker, _, _ = await run(BAD)
    assert [moment for moment, _ in invoker.calls] == [1000.0, 1060.0, 1180.0]
    assert {invocation.request_id for _, invocation in invoker.calls} == {"the-id"}


async def test_a_success_ends_it_and_is_told(run: Run) -> None:
    invoker, told, _ = await run(BAD, GOOD, config=_both("arn:aws:lambda:us-east-1:000000000000:function:done"))
    assert len(invoker.calls) == 2
    (service, operation, request) = told[0]
    assert (service, operation, request["InvocationType"]) == ("lambda", "Invoke", "Event")
    record = json.loads(request["Payload"])
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": "the-id",
        "functionArn": ARN + "f:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 2,
    }
    assert (record["requestPayload"], record["responsePayload"]) == ({"a": 1}, "ok")
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


async def test_an_exhausted_event_goes_to_its_failure_destination(run: Run) -> None:
    config = {"MaximumRetryAttempts": 0, **_both("arn:aws:sqs:us-east-1:000000000000:failed")}
    invoker, told, _ = await run(BAD, config=config)
    assert len(invoker.calls) == 1
    assert [operation for _, operation, _ in told] == ["GetQueueUrl", "SendMessage"]
    record = json.loads(told[1][2]["MessageBody"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"


async def test_a_dead_letter_queue_gets_the_event_itself(run: Run) -> None:
    _, told, _ = await run(
        BAD, config={"MaximumRetryAttempts": 0}, dead_letter="arn:aws:sqs:us-east-1:000000000000:dead"
    )
    message = told[1][2]
    assert message["MessageBody"] == '{"a": 1}'
    assert {name: value["StringValue"] for name, value in message["MessageAttributes"].items()} == {
        "RequestID": "the-id",
        "ErrorCode": "200",
        "ErrorMessage": "no",
    }


async def test_a_throttled_event_waits_longer_each_time_and_never_counts_as_failed(run: Run) -> None:
    invoker, _, clock = await run(THROTTLED, THROTTLED, THROTTLED, GOOD)
    assert [moment - 1000.0 for moment, _ in invoker.calls] == [0.0, 1.0, 3.0, 7.0]
    assert clock.at_s == 1007.0


async def test_an_event_that_is_too_old_is_given_up(run: Run) -> None:
    config = {"MaximumEventAgeInSeconds": 60, **_both("arn:aws:lambda:us-east-1:000000000000:function:late")}
    _, told, clock = await run(THROTTLED, config=config)
    assert json.loads(told[0][2]["Payload"])["requestContext"]["condition"] == "EventAgeExceeded"
    assert clock.at_s == pytest.approx(1060.0, abs=1)


async def test_a_function_that_is_switched_off_is_not_tried_again(run: Run) -> None:
    invoker, told, _ = await run(
        THROTTLED, reserved=0, config=_both("arn:aws:lambda:us-east-1:000000000000:function:off")
    )
    assert len(invoker.calls) == 1
    assert len(told) == 1


async def test_an_event_of_a_deleted_function_is_dropped(run: Run) -> None:
    invoker, told, _ = await run(AwsError("ResourceNotFoundException", "gone"), config=_both("arn:aws:sqs:r:a:q"))
    assert (len(invoker.calls), told) == (1, [])


class Hanging:
    """Meets `Invoker`: invocations of "slow" never end, all others are answered."""

    def __init__(self) -> None:
        self.slow = 0
        self.answered = asyncio.Event()

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        if invocation.function_arn.endswith(":slow"):
            self.slow += 1
            await asyncio.Event().wait()
        self.answered.set()
        return GOOD


async def test_a_function_whose_events_take_long_keeps_nobody_from_running(tmp_path: Path) -> None:
    queue, invoker = SqliteQueue(tmp_path / "queue.db"), Hanging()
    concurrency = Concurrency(100)
    destinations = Destinations(lambda call: Telling(call, []), SystemClock(), lambda arn: "")
    later = AsyncInvoker(MemoryStore(), queue, invoker, concurrency, destinations, SystemClock())
    await asyncio.gather(*(later.enqueue(Invocation(ARN + "slow", b"1", str(number))) for number in range(300)))
    await later.enqueue(Invocation(ARN + "quick", b"1", "the-other"))
    later.start()
    async with asyncio.timeout(5):
        await invoker.answered.wait()
    assert invoker.slow <= 50
    await later.stop()
    await queue.close()


class Dying(MemoryQueue):
    """A process that ends between telling and the end of it."""

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Event()

    async def ack(self, message_id: int) -> None:
        self.told.set()
        await asyncio.Event().wait()


async def test_what_was_told_before_a_crash_is_told_again_under_the_same_name_and_nothing_runs_again() -> None:
    queue, clock, names = Dying(), SetClock(longest_sleep_s=3600), []
    invoker = Answering(clock, GOOD)

    def bind(call: Call) -> Aws:
        names.append(call.once)
        return Telling(call, [])

    store = MemoryStore()
    store.put_now(Put(CONFIG, "us-east-1/f/$LATEST", _both("arn:aws:sqs:us-east-1:000000000000:told")))
    for _ in range(2):
        queue.taken.clear()  # A new process knows of nothing taken.
        queue.told.clear()
        destinations = Destinations(bind, clock, lambda arn: "")
        later = AsyncInvoker(store, queue, invoker, Concurrency(10), destinations, clock)
        if not queue.messages:
            await later.enqueue(Invocation(ARN + "f", b"1", "the-id"))
        later.start()
        async with asyncio.timeout(5):
            await queue.told.wait()
        await later.stop()
    assert names == ["the-id/1/0", "the-id/1/0"]
    assert len(invoker.calls) == 1


class Failing(MemoryQueue):
    """A disk that is full each second time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def _ask(self) -> None:
        self.asked += 1
        if self.asked % 2:
            raise QueueFailed("database or disk is full")

    async def take(self, topic: str, now_s: float, places: int) -> list[Message]:
        self._ask()
        return await super().take(topic, now_s, places)

    async def retry(self, message_id: int, body: bytes, due_s: float) -> None:
        self._ask()
        await super().retry(message_id, body, due_s)

    async def keep(self, message_id: int, body: bytes) -> None:
        self._ask()
        await super().keep(message_id, body)

    async def ack(self, message_id: int) -> None:
        self._ask()
        await super().ack(message_id)


async def test_a_queue_that_fails_now_and_then_loses_nothing_and_repeats_nothing() -> None:
    queue, clock = Failing(), SetClock(longest_sleep_s=3600)
    invoker, told, store = Answering(clock, BAD, GOOD), [], MemoryStore()  # type: ignore[var-annotated]
    store.put_now(Put(CONFIG, "us-east-1/f/$LATEST", _both("arn:aws:lambda:us-east-1:000000000000:function:done")))
    destinations = Destinations(lambda call: Telling(call, told), clock, lambda arn: "")
    later = AsyncInvoker(store, queue, invoker, Concurrency(10), destinations, clock)
    await later.enqueue(Invocation(ARN + "f", b"1", "the-id"))
    later.start()
    async with asyncio.timeout(5):
        await queue.emptied.wait()
    await later.stop()
    assert (len(invoker.calls), len(told)) == (2, 1)
