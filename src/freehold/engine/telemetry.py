"""What one environment's extensions are told of logs and platform events: buffered, in batches, never without limit.

AWS: "Lambda Telemetry API", "Telemetry API event schema reference", "Lambda Logs API". One decision to know: what
happened before the first subscription is kept and told to it, since extensions subscribe during the init that they ask
about; afterwards a subscriber that does not keep up loses whole batches and is told so, with platform.logsDropped.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson

from freehold.clock import Clock, now_ms
from freehold.engine import events

PLATFORM, FUNCTION, EXTENSION = "platform", "function", "extension"
TELEMETRY_API, LOGS_API = "2022-07-01", "2020-08-15"
_EARLY_BYTES = 1_048_576  # Of events before the first subscription; what is more is lost.
_WAITING_BATCHES = 4  # Believed: AWS drops "some" while an earlier batch is still being sent.
_TOO_SLOW = "Some logs were dropped because the downstream consumer is slower than the logs production rate"
_ANSWER_BYTES = 4096
_LOGS_API_TYPES = {  # What the Logs API knew, and its name for it.
    "platform.start": "platform.start",
    "platform.end": "platform.end",
    "platform.report": "platform.report",
    "platform.runtimeDone": "platform.runtimeDone",
    "platform.extension": "platform.extension",
    "platform.telemetrySubscription": "platform.logsSubscription",
    "platform.logsDropped": "platform.logsDropped",
    "function": "function",
    "extension": "extension",
}

Connect = Callable[[int], Awaitable[socket.socket]]
"""A connection to a port inside the sandbox. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Subscription:
    extension: str
    api: str  # TELEMETRY_API or LOGS_API.
    schema_version: str
    types: frozenset[str]
    protocol: str  # "HTTP" or "TCP"
    port: int
    path: str = "/"
    max_items: int = 10_000
    max_bytes: int = 262_144
    timeout_ms: int = 1000


@dataclass(frozen=True, slots=True)
class _Event:
    category: str
    kind: str  # "platform.start"
    stamp_ms: int
    record: object


class Telemetry:
    """Of one environment. `connect` reaches the subscribers."""

    def __init__(self, clock: Clock, connect: Connect) -> None:
        self._clock = clock
        self._connect = connect
        self._early: list[_Event] | None = []  # None: nobody can subscribe any more.
        self._early_bytes = 0
        self._subscribers: dict[str, _Subscriber] = {}

    @property
    def is_open(self) -> bool:
        return self._early is not None

    def api_of(self, extension: str) -> str | None:
        """Which of the two APIs it has subscribed with."""
        subscriber = self._subscribers.get(extension)
        return subscriber.subscription.api if subscriber else None

    def subscribe(self, subscription: Subscription) -> None:
        """A second subscription of an extension replaces its first."""
        before = self._subscribers.pop(subscription.extension, None)
        if before is not None:
            before.close()
        subscriber = self._subscribers[subscription.extension] = _Subscriber(subscription, self._connect, self._clock)
        for event in self._early or ():
            subscriber.take(event)
        types = sorted(subscription.types)
        self.platform("telemetrySubscription", {"name": subscription.extension, "state": "Subscribed", "types": types})

    def shut(self) -> None:
        """The init is over: nobody can subscribe any more."""
        self._early = None

    def platform(self, kind: str, record: dict[str, object]) -> None:
        self._tell(_Event(PLATFORM, f"platform.{kind}", now_ms(self._clock), record))

    def printed(self, category: str, lines: Sequence[tuple[int, str]]) -> None:
        """Log messages of the function or of extensions, with when they were printed (epoch milliseconds)."""
        for stamp_ms, message in lines:
            self._tell(_Event(category, category, stamp_ms, message))

    def flush(self) -> None:
        for subscriber in self._subscribers.values():
            subscriber.flush()

    def close(self) -> None:
        for subscriber in self._subscribers.values():
            subscriber.close()
        self._subscribers.clear()

    def _tell(self, event: _Event) -> None:
        if self._early is not None and self._early_bytes < _EARLY_BYTES:
            self._early.append(event)
            self._early_bytes += len(str(event.record)) + 64
        for subscriber in self._subscribers.values():
            subscriber.take(event)


