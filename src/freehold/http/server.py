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
from typing import cast

import httptools

from freehold.http.answers import BODILESS, declared_length, plain_answer, write_answer
from freehold.http.heads import Unreadable, check_head, to_origin, without_offer
from freehold.http.messages import CutShort, Handler, Headers, Request, Response
from freehold.http.pressure import drop_slowest_body, make_room


@dataclass(frozen=True, slots=True)
class Limits:
    head_bytes: int = 64 * 1024  # Request line and headers; API Gateway's own, smaller limit is the gateway's to say.
    body_bytes: int = 100 * 1024 * 1024
    connections: int = 10_000  # One more takes the place of one that keeps us waiting.
    held_bytes: int = 512 * 1024 * 1024  # Bodies of all requests that are not answered; past it slow ones are dropped.
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
        self.held_bytes = 0
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._hurried = asyncio.Event()
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
        while (tasks := self._running()) and self.loop.time() < deadline and not self._hurried.is_set():
            await self._wait(tasks, deadline)
            await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.abort()

    async def settle(self, grace_s: float) -> None:
        """Until the requests that are in progress now have their answers, for `grace_s`. New ones are taken."""
        await self._wait(self._running(), self.loop.time() + grace_s)

    def hurry(self) -> None:
        """From now on `settle` and `stop` wait for nothing."""
        self._hurried.set()

    @property
    def running(self) -> int:
        """Requests in progress."""
        return len(self._running())

    def _running(self) -> set[asyncio.Task[None]]:
        return {connection.task for connection in self.connections if connection.task}

    async def _wait(self, tasks: set[asyncio.Task[None]], deadline: float) -> None:
        hurried = self.loop.create_task(self._hurried.wait())
        while tasks and not hurried.done() and (left_s := deadline - self.loop.time()) > 0:
            await asyncio.wait({hurried, *tasks}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            tasks = {task for task in tasks if not task.done()}
        hurried.cancel()

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
        self._framing_read = 0  # Since the last whole request or part of a body, whole lines or not.
        self._lingers = False  # Refused: nothing it sends is looked at any more.
        self._in_head = True
        self._owes_continue = False  # The answers before it come first.
        self._body_part_at = 0.0
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: Headers = []
        self._lower: dict[str, str] = {}
        self._body: bytes | bytearray = b""
        self._head_size = 0  # Of the names and values that are here.
        self._offers_with_body = False

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by behaviour, not by class.
        self._transport = transport = cast(asyncio.Transport, transport)
        transport.set_write_buffer_limits(high=self._limits.unsent_bytes)
        connections = self._server.connections
        if len(connections) >= self._limits.connections and not make_room(connections, self._limits.connections):
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
        self._server.held_bytes -= self.unfinished_bytes + sum(len(request.body) for request, _ in self._requests)
        self._body = b""
        self._requests.clear()
        if self._can_write:
            self._can_write.set()
            self._can_write = None
        # The invocation in progress goes on: as on AWS, a client that leaves does not stop a function.

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        self._framing_read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._behind = data[offer.args[0] :]
            if self._offers_with_body:
                self._decline()
            # What follows is in the other protocol if the handler takes the offer, and else HTTP/1.1 as before
            # (RFC 9110 7.8): nothing more is read until that is known.
            elif self._transport and not self._reading_paused:
                self._reading_paused = True
                self._transport.pause_reading()
        except httptools.HttpParserError as error:
            inner = error.__context__
            if isinstance(inner, Unreadable):
                self._refuse(inner.status, inner.message)
            else:
                self._refuse(400, "Bad Request")
        if self._framing_read > 2 * self._limits.head_bytes and not self._closing:
            # A line without an end, also behind a body: the parser holds it and would tell us nothing.
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

    @property
    def waits_for_client(self) -> bool:
        return self.task is None and not self._requests

    @property
    def unfinished_bytes(self) -> int:
        return len(self._body)

    @property
    def silent_since(self) -> float:
        return self._body_part_at if self._body else self._since

    def give_up(self) -> None:
        self._refuse(503, "Service Unavailable")

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
        if not self._in_head:
            return  # A trailer: what comes behind the body says nothing about the request (RFC 9110 6.5.1).
        key = name.decode("latin-1")
        text = value.decode("latin-1")
        self._headers.append((key, text))
        lower = key.lower()
        self._lower[lower] = f"{self._lower[lower]},{text}" if lower in self._lower else text
        self._head_size += len(name) + len(value)
        if self._head_size > self._limits.head_bytes:
            raise Unreadable(431, "Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        if len(self._url) + self._head_size > self._limits.head_bytes:
            raise Unreadable(431, "Request Header Fields Too Large")
        self._in_head = False
        lower = self._lower
        self._version = self._parser.get_http_version()
        check_head(self._version, self._url, lower)
        self._url = to_origin(self._url, self._headers, lower)
        length = lower.get("content-length")
        if length and int(length) > self._limits.body_bytes:
            raise Unreadable(413, "Request Entity Too Large")
        if "upgrade" in lower and self._parser.should_upgrade():
            self._offers_with_body = "transfer-encoding" in lower or length not in (None, "0")
        elif "expect" in lower and lower["expect"].lower() == "100-continue" and self._version != "1.0":
            self._owes_continue = True
            if self.task is None:
                self._say_continue()

    def on_body(self, body: bytes) -> None:
        self._framing_read = 0
        if not self._body:
            self._body = body
        elif isinstance(self._body, bytearray):
            self._body += body
        else:
            self._body = bytearray(self._body) + body
        self._body_part_at = time.monotonic()
        server = self._server
        server.held_bytes += len(body)
        if len(self._body) > self._limits.body_bytes:
            raise Unreadable(413, "Request Entity Too Large")
        while server.held_bytes > self._limits.held_bytes:
            if not drop_slowest_body(server.connections, self):
                raise Unreadable(503, "Service Unavailable")

    def on_message_complete(self) -> None:
        if self._offers_with_body:
            return
        self._in_head = True
        self._framing_read = 0
        raw_path, _, query = self._url.decode("latin-1").partition("?")
        body, self._body = self._body, b""
        request = Request(
            self._parser.get_method().decode("latin-1"),
            raw_path,
            query,
            self._headers,
            body if isinstance(body, bytes) else bytes(body),
            self._client,
            "http",
            self._version,
            self._lower,
            len(self._url) + self._head_size,
        )
        self._requests.append((request, self._parser.should_keep_alive()))
        if self.task is None:
            self.task = self._server.loop.create_task(self._answer_all())
        elif len(self._requests) >= self._limits.pipelined and self._transport and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def _say_continue(self) -> None:
        if self._owes_continue and self._transport and not self._closing:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._owes_continue = False

    def _decline(self) -> None:
        """The offer that came with a body: read again without it."""
        assert self._behind is not None
        again = without_offer(self._parser.get_method(), self._url, self._headers) + self._behind
        self._behind = None
        self._in_head = True
        self._framing_read = 0
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(again)

    # Answers.

    async def _answer_all(self) -> None:
        try:
            while self._requests:
                if self._can_write is not None:
                    await self._can_write.wait()
                    continue
                request, keep_alive = self._requests.popleft()
                keep_alive = keep_alive and not self._closing
                try:
                    await self._answer(request, keep_alive)
                finally:
                    self._server.held_bytes -= len(request.body)
                if self._behind is not None and not self._requests:
                    self._read_on()
                if self._reading_paused and self._transport and not self._closing:
                    self._reading_paused = False
                    self._transport.resume_reading()
                if not keep_alive:
                    break
        except Exception as error:
            # In the middle of an answer: that it ends here is all that the client can still be told.
            self._server.loop.call_exception_handler({"message": "an answer broke off", "exception": error})
            self.abort()
        finally:
            self.task = None
            self._since = time.monotonic()
            self._say_continue()
            if self._closing and self._transport:
                self._transport.close()

    async def _answer(self, request: Request, keep_alive: bool) -> None:
        try:
            response = await self._server.handler(request)
        except Exception as error:
            self._server.loop.call_exception_handler(
                {"message": f"{request.method} {request.raw_path} failed", "exception": error}
            )
            response = plain_answer(500, "Internal Server Error")
        if response.status < 200 and response.upgrade is None:
            # Whatever the API: the client would wait for the answer that follows it.
            await _drain(response)
            response = plain_answer(502, "Bad Gateway")
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
            response = plain_answer(400, "Bad Request")
        if response.stream is not None and request.method != "HEAD" and response.status not in BODILESS:
            keep_alive = await self._send_stream(request, response, keep_alive)
        else:
            if response.stream is not None:
                await _drain(response)
            transport.write(write_answer(response, request, keep_alive, len(response.body), self._server.date_line))
        if not keep_alive:
            self._closing = True
            transport.close()

    def _hand_over(self, transport: asyncio.Transport, response: Response, request: Request) -> None:
        """The connection is another protocol's from here on."""
        assert response.upgrade is not None
        assert self._behind is not None
        transport.write(write_answer(response, request, True, None, self._server.date_line))
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
        left = declared_length(response)
        chunked = left is None and request.http_version != "1.0"
        keep_alive = keep_alive and (chunked or left is not None)
        self._transport.write(
            write_answer(response, request, keep_alive, None if chunked else -1, self._server.date_line)
        )
        try:
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
        except CutShort:
            return False
        if chunked:
            self._transport.write(b"0\r\n\r\n")
        return keep_alive and not left  # A client that was promised more must see the connection end.

    def _refuse(self, status: int, message: str) -> None:
        """Answers what could not be read as a request, once those before it are answered, and closes."""
        self._server.held_bytes -= len(self._body)
        self._body = b""
        if self.task is not None:
            self._closing = True
            return
        transport = self._transport
        if transport is not None and not transport.is_closing():
            request = Request("GET", "/", "", [], b"", lower={"host": ""})
            response = plain_answer(status, message)
            transport.write(write_answer(response, request, False, len(response.body), self._server.date_line))
            # Closing now would make the kernel throw the answer away with what the client still sends.
            transport.write_eof()
            self._since, self._lingers = time.monotonic(), True
        self._closing = True


async def _drain(response: Response) -> None:
    """Ends a stream that nobody reads any more, so that its source is let go."""
    close = getattr(response.stream, "aclose", None)
    if close is not None:
        await close()
