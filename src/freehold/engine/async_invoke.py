"""Asynchronous invocations: taken from the queue on disk, run, tried again with AWS's delays, and told to destinations.

AWS: "Invoking a Lambda function asynchronously", "How Lambda handles errors and retries with asynchronous invocation".
The request id is the same on every attempt. One decision to know: each function's events are a lane of the queue, and
how places are shared among lanes is the queue's: a function whose events take long leaves places to the others. And an
event that has ended becomes, in one write, what is still to be told of it: it never runs again, whatever happens then.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.engine.concurrency import Concurrency
from freehold.engine.destinations import Delivery, Destinations, Outcome
from freehold.engine.invocation import Invocation, Invoker
from freehold.engine.recursion import arn_mark, with_lineage
from freehold.engine.running import new_trace_id
from freehold.state.queue import Message, Queue, QueueFailed
from freehold.state.store import Change, Store

TOPIC = "lambda.async"
CONFIG = "lambda.event_invoke_config"
FUNCTION_ERROR_DELAYS_S = (60.0, 120.0)
THROTTLE_FIRST_DELAY_S = 1.0
THROTTLE_LONGEST_DELAY_S = 300.0
MAX_AGE_S = 21_600
MAX_RETRIES = 2
_AT_ONCE = 256  # Events of all functions that run at the same time; the others wait on disk.
_LONGEST_WAIT_S = 3600.0
_FAILED_S = 1.0  # Until a queue that failed is asked again.

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Event:
    """What lies in the queue."""

    function_arn: str
    payload: bytes
    request_id: str
    accepted_s: float
    failures: int = 0  # Attempts that ended in a function error.
    delays: int = 0  # Attempts that found no capacity.
    trace_id: str = ""
    untold: tuple[Delivery, ...] | None = None  # It has ended, and these are to be told; None: it has not.

    def encode(self) -> bytes:
        return orjson.dumps({
            "function_arn": self.function_arn,
            "payload": base64.b64encode(self.payload).decode(),
            "request_id": self.request_id,
            "accepted_s": self.accepted_s,
            "failures": self.failures,
            "delays": self.delays,
            "trace_id": self.trace_id,
            "untold": self.untold,
        })  # fmt: skip

    @classmethod
    def decode(cls, body: bytes) -> Event:
        members = orjson.loads(body)
        members["payload"] = base64.b64decode(members["payload"])
        if members.get("untold") is not None:
            members["untold"] = tuple(Delivery(**each) for each in members["untold"])
        return cls(**members)


class AsyncInvoker:
    """`start` begins to work the queue off; `stop` leaves what is not done in it."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        invoker: Invoker,
        concurrency: Concurrency,
        destinations: Destinations,
        clock: Clock,
    ) -> None:
        self._store = store
        self._queue = queue
        self._invoker = invoker
        self._concurrency = concurrency
        self._destinations = destinations
        self._clock = clock
        self._configs: dict[str, Json] = {}
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._worker: asyncio.Task[None] | None = None
        self._unfollow: Callable[[], None] = lambda: None

    async def enqueue(self, invocation: Invocation, once: str = "") -> None:
        """On disk when it returns; what comes again under the name `once` is there already."""
        now_s = self._clock.now_s()
        arn, payload, request_id, trace_id, *_ = invocation
        # One for all attempts, and for what is told of it.
        event = Event(arn, payload, request_id, now_s, trace_id=trace_id or new_trace_id(self._clock))
        await self._queue.put(TOPIC, event.encode(), now_s, _function_key(event.function_arn), once)
        self._wake.set()

    def start(self) -> None:
        self._unfollow = self._store.follow((CONFIG,), self._on_changes)
        self._worker = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        self._unfollow()
        tasks = [*self._running, *([self._worker] if self._worker else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self) -> None:
        places = min(_AT_ONCE, self._concurrency.limit)
        while True:
            self._wake.clear()
            now_s = self._clock.now_s()
            messages = await self._surely(partial(self._queue.take, TOPIC, now_s, places))
            for message in messages:
                task = asyncio.get_running_loop().create_task(self._attempt(message))
                self._running.add(task)
                task.add_done_callback(self._done)
            if not messages:
                await self._wait(await self._surely(partial(self._queue.next_due_s, TOPIC, now_s)))

    async def _surely(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Until the disk has room again, say: what runs stays taken, and what waits is on disk."""
        while True:
            try:
                return await ask()
            except QueueFailed:
                await self._clock.sleep(_FAILED_S)

    async def _wait(self, due_s: float | None) -> None:
        """Until something is due, put or finished."""
        wait_s = _LONGEST_WAIT_S if due_s is None else max(0.0, min(due_s - self._clock.now_s(), _LONGEST_WAIT_S))
        sleep = asyncio.ensure_future(self._clock.sleep(wait_s))
        wake = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleep, wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _attempt(self, message: Message) -> None:
        event = Event.decode(message.body)
        if event.untold is not None:
            await self._tell(message, event)
            return
        config = self._config(event.function_arn)
        max_age_s = config.get("MaximumEventAgeInSeconds", MAX_AGE_S)
        if self._clock.now_s() - event.accepted_s > max_age_s:
            await self._end(message, event, Outcome("EventAgeExceeded", event.failures + event.delays, None), config)
            return
        try:
            result = await self._invoker.invoke(
                Invocation(event.function_arn, event.payload, event.request_id, event.trace_id)
            )
        except AwsError as error:
            await self._not_run(message, event, error, config, max_age_s)
            return
        count = event.failures + event.delays + 1
        if result.function_error is None:
            await self._end(message, event, Outcome("Success", count, result), config)
        elif event.failures >= config.get("MaximumRetryAttempts", MAX_RETRIES):
            await self._end(message, event, Outcome("RetriesExhausted", count, result), config)
        else:
            delay_s = FUNCTION_ERROR_DELAYS_S[min(event.failures, len(FUNCTION_ERROR_DELAYS_S) - 1)]
            again = replace(event, failures=event.failures + 1)
            if self._clock.now_s() + delay_s - event.accepted_s > max_age_s:
                await self._end(message, event, Outcome("EventAgeExceeded", count, result), config)
            else:
                await self._retry(message, again, self._clock.now_s() + delay_s)

    async def _not_run(self, message: Message, event: Event, error: AwsError, config: Json, max_age_s: int) -> None:
        """No capacity, or no function any more."""
        if error.code == "ResourceNotFoundException":
            await self._surely(partial(self._queue.ack, message.id))
            return
        looped = error.code == "RecursiveInvocationException"
        if looped or self._concurrency.reserved(_function_key(event.function_arn)) == 0:
            # In a loop, or switched off: nothing is tried again.
            await self._end(message, event, Outcome("RetriesExhausted", 0, None), config)
            return
        delay_s = min(THROTTLE_FIRST_DELAY_S * 2**event.delays, THROTTLE_LONGEST_DELAY_S)
        due_s = min(self._clock.now_s() + delay_s, event.accepted_s + max_age_s + 0.001)
        await self._retry(message, replace(event, delays=event.delays + 1), due_s)

    async def _retry(self, message: Message, event: Event, due_s: float) -> None:
        await self._surely(partial(self._queue.retry, message.id, event.encode(), due_s))

    async def _end(self, message: Message, event: Event, outcome: Outcome, config: Json) -> None:
        arn, payload = event.function_arn, event.payload
        untold = tuple(self._destinations.deliveries(arn, event.request_id, payload, outcome, config))
        if untold:
            # From here on it has ended, also for a process that comes after this one.
            event = replace(event, payload=b"", untold=untold)
            await self._surely(partial(self._queue.keep, message.id, event.encode()))
        await self._tell(message, event)

    async def _tell(self, message: Message, event: Event) -> None:
        trace_id = with_lineage(event.trace_id, arn_mark(event.function_arn)) if event.trace_id else ""
        await self._destinations.tell(event.untold or (), f"{event.request_id}/{message.id}", trace_id)
        await self._surely(partial(self._queue.ack, message.id))

    def _config(self, function_arn: str) -> Json:
        parts = function_arn.split(":")
        qualifier = parts[7] if len(parts) > 7 else "$LATEST"
        return self._configs.get(f"{_function_key(function_arn)}/{qualifier}", {})

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.document is None:
                self._configs.pop(change.key, None)
            else:
                self._configs[change.key] = change.document


def _function_key(function_arn: str) -> str:
    parts = function_arn.split(":")
    return f"{parts[3]}/{parts[6]}"
