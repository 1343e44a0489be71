"""What the engine writes of an invocation: log lines as CloudWatch shows them, and error documents as callers get them.

AWS: "Working with Lambda function logs", "Lambda function JSON log format" (platform records), "Troubleshoot invocation
issues". Pure functions.
"""

from __future__ import annotations

import json
import math
import signal
from datetime import UTC, datetime
from typing import NamedTuple

from freehold.sandbox.sandbox import Exit
from freehold.state.logs import LogEvent

_NUMBERS = {"2": "interrupt", "6": "aborted", "9": "killed", "11": "segmentation fault", "15": "terminated"}


class Report(NamedTuple):
    """The figures of one finished invocation."""

    request_id: str
    duration_ms: float
    memory_mb: int
    max_memory_mb: int
    init_ms: float | None = None  # None: warm.
    status: str = ""  # "", "timeout" or "error".
    error_type: str = ""
    restored: bool = False  # `init_ms` is what the restore of a snapshot took.

    @property
    def billed_ms(self) -> int:
        return max(1, math.ceil(self.duration_ms))


def start_line(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    return f"END RequestId: {request_id}"


def report_line(report: Report) -> str:
    request_id, duration_ms, memory_mb, max_memory_mb, init_ms, status, error_type, restored = report
    line = (
        f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\t"
        f"Billed Duration: {report.billed_ms} ms\tMemory Size: {memory_mb} MB\t"
        f"Max Memory Used: {max_memory_mb} MB\t"
    )
    if init_ms is not None and restored:
        line += f"Restore Duration: {init_ms:.2f} ms\tBilled Restore Duration: {math.ceil(init_ms)} ms\t"
    elif init_ms is not None:
        line += f"Init Duration: {init_ms:.2f} ms\t"
    if status:
        line += f"Status: {status}\t"
        if error_type and status == "error":
            line += f"Error Type: {error_type}\t"
    return line


def init_start_line(runtime_name: str, region: str, phase: str = "INIT") -> str:
    """`phase`: INIT, or RESTORE of a snapshot. AWS: "Monitoring for Lambda SnapStart"."""
    if not runtime_name or runtime_name.startswith("provided"):
        return f"{phase}_START Runtime Version: {runtime_name or 'provided'}\tRuntime Version ARN: "
    label = runtime_label(runtime_name)
    return f"{phase}_START Runtime Version: {label}\tRuntime Version ARN: arn:aws:lambda:{region}::runtime:freehold"


def runtime_label(runtime_name: str) -> str:
    """ "python:3.12.v1" of "python3.12"; a custom runtime's own name."""
    if not runtime_name or runtime_name.startswith("provided"):
        return runtime_name
    label = runtime_name.removesuffix(".x")
    for language in ("python", "nodejs"):
        label = label.replace(language, f"{language}:")
    return f"{label}.v1"


def init_report_line(duration_ms: float, phase: str, status: str, error_type: str = "") -> str:
    """`status` "": it went well, which is said of SnapStart's init alone."""
    if not status:
        return f"INIT_REPORT Init Duration: {duration_ms:.2f} ms"
    line = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
    return f"{line}\tError Type: {error_type}" if error_type and status == "error" else line


def restore_report_line(duration_ms: float, status: str = "", error_type: str = "") -> str:
    line = f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms"
    return f"{line}\tStatus: {status}\tError Type: {error_type}" if status else line


def platform_record(kind: str, record: dict[str, object], now_ms: int) -> str:
    """A line of the JSON log format: {"time", "type": "platform.start", "record"}."""
    return json.dumps({"time": iso(now_ms), "type": f"platform.{kind}", "record": record})


def report_record(report: Report) -> dict[str, object]:
    metrics: dict[str, object] = {
        "durationMs": round(report.duration_ms, 3),
        "billedDurationMs": report.billed_ms,
        "memorySizeMB": report.memory_mb,
        "maxMemoryUsedMB": report.max_memory_mb,
    }
    if report.init_ms is not None and report.restored:
        metrics["restoreDurationMs"] = round(report.init_ms, 3)
        metrics["billedRestoreDurationMs"] = math.ceil(report.init_ms)
    elif report.init_ms is not None:
        metrics["initDurationMs"] = round(report.init_ms, 3)
    record: dict[str, object] = {
        "requestId": report.request_id,
        "metrics": metrics,
        "status": report.status or "success",
    }
    if report.error_type and report.status == "error":
        record["errorType"] = report.error_type
    return record


def timeout_message(timeout_s: float) -> str:
    return f"Task timed out after {timeout_s:.2f} seconds"


def timeout_line(now_ms: int, request_id: str, timeout_s: float) -> str:
    return f"{iso(now_ms)} {request_id} {timeout_message(timeout_s)}"


def error_document(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}, separators=(",", ":")).encode()


def exit_words(end: Exit) -> str:
    """How AWS tells that the runtime's process ended by itself."""
    if end.signal is not None:
        name = _NUMBERS.get(str(end.signal)) or signal.Signals(end.signal).name
        return f"Runtime exited with error: signal: {name}"
    if end.code:
        return f"Runtime exited with error: exit status {end.code}"
    return "Runtime exited without providing a reason"


def iso(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now_ms % 1000:03d}Z"


def log_event(timestamp_ms: int, line: str) -> LogEvent:
    return LogEvent(timestamp_ms, line)
