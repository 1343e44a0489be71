"""One invocation that an environment runs: who waits for it, since when, its answer's way, and its lines in the log."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from freehold.clock import Clock
from freehold.engine import events
from freehold.engine.answer_stream import AnswerStream
from freehold.engine.functions import FunctionVersion
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.engine.limits import LOG_TAIL_BYTES, PAYLOAD_BYTES, STREAM_BYTES
from freehold.engine.link import Link
from freehold.state.logs import LogEvent


@dataclass(slots=True)
class Running:
    invocation: Invocation
    answer: asyncio.Future[InvocationResult]
    started_s: float
    started_ms: int  # The same by the wall clock.
    init_ms: float | None
    lines: list[str]  # What it printed.
    is_in_log: bool = False  # The START line is written with the first line behind it.
    parts: list[bytes] | None = None  # Of a streamed answer, where its caller wants it whole.
    parts_bytes: int = 0
    stream: AnswerStream | None = None  # Where it does not.

    @property
    def limit_bytes(self) -> int:
        return PAYLOAD_BYTES if self.stream is None else STREAM_BYTES


def take_part(
    running: Running, function: FunctionVersion, part: bytes, content_type: str, clock: Clock, link: Link
) -> bool:
    """A part of a streamed answer; the first tells the caller that there is one. False: it is too large by now."""
    if running.parts is None:
        running.parts = []
        if running.invocation.streams:
            running.stream = AnswerStream(clock, content_type, link.hold, link.go_on)
            _begin_stream(running, function, running.stream)
    running.parts_bytes += len(part)
    if running.parts_bytes > running.limit_bytes:
        return False
    if running.stream is not None:
        running.stream.write(part)
    else:
        running.parts.append(part)
    return True


def _begin_stream(running: Running, function: FunctionVersion, stream: AnswerStream) -> None:
    if running.answer.done():
        stream.leave()
        return
    running.answer.set_result(
        InvocationResult(
            b"", None, function.version, init_ms=running.init_ms, trace_id=running.invocation.trace_id,
            content_type=stream.content_type, stream=stream,
        )
    )  # fmt: skip


def answer_caller(
    running: Running, function: FunctionVersion, payload: bytes, status: str, duration_ms: float, closing: list[str],
    content_type: str,
) -> None:  # fmt: skip
    """Tells the caller how it ended, unless it has gone away."""
    invocation = running.invocation
    tail = log_tail(running, function, closing) if invocation.log_tail else b""
    if running.stream is not None:
        running.stream.end(payload if status else b"", tail)
    elif not running.answer.done():
        running.answer.set_result(
            InvocationResult(
                payload, "Unhandled" if status else None, function.version, tail, duration_ms, running.init_ms,
                invocation.trace_id, content_type,
            )
        )  # fmt: skip


def start_lines(running: Running, function: FunctionVersion) -> list[LogEvent]:
    """The START line, once."""
    if running.is_in_log:
        return []
    running.is_in_log = True
    request_id = running.invocation.request_id
    if function.log_format == "JSON":
        record: dict[str, object] = {"requestId": request_id, "version": function.version}
        return [LogEvent(running.started_ms, events.platform_record("start", record, running.started_ms))]
    return [LogEvent(running.started_ms, events.start_line(request_id, function.version))]


def closing_lines(report: events.Report, log_format: str, stamp_ms: int) -> list[str]:
    if log_format == "JSON":
        return [events.platform_record("report", events.report_record(report), stamp_ms)]
    return [events.end_line(report.request_id), events.report_line(report)]


def log_tail(running: Running, function: FunctionVersion, closing: list[str]) -> bytes:
    """The last 4 KB of the invocation's log. AWS: Invoke, LogType."""
    first = (
        [] if function.log_format == "JSON" else [events.start_line(running.invocation.request_id, function.version)]
    )
    return "".join(f"{line}\n" for line in (*first, *running.lines, *closing)).encode()[-LOG_TAIL_BYTES:]


def new_trace_id(clock: Clock) -> str:
    """AWS: "X-Ray tracing header"."""
    noise = f"{random.getrandbits(160):040x}"
    return f"Root=1-{int(clock.now_s()):08x}-{noise[:24]};Parent={noise[24:]};Sampled=0"
