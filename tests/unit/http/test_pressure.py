"""A server that is full lets go of who keeps it waiting, and goes on with the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from freehold.http.messages import Request, Response
from freehold.http.server import HttpServer, Limits

_GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def _post(length: int, sent: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % length + b"a" * sent


async def _count(request: Request) -> Response:
    return Response(200, [], str(len(request.body)).encode())


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self) -> bytes:
        """All that comes until the server closes; nothing where it only broke the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), 10)
        except ConnectionError:
            return b""
        finally:
            self.writer.transport.abort()


async def _connect(server: HttpServer, port: int, sent: bytes, held: int = 0) -> _Client:
    """Returns when the server has it, and `held` bytes of bodies in all."""
    client = _Client(*await asyncio.open_connection("127.0.0.1", port))
    client.writer.write(sent)
    await client.writer.drain()
    async with asyncio.timeout(10):
        while held and server.held_bytes != held:
            await asyncio.sleep(0)
    return client


async def test_the_body_that_is_silent_the_longest_makes_room() -> None:
    server = HttpServer(_count, Limits(held_bytes=1000))
    _, port = await server.start("127.0.0.1", 0)
    first = await _connect(server, port, _post(500, 400), held=400)
    second = await _connect(server, port, _post(500, 400), held=800)
    third = await _connect(server, port, _post(500, 500))
    assert (await third.answer()).endswith(b"\r\n\r\n500")
    assert (await first.answer()).startswith(b"HTTP/1.1 503 ")
    second.writer.write(b"a" * 100)
    assert (await second.answer()).endswith(b"\r\n\r\n500")
    assert server.held_bytes == 0
    await server.stop(0)


async def test_bodies_that_are_being_answered_are_not_dropped_for_another() -> None:
    leave = asyncio.Event()

    async def slow(request: Request) -> Response:
        await leave.wait()
        return await _count(request)

    server = HttpServer(slow, Limits(held_bytes=1000))
    _, port = await server.start("127.0.0.1", 0)
    first = await _connect(server, port, _post(800, 800), held=800)
    second = await _connect(server, port, _post(800, 800))
    assert (await second.answer()).startswith(b"HTTP/1.1 503 ")
    leave.set()
    assert (await first.answer()).endswith(b"\r\n\r\n800")
    assert server.held_bytes == 0
    await server.stop(0)


async def test_bytes_of_whoever_leaves_are_not_counted_any_more() -> None:
    server = HttpServer(_count, Limits(held_bytes=1000))
    _, port = await server.start("127.0.0.1", 0)
    gone = await _connect(server, port, _post(900, 800), held=800)
    gone.writer.transport.abort()
    async with asyncio.timeout(10):
        while server.connections:
            await asyncio.sleep(0)
    assert server.held_bytes == 0
    await server.stop(0)


async def test_a_new_connection_takes_the_place_of_the_one_that_waits_longest() -> None:
    server = HttpServer(_count, Limits(connections=3))
    _, port = await server.start("127.0.0.1", 0)
    slow = []
    for number in range(3):
        slow.append(await _connect(server, port, b"GET / HTTP/1.1\r\n"))
        async with asyncio.timeout(10):
            while len(server.connections) <= number:
                await asyncio.sleep(0)
    other = await _connect(server, port, _GET)
    assert (await other.answer()).endswith(b"\r\n\r\n0")
    assert await slow[0].answer() == b""
    assert len(server.connections) == 2
    for client in slow[1:]:
        client.writer.transport.abort()
    await server.stop(0)


async def test_no_connection_that_is_being_answered_makes_room() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await leave.wait()
        return Response(200, [], b"done")

    server = HttpServer(slow, Limits(connections=1))
    _, port = await server.start("127.0.0.1", 0)
    first = await _connect(server, port, _GET)
    await entered.wait()
    second = await _connect(server, port, _GET)
    assert await second.answer() == b""
    leave.set()
    assert (await first.answer()).endswith(b"done")
    await server.stop(0)


@pytest.mark.parametrize(
    "endless", [b"5;" + b"x" * 1_000_000, b"0\r\nX: " + b"x" * 1_000_000, b"0\r\n" + b"X: y\r\n" * 160_000]
)
async def test_what_comes_behind_a_body_without_an_end_is_refused(endless: bytes) -> None:
    server = HttpServer(_count, Limits(head_bytes=2000, body_bytes=1000))
    _, port = await server.start("127.0.0.1", 0)
    sent = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + endless
    client = await _connect(server, port, sent)
    assert (await client.answer()).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    assert server.held_bytes == 0
    await server.stop(0)


async def test_an_answer_that_breaks_off_ends_the_connection() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        raise ValueError("secret")

    async def breaks(request: Request) -> Response:
        return Response(200, [], stream=half())

    seen: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))
    server = HttpServer(breaks)
    _, port = await server.start("127.0.0.1", 0)
    client = await _connect(server, port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await client.answer()
    assert not answer.endswith(b"0\r\n\r\n")
    assert b"secret" not in answer
    assert isinstance(seen[0], ValueError)
    await server.stop(0)


async def test_half_a_character_in_a_header_does_not_keep_the_client_waiting() -> None:
    async def half(request: Request) -> Response:
        return Response(200, [("X", "a\ud83d")], b"ok")

    server = HttpServer(half)
    _, port = await server.start("127.0.0.1", 0)
    client = await _connect(server, port, _GET)
    assert b"\r\nX: a?\r\n" in await client.answer()
    await server.stop(0)
