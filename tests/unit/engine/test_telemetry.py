"""Subscriptions as AWS takes them, and what becomes of events whose subscriber does not keep up."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from freehold.clock import SystemClock
from freehold.engine.telemetry import FUNCTION, LOGS_API, TELEMETRY_API, Subscription, Telemetry
from freehold.engine.telemetry_api import Invalid, read_subscription

GOOD: dict[str, Any] = {
    "schemaVersion": "2022-12-13",
    "types": ["platform", "function"],
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/in?a=1"},
}


def read(api: str = TELEMETRY_API, **changes: Any) -> Subscription:
    return read_subscription("e", api, json.dumps({**GOOD, **changes}).encode())


def test_a_subscription_has_awss_defaults() -> None:
    assert read() == Subscription(
        "e", TELEMETRY_API, "2022-12-13", frozenset({"platform", "function"}), "HTTP", 8080, "/in?a=1", 10_000,
        262_144, 1000,
    )  # fmt: skip


def test_the_logs_api_has_versions_of_its_own() -> None:
    assert read(LOGS_API, schemaVersion="2021-03-18").schema_version == "2021-03-18"
    with pytest.raises(Invalid, match="schemaVersion"):
        read(LOGS_API)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schemaVersion": "1999"}, "schemaVersion"),
        ({"types": []}, "types"),
        ({"types": ["platform", "other"]}, "types"),
        ({"destination": None}, "destination"),
        ({"destination": {"protocol": "UDP", "port": 5}}, "protocol"),
        ({"destination": {"protocol": "TCP", "port": 0}}, "port"),
        ({"destination": {"protocol": "TCP", "port": 9001}}, "reserved"),
        ({"destination": {"protocol": "HTTP", "URI": "http://169.254.169.254/latest"}}, "host must be"),
        ({"destination": {"protocol": "HTTP", "URI": "https://sandbox.localdomain:80/"}}, "host must be"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox:80/ HTTP/1.1\r\nX: y"}}, "URI"),
        ({"buffering": {"maxItems": 999}}, "maxItems"),
        ({"buffering": {"maxBytes": 1_048_577}}, "maxBytes"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs"),
        ({"buffering": {"timeoutMs": True}}, "timeoutMs"),
    ],
)
def test_what_is_not_as_documented_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read(**changes)


class Inside:
    """A subscriber behind a socket pair, which reads when it is told to."""

    def __init__(self) -> None:
        self.theirs: list[socket.socket] = []
        self.connected = asyncio.Event()

    async def connect(self, port: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.theirs.append(theirs)
        self.connected.set()
        return ours

    async def receive(self, number: int = 0) -> list[dict[str, Any]]:
        """The events of one POST, answered with 200."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while len(self.theirs) <= number:
                self.connected.clear()
                await self.connected.wait()
            data = b""
            while b"\r\n\r\n" not in data:
                data += await loop.sock_recv(self.theirs[number], 65536)
            head, _, body = data.partition(b"\r\n\r\n")
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(body) < size:
                body += await loop.sock_recv(self.theirs[number], 65536)
            await loop.sock_sendall(self.theirs[number], b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.theirs[number].close()
        events: list[dict[str, Any]] = json.loads(body)
        return events


async def test_what_happened_before_the_subscription_is_told_to_it() -> None:
    inside = Inside()
    telemetry = Telemetry(SystemClock(), inside.connect)
    telemetry.platform("initStart", {"phase": "init"})
    telemetry.printed(FUNCTION, [(1_700_000_000_123, "early")])
    telemetry.subscribe(read())
    telemetry.flush()
    events = await inside.receive()
    assert [event["type"] for event in events] == ["platform.initStart", "function", "platform.telemetrySubscription"]
    assert events[1] == {"time": "2023-11-14T22:13:20.123Z", "type": "function", "record": "early"}
    telemetry.shut()
    assert not telemetry.is_open
    telemetry.close()


async def test_a_batch_goes_when_it_is_full() -> None:
    inside = Inside()
    telemetry = Telemetry(SystemClock(), inside.connect)
    telemetry.subscribe(read(types=["function"], buffering={"maxItems": 1000, "timeoutMs": 30_000}))
    telemetry.printed(FUNCTION, [(0, "line")] * 1000)
    assert len(await inside.receive()) == 1000
    telemetry.close()


async def test_a_subscriber_that_does_not_keep_up_loses_batches_and_is_told() -> None:
    inside = Inside()
    telemetry = Telemetry(SystemClock(), inside.connect)
    telemetry.subscribe(read(types=["function"], buffering={"maxItems": 1000, "timeoutMs": 30_000}))
    telemetry.shut()
    for _ in range(8):
        telemetry.printed(FUNCTION, [(0, "line")] * 1000)
    for number in range(4):
        assert len(await inside.receive(number)) == 1000
    telemetry.flush()
    events = await inside.receive(4)
    (dropped,) = [event["record"] for event in events if event["type"] == "platform.logsDropped"]
    assert dropped["droppedRecords"] == 4000
    assert "slower than the logs production rate" in dropped["reason"]
    telemetry.close()


async def test_a_subscriber_that_cannot_be_reached_costs_nothing_but_its_events() -> None:
    asked = asyncio.Event()

    async def refuse(port: int) -> socket.socket:
        asked.set()
        raise ConnectionRefusedError("nobody listens")

    telemetry = Telemetry(SystemClock(), refuse)
    telemetry.subscribe(read())
    telemetry.flush()
    await asked.wait()
    telemetry.printed(FUNCTION, [(0, "line")])
    telemetry.close()
