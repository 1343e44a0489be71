"""What becomes of a batch of stream records: retried, split, given up, or taken in part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.clocks import SetClock

from freehold.aws.call import Call, Json
from freehold.clock import RandomIds
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.events.batches import Delivery, StreamRecord, first_failure
from freehold.events.dynamodb_streams import compile_filters, split


class Function:
    """Fails for batches that hold one of `bad`; remembers what it was given."""

    def __init__(self, bad: Sequence[str] = (), answer: Json | None = None, times: int = 10**6) -> None:
        self.bad, self.answer, self.times = bad, answer, times
        self.batches: list[list[str]] = []

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        batch = [each["id"] for each in json.loads(invocation.payload)["Records"]]
        self.batches.append(batch)
        failed = self.times > 0 and any(each in self.bad for each in batch)
        self.times -= failed
        if self.answer is not None:
            return InvocationResult(json.dumps(self.answer if failed else {}).encode(), None, "$LATEST")
        return InvocationResult(b"null", "Unhandled" if failed else None, "$LATEST")


class Elsewhere:
    """Takes what is sent to a queue."""

    def __init__(self) -> None:
        self.sent: list[Json] = []

    def bind(self, call: Call) -> Any:
        async def aws(service: str, operation: str, request: Json) -> Json:
            if operation == "SendMessage":
                self.sent.append(json.loads(request["MessageBody"]))
            return {"QueueUrl": "url"}

        return aws


def records(text: str) -> list[StreamRecord]:
    return [StreamRecord(each, 1000.0, each, {"id": each}) for each in text]


def delivery(
    function: Function, clock: SetClock | None = None, elsewhere: Elsewhere | None = None, **mapping: Any
) -> Delivery:
    settings = {"UUID": "u", "FunctionArn": "arn:f", "EventSourceArn": "arn:s", **mapping}
    bind = (elsewhere or Elsewhere()).bind
    return Delivery(settings, "DDBStreamBatchInfo", "shard", function, bind, clock or SetClock(), RandomIds())


async def test_a_batch_that_is_taken_is_given_once() -> None:
    function = Function()
    assert await delivery(function).deliver(records("abc")) == "OK"
    assert function.batches == [["a", "b", "c"]]


async def test_a_failed_batch_is_given_again_after_a_pause_that_grows() -> None:
    function, clock = Function("b", times=3), SetClock()
    assert await delivery(function, clock).deliver(records("abc")) == "PROBLEM: Function call failed"
    assert function.batches == [["a", "b", "c"]] * 4
    assert clock.slept == [0.5, 1.0, 2.0]


async def test_when_the_attempts_are_used_up_the_batch_goes_to_the_destination() -> None:
    function, elsewhere = Function("b"), Elsewhere()
    target = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:lost"}}
    settings = {"MaximumRetryAttempts": 2, "DestinationConfig": target}
    await delivery(function, elsewhere=elsewhere, **settings).deliver(records("abc"))
    assert len(function.batches) == 3
    (told,) = elsewhere.sent
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["DDBStreamBatchInfo"]["startSequenceNumber"] == "a"
    assert told["DDBStreamBatchInfo"]["batchSize"] == 3


async def test_a_split_batch_loses_the_bad_record_only() -> None:
    function, elsewhere = Function("c"), Elsewhere()
    target = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:lost"}}
    settings = {"MaximumRetryAttempts": 1, "BisectBatchOnFunctionError": True, "DestinationConfig": target}
    await delivery(function, elsewhere=elsewhere, **settings).deliver(records("abcd"))
    taken = {each for batch in function.batches if "c" not in batch for each in batch}
    assert taken == {"a", "b", "d"}
    assert [each["DDBStreamBatchInfo"]["startSequenceNumber"] for each in elsewhere.sent] == ["c"]


async def test_only_what_was_not_taken_is_given_again() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "b"}]}
    function = Function("b", answer=answer, times=1)
    await delivery(function, FunctionResponseTypes=["ReportBatchItemFailures"]).deliver(records("abcd"))
    assert function.batches == [["a", "b", "c", "d"], ["b", "c", "d"]]


async def test_records_that_are_too_old_are_given_up() -> None:
    function, clock = Function("a"), SetClock()
    await delivery(function, clock, MaximumRecordAgeInSeconds=60).deliver(records("a"))
    assert clock.at_s > 1060
    assert len(function.batches) == len(clock.slept)


@pytest.mark.parametrize(
    ("answer", "index"),
    [
        ("null", None),
        ("{}", None),
        ('{"batchItemFailures": []}', None),
        ('{"batchItemFailures": null}', None),
        ('{"batchItemFailures": [{"itemIdentifier": "b"}]}', 1),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', 0),
        ('{"batchItemFailures": [{"itemIdentifier": "x"}]}', 0),
        ('{"batchItemFailures": [{"wrong": "b"}]}', 0),
        ("not json", 0),
    ],
)
def test_an_answer_tells_the_first_failed_record(answer: str, index: int | None) -> None:
    """AWS: "Configuring partial batch response with DynamoDB", success and failure conditions."""
    assert first_failure(answer.encode(), ["a", "b", "c"]) == index


def test_batches_have_the_size_of_the_mapping() -> None:
    assert [len(batch) for batch in split(records("abcde"), 2)] == [2, 2, 1]
    large = [StreamRecord("a", 0, "a", {"x": "y" * 4_000_000}) for _ in range(2)]
    assert [len(batch) for batch in split(large, 100)] == [1, 1]


def test_one_filter_that_matches_is_enough() -> None:
    pattern = {"eventName": ["INSERT"]}
    matches = compile_filters(
        {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}, {"Pattern": '{"a": [1]}'}]}}
    )
    assert matches({"eventName": "INSERT"})
    assert matches({"a": 1})
    assert not matches({"eventName": "REMOVE"})
    assert compile_filters({})({"anything": 1})