class _Subscriber:
    """A batch that fills, batches that wait, one that is being sent."""

    def __init__(self, subscription: Subscription, connect: Connect, clock: Clock) -> None:
        self.subscription = subscription
        self._connect = connect
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._batch: list[bytes] = []
        self._batch_bytes = 0
        self._lost: tuple[int, int, str] = 0, 0, ""  # Records, bytes and why, that it was not told of yet.
        self._waiting: list[tuple[list[bytes], int]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self._tcp: socket.socket | None = None

    def take(self, event: _Event, urgent: bool = False) -> None:
        """`urgent`: also when it did not subscribe to that type."""
        if event.category not in self.subscription.types and not urgent:
            return
        encoded = encode(event.kind, event.stamp_ms, event.record, self.subscription.api)
        if encoded is None:
            return
        self._batch.append(encoded)
        self._batch_bytes += len(encoded)
        if len(self._batch) >= self.subscription.max_items or self._batch_bytes >= self.subscription.max_bytes:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(self.subscription.timeout_ms / 1000, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._batch:
            return
        batch, size_bytes = self._batch, self._batch_bytes
        self._batch, self._batch_bytes = [], 0
        if len(self._waiting) >= _WAITING_BATCHES:
            self._lose(batch, size_bytes, _TOO_SLOW)
            return
        self._waiting.append((batch, size_bytes))
        if self._sending is None:
            self._sending = self._loop.create_task(self._send_all())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
        if self._tcp is not None:
            self._tcp.close()
        self._waiting.clear()

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch, size_bytes = self._waiting[0]
                try:
                    await (self._post(batch) if self.subscription.protocol == "HTTP" else self._stream(batch))
                except OSError as error:
                    self._lose(batch, size_bytes, f"could not send events: {error}")
                    self._waiting.pop(0)
                else:
                    self._waiting.pop(0)
                    self._tell_lost()
        finally:
            self._sending = None

    def _lose(self, batch: list[bytes], size_bytes: int, reason: str) -> None:
        records, total_bytes, _ = self._lost
        self._lost = records + len(batch), total_bytes + size_bytes, reason

    def _tell_lost(self) -> None:
        (records, size_bytes, reason), self._lost = self._lost, (0, 0, "")
        if records:
            record = {"reason": reason, "droppedRecords": records, "droppedBytes": size_bytes}
            self.take(_Event(PLATFORM, "platform.logsDropped", now_ms(self._clock), record), urgent=True)

    async def _post(self, batch: list[bytes]) -> None:
        """Raises OSError, for an answer that is not a success too."""
        body = b"[" + b",".join(batch) + b"]"
        connection = await self._connect(self.subscription.port)
        with connection:
            connection.setblocking(False)
            head = (
                f"POST {self.subscription.path} HTTP/1.1\r\nHost: sandbox.localdomain:{self.subscription.port}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            await self._loop.sock_sendall(connection, head.encode() + body)
            answer = await self._loop.sock_recv(connection, _ANSWER_BYTES)
        status = answer[9:12]
        if not status.startswith(b"2"):
            raise OSError(f"the subscriber answered {status.decode('latin-1') or 'nothing'}")

    async def _stream(self, batch: list[bytes]) -> None:
        if self._tcp is None:
            self._tcp = await self._connect(self.subscription.port)
            self._tcp.setblocking(False)
        try:
            await self._loop.sock_sendall(self._tcp, b"".join(line + b"\n" for line in batch))
        except OSError:
            self._tcp.close()
            self._tcp = None
            raise


def encode(kind: str, stamp_ms: int, record: object, api: str) -> bytes | None:
    """One event as JSON; None where the API does not know it."""
    if api == LOGS_API:
        known = _LOGS_API_TYPES.get(kind)
        if known is None:
            return None
        kind = known
        if kind == "platform.start" and isinstance(record, dict):
            record = {name: record[name] for name in ("requestId", "version") if name in record}
    elif kind == "platform.end":
        return None
    return orjson.dumps({"time": events.iso(stamp_ms), "type": kind, "record": record}, default=str)
