"""One invocation that an environment runs: who waits for it, since when, and its lines in the log."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from freehold.clock import Clock
from freehold.engine import events
from freehold.engine.functions import FunctionVersion
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.engine.limits import LOG_TAIL_BYTES
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
