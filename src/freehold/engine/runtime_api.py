"""The Runtime API as AWS documents it, over HTTP on loopback: for custom runtimes, and for any official runtime client.

AWS: "Using the Lambda runtime API for custom runtimes"; states as in AWS's runtime interface emulator, and what they do
not allow is refused. One listener per environment: its port is its identity. A move that is not in `_NEXT` gets 403.
"""

from __future__ import annotations

import asyncio
import enum
import re
from collections.abc import Callable
from typing import cast

import httptools

from freehold.engine.limits import PAYLOAD_BYTES
from freehold.engine.link import LinkEvents, Work

_PREFIX = "/2018-06-01/runtime/"
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")
_JSON = "application/json"


class RuntimeState(enum.Enum):
    INIT = enum.auto()
    WAITING = enum.auto()  # A GET next is open.
    RUNNING = enum.auto()
    ANSWERED = enum.auto()  # Answered, and has not asked for the next yet.
    FAILED = enum.auto()


_NEXT = {
    RuntimeState.INIT: {RuntimeState.WAITING, RuntimeState.FAILED},
    RuntimeState.WAITING: {RuntimeState.RUNNING},
    RuntimeState.RUNNING: {RuntimeState.ANSWERED},
    RuntimeState.ANSWERED: {RuntimeState.WAITING},
    RuntimeState.FAILED: set(),
}


