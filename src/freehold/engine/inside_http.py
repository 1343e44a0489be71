"""HTTP between the engine and the processes of one environment: what its Runtime, Extensions and Telemetry APIs share.

One listener per environment: its port is its identity. One decision to know: a request is looked at when its head is
here, so that an upload that never ends is known of; and since user code sits at the other end, what it may make the
server hold (heads, bodies, connections, unread answers) has a limit.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import cast

import httptools

from freehold.engine.limits import PAYLOAD_BYTES
from freehold.sandbox.peers import Address

JSON = "application/json"
_HEAD_BYTES = 256 * 1024  # The longest header that means anything, X-Ray's error cause, is 64 KB.
_CONNECTIONS = 128
_LINE_ENDS = re.compile(r"[\r\n\0]+")  # The caller's client context is in a header, too.
_HELD_BYTES = 2 * PAYLOAD_BYTES  # Of all bodies of one environment together.


class InsideRequest:
    """One request. `begin` of the listener sets what happens when it is whole, cut off, or its connection is lost."""

    __slots__ = (
        "_connection", "answered", "body", "headers", "method", "on_body", "on_cut", "on_lost", "on_whole", "path",
        "size_bytes", "trailers",
    )  # fmt: skip

    def __init__(self, connection: _Connection, method: str, path: str, headers: dict[str, str]) -> None:
        self._connection = connection
        self.method = method
        self.path = path
        self.headers = headers  # Names in lower case.
        self.trailers: dict[str, str] = {}
        self.body = bytearray()
        self.size_bytes = 0  # Of the whole body; more than `body` holds when that was over the limit.
        self.answered = False
        self.on_whole: Callable[[InsideRequest], None] = not_found
        self.on_body: Callable[[bytes], None] | None = None  # Takes the body as it comes; `body` stays empty.
        self.on_cut: Callable[[InsideRequest], None] = _nothing
        self.on_lost: Callable[[InsideRequest], None] = _nothing  # Before it was answered.

    def hold(self) -> None:
        """No more of its body, until `go_on`."""
        self._connection.hold()

    def go_on(self) -> None:
        self._connection.go_on()

    @property
    def too_large(self) -> bool:
        return self.size_bytes > PAYLOAD_BYTES

    def answer(self, status: int, body: bytes, content_type: str = JSON, headers: dict[str, str] | None = None) -> None:
        if not self.answered:
            self.answered = True
            self._connection.answer(self, status, body, content_type, headers or {})

    def refuse(self, status: int, error_type: str, message: str) -> None:
        """In the words of AWS's APIs inside an environment."""
        self.answer(status, error_body(error_type, message))


Admit = Callable[[Address, Address], Awaitable[bool]]
"""Whether who connected, from the first address to the second, is one of the environment's own processes."""


class InsideListener:
    """`begin` is called for each request when its head is here. `address` is what processes inside connect to. Nobody
    is heard, nor told anything, before `admit` lets it in; None: nobody else can connect."""

    def __init__(self, begin: Callable[[InsideRequest], None], admit: Admit | None = None) -> None:
        self._begin = begin
        self.admit = admit
        self._server: asyncio.Server | None = None
        self.connections: set[_Connection] = set()
        self.held_bytes = 0
        self.address = ""

    async def listen(self, listening: socket.socket | None = None) -> None:
        """On `listening`, which is then ours, or on a port of the loopback interface that is free."""
        if listening is None:
            listening = socket.create_server(("127.0.0.1", 0), backlog=_CONNECTIONS)
        host, port = listening.getsockname()[:2]
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), sock=listening)
        self.address = f"{host}:{port}"

    def begin(self, request: InsideRequest) -> None:
        self._begin(request)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self.connections):
            connection.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, listener: InsideListener) -> None:
        self._listener = listener
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._request: InsideRequest | None = None  # Whose body is coming.
        self._unanswered: list[InsideRequest] = []
        self._early: bytearray | None = None  # What a stranger sent; it may be one of ours.
        self._admission: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._listener.connections.add(self)
        if len(self._listener.connections) > _CONNECTIONS:
            self.abort()
        elif self._listener.admit is not None:
            self._early = bytearray()
            addresses = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
            self._admission = asyncio.get_running_loop().create_task(self._ask(self._listener.admit, *addresses))

    async def _ask(self, admit: Admit, client: Address, server: Address) -> None:
        if not await admit(client, server):
            self.abort()
            return
        early, self._early = self._early, None
        if self._transport is not None:
            if not self._transport.is_reading():
                self._transport.resume_reading()
            self.data_received(bytes(early or b""))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._admission is not None:
            self._admission.cancel()
        self._listener.connections.discard(self)
        request, self._request = self._request, None
        if request is not None:
            self._release(request)
            request.on_cut(request)
        for waiting in self._unanswered:
            waiting.on_lost(waiting)
        self._unanswered.clear()

    def pause_writing(self) -> None:
        # Who does not read answers is not asked for more requests.
        self.hold()

    def resume_writing(self) -> None:
        self.go_on()

    def hold(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._early is not None:
            self._early += data
            if len(self._early) > _HEAD_BYTES and self._transport is not None:
                self._transport.pause_reading()
            return
        if self._request is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("Protocols are not switched here")
        except httptools.HttpParserError:
            self._fail("Not an HTTP request")
        else:
            if self._request is None and self._head_bytes > _HEAD_BYTES:
                self._fail("The head of the request is too long")

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        into = self._headers if self._request is None else self._request.trailers
        into[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        path = self._url.decode("latin-1").partition("?")[0]
        self._request = InsideRequest(self, self._parser.get_method().decode(), path, self._headers)
        self._listener.begin(self._request)

    def on_body(self, body: bytes) -> None:
        request = self._request
        assert request is not None
        request.size_bytes += len(body)
        if request.on_body is not None:
            request.on_body(body)
            return
        if request.too_large:
            self._release(request)
            return
        request.body += body
        self._listener.held_bytes += len(body)
        if self._listener.held_bytes > _HELD_BYTES:
            self.abort()

    def on_message_complete(self) -> None:
        request, self._request = self._request, None
        if request is None:
            return
        self._listener.held_bytes -= len(request.body)
        if not request.answered:
            self._unanswered.append(request)
        request.on_whole(request)

    def answer(
        self, request: InsideRequest, status: int, body: bytes, content_type: str, headers: dict[str, str]
    ) -> None:
        if request in self._unanswered:
            self._unanswered.remove(request)
        if self._transport is None:
            return
        reason = HTTPStatus(status).phrase
        lines = [f"HTTP/1.1 {status} {reason}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {_LINE_ENDS.sub(' ', value)}" for name, value in headers.items()]
        self._transport.write("\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body)
        if request.headers.get("connection", "").lower() == "close":
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, message: str) -> None:
        if self._transport is not None:
            body = error_body("InvalidRequest", message)
            head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)
            self._transport.close()

    def _release(self, request: InsideRequest) -> None:
        self._listener.held_bytes -= len(request.body)
        request.body = bytearray()


def error_body(error_type: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":")).encode()


def not_found(request: InsideRequest) -> None:
    request.refuse(404, "InvalidPath", f"No such path: {request.path[:200]}")


def wrong_method(request: InsideRequest) -> None:
    request.refuse(405, "InvalidMethod", f"No such method: {request.method} {request.path[:200]}")


def _nothing(_: InsideRequest) -> None: ...
