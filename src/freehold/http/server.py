"""The HTTP/1.1 server: llhttp (through httptools) parses, one handler answers, every size and wait has a limit.

One decision to know: this is ours, because a platform that answers for AWS needs what the ready servers hide: the path
as the client sent it (signatures, S3 keys and greedy routes depend on its escapes) and a say in what a request that is
not HTTP, is too large or too slow gets as an answer. See docs/adr/0001-http-server.md.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import cast

import httptools

from freehold.http.messages import Handler, Headers, Request, Response

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_WATCHED = frozenset({"content-length", "date", "transfer-encoding", "connection"})
_BODILESS = frozenset({101, 204, 304})


@dataclass(frozen=True, slots=True)
class Limits:
    head_bytes: int = 64 * 1024  # Request line and headers; API Gateway's own, smaller limit is the gateway's to say.
    body_bytes: int = 100 * 1024 * 1024
    connections: int = 10_000
    pipelined: int = 16  # Requests read ahead on one connection before it is told to wait.
    head_s: float = 60.0  # A connection that has not sent a whole request's head by then is closed; also when idle.
    body_s: float = 300.0
    unsent_bytes: int = 1024 * 1024  # Answers wait while the client has this much to fetch.
    unsent_s: float = 60.0  # A client that does not fetch them for so long is let go.
    linger_s: float = 2.0  # What a refused client still sends is read and forgotten so long, so that it sees why.


class HttpServer:
    """Listens on one address and gives every request to one handler.

    The handler must answer each request; an exception it raises becomes a 500 without details and is raised to the
    loop's exception handler.
    """

    def __init__(self, handler: Handler, limits: Limits = Limits()) -> None:
        self.handler = handler
        self.limits = limits
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self.date_line = f"Date: {formatdate(usegmt=True)}\r\n"
        self.loop = asyncio.get_running_loop()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """The address that it listens on. Raises OSError where the port is taken."""
        self._server = await self.loop.create_server(lambda: _Connection(self), host, port, backlog=2048)
        self._tick()
        name: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        return name

    async def serve_also(self, listening: socket.socket) -> Callable[[], None]:
        """On a socket that is bound already, and ours from now on. What ends it; its connections go on."""
        server = await self.loop.create_server(lambda: _Connection(self), sock=listening)
        return server.close

    async def stop(self, grace_s: float = 5.0) -> None:
        """Takes no new connection, lets the requests in progress end for `grace_s`, then closes everything."""
        if self._server is None:
            return
        self._server.close()
        if self._ticker:
            self._ticker.cancel()
        for connection in list(self.connections):
            connection.close_when_idle()
        deadline = self.loop.time() + grace_s
        while self.connections and self.loop.time() < deadline:
            tasks = {connection.task for connection in self.connections if connection.task}
            if not tasks:
                break
            await asyncio.wait(tasks, timeout=max(deadline - self.loop.time(), 0))
            await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.abort()

    def _tick(self) -> None:
        """Once a second: a new Date header, and a look at who is too slow."""
        self.date_line = f"Date: {formatdate(usegmt=True)}\r\n"
        now = time.monotonic()
        for connection in list(self.connections):
            connection.check_age(now)
        self._ticker = self.loop.call_later(1.0, self._tick)


class _Connection(asyncio.Protocol):
    """One client connection: bytes in, requests to the handler one after the other, answers out in order."""

    def __init__(self, server: HttpServer) -> None:
        self._server = server
        self._limits = server.limits
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._requests: deque[tuple[Request, bool]] = deque()
        self.task: asyncio.Task[None] | None = None
        self._closing = False
        self._reading_paused = False
        self._can_write: asyncio.Event | None = None
        self._client = ""
        self._behind: bytes | None = None  # What came behind a request that offers another protocol.
        self._since = time.monotonic()  # When the present wait for the client began.
        self._stuck_since = 0.0  # When the client had too much to fetch.
        self._head_read = 0  # Of all that was read since the last whole request, whole lines or not.
        self._lingers = False  # Refused: nothing it sends is looked at any more.
        self._in_head = True
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: Headers = []
        self._lower: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_size = 0
        self._head_size = 0  # Of the names and values that are here.

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by behaviour, not by class.
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=self._limits.unsent_bytes)
        if len(self._server.connections) >= self._limits.connections:
            transport.abort()
            return
        self._server.connections.add(self)
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._server.connections.discard(self)
        self._requests.clear()
        if self._can_write:
            self._can_write.set()
            self._can_write = None
        # The invocation in progress goes on: as on AWS, a client that leaves does not stop a function.

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        if self._in_head:
            self._head_read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            # What follows is in the other protocol if the handler takes the offer, and else HTTP/1.1 as before
            # (RFC 9110 7.8): nothing more is read until that is known.
            self._behind = data[offer.args[0] :]
            if self._transport and not self._reading_paused:
                self._reading_paused = True
                self._transport.pause_reading()
        except _Refused as refused:
            self._refuse(refused.status, refused.message)
        except httptools.HttpParserError as error:
            inner = error.__context__
            if isinstance(inner, _Refused):
                self._refuse(inner.status, inner.message)
            else:
                self._refuse(400, "Bad Request")
        if self._in_head and self._head_read > 2 * self._limits.head_bytes and not self._closing:
            # A line without an end: the parser holds it and would tell us nothing.
            self._refuse(431, "Request Header Fields Too Large")

    def eof_received(self) -> bool:
        # A client that only shut its sending side still gets its answer.
        return self.task is not None

    def pause_writing(self) -> None:
        self._can_write = asyncio.Event()
        self._stuck_since = time.monotonic()

    def resume_writing(self) -> None:
        if self._can_write:
            self._can_write.set()
            self._can_write = None

    def check_age(self, now: float) -> None:
        if self._lingers and now - self._since > self._limits.linger_s:
            self.abort()
        if self._can_write is not None and now - self._stuck_since > self._limits.unsent_s:
            self.abort()
        if self.task is not None or self._requests:
            return
        limit = self._limits.head_s if self._in_head else self._limits.body_s
        if now - self._since > limit:
            self.abort()

    def close_when_idle(self) -> None:
        self._closing = True
        if self.task is None and self._transport:
            self._transport.close()

    def abort(self) -> None:
        if self._transport:
            self._transport.abort()

    # The parser's side.

    def on_message_begin(self) -> None:
        self._since = time.monotonic()
        self._reset()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1")
        text = value.decode("latin-1")
        self._headers.append((key, text))
        lower = key.lower()
        self._lower[lower] = f"{self._lower[lower]},{text}" if lower in self._lower else text
        self._head_size += len(name) + len(value)
        if self._head_size > self._limits.head_bytes:
            raise _Refused(431, "Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        if len(self._url) + self._head_size > self._limits.head_bytes:
            raise _Refused(431, "Request Header Fields Too Large")
        self._in_head = False
        length = self._lower.get("content-length")
        if length and length.isdigit() and int(length) > self._limits.body_bytes:
            raise _Refused(413, "Request Entity Too Large")
        if "host" not in self._lower and self._parser.get_http_version() == "1.1":
            raise _Refused(400, "Bad Request")
        if self._lower.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > self._limits.body_bytes:
            raise _Refused(413, "Request Entity Too Large")
        self._body.append(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        self._head_read = 0
        raw_path, _, query = self._url.decode("latin-1").partition("?")
        if raw_path.startswith(("http://", "https://")):
            # The absolute form, as a client sends it to a proxy: the path begins after the authority.
            raw_path = "/" + raw_path.split("://", 1)[1].partition("/")[2]
        body = self._body
        request = Request(
            self._parser.get_method().decode("latin-1"),
            raw_path,
            query.partition("#")[0],
            self._headers,
            body[0] if len(body) == 1 else b"".join(body),
            self._client,
            "http",
            self._parser.get_http_version(),
            self._lower,
            len(self._url) + self._head_size,
        )
        self._requests.append((request, self._parser.should_keep_alive()))
        if self.task is None:
            self.task = self._server.loop.create_task(self._answer_all())
        elif len(self._requests) >= self._limits.pipelined and self._transport and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    # Answers.

    async def _answer_all(self) -> None:
        try:
            while self._requests:
                if self._can_write is not None:
                    await self._can_write.wait()
                    continue
                request, keep_alive = self._requests.popleft()
                keep_alive = keep_alive and not self._closing
                await self._answer(request, keep_alive)
                if self._behind is not None and not self._requests:
                    self._read_on()
                if self._reading_paused and self._transport and not self._closing:
                    self._reading_paused = False
                    self._transport.resume_reading()
                if not keep_alive:
                    break
        finally:
            self.task = None
            self._since = time.monotonic()
            if self._closing and self._transport:
                self._transport.close()

    async def _answer(self, request: Request, keep_alive: bool) -> None:
        try:
            response = await self._server.handler(request)
        except Exception as error:
            self._server.loop.call_exception_handler(
                {"message": f"{request.method} {request.raw_path} failed", "exception": error}
            )
            response = _message(500, "Internal Server Error")
        transport = self._transport
        if transport is None or transport.is_closing():
            if response.stream is not None:
                await _drain(response)
            if response.upgrade is not None:
                response.upgrade(None, b"")
            return
        if response.upgrade is not None:
            if self._behind is not None:
                self._hand_over(transport, response, request)
                return
            # The handler saw an offer where the parser saw none.
            response.upgrade(None, b"")
            response = _message(400, "Bad Request")
        if response.stream is not None and request.method != "HEAD":
            keep_alive = await self._send_stream(request, response, keep_alive)
        else:
            transport.write(self._head(response, request, keep_alive, len(response.body)))
        if not keep_alive:
            self._closing = True
            transport.close()

    def _hand_over(self, transport: asyncio.Transport, response: Response, request: Request) -> None:
        """The connection is another protocol's from here on."""
        assert response.upgrade is not None
        assert self._behind is not None
        transport.write(self._head(response, request, True, None))
        self._server.connections.discard(self)
        self._transport = None
        self._closing = True
        del self._parser  # It knows us and we it: thousands of these would wait for the garbage collector.
        response.upgrade(transport, self._behind)
        transport.resume_reading()

    def _read_on(self) -> None:
        """The offer was declined: what came behind it is HTTP."""
        behind, self._behind = self._behind, None
        if behind:
            self.data_received(behind)

    async def _send_stream(self, request: Request, response: Response, keep_alive: bool) -> bool:
        """Whether the connection can be used again."""
        assert response.stream is not None
        assert self._transport is not None
        left = _declared_length(response)
        chunked = left is None and request.http_version != "1.0"
        keep_alive = keep_alive and (chunked or left is not None)
        self._transport.write(self._head(response, request, keep_alive, None if chunked else -1))
        async for chunk in response.stream:
            if self._can_write:
                await self._can_write.wait()
            if self._transport.is_closing():
                await _drain(response)
                return False
            if left is not None:
                chunk = chunk[:left]
                left -= len(chunk)
            if chunk:
                self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
        if chunked:
            self._transport.write(b"0\r\n\r\n")
        return keep_alive and not left  # A client that was promised more must see the connection end.

    def _head(self, response: Response, request: Request, keep_alive: bool, length: int | None) -> bytes:
        """Status line and headers, and the body behind them. `length` None: chunked; -1: until the connection ends."""
        status = response.status
        lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"]
        has_date = has_length = False
        for name, value in response.headers:
            lower = name.lower()
            if lower not in _WATCHED:
                lines.append(_header_line(name, value))
                continue
            has_date |= lower == "date"
            # The length that an operation gave for HEAD or a stream (an S3 object's size) is kept; else we count it.
            if lower == "content-length":
                if request.method != "HEAD" and length != -1:
                    continue
                has_length = True
            elif lower in ("transfer-encoding", "connection"):
                continue
            lines.append(_header_line(name, value))
        if not has_date:
            lines.append(self._server.date_line)
        if status == 101:
            lines.append("Connection: Upgrade\r\n")
        elif length is None:
            lines.append("Transfer-Encoding: chunked\r\n")
        elif length >= 0 and not has_length and status not in _BODILESS:
            lines.append(f"Content-Length: {length}\r\n")
        if not keep_alive:
            lines.append("Connection: close\r\n")
        elif request.http_version == "1.0":
            lines.append("Connection: keep-alive\r\n")
        lines.append("\r\n")
        head = "".join(lines).encode("utf-8", "surrogateescape")
        if length is not None and length > 0 and request.method != "HEAD" and status not in _BODILESS:
            return head + response.body
        return head

    def _refuse(self, status: int, message: str) -> None:
        """Answers what could not be read as a request, once those before it are answered, and closes."""
        if self.task is not None:
            self._closing = True
            return
        transport = self._transport
        if transport is not None and not transport.is_closing():
            request = Request("GET", "/", "", [], b"", lower={"host": ""})
            response = _message(status, message)
            transport.write(self._head(response, request, False, len(response.body)))
            # Closing now would make the kernel throw the answer away with what the client still sends.
            transport.write_eof()
            self._since, self._lingers = time.monotonic(), True
        self._closing = True


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def _header_line(name: str, value: str) -> str:
    """Bytes that could end the header and begin another never leave."""
    if "\r" in value or "\n" in value:
        value = value.replace("\r", " ").replace("\n", " ")
    return f"{name}: {value}\r\n"


def _message(status: int, message: str) -> Response:
    return Response(status, [("Content-Type", "application/json")], b'{"message":"%b"}' % message.encode())


def _declared_length(response: Response) -> int | None:
    """Of a stream whose length is known."""
    for name, value in response.headers:
        if name.lower() == "content-length" and value.isdigit():
            return int(value)
    return None


async def _drain(response: Response) -> None:
    """Ends a stream that nobody reads any more, so that its source is let go."""
    close = getattr(response.stream, "aclose", None)
    if close is not None:
        await close()
