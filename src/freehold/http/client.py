"""A small HTTP/1.1 client: keep-alive connections, one limit for the wait and one for the size of the answer.

One decision to know: the answer is the same `Response` value that our server writes. A request on a kept connection
that the other side had closed meanwhile is sent once more on a new one, if nothing of an answer had come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from freehold.http.messages import Headers, Response

_MAX_IDLE = 8  # Kept connections to one address.
_MAX_ADDRESSES = 64  # With kept connections.
_MAX_HEAD_BYTES = 64 * 1024  # Of an answer.
_BODILESS_METHODS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class HttpError(Exception):
    """No answer: nobody listens, the connection broke, it took too long, or what came is not HTTP."""


class Unreachable(HttpError):
    """Nobody listens there, or the name does not resolve: nothing was sent."""


@dataclass(frozen=True, slots=True)
class _Address:
    host: str
    port: int
    tls: bool


class HttpClient:
    """Use it within one event loop, and `close` it."""

    def __init__(
        self, *, timeout_s: float = 60.0, max_body_bytes: int = 512 * 1024 * 1024, max_open: int = 1_000_000
    ) -> None:
        """`max_open`: requests at once; one more raises HttpError."""
        self._timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes
        self._max_open = max_open
        self._open = 0
        self._idle: dict[_Address, list[_Connection]] = {}

    async def send(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        timeout_s: float | None = None,
    ) -> Response:
        """Raises HttpError. Content-Length and, unless given, Host are written here; redirects are not followed."""
        address, request = _write_request(method, url, headers, body)
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        if self._open >= self._max_open:
            raise HttpError(f"{self._max_open} requests are under way already")
        self._open += 1
        try:
            async with asyncio.timeout(limit_s):
                return await self._exchange(address, method, request)
        except TimeoutError as error:
            raise HttpError(f"no answer from {address.host}:{address.port} within {limit_s:g} s") from error
        finally:
            self._open -= 1

    async def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    async def _exchange(self, address: _Address, method: str, request: bytes) -> Response:
        idle = self._idle.get(address, [])
        while idle:
            kept = idle.pop()
            if kept.usable:
                try:
                    return await self._on(kept, address, method, request)
                except _ClosedUnanswered:
                    break
        try:
            return await self._on(await self._connect(address), address, method, request)
        except _ClosedUnanswered as error:
            raise HttpError(f"{address.host}:{address.port} closed the connection without an answer") from error

    async def _on(self, connection: _Connection, address: _Address, method: str, request: bytes) -> Response:
        try:
            response = await connection.exchange(method, request)
        except BaseException:
            connection.close()
            raise
        self._keep(connection, address)
        return response

    def _keep(self, connection: _Connection, address: _Address) -> None:
        idle = self._idle.setdefault(address, [])
        if connection.usable and len(idle) < _MAX_IDLE:
            idle.append(connection)
        else:
            connection.close()
        if not idle:
            del self._idle[address]
        elif len(self._idle) > _MAX_ADDRESSES:
            # The address that was new the longest ago: callers may name as many as they like.
            for each in self._idle.pop(next(iter(self._idle))):
                each.close()

    async def _connect(self, address: _Address) -> _Connection:
        loop = asyncio.get_running_loop()
        tls = None
        if address.tls:
            import ssl

            tls = ssl.create_default_context()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self._max_body_bytes), address.host, address.port, ssl=tls
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise Unreachable(f"cannot connect to {address.host}:{address.port}: {reason}") from error
        return connection


class _ClosedUnanswered(Exception):
    pass


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._closed = False
        self._keep_alive = True

    @property
    def usable(self) -> bool:
        return not self._closed and self._keep_alive

    async def exchange(self, method: str, request: bytes) -> Response:
        assert self._transport is not None
        assert self._waiting is None
        self._parser = httptools.HttpResponseParser(self)
        self._method = method
        self._headers: Headers = []
        self._body = bytearray()
        self._head_size = 0
        self._framing_read = 0  # Since the last part of the body.
        self._in_head = True
        self._heard = False
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def close(self) -> None:
        self._closed = True
        if self._transport:
            self._transport.close()

    # The transport's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # A stream transport, by create_connection.

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            # An answer that nobody asked for: the connection cannot be trusted any more.
            self.close()
            return
        self._heard = True
        self._framing_read += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(HttpError(f"the answer is not HTTP: {error}"))
        # A line without an end: the parser holds it and would tell us nothing.
        if max(self._framing_read - len(data), self._head_size) > _MAX_HEAD_BYTES:
            self._fail(HttpError(f"headers of the answer are larger than {_MAX_HEAD_BYTES} bytes"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        if self._waiting is None or self._waiting.done():
            return
        if not self._heard:
            self._fail(_ClosedUnanswered())
        elif self._ends_with_connection():
            self._finish()
        else:
            self._fail(HttpError("the connection was closed in the middle of the answer"))

    # The parser's side.

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # A trailer says nothing about the answer (RFC 9110 6.5.1).
        self._head_size += len(name) + len(value)
        if self._head_size > _MAX_HEAD_BYTES:
            return
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._in_head = status < 200
        if status < 200:
            self._headers = []
        elif self._method == "HEAD":
            # The parser would wait for the body that Content-Length announces.
            self._finish(keep_alive=False)

    def on_body(self, data: bytes) -> None:
        self._framing_read = 0
        if len(self._body) + len(data) > self._max_body_bytes:
            self._fail(HttpError(f"the answer is larger than {self._max_body_bytes} bytes"))
            self.close()
            return
        self._body += data

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._finish(keep_alive=self._parser.should_keep_alive())

    def _ends_with_connection(self) -> bool:
        names = {name.lower() for name, _ in self._headers}
        return bool(names) and not names & {"content-length", "transfer-encoding"}

    def _finish(self, keep_alive: bool = False) -> None:
        self._keep_alive = keep_alive
        if self._waiting and not self._waiting.done():
            status = self._parser.get_status_code()
            self._waiting.set_result(Response(status, self._headers, bytes(self._body)))

    def _fail(self, error: Exception) -> None:
        self._keep_alive = False
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(error)


def _write_request(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> tuple[_Address, bytes]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise HttpError(f"{url!r} has no valid port") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise HttpError(f"{url!r} is not an http or https URL")
    address = _Address(parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in headers):
        lines.append(f"Host: {parts.netloc.rpartition('@')[2]}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method not in _BODILESS_METHODS:
        lines.append(f"Content-Length: {len(body)}")
    for line in lines:
        if "\r" in line or "\n" in line:
            raise HttpError(f"a line's end in {line.split(':')[0]!r}")
    return address, "\r\n".join([*lines, "", ""]).encode("latin-1") + body
