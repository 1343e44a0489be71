"""What SQS's operations may touch, how a queue is found by its URL, and how a receive waits for messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.message_queues import MessageQueues
from freehold.state.store import Store, Stored

QUEUE = "sqs.queue"
_BATCH = 10


class Arrivals:
    """Wakes the receives that wait at a queue."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def tell(self, queue: str) -> None:
        for event in self._waiting.get(queue, ()):
            event.set()

    def begin(self, queue: str) -> asyncio.Event:
        """Listened to from now on: ask for messages after it, then wait. Ends with `end`."""
        event = asyncio.Event()
        self._waiting.setdefault(queue, set()).add(event)
        return event

    def end(self, queue: str, event: asyncio.Event) -> None:
        events = self._waiting[queue]
        events.discard(event)
        if not events:
            del self._waiting[queue]


@dataclass(frozen=True, slots=True)
class Sqs:
    store: Store
    messages: MessageQueues
    arrivals: Arrivals
    clock: Clock
    ids: Ids


def queue_url(call: Call, name: str) -> str:
    if call.host:
        return f"{call.scheme}://{call.host}/{call.account}/{name}"
    return f"https://sqs.{call.region}.amazonaws.com/{call.account}/{name}"


async def find_queue(sqs: Sqs, call: Call, url: str) -> Stored:
    """By its URL, whatever host it names; also by its bare name."""
    return await find_by_name(sqs, call, url.rstrip("/").rpartition("/")[2])


async def find_by_name(sqs: Sqs, call: Call, name: str) -> Stored:
    found = await sqs.store.read(QUEUE, f"{call.region}/{name}")
    if found is None:
        raise AwsError("QueueDoesNotExist", "The specified queue does not exist.", status=400)
    return found


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message, status=400)


async def for_each(entries: list[Json], act: Callable[[Json], Awaitable[Json]]) -> Json:
    """A batch: each entry by itself, and who failed is told."""
    if not entries:
        raise AwsError("EmptyBatchRequest", "There should be at least one entry in the request.", status=400)
    if len(entries) > _BATCH:
        message = f"Maximum number of entries per request are {_BATCH}. You have sent {len(entries)}."
        raise AwsError("TooManyEntriesInBatchRequest", message, status=400)
    ids = [entry["Id"] for entry in entries]
    repeated = next((each for each in ids if ids.count(each) > 1), None)
    if repeated is not None:
        raise AwsError("BatchEntryIdsNotDistinct", f"Id {repeated} repeated.", status=400)
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **await act(entry)})
        except AwsError as error:
            if (error.status or 400) >= 500:
                raise
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": successful, "Failed": failed}
