"""The Runtime API as AWS documents it, over HTTP on loopback: for custom runtimes, and for any official runtime client.

AWS: "Using the Lambda runtime API for custom runtimes"; states, error types and words as in AWS's runtime interface
emulator. A move that is not in `_NEXT` gets 403; the states' names are those that AWS says there.
"""

from __future__ import annotations

import base64
import binascii
import enum
import re
import socket
from collections.abc import Callable

import orjson

from freehold.engine import events
from freehold.engine.inside_http import (
    JSON,
    Admit,
    InsideListener,
    InsideRequest,
    error_body,
    not_found,
    wrong_method,
)
from freehold.engine.limits import PAYLOAD_BYTES
from freehold.engine.link import LinkEvents, Work

_PREFIX = "/2018-06-01/"
_ERROR_TYPE = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+")
_ERROR_TYPE_CHARACTERS = 256  # Believed: AWS says no limit; it goes into a log line.
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")
_WITH_CAUSE = "application/vnd.aws.lambda.error.cause+json"
_INVALID_ERROR_BODY = b'"Invalid error body"'
_OK = b'{"status":"OK"}'
TRUNCATED = "Runtime.TruncatedResponse"
INVALID_MODE = "Runtime.InvalidResponseModeHeader"


class RuntimeState(enum.Enum):
    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"  # A GET next is open.
    RUNNING = "Running"
    RESPONDING = "InvocationResponse"  # The head of its response is here.
    REPORTING = "InvocationErrorResponse"
    RESPONSE_SENT = "ResponseSent"  # Answered, and has not asked for the next yet.


_NEXT = {
    RuntimeState.STARTED: {RuntimeState.READY, RuntimeState.INIT_ERROR},
    RuntimeState.INIT_ERROR: set(),
    RuntimeState.READY: {RuntimeState.RUNNING},
    RuntimeState.RUNNING: {RuntimeState.RESPONDING, RuntimeState.REPORTING},
    RuntimeState.RESPONDING: {RuntimeState.RESPONSE_SENT},
    RuntimeState.REPORTING: {RuntimeState.RESPONSE_SENT},
    RuntimeState.RESPONSE_SENT: {RuntimeState.READY},
}


