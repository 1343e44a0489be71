"""What goes into an invocation and what comes out: the values between the engine and everybody who invokes.

Named tuples, as everything that is made anew for each request: a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import NamedTuple, Protocol

from freehold.engine.answer_stream import AnswerStream


class Invocation(NamedTuple):
    function_arn: str  # With the qualifier that the caller used, if any: "arn:...:function:hello:live".
    payload: bytes  # JSON.
    request_id: str
    trace_id: str = ""  # "Root=1-...;Parent=...;Sampled=0"; empty: the engine makes one.
    client_context: bytes = b""  # Decoded JSON, or empty.
    source: str = ""  # Service principal of the caller ("apigateway.amazonaws.com"); empty: the Invoke API.
    source_arn: str = ""  # ARN of what invokes (an API's route, a rule), for the function's resource policy.
    log_tail: bool = False  # Ask for the last 4 KB of the log in the result.
    streams: bool = False  # The caller takes the answer as it comes.


class InvocationResult(NamedTuple):
    payload: bytes  # What the function answered, or the error document {"errorType", "errorMessage", ...}.
    function_error: str | None  # "Unhandled" when the function failed.
    executed_version: str  # "$LATEST" or a number.
    log_tail: bytes = b""
    duration_ms: float = 0.0
    init_ms: float | None = None  # None: the environment was warm.
    trace_id: str = ""
    content_type: str = "application/json"  # "application/vnd.awslambda.http-integration-response": streamed for HTTP.
    stream: AnswerStream | None = None  # Instead of `payload`, where one was asked for and the function streams.


class Invoker(Protocol):
    """Local today, a remote node later. Raises AwsError, at once or when awaited: ResourceNotFoundException for an
    unknown function or qualifier, TooManyRequestsException when concurrency is used up, ResourceConflictException
    while Pending. What is accepted runs, whether or not anybody waits for its result."""

    def invoke(self, invocation: Invocation) -> Awaitable[InvocationResult]: ...


class InvocationRecord(NamedTuple):
    """One finished invocation, for whoever listens (`freehold dev`'s lines, metrics). `lines` is not to be changed."""

    region: str
    function_name: str
    version: str
    request_id: str
    status: str  # "" when it went well; "error" or "timeout".
    error_type: str | None
    duration_ms: float
    billed_ms: int
    init_ms: float | None  # None: warm.
    max_memory_mb: int
    lines: list[str]  # What the function printed, up to 64 KB.
