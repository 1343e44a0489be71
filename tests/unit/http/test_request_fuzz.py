"""Whatever a client sends, in whatever pieces, a server answers in HTTP or closes, and what reaches its handler is
a request that can be read in one way only.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.http.heads import is_host
from freehold.http.messages import Request, Response
from freehold.http.server import HttpServer, Limits

_LIMITS = Limits(head_bytes=1000, body_bytes=500, held_bytes=2000, pipelined=3)
_LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_STATUSES = frozenset({100, 200, 400, 413, 431, 501, 503, 505})
_ANSWER = re.compile(
    rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\r\n\0]*\r\n)*\r\n", re.IGNORECASE
)

_LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n", b"POST /a?b=c HTTP/1.1\r\n", b"GET /%00/..//x HTTP/1.0\r\n", b"HEAD * HTTP/1.1\r\n",
        b"GET http://b/x HTTP/1.1\r\n", b"CONNECT b:1 HTTP/1.1\r\n", b"PUT /x HTTP/2.0\r\n", b"GET /\r\n", b"\r\n",
    ]
)  # fmt: skip
_HEADERS = st.sampled_from(
    [
        b"Host: a\r\n", b"Host: a\r\n", b"Host: a\r\n", b"Host: b\r\n", b"Host: a/b\r\n", b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n", b"Content-Length: 400\r\n", b"Content-Length: -1\r\n", b"Content-Length: 3, 3\r\n",
        b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: x\r\n",
        b"Expect: 100-continue\r\n", b"Connection: Upgrade\r\n", b"Upgrade: h2c\r\n", b"Connection: close\r\n",
        b"X: " + b"y" * 300 + b"\r\n", b"X\0: y\r\n", b" folded\r\n", b"no colon\r\n", b"Cookie: a=b; c=d\r\n",
    ]
)  # fmt: skip
_BODIES = st.sampled_from(
    [
        b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3;x=y\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n", b"0\r\n\r\n", b"-1\r\n",
        b"ffffffffffffffffff\r\n", b"a" * 600, b"1f4\r\n" + b"b" * 500, b"3\nabc\n",
    ]
)  # fmt: skip
_HEAD = b"POST /whole HTTP/1.1\r\nHost: a\r\n"
_WHOLE = st.sampled_from(
    [
        b"GET /whole HTTP/1.1\r\nHost: a\r\n\r\n",
        _HEAD + b"Content-Length: 3\r\n\r\nabc",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-Trailer: t\r\nHost: b\r\n\r\n",
        _HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        _HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
        b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
)


@st.composite
def _sent(draw: st.DrawFn) -> bytes:
    parts: list[bytes] = []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            parts.append(draw(_WHOLE))
            continue
        parts += [draw(_LINES), *draw(st.lists(_HEADERS, max_size=5)), b"\r\n", draw(_BODIES)]
    data = bytearray(b"".join(parts))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(data)))
        change = draw(st.sampled_from(["insert", "remove", "replace"]))
        byte = draw(st.sampled_from(b"\r\n\0 \t:;,a0-\xff\x7f"))
        if change == "insert":
            data.insert(place, byte)
        elif place < len(data):
            data[place : place + 1] = b"" if change == "remove" else bytes([byte])
    return bytes(data)


class _Handler:
    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(200, [("X-Path", request.raw_path)], b"ok")


async def _talk(sent: bytes, cuts: list[int]) -> tuple[bytes, list[Request], list[dict[str, Any]], HttpServer]:
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: problems.append(context))
    handler = _Handler()
    server = HttpServer(handler, _LIMITS)
    _, port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = 0
    for cut in [*sorted({cut % (len(sent) + 1) for cut in cuts}), len(sent)]:
        writer.write(sent[start:cut])
        start = cut
        await asyncio.sleep(0)
    answer = b""
    with suppress(OSError):  # What was left unread may have made the kernel break the connection.
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    other_reader, other = await asyncio.open_connection("127.0.0.1", port)
    other.write(_LAST)
    last = await asyncio.wait_for(other_reader.read(), 20)
    assert last.startswith(b"HTTP/1.1 200 OK")
    other.close()
    await server.stop(0)
    return answer, handler.requests, problems, server


@settings(max_examples=300)
@given(_sent(), st.lists(st.integers(0, 5000), max_size=4))
def test_whatever_is_sent_is_answered_in_http_or_closed(sent: bytes, cuts: list[int]) -> None:
    answer, requests, problems, server = asyncio.run(_talk(sent, cuts))
    assert problems == []
    assert server.held_bytes == 0
    assert requests.pop().raw_path == "/last"
    statuses = [int(status) for status in _ANSWER.findall(answer)]
    assert set(statuses) <= _STATUSES
    # Each answer is of one request; one that could not be read is the last.
    final = [status for status in statuses if status != 100]
    assert final.count(200) <= len(requests)
    assert all(status == 200 for status in final[:-1])
    for request in requests:
        assert request.raw_path.startswith("/")
        assert not re.search(r"[\0-\x20#]", request.raw_path + request.query)
        assert is_host(request.host)
        assert len([name for name, _ in request.headers if name.lower() == "host"]) <= 1
        assert not any(re.search(r"[\r\n\0]", name + value) for name, value in request.headers)
        assert "x-trailer" not in request.lower
        length = request.lower.get("content-length")
        assert length is None or int(length) == len(request.body)
