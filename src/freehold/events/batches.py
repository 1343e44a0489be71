"""One batch of a stream, delivered: retries, bisecting, partial failures, and the record of what was given up.

One decision to know: `deliver` returns only when the stream may go on behind the batch, because the function took it,
or because its attempts or its age are used up. Until then the order of the shard holds everything behind it back.
AWS: "Using Lambda with DynamoDB", "Configuring partial batch response", "Retaining discarded records".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.engine.invocation import Invocation, InvocationResult, Invoker

POSITION = "events.position"  # Key: the mapping's, region/uuid. {"after", "sinceS", "result"}.

_log = logging.getLogger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
"""Between attempts. AWS says only that it retries; these are ours."""
_UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class StreamRecord:
    sequence: str
    at_s: float  # When it was written.
    lane: str  # Records of one lane keep their order.
    event: Json  # As the function receives it.


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mapping's settings and what delivering needs."""

    mapping: Json
    info_name: str  # "DDBStreamBatchInfo".
    shard_id: str
    invoker: Invoker
    bind: Bind
    clock: Clock
    ids: Ids

    async def deliver(self, records: Sequence[StreamRecord]) -> str:
        """What became of the batch, as LastProcessingResult says it."""
        attempts = 0
        waiting: list[Sequence[StreamRecord]] = [records]
        said = "OK"
        while waiting:
            batch = waiting.pop(0)
            fresh = self._young(batch)
            if len(fresh) < len(batch):
                await self._give_up(batch[: len(batch) - len(fresh)], None, attempts, "RecordAgeExceeded", "")
            if not fresh:
                continue
            request_id = self.ids.uuid()
            result = await self._invoke(fresh, request_id)
            failed_from = self._failed_from(result, fresh)
            if failed_from is None:
                attempts = 0
                continue
            said = "PROBLEM: Function call failed"
            if failed_from > 0:
                # What came before the failed record is done: only the rest is tried again.
                fresh, attempts = fresh[failed_from:], 0
            attempts += 1
            most = self.mapping.get("MaximumRetryAttempts", _UNLIMITED)
            if most != _UNLIMITED and attempts > most:
                await self._give_up(fresh, result, attempts, "RetryAttemptsExhausted", request_id)
                attempts = 0
                continue
            await self.clock.sleep(min(_FIRST_WAIT_S * 2 ** (attempts - 1), _LONGEST_WAIT_S))
            if self.mapping.get("BisectBatchOnFunctionError") and len(fresh) > 1:
                # Splitting is no attempt: AWS, "Splitting a batch does not count towards the retry quota".
                middle, attempts = len(fresh) // 2, attempts - 1
                waiting[:0] = [fresh[:middle], fresh[middle:]]
            else:
                waiting.insert(0, fresh)
        return said

    async def _invoke(self, batch: Sequence[StreamRecord], request_id: str) -> InvocationResult | None:
        """None where the function could not be run at all."""
        payload = orjson.dumps({"Records": [record.event for record in batch]})
        invocation = Invocation(self.mapping["FunctionArn"], payload, request_id, source="lambda.amazonaws.com")
        try:
            return await self.invoker.invoke(invocation)
        except AwsError as error:
            _log.info("The event source mapping %s could not invoke: %s", self.mapping["UUID"], error)
            return None

    def _young(self, batch: Sequence[StreamRecord]) -> Sequence[StreamRecord]:
        oldest_s = self.mapping.get("MaximumRecordAgeInSeconds", _UNLIMITED)
        if oldest_s == _UNLIMITED:
            return batch
        now = self.clock.now_s()
        first = next((index for index, record in enumerate(batch) if now - record.at_s <= oldest_s), len(batch))
        return batch[first:]

    def _failed_from(self, result: InvocationResult | None, batch: Sequence[StreamRecord]) -> int | None:
        """The index of the first record that the function did not take; None: it took all."""
        if result is None or result.function_error:
            return 0
        if "ReportBatchItemFailures" not in (self.mapping.get("FunctionResponseTypes") or ()):
            return None
        return first_failure(result.payload, [record.sequence for record in batch])

    async def _give_up(
        self,
        batch: Sequence[StreamRecord],
        result: InvocationResult | None,
        attempts: int,
        condition: str,
        request_id: str,
    ) -> None:
        target = ((self.mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if not target:
            return
        context: Json = {
            "requestId": request_id or self.ids.uuid(),
            "functionArn": self.mapping["FunctionArn"],
            "condition": condition,
            "approximateInvokeCount": attempts,
        }
        document: Json = {"requestContext": context, "version": "1.0", "timestamp": _iso(self.clock.now_s())}
        if result is not None:
            document["responseContext"] = {
                "statusCode": 200,
                "executedVersion": result.executed_version,
                "functionError": result.function_error,
            }
        document[self.info_name] = {
            "shardId": self.shard_id,
            "startSequenceNumber": batch[0].sequence,
            "endSequenceNumber": batch[-1].sequence,
            "approximateArrivalOfFirstRecord": _iso(batch[0].at_s),
            "approximateArrivalOfLastRecord": _iso(batch[-1].at_s),
            "batchSize": len(batch),
            "streamArn": self.mapping["EventSourceArn"],
        }
        await send_to(self.bind, target, document)


async def send_to(bind: Bind, target: str, document: Json) -> None:
    """To a mapping's on-failure destination. What it does not take is lost, as on AWS, and said in the log."""
    arn = parse_arn(target)
    assert arn is not None
    aws = bind(Call(arn.region, arn.account, service_principal="lambda.amazonaws.com"))
    text = orjson.dumps(document).decode()
    try:
        match arn.service:
            case "sqs":
                url = (await aws("sqs", "GetQueueUrl", {"QueueName": arn.resource}))["QueueUrl"]
                await aws("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": text})
            case "sns":
                await aws("sns", "Publish", {"TopicArn": target, "Message": text})
            case _:
                _log.warning("%s is no destination of an event source mapping that Freehold knows.", target)
    except AwsError as error:
        _log.warning("The destination %s did not take a batch that was given up: %s", target, error)


def first_failure(payload: bytes, sequences: Sequence[str]) -> int | None:
    """What `batchItemFailures` of an answer says: the index of the first failed record, None when there is none.

    An identifier that is not of the batch, or an answer that is no such document, fails the whole batch.
    """
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return 0
    if answer in (None, "", {}):
        return None
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not failures:
        return None if isinstance(answer, dict) and failures in (None, []) else 0
    indexes = []
    for each in failures:
        identifier = each.get("itemIdentifier") if isinstance(each, dict) else None
        if identifier not in sequences:
            return 0
        indexes.append(sequences.index(identifier))
    return min(indexes)


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
