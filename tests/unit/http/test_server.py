"""The HTTP server as clients meet it: over a real socket of this machine."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from freehold.http.messages import CutShort, Request, Response
from freehold.http.server import HttpServer, Limits

_LIMITS = Limits(head_bytes=2000, body_bytes=1000, pipelined=2)


async def _echo(request: Request) -> Response:
    if request.raw_path == "/stream":
        return Response(200, [], stream=_three())
    if request.raw_path in ("/cut", "/no-body"):
        return Response(200 if request.raw_path == "/cut" else 204, [], stream=_Cut())
    if request.raw_path == "/fails":
        raise ValueError("secret")
    if request.raw_path == "/split":
        return Response(200, [("X-A", "1\r\nSet-Cookie: stolen=1")])
    text = f"{request.method} {request.raw_path}?{request.query} {len(request.body)}"
    return Response(204 if request.raw_path == "/none" else 200, [("Content-Type", "text/plain")], text.encode())


async def _three() -> AsyncIterator[bytes]:
    for part in (b"a", b"", b"bc"):
        yield part


class _Cut:
    """A stream that fails after its first part, and tells when it was left."""

    left = 0

    def __init__(self) -> None:
        self.is_begun = False

    def __aiter__(self) -> _Cut:
        return self

    async def __anext__(self) -> bytes:
        if self.is_begun:
            raise CutShort
        self.is_begun = True
        return b"a"

    async def aclose(self) -> None:
        _Cut.left += 1


class _Peer:
    def __init__(self, port: int) -> None:
        self._port = port

    async def __call__(self, sent: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(sent)
        if b"close" in sent:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer


@pytest.fixture
async def peer() -> AsyncIterator[_Peer]:
    server = HttpServer(_echo, _LIMITS)
    _, port = await server.start("127.0.0.1", 0)
    yield _Peer(port)
    await server.stop(grace_s=1)


async def test_the_path_arrives_as_it_was_sent(peer: _Peer) -> None:
    answer = await peer(b"GET /a%2Fb%20c//d/../e?x=%20y&a=1+2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"GET /a%2Fb%20c//d/../e?x=%20y&a=1+2 0")


async def test_a_chunked_body_is_put_together(peer: _Peer) -> None:
    answer = await peer(
        b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert answer.endswith(b"POST /p? 5")


async def test_requests_on_one_connection_are_answered_in_order(peer: _Peer) -> None:
    one = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = await peer(b"".join(one % number for number in range(5)) + last)
    places = [answer.index(b"GET /%d?" % number) for number in range(5)]
    assert places == sorted(places)
    assert answer.endswith(b"GET /last? 0")


async def test_a_streamed_answer_comes_in_chunks(peer: _Peer) -> None:
    answer = await peer(b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")


async def test_a_stream_that_fails_midway_ends_the_connection_without_a_last_chunk(peer: _Peer) -> None:
    answer = await peer(b"GET /cut HTTP/1.1\r\nHost: a\r\n\r\nGET /cut HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n1\r\na\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 1


async def test_a_stream_that_nobody_may_read_is_left(peer: _Peer) -> None:
    _Cut.left = 0
    for start in (b"HEAD /cut", b"GET /no-body"):
        answer = await peer(start + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n")
        assert b"chunked" not in answer
    assert _Cut.left == 2


async def test_no_body_follows_204_or_head(peer: _Peer) -> None:
    for start in (b"GET /none", b"HEAD /x"):
        answer = await peer(start + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 3000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"a" * 1001 + b"\r\n", 413),
    ],
)
async def test_what_is_not_a_request_gets_its_status_and_the_server_goes_on(
    peer: _Peer, sent: bytes, status: int
) -> None:
    answer = await peer(sent)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'{"message":"' in answer
    assert b"200 OK" in await peer(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


async def test_a_handler_that_fails_tells_the_client_nothing(peer: _Peer) -> None:
    seen: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))
    answer = await peer(b"GET /fails HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"secret" not in answer
    assert isinstance(seen[0], ValueError)


async def test_a_header_cannot_smuggle_another(peer: _Peer) -> None:
    answer = await peer(b"GET /split HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"\r\nSet-Cookie" not in answer


async def test_stopping_lets_the_request_in_progress_end() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await leave.wait()
        return Response(200, [], b"done")

    server = HttpServer(slow)
    _, port = await server.start("127.0.0.1", 0)
    waiting = asyncio.create_task(_Peer(port)(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    await entered.wait()
    stopping = asyncio.create_task(server.stop(grace_s=5))
    await asyncio.sleep(0)
    leave.set()
    assert (await waiting).endswith(b"done")
    await stopping


@pytest.mark.parametrize("endless", [b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"GET / HTTP/1.1\r\nHost: a\r\nX"])
async def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(peer: _Peer, endless: bytes) -> None:
    """The server's limit is 2,000 bytes here; the client sends 64 KB and then waits."""
    answer = await peer(endless + b"a" * 65_536)
    assert answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


async def test_a_client_that_does_not_read_is_answered_no_further() -> None:
    answered = 0

    async def large(request: Request) -> Response:
        nonlocal answered
        answered += 1
        return Response(200, [], b"x" * 1_000_000)

    server = HttpServer(large, Limits(unsent_bytes=100_000, pipelined=1000))
    host, port = await server.start("127.0.0.1", 0)
    _, writer = await asyncio.open_connection(host, port, limit=1)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
        async with asyncio.timeout(10):
            while not answered:
                await asyncio.sleep(0)
        for _ in range(2000):
            await asyncio.sleep(0)
        # The kernel's buffers take a few; the others wait for the client.
        assert answered < 50
    finally:
        writer.transport.abort()
        await server.stop(0)


async def test_who_is_in_a_hurry_waits_for_no_request() -> None:
    entered = asyncio.Event()

    async def endless(request: Request) -> Response:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    server = HttpServer(endless)
    _, port = await server.start("127.0.0.1", 0)
    waiting = asyncio.create_task(_Peer(port)(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    await entered.wait()
    assert server.running == 1
    settling = asyncio.create_task(server.settle(grace_s=600))
    await asyncio.sleep(0)
    assert not settling.done()
    server.hurry()
    async with asyncio.timeout(5):
        await settling
        await server.stop(grace_s=600)
        with contextlib.suppress(OSError):
            await waiting
