"""The seam between an execution environment and the runtime inside it: work goes out, events come back.

Two ways to meet it: frames.py (ours, for the managed runtimes) and runtime_api.py (AWS's HTTP, for everything). The
same contract suite runs over both.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Work(NamedTuple):
    """What the runtime is told of one invocation; empty text: not told. AWS: "Using the Lambda runtime API"."""

    request_id: str
    deadline_ms: int  # Epoch milliseconds.
    function_arn: str  # As invoked, with the qualifier that the caller used.
    payload: bytes
    trace_id: str = ""
    client_context: str = ""  # JSON.
    identity: str = ""  # JSON.
    content_type: str = "application/json"


class LinkEvents(Protocol):
    """Called on the event loop, in the order of the wire; must not raise."""

    def on_ready(self) -> None:
        """The runtime asks for an invocation: its init is done, or all that it does for the last one."""
        ...

    def on_response(
        self, request_id: str, payload: bytes, content_type: str, worked_us: int = -1, unread_bytes: int = -1
    ) -> None:
        """`worked_us`: the processor's time from the invocation's arrival in the runtime to its answer, as the runtime
        says; -1: it waited for something meanwhile, or does not say. `unread_bytes`: what lay in the pipe of its output
        when it answered, as it says; -1: it does not. After parts it is the end, and `payload` the last one."""
        ...

    def on_part(self, request_id: str, part: bytes, content_type: str) -> bool:
        """Of an answer that the runtime streams; ended by `on_response`, or by `on_error` when it fails midway. False:
        it is over its limit, and the rest of it means nothing."""
        ...

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> None: ...

    def on_init_error(self, error_type: str, payload: bytes) -> None: ...

    def on_too_large(self, request_id: str, size_bytes: int) -> None:
        """The answer is over limits.PAYLOAD_BYTES; it was thrown away."""
        ...


class Link(Protocol):
    def send(self, work: Work) -> None:
        """To be called after `on_ready`, and then after each answer. Never blocks."""
        ...

    def redirect(self, events: LinkEvents) -> None:
        """Who is called from now on."""
        ...

    def hold(self) -> None:
        """No more parts of the streamed answer until `go_on`: what is left of it stays with the runtime."""
        ...

    def go_on(self) -> None: ...

    def close(self) -> None: ...
