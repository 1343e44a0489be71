"""What two readers of the same bytes could read as two things is refused, or read in the one way that the RFCs allow.

Shapes: RFC 9112 11.2; J. Kettle, "HTTP Desync Attacks" (2019) and "HTTP/1.1 must die" (2025); Google's "http-desync"
and the cases of the h1 test suites that name themselves after them. Each is sent on a connection of its own, with a
second request behind it, which must never be taken for a part of the first, nor a part of the first for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from freehold.http.messages import Request, Response
from freehold.http.server import HttpServer, Limits

_NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_POST = b"POST /first HTTP/1.1\r\nHost: a\r\n"
_GET = b"GET /first HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED = {
    "length and chunks": _POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "chunks and length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
    "an unknown coding": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding that nobody takes off": _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks inside a coding": _POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "identity": _POST + b"Transfer-Encoding: identity\r\n\r\n",
    "identity and chunks": _POST + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "two codings in two lines": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunks twice": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab in the value": _POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a quoted coding": _POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "a folded coding": _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "an empty coding": _POST + b"Transfer-Encoding: \r\n\r\n",
    "chunks of HTTP/1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": _POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length twice": _POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": _POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a length with a sign": _POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": _POST + b"Content-Length: -3\r\n\r\nabc",
    "a length in hex": _POST + b"Content-Length: 0x3\r\n\r\nabc",
    "two numbers as a length": _POST + b"Content-Length: 3 4\r\n\r\nabc",
    "an empty length": _POST + b"Content-Length: \r\n\r\n",
    "a length of more than 64 bits": _POST + b"Content-Length: 18446744073709551619\r\n\r\nabc",
    "a length with an underscore": _POST + b"Content-Length: 1_0\r\n\r\n0123456789",
    "a folded length": _POST + b"Content-Length:\r\n 3\r\n\r\nabc",
    "lines that end in LF": b"GET /first HTTP/1.1\nHost: a\n\n",
    "a line that ends in LF": _GET + b"X: y\n\r\n",
    "a head that ends in LF": _GET + b"\n",
    "CR within a value": _GET + b"X: y\rZ: w\r\n\r\n",
    "NUL in a value": _GET + b"X: y\0z\r\n\r\n",
    "NUL in a name": _GET + b"X\0: yz\r\n\r\n",
    "NUL in the path": b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control character": _GET + b"X: y\x01z\r\n\r\n",
    "a folded header": _GET + b"X: y\r\n z\r\n\r\n",
    "a folded first header": b"GET /first HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n",
    "a blank in a name": _GET + b"X Y: z\r\n\r\n",
    "a line without a colon": _GET + b"XY\r\n\r\n",
    "a header without a name": _GET + b": z\r\n\r\n",
    "a chunk that ends in LF": _CHUNKED + b"3\nabc\n0\n\n",
    "an extension that ends in LF": _CHUNKED + b"3;a\nabc\r\n0\r\n\r\n",
    "a negative chunk": _CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with a prefix": _CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size of more than 64 bits": _CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
    "a blank behind a chunk size": _CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "a chunk longer than it says": _CHUNKED + b"3\r\nabcXX0\r\n\r\n",
    "a chunk without its end": _CHUNKED + b"3\r\nabc0\r\n\r\n",
    "two hosts": _GET + b"Host: b\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a@b/c\r\n\r\n",
    "a blank in the host": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a target of another scheme": b"GET ftp://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target with a user": b"GET http://u@b/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target without a slash": b"GET first HTTP/1.1\r\nHost: a\r\n\r\n",
    "a target that is no path": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/0.9": b"GET /first\r\n\r\n",
    "a method in lower case": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

# What is sent -> what the handler sees before the next request: method, path and query, host, body.
READ = {
    "extensions of chunks say nothing": (_CHUNKED + b"3;a=b\r\nabc\r\n0;x\r\n\r\n", "POST /first a abc"),
    "trailers say nothing": (
        _CHUNKED + b"3\r\nabc\r\n0\r\nAuthorization: evil\r\nHost: evil\r\n\r\n",
        "POST /first a abc",
    ),
    "a tab before the coding": (
        _POST + b"Transfer-Encoding:\tcHuNkEd\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /first a abc",
    ),
    "a name that only looks like the coding": (
        _POST + b"Transfer_Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        "POST /first a abc",
    ),
    "a body of GET": (_GET + b"Content-Length: 25\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", None),
    "the absolute form's host is the host": (
        b"GET HTTP://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x?y b:80 ",
    ),
    "the absolute form without a path": (b"GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?y b "),
    "empty lines before a request": (b"\r\n\r\n" + _GET + b"\r\n", "GET /first a "),
    "an offer with a body": (
        _POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        "POST /first a abc",
    ),
    "an offer with chunks": (
        _POST + b"Connection: Upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /first a abc",
    ),
    "an offer without a body": (_GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "GET /first a "),
}


class _Seen:
    def __init__(self) -> None:
        self.requests: list[str] = []

    async def __call__(self, request: Request) -> Response:
        path = request.raw_path + (f"?{request.query}" if request.query else "")
        assert not [value for _, value in request.headers if value == "evil"]
        self.requests.append(f"{request.method} {path} {request.host} {request.body.decode()}")
        return Response(200, [], b"ok")


@pytest.fixture
async def seen() -> AsyncIterator[tuple[_Seen, int]]:
    record = _Seen()
    server = HttpServer(record, Limits(head_bytes=2000, body_bytes=1000))
    _, port = await server.start("127.0.0.1", 0)
    yield record, port
    await server.stop(0)
    assert server.held_bytes == 0


async def _send(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.mark.parametrize("shape", REFUSED)
async def test_what_could_be_read_in_two_ways_is_refused(seen: tuple[_Seen, int], shape: str) -> None:
    record, port = seen
    answer = await _send(port, REFUSED[shape] + _NEXT)
    assert re.fullmatch(rb"HTTP/1\.1 (400|501|505) .*", answer.split(b"\r\n")[0])
    assert record.requests == []
    await _send(port, _NEXT)
    assert record.requests == ["GET /next a "]


@pytest.mark.parametrize("shape", READ)
@pytest.mark.parametrize("piece", [1, 7, 4096])
async def test_what_can_be_read_in_one_way_only_is_read_so(seen: tuple[_Seen, int], shape: str, piece: int) -> None:
    record, port = seen
    sent, expected = READ[shape]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    whole = sent + _NEXT
    for start in range(0, len(whole), piece):
        writer.write(whole[start : start + piece])
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert len(record.requests) == 2
    assert record.requests[1] == "GET /next a "
    if expected is not None:
        assert record.requests[0] == expected


async def test_an_interim_status_and_headers_that_are_none_do_not_leave() -> None:
    """The client would wait for the answer behind an interim one, or take the next request's for it."""

    async def interim(request: Request) -> Response:
        return Response(int(request.raw_path[1:]), [("Evil\r\nSet-Cookie", "a=1"), ("X", "a\r\nSet-Cookie: b=1\0")])

    server = HttpServer(interim)
    _, other = await server.start("127.0.0.1", 0)
    for status in (100, 101, 103):
        answer = await _send(other, b"GET /%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % status)
        assert answer.startswith(b"HTTP/1.1 502 ")
    answer = await _send(other, b"GET /200 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await server.stop(0)
    names = {line.partition(b":")[0].lower() for line in answer.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
    assert names == {b"x", b"date", b"content-length", b"connection"}
    assert b"\0" not in answer


async def test_the_server_says_continue_only_when_the_answers_before_are_out() -> None:
    leave = asyncio.Event()

    async def slow(request: Request) -> Response:
        if request.raw_path == "/slow":
            await leave.wait()
        return Response(200, [], request.body or b"none")

    server = HttpServer(slow)
    _, port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    writer.write(_POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    while not server.connections or not next(iter(server.connections)).task:
        await asyncio.sleep(0)
    leave.set()
    answer = await reader.readuntil(b"none")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"abc")
    assert (await reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()
    await server.stop(0)