class RuntimeApi:
    """Meets `Link`. `address` is what goes into AWS_LAMBDA_RUNTIME_API."""

    def __init__(self, events: LinkEvents) -> None:
        self._events = events
        self._state = RuntimeState.INIT
        self._waiting: _Connection | None = None
        self._work: Work | None = None
        self._connections: set[_Connection] = set()
        self._closers: list[Callable[[], None]] = []
        self._server: asyncio.Server | None = None
        self.address = ""

    @classmethod
    async def listen(cls, events: LinkEvents) -> RuntimeApi:
        api = cls(events)
        api._server = await asyncio.get_running_loop().create_server(lambda: _Connection(api), "127.0.0.1", 0)
        api.address = f"127.0.0.1:{api._server.sockets[0].getsockname()[1]}"
        return api

    def owns(self, close: Callable[[], None]) -> None:
        """Something to be closed with the link."""
        self._closers.append(close)

    def send(self, work: Work) -> None:
        self._work = work
        assert self._waiting is not None
        self._deliver()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()
        for close in self._closers:
            close()
        self._closers.clear()

    def handle(self, connection: _Connection, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """One request of the runtime."""
        tail = path.removeprefix(_PREFIX)
        parts = tail.split("/")
        if path == "/2018-06-01/ping" and method == "GET":
            connection.answer(200, b"pong", "text/plain")
        elif not path.startswith(_PREFIX):
            connection.answer(404, _error("InvalidPath", f"No such path: {path}"))
        elif tail == "invocation/next" and method == "GET":
            self._next(connection)
        elif tail == "init/error" and method == "POST":
            self._init_error(connection, headers, body)
        elif len(parts) == 3 and parts[0] == "invocation" and parts[2] in ("response", "error") and method == "POST":
            self._answered(connection, parts[1], parts[2], headers, body)
        else:
            connection.answer(404, _error("InvalidPath", f"No such path or method: {method} {path}"))

    def lost(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        if self._waiting is connection:
            # It may ask again, on a new connection.
            self._waiting = None
            self._state = RuntimeState.ANSWERED

    def opened(self, connection: _Connection) -> None:
        self._connections.add(connection)

    def _next(self, connection: _Connection) -> None:
        if not self._move(connection, RuntimeState.WAITING):
            return
        self._waiting = connection
        self._events.on_ready()

    def _deliver(self) -> None:
        work, connection = self._work, self._waiting
        assert work is not None
        assert connection is not None
        self._waiting = None
        self._state = RuntimeState.RUNNING
        headers = {
            "Lambda-Runtime-Aws-Request-Id": work.request_id,
            "Lambda-Runtime-Deadline-Ms": str(work.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": work.function_arn,
            "Lambda-Runtime-Trace-Id": work.trace_id,
            "Lambda-Runtime-Client-Context": work.client_context,
            "Lambda-Runtime-Cognito-Identity": work.identity,
        }
        connection.answer(200, work.payload, work.content_type, {name: text for name, text in headers.items() if text})

    def _init_error(self, connection: _Connection, headers: dict[str, str], body: bytes) -> None:
        if self._move(connection, RuntimeState.FAILED):
            connection.answer(202, b'{"status":"OK"}')
            self._events.on_init_error(error_type_of(headers), body)

    def _answered(
        self, connection: _Connection, request_id: str, kind: str, headers: dict[str, str], body: bytes
    ) -> None:
        work = self._work
        if self._state is RuntimeState.RUNNING and (work is None or work.request_id != request_id):
            connection.answer(400, _error("InvalidRequestID", "Invalid request ID"))
            return
        mode = headers.get("lambda-runtime-function-response-mode", "")
        if kind == "response" and mode not in ("", "streaming"):
            connection.answer(400, _error("InvalidFunctionResponseMode", "Invalid function response mode"))
            return
        if not self._move(connection, RuntimeState.ANSWERED):
            return
        assert work is not None
        too_large = connection.dropped_bytes
        if too_large:
            message = f"Exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes)."
            connection.answer(413, _error("RequestEntityTooLarge", message))
            self._events.on_too_large(request_id, too_large)
            return
        connection.answer(202, b'{"status":"OK"}')
        trailer_type = headers.get("lambda-runtime-function-error-type")
        if kind == "error" or trailer_type:
            self._events.on_error(request_id, error_type_of(headers), body)
        else:
            self._events.on_response(request_id, body, headers.get("content-type", _JSON))

    def _move(self, connection: _Connection, state: RuntimeState) -> bool:
        """False, and the runtime was told, when this is not the time for it."""
        if state not in _NEXT[self._state]:
            message = f"State transition from {self._state.name} to {state.name} failed for runtime. Error: not allowed"
            connection.answer(403, _error("InvalidStateTransition", message))
            return False
        self._state = state
        return True


def error_type_of(headers: dict[str, str]) -> str:
    """As the emulator reads Lambda-Runtime-Function-Error-Type."""
    said = headers.get("lambda-runtime-function-error-type", "")
    if _ERROR_TYPE.fullmatch(said):
        return said
    return "Function.Unknown" if said.startswith("Function.") else "Runtime.Unknown"


class _Connection(asyncio.Protocol):
    """One HTTP connection of the runtime; bodies over the limit are counted, not kept."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self.dropped_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._api.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._api.lost(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.answer(400, _error("InvalidRequest", "Not an HTTP request"))
            self.abort()

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body, self.dropped_bytes = b"", {}, bytearray(), 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self.dropped_bytes or len(self._body) + len(body) > PAYLOAD_BYTES:
            self.dropped_bytes += len(self._body) + len(body)
            self._body = bytearray()
        else:
            self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode()
        path = self._url.decode("latin-1").partition("?")[0]
        self._api.handle(self, method, path, self._headers, bytes(self._body))

    def answer(
        self, status: int, body: bytes, content_type: str = _JSON, headers: dict[str, str] | None = None
    ) -> None:
        if self._transport is None:
            return
        reason = {200: "OK", 202: "Accepted", 413: "Request Entity Too Large"}.get(status, "Error")
        lines = [f"HTTP/1.1 {status} {reason}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        head = "\r\n".join(lines).encode("utf-8", "replace")
        self._transport.write(head + b"\r\n\r\n" + body)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _error(error_type: str, message: str) -> bytes:
    return f'{{"errorMessage":"{message}","errorType":"{error_type}"}}'.encode()
