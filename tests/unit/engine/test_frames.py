from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from freehold.engine import frames
from freehold.engine.limits import PAYLOAD_BYTES
from freehold.engine.link import Work


class Heard:
    """Meets `LinkEvents`."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self.told: list[tuple[int, int]] = []
        self.changed = asyncio.Event()
        self.takes_parts = True

    def _add(self, *event: object) -> None:
        self.events.append(event)
        self.changed.set()

    def on_ready(self) -> None:
        self._add("ready")

    def on_response(
        self, request_id: str, payload: bytes, content_type: str, worked_us: int = -1, unread_bytes: int = -1
    ) -> None:
        self.told.append((worked_us, unread_bytes))
        self._add("response", request_id, payload, content_type)

    def on_part(self, request_id: str, part: bytes, content_type: str) -> bool:
        self._add("part", request_id, part, content_type)
        return self.takes_parts

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> None:
        self._add("error", request_id, error_type, payload)

    def on_init_error(self, error_type: str, payload: bytes) -> None:
        self._add("init error", error_type, payload)

    def on_too_large(self, request_id: str, size_bytes: int) -> None:
        self._add("too large", request_id, size_bytes)

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    theirs.close()


def _frame(kind: int, meta: bytes, payload: bytes = b"") -> bytes:
    return frames.HEAD.pack(len(payload), len(meta), kind) + meta + payload


async def test_work_is_one_frame_with_its_fields(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    link = frames.FrameLink(asyncio.get_running_loop(), ours, Heard())
    link.send(Work("id", 5, "arn", b"{}", "trace", "", "who"))
    assert theirs.recv(1000) == _frame(frames.INVOKE, b"id\x005\0arn\0trace\0\0who\0application/json", b"{}")
    link.close()


async def test_frames_are_found_however_they_are_cut(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    heard = Heard()
    link = frames.FrameLink(asyncio.get_running_loop(), ours, heard)
    data = _frame(frames.READY, b"") + _frame(frames.RESPONSE, b"id\0text/plain\x0042", b"body" * 100)
    data += _frame(frames.FATAL, b"id\0Error", b"{}") + _frame(frames.INIT_ERROR, b"Type", b"[]")
    for at in range(0, len(data), 7):
        theirs.send(data[at : at + 7])
        await asyncio.sleep(0)
    await heard.wait(5)
    assert heard.events == [
        ("ready",),
        ("response", "id", b"body" * 100, "text/plain"),
        ("ready",),
        ("error", "id", "Error", b"{}"),
        ("init error", "Type", b"[]"),
    ]
    link.close()


async def test_numbers_are_told_in_digits_or_not_at_all(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    heard = Heard()
    link = frames.FrameLink(asyncio.get_running_loop(), ours, heard)
    for told in (b"", b"\x00", b"\x00-1", b"\x00x", b"\x00" + "²".encode(), b"\x00" + b"9" * 5000):
        theirs.send(_frame(frames.RESPONSE, b"id\0x" + told, b"1"))
    for told in (b"\x0042\x007", b"\x00\x000\x009"):
        theirs.send(_frame(frames.RESPONSE, b"id\0x" + told, b"1"))
    await heard.wait(16)
    assert heard.told == [(-1, -1)] * 6 + [(42, 7), (-1, 0)]
    link.close()


async def test_a_too_large_answer_is_told_and_never_held(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    heard = Heard()
    link = frames.FrameLink(asyncio.get_running_loop(), ours, heard)
    size = PAYLOAD_BYTES + 1
    data = _frame(frames.RESPONSE, b"id\0x", bytes(size)) + _frame(frames.RESPONSE, b"next\0x", b"1")
    await asyncio.gather(asyncio.to_thread(theirs.sendall, data), heard.wait(4))
    assert heard.events == [("too large", "id", size), ("ready",), ("response", "next", b"1", "x"), ("ready",)]
    assert not link._partial
    link.close()


async def test_a_large_event_waits_for_the_reader(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    link = frames.FrameLink(asyncio.get_running_loop(), ours, Heard())
    payload = b"x" * 3_000_000
    link.send(Work("id", 5, "arn", payload))

    def read() -> int:
        total = 0
        while total < len(payload):
            total += len(theirs.recv(65536))
        return total

    assert await asyncio.to_thread(read) > len(payload)
    link.close()