class RuntimeApi:
    """Meets `Link`. `address` is what goes into AWS_LAMBDA_RUNTIME_API.

    `speaks`: False where the runtime has another link and only the other APIs of the environment are served here; then
    every move of the Runtime API is one at the wrong time. `also` gets the requests that are not the Runtime API's.
    `admit`: who may connect, where others could.
    """

    def __init__(
        self,
        events: LinkEvents,
        speaks: bool = True,
        also: Callable[[InsideRequest], bool] | None = None,
        admit: Admit | None = None,
    ) -> None:
        self._events = events
        self._speaks = speaks
        self._also = also
        self._state = RuntimeState.STARTED
        self._waiting: InsideRequest | None = None
        self._work: Work | None = None  # What it runs, or ran last.
        self._streaming: InsideRequest | None = None  # A streamed answer that comes in.
        self._unsent: Work | None = None  # Its runtime lost the connection, and has not asked again yet.
        self._listener = InsideListener(self.begin, admit)
        self._closers: list[Callable[[], None]] = []

    @classmethod
    async def listen(
        cls,
        events: LinkEvents,
        listening: socket.socket | None = None,
        speaks: bool = True,
        also: Callable[[InsideRequest], bool] | None = None,
    ) -> RuntimeApi:
        api = cls(events, speaks, also)
        await api.hear(listening)
        return api

    async def hear(self, listening: socket.socket | None) -> None:
        """Begins to serve, on a socket that is then ours, or on a free port of the loopback interface."""
        await self._listener.listen(listening)

    @property
    def address(self) -> str:
        return self._listener.address

    def owns(self, close: Callable[[], None]) -> None:
        """Something to be closed with the link."""
        self._closers.append(close)

    def send(self, work: Work) -> None:
        request, self._waiting = self._waiting, None
        if request is None:
            self._unsent = work
            return
        self._state, self._work = RuntimeState.RUNNING, work
        headers = {
            "Lambda-Runtime-Aws-Request-Id": work.request_id,
            "Lambda-Runtime-Deadline-Ms": str(work.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": work.function_arn,
            "Lambda-Runtime-Trace-Id": work.trace_id,
            "Lambda-Runtime-Client-Context": work.client_context,
            "Lambda-Runtime-Cognito-Identity": work.identity,
        }
        request.answer(200, work.payload, work.content_type, {name: text for name, text in headers.items() if text})

    def redirect(self, events: LinkEvents) -> None:
        self._events = events

    def hold(self) -> None:
        if self._streaming is not None:
            self._streaming.hold()

    def go_on(self) -> None:
        if self._streaming is not None:
            self._streaming.go_on()

    def close(self) -> None:
        self._listener.close()
        for close in self._closers:
            close()
        self._closers.clear()

    def begin(self, request: InsideRequest) -> None:
        """The head of a request is here: what shall become of it."""
        if self._also is not None and self._also(request):
            return
        path, method = request.path, request.method
        if not path.startswith(_PREFIX):
            return
        parts = path.removeprefix(_PREFIX).split("/")
        match parts:
            case ["ping"]:
                request.on_whole = _pong if method == "GET" else wrong_method
            case ["runtime", "invocation", "next"]:
                request.on_whole = self._next if method == "GET" else wrong_method
            case ["runtime", "init", "error"]:
                request.on_whole = self._init_error if method == "POST" else wrong_method
            case ["runtime", "invocation", request_id, ("response" | "error") as kind]:
                if method == "POST":
                    self._begin_answer(request, request_id, kind)
                else:
                    request.on_whole = wrong_method
            case _:
                request.on_whole = not_found

    # Asking for work.

    def _next(self, request: InsideRequest) -> None:
        if not self._move(request, RuntimeState.READY):
            return
        self._waiting = request
        request.on_lost = self._lost
        unsent, self._unsent = self._unsent, None
        if unsent is not None:
            self.send(unsent)
        else:
            self._events.on_ready()

    def _lost(self, request: InsideRequest) -> None:
        """It may ask again, on a new connection."""
        if self._waiting is request:
            self._waiting = None
            self._state = RuntimeState.RESPONSE_SENT

    def _init_error(self, request: InsideRequest) -> None:
        if not self._move(request, RuntimeState.INIT_ERROR):
            return
        request.answer(202, _OK)
        self._events.on_init_error(error_type_of(request.headers), _error_payload(request))

    # Answering.

    def _begin_answer(self, request: InsideRequest, request_id: str, kind: str) -> None:
        """The id comes before the state, and both before the body."""
        work = self._work
        if work is None or work.request_id != request_id:
            request.on_whole = _unknown_id
            return
        state = RuntimeState.RESPONDING if kind == "response" else RuntimeState.REPORTING
        if state not in _NEXT[self._state]:
            request.on_whole = self._refuse_move(state)
            return
        self._state = state
        mode = request.headers.get("lambda-runtime-function-response-mode", "")
        if kind == "error":
            request.on_whole = self._error
        elif mode in ("", "streaming"):
            request.on_whole = self._response
            if mode:
                self._begin_stream(request, request_id)
        else:
            request.on_whole = self._invalid_mode
        request.on_cut = self._cut

    def _begin_stream(self, request: InsideRequest, request_id: str) -> None:
        """Its parts are passed on as they come, and this is never looked at as one body."""
        content_type = request.headers.get("content-type", JSON)

        def pass_on(part: bytes) -> None:
            if not self._events.on_part(request_id, part, content_type):
                request.on_body = _forget
                request.on_whole = self._stream_too_large

        self._streaming = request
        request.on_body = pass_on

    def _stream_too_large(self, request: InsideRequest) -> None:
        self._state = RuntimeState.RESPONSE_SENT
        self._streaming = None
        request.refuse(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size.")

    def _response(self, request: InsideRequest) -> None:
        if request is self._streaming:
            self._streaming = None
        elif self._is_too_large(request):
            return
        self._sent(request)
        request_id = self._request_id()
        # AWS: "Response streaming for custom runtimes": what fails midway is told in the trailers.
        if "lambda-runtime-function-error-type" in request.trailers:
            self._events.on_error(request_id, error_type_of(request.trailers), _trailer_payload(request))
        else:
            content_type = request.headers.get("content-type", JSON)
            self._events.on_response(request_id, bytes(request.body), content_type)

    def _error(self, request: InsideRequest) -> None:
        if self._is_too_large(request):
            return
        self._sent(request)
        self._events.on_error(self._request_id(), error_type_of(request.headers), _error_payload(request))

    def _is_too_large(self, request: InsideRequest) -> bool:
        if not request.too_large:
            return False
        self._state = RuntimeState.RESPONSE_SENT
        message = f"Exceeded maximum allowed payload size ({PAYLOAD_BYTES} bytes)."
        request.refuse(413, "RequestEntityTooLarge", message)
        self._events.on_too_large(self._request_id(), request.size_bytes)
        return True

    def _invalid_mode(self, request: InsideRequest) -> None:
        self._state = RuntimeState.RESPONSE_SENT
        request.refuse(400, "InvalidFunctionResponseMode", "Invalid function response mode")
        self._fail(INVALID_MODE, "Invalid function response mode")

    def _cut(self, request: InsideRequest) -> None:
        """The connection went before the body was whole."""
        self._state = RuntimeState.RESPONSE_SENT
        self._streaming = None
        self._fail(TRUNCATED, "HTTP request detected as truncated")

    def _sent(self, request: InsideRequest) -> None:
        self._state = RuntimeState.RESPONSE_SENT
        request.answer(202, _OK)

    def _fail(self, error_type: str, words: str) -> None:
        request_id = self._request_id()
        payload = events.error_document(error_type, f"RequestId: {request_id} Error: {words}")
        self._events.on_error(request_id, error_type, payload)

    def _request_id(self) -> str:
        assert self._work is not None
        return self._work.request_id

    # States.

    def _move(self, request: InsideRequest, state: RuntimeState) -> bool:
        """False, and the runtime was told, when this is not the time for it."""
        if self._speaks and state in _NEXT[self._state]:
            self._state = state
            return True
        self._refuse_move(state)(request)
        return False

    def _refuse_move(self, state: RuntimeState) -> Callable[[InsideRequest], None]:
        message = (
            f"State transition from {self._state.value} to {state.value} failed for runtime. "
            "Error: State transition is not allowed"
        )
        return lambda request: request.refuse(403, "InvalidStateTransition", message)


def error_type_of(headers: dict[str, str]) -> str:
    """As the emulator reads Lambda-Runtime-Function-Error-Type, with nothing in it that would break a log line."""
    said = headers.get("lambda-runtime-function-error-type", "")
    if _ERROR_TYPE.search(said):
        return _UNPRINTABLE.sub("", said)[:_ERROR_TYPE_CHARACTERS]
    return "Function.Unknown" if said.startswith("Function.") else "Runtime.Unknown"


def _error_payload(request: InsideRequest) -> bytes:
    """Verbatim; of an error with an X-Ray cause, what is the caller's."""
    if request.headers.get("content-type") != _WITH_CAUSE:
        return bytes(request.body)
    try:
        document = orjson.loads(request.body)
        fields = {name: document[name] for name in ("errorMessage", "errorType", "stackTrace") if name in document}
    except (orjson.JSONDecodeError, TypeError):
        return _INVALID_ERROR_BODY
    return orjson.dumps(fields)


def _trailer_payload(request: InsideRequest) -> bytes:
    """Lambda-Runtime-Function-Error-Body is base64 of the error document."""
    said = request.trailers.get("lambda-runtime-function-error-body", "")
    try:
        return base64.b64decode(said, validate=True) or error_body(error_type_of(request.trailers), "")
    except (binascii.Error, ValueError):
        return said.encode("latin-1", "replace")


def _pong(request: InsideRequest) -> None:
    request.answer(200, b"pong", "text/plain")


def _forget(_: bytes) -> None: ...


def _unknown_id(request: InsideRequest) -> None:
    request.refuse(400, "InvalidRequestID", "Invalid request ID")
