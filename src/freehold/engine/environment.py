"""One execution environment: a process in a sandbox that runs one invocation at a time, frozen in between in spirit.

One decision to know: nothing here is a coroutine per invocation. The link, the output pipe, the timer and the process's
end call in; each moves the state and, at the end, resolves the future that the caller awaits. A caller that goes away
leaves the invocation running, as on AWS.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Callable

from freehold.clock import now_ms
from freehold.engine import events
from freehold.engine.functions import FunctionVersion
from freehold.engine.invocation import Invocation, InvocationRecord, InvocationResult
from freehold.engine.link import Link, Work
from freehold.engine.memory import peak_mb
from freehold.engine.output import OutputReader
from freehold.engine.recursion import with_lineage
from freehold.engine.running import Running, answer_caller, closing_lines, new_trace_id, start_lines, take_part
from freehold.engine.surroundings import Observer, Surroundings
from freehold.sandbox.sandbox import Exit, SandboxProcess
from freehold.state.logs import LogEvent

_MEMORY_SAMPLE_S = 0.5  # Reading /proc at every invocation would cost more than the invocation.
_KEPT_LINES_BYTES = 65_536  # Of one invocation, for the log tail and listeners.


class State(enum.IntEnum):  # Whose members hash as fast as numbers.
    STARTING = enum.auto()
    IDLE = enum.auto()
    BUSY = enum.auto()
    STOPPED = enum.auto()


_NEXT = {
    State.STARTING: {State.IDLE, State.STOPPED},
    State.IDLE: {State.BUSY, State.STOPPED},
    State.BUSY: {State.IDLE, State.STOPPED},
    State.STOPPED: set(),
}


class InitFailed(Exception):
    """The runtime reported an error, ended, or took too long before it asked for its first invocation."""

    def __init__(self, error_type: str, words: str = "", payload: bytes = b"", status: str = "error") -> None:
        super().__init__(f"{error_type}: {words}")
        self.error_type = error_type
        self.words = words  # Where the runtime could not say it itself.
        self.payload = payload  # The runtime's own error document, or empty.
        self.duration_ms = 0.0
        self.status = status  # "error" or "timeout"
        self.log_stream = ""
        self.lines: list[str] = []  # What was printed during the init.

    def document(self, request_id: str) -> bytes:
        """What the caller of the invocation gets."""
        return self.payload or events.error_document(self.error_type, f"RequestId: {request_id} Error: {self.words}")


class Environment:
    """Meets `LinkEvents`. Made by starter.py; `on_free` and `on_gone` are its pool's."""

    def __init__(self, function: FunctionVersion, log_stream: str, around: Surroundings) -> None:
        self.function = function
        self.log_stream = log_stream
        self.state = State.STARTING
        self.idle_since_s = 0.0
        self.on_free: Callable[[Environment], None] = _nothing
        self.on_gone: Callable[[Environment], None] = _nothing
        self.on_done: Callable[[FunctionVersion], None] = _done_nothing
        self.on_answered: Callable[[Environment, int], None] = _answered_nothing
        self.on_woken: Callable[[float], None] = _woken_nothing  # Told since when it had been idle.
        self.settling = False  # Answered, and not ready for more yet.
        self.rested = False  # Idle for a while: its next invocation wakes it.
        self.frozen = False
        self.provisioned = False
        self.initialization = "on-demand"
        # Of environments with extensions: who is told, and what ends them in order (reason, what to do then).
        self.observer: Observer | None = None
        self.farewell: Callable[[str, Callable[[], None]], None] | None = None
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._output: OutputReader | None = None
        self.process: SandboxProcess | None = None
        self._running: Running | None = None
        self._unreported: tuple[Running, str | None] | None = None  # Answered; its extensions still work.
        self._deadline_s = math.inf  # Of the invocation that runs, by the loop's clock.
        self._timer: asyncio.TimerHandle | None = None  # Looks at it; one timer serves many invocations.
        self._init: asyncio.Future[None] = self._loop.create_future()
        self._init_started_s = around.clock.monotonic_s()
        self._init_ms: float | None = None  # Until the first invocation reported it.
        self._init_lines: list[str] = []  # Printed before the first invocation, and between two.
        self._kept_bytes = 0
        self._max_memory_mb = 0
        self._sampled_s = -math.inf

    # Coming up.

    def attach(self, process: SandboxProcess, link: Link, output: OutputReader) -> None:
        """The process runs; its events come to us from now on."""
        self.process, self._link, self._output = process, link, output
        process.exited.add_done_callback(self._on_exited)

    def replace_link(self, link: Link) -> None:
        """Something stands between us and the runtime from now on."""
        if self._link is not None:
            self._link = link

    @property
    def init_age_ms(self) -> float:
        return (self._around.clock.monotonic_s() - self._init_started_s) * 1000

    @property
    def age_ms(self) -> float:
        """Of the invocation that runs."""
        running = self._running
        return 0.0 if running is None else (self._around.clock.monotonic_s() - running.started_s) * 1000

    async def wait_ready(self, limit_s: float) -> None:
        """Returns IDLE, with the init's duration noted. Raises InitFailed, and the environment is gone."""
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.shield(self._init)
        except TimeoutError:
            # Ready in the very moment counts as ready.
            if not self._init.done():
                failed = InitFailed("Sandbox.Timedout", events.timeout_message(limit_s), status="timeout")
                self._fail_init(failed)
                raise failed from None
        except asyncio.CancelledError:
            self.stop()
            raise

    def take_extension_output(self, lines: list[LogEvent]) -> None:
        """What its extensions printed: in the same log stream, and no invocation's."""
        self._log(lines)

    def say(self, *lines: str) -> None:
        """Writes lines of the engine's own into the log stream."""
        stamp = now_ms(self._around.clock)
        self._log([LogEvent(stamp, line) for line in lines])

    # Running.

    def run(self, invocation: Invocation, answer: asyncio.Future[InvocationResult]) -> None:
        """Begins; must be IDLE. `answer` never gets an exception: what fails is a result with `function_error`."""
        self._become(State.BUSY)
        if self.rested:
            self._wake()
        clock, timeout_s = self._around.clock, self.function.timeout_s
        started_ms = now_ms(clock)
        self._running = Running(
            invocation, answer, clock.monotonic_s(), started_ms, self._init_ms, self._init_lines
        )  # fmt: skip
        self._init_ms = None
        self._init_lines, self._kept_bytes = [], 0
        self._deadline_s = self._loop.time() + timeout_s
        if self._timer is None:
            self._timer = self._loop.call_later(timeout_s, self._on_timer)
        assert self._link is not None
        self._link.send(
            Work(
                invocation.request_id,
                started_ms + int(timeout_s * 1000),
                invocation.function_arn,
                invocation.payload,
                with_lineage(invocation.trace_id or new_trace_id(clock), self.function.mark),
                invocation.client_context.decode("utf-8", "replace"),
            )
        )

    def rest(self, freezes: bool) -> None:
        """It was idle for a while. Where it `freezes`, its processes make no progress until the next invocation; with
        extensions it stays awake: they are told of its end and work then.
        AWS: "Understanding the Lambda execution environment lifecycle"."""
        self.rested = True
        if freezes and self.process is not None and self.observer is None:
            self.frozen = self.process.freeze()

    def _wake(self) -> None:
        self.rested = False
        if self.frozen and self.process is not None:
            self.process.thaw()
        self.frozen = False
        self.on_woken(self.idle_since_s)

    def stop(self) -> None:
        """Ends it, whatever it does; an invocation that runs is answered as one whose runtime was killed."""
        if self.state is State.STOPPED:
            return
        self._gone(Exit(None, 9, 0), reason="spindown")

    def fail(self, error_type: str, words: str) -> None:
        """Something in it ended that must not: answers who waits, and lets go of everything."""
        self._gone(Exit(None, 9, 0), error_type, words)

    # LinkEvents.

    def on_ready(self) -> None:
        if self.state is State.STARTING:
            self.idle_since_s = self._around.clock.monotonic_s()
            self._init_ms = (self.idle_since_s - self._init_started_s) * 1000
            self._drain()
            self._become(State.IDLE)
            self._init.set_result(None)
        elif self.state is State.BUSY and self._running is None:
            self._deadline_s = math.inf
            if self._unreported is not None:
                self._report_late("")
            self._become(State.IDLE)
            self.settling = False
            self.on_free(self)

    def on_response(
        self, request_id: str, payload: bytes, content_type: str, worked_us: int = -1, unread_bytes: int = -1
    ) -> None:
        running = self._running
        if running is None or running.invocation.request_id != request_id:
            return
        if running.parts is not None:
            if payload and not self.on_part(request_id, payload, content_type):
                return
            payload = b"".join(running.parts)
        self._finish(payload, None, content_type, worked_us, unread_bytes)

    def on_part(self, request_id: str, part: bytes, content_type: str) -> bool:
        running = self._running
        if running is None or running.invocation.request_id != request_id:
            return True
        assert self._link is not None
        if take_part(running, self.function, part, content_type, self._around.clock, self._link):
            return True
        self.on_too_large(request_id, running.parts_bytes)
        return False

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> None:
        if self._is_current(request_id):
            self._finish(payload, error_type)

    def on_too_large(self, request_id: str, size_bytes: int) -> None:
        running = self._running
        if running is not None and running.invocation.request_id == request_id:
            message = (
                f"Response payload size ({size_bytes} bytes) exceeded maximum allowed payload size "
                f"({running.limit_bytes} bytes)."
            )
            self._finish(
                events.error_document("Function.ResponseSizeTooLarge", message), "Function.ResponseSizeTooLarge"
            )

    def on_init_error(self, error_type: str, payload: bytes) -> None:
        if self.state is State.STARTING:
            self._fail_init(InitFailed(error_type, payload=payload))

    # Ends.

    def _finish(
        self,
        payload: bytes,
        error_type: str | None,
        content_type: str = "application/json",
        worked_us: int = -1,
        unread_bytes: int = -1,
    ) -> None:
        """The runtime answered. The environment is free when it asks for the next, and until then on the clock."""
        running = self._running
        assert running is not None
        self._running = None
        now_s = self._around.clock.monotonic_s()
        duration_ms = (now_s - running.started_s) * 1000
        self._sample_memory()
        if self.observer is None:
            status = "error" if error_type else ""
            self._conclude(running, payload, error_type, status, duration_ms, [], content_type, unread_bytes)
        else:
            self._answer_early(running, payload, error_type, duration_ms, content_type)
        self.idle_since_s = now_s
        self.settling = True
        self.on_answered(self, worked_us)

    def _on_timer(self) -> None:
        """The oldest deadline has come: of the invocation that runs, or of one before it."""
        self._timer = None
        if self._deadline_s == math.inf or self.state is State.STOPPED:
            return
        left_s = self._deadline_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._on_timer)
        else:
            self._on_timeout()

    def _on_timeout(self) -> None:
        running, self._running = self._running, None
        if running is None:
            # It answered, but never got ready for more.
            if self._unreported is not None:
                self._report_late("timeout")
            self._gone(Exit(None, 9, 0), reason="timeout")
            return
        message = events.timeout_message(self.function.timeout_s)
        request_id = running.invocation.request_id
        payload = events.error_document("Sandbox.Timedout", f"RequestId: {request_id} Error: {message}")
        line = events.timeout_line(now_ms(self._around.clock), request_id, self.function.timeout_s)
        self._sample_memory()
        self._conclude(running, payload, "Sandbox.Timedout", "timeout", self.function.timeout_s * 1000, [line])
        self._gone(Exit(None, 9, 0), reason="timeout")

    def _on_exited(self, exited: asyncio.Future[Exit]) -> None:
        if not exited.cancelled():
            self._gone(exited.result())

    def _gone(self, end: Exit, error_type: str = "Runtime.ExitError", words: str = "", reason: str = "failure") -> None:
        """The process has ended or must: answers who waits, and lets go of everything."""
        if self.state is State.STOPPED:
            return
        self._max_memory_mb = max(self._max_memory_mb, math.ceil(end.max_rss_kb / 1024))
        if self._timer is not None:
            self._timer.cancel()
        running, self._running = self._running, None
        words = words or events.exit_words(end)
        if end.out_of_memory:
            error_type = "Runtime.OutOfMemory"
        if running is not None:
            line = f"RequestId: {running.invocation.request_id} Error: {words}"
            duration_ms = (self._around.clock.monotonic_s() - running.started_s) * 1000
            payload = events.error_document(error_type, line)
            self._conclude(running, payload, error_type, "error", duration_ms, [line, error_type])
        if self._unreported is not None:
            self._report_late("error", error_type)
        if not self._init.done():
            self._fail_init(InitFailed(error_type, words))
            return
        self._become(State.STOPPED)
        self._let_go(reason)

    def _fail_init(self, failed: InitFailed) -> None:
        failed.duration_ms = (self._around.clock.monotonic_s() - self._init_started_s) * 1000
        self._drain()
        failed.log_stream, failed.lines = self.log_stream, self._init_lines
        self._become(State.STOPPED)
        self._init.set_exception(failed)
        # Whoever waits sees it; when nobody does any more it is no unheard error.
        self._init.exception()
        self._let_go("failure" if failed.status == "error" else "timeout")

    def _let_go(self, reason: str) -> None:
        if self.farewell is not None:
            self.farewell(reason, self._close)
        else:
            self._close()
        self.on_gone(self)

    def _close(self) -> None:
        if self.process is not None:
            self.process.kill()
        if self._link is not None:
            self._link.close()
        if self._output is not None:
            self._output.close()

    # With extensions: the caller is answered at once, the invocation ends when they have ended their work.

    def _answer_early(
        self, running: Running, payload: bytes, error_type: str | None, duration_ms: float, content_type: str
    ) -> None:
        self._drain_into(running)
        self._unreported = running, error_type
        status = "error" if error_type else ""
        report = self._make_report(running, error_type, status, duration_ms)
        closing = closing_lines(report, self.function.log_format, now_ms(self._around.clock))
        answer_caller(running, self.function, payload, status, duration_ms, closing, content_type)

    def _report_late(self, status: str, error_type: str | None = None) -> None:
        assert self._unreported is not None
        (running, said), self._unreported = self._unreported, None
        self._drain_into(running)
        duration_ms = (self._around.clock.monotonic_s() - running.started_s) * 1000
        status = "error" if said else status
        report = self._make_report(running, said or error_type, status, duration_ms)
        stamp_ms = now_ms(self._around.clock)
        lines = (
            [events.timeout_line(stamp_ms, report.request_id, self.function.timeout_s)] if status == "timeout" else []
        )
        lines += closing_lines(report, self.function.log_format, stamp_ms)
        self._log([LogEvent(stamp_ms, line) for line in lines])
        self.on_done(self.function)
        self._tell_listeners(running, report, status, said or error_type)

    def _drain_into(self, running: Running) -> None:
        printed = self._output.drain() if self._output is not None else []
        running.lines += [event.message for event in printed]
        if self.observer is not None and printed:
            self.observer.printed(printed)
        self._log([*start_lines(running, self.function), *printed])

    # Logs and figures.

    def take_output(self, lines: list[LogEvent]) -> None:
        """What the function printed."""
        running = self._running
        kept = running.lines if running is not None else self._init_lines
        if self._kept_bytes < _KEPT_LINES_BYTES:
            for event in lines:
                kept.append(event.message)
                self._kept_bytes += len(event.message) + 1
        if self.observer is not None:
            self.observer.printed(lines)
        self._log(lines if running is None else [*start_lines(running, self.function), *lines])

    def _conclude(
        self,
        running: Running,
        payload: bytes,
        error_type: str | None,
        status: str,
        duration_ms: float,
        last_lines: list[str],
        content_type: str = "application/json",
        unread_bytes: int = -1,
    ) -> None:
        """The last log lines, the caller's answer, the listeners."""
        function = self.function
        printed = self._output.drain(unread_bytes) if self._output is not None else []
        stamp_ms = now_ms(self._around.clock)
        report = self._make_report(running, error_type, status, duration_ms)
        if self.observer is not None:
            self.observer.printed(printed)
        if printed or last_lines:
            printed += [LogEvent(stamp_ms, line) for line in last_lines]
            running.lines += [event.message for event in printed]
        closing = closing_lines(report, function.log_format, stamp_ms)
        lines = start_lines(running, self.function)
        if printed:
            lines += printed
        lines += [LogEvent(stamp_ms, line) for line in closing]
        self._log(lines)
        self.on_done(function)
        answer_caller(running, self.function, payload, status, duration_ms, closing, content_type)
        self._tell_listeners(running, report, status, error_type)

    def _make_report(self, running: Running, error_type: str | None, status: str, duration_ms: float) -> events.Report:
        return events.Report(
            running.invocation.request_id, duration_ms, self.function.memory_mb, self._max_memory_mb, running.init_ms,
            status, error_type or "", self.initialization == "snap-start",
        )  # fmt: skip

    def _tell_listeners(self, running: Running, report: events.Report, status: str, error_type: str | None) -> None:
        function = self.function
        if self.observer is not None:
            self.observer.reported(report)
        for listener in self._around.listeners:
            listener(InvocationRecord(function.region, function.name, function.version, report.request_id, status,
                error_type, report.duration_ms, report.billed_ms, report.init_ms, report.max_memory_mb, running.lines,
            ))  # fmt: skip

    def _drain(self) -> None:
        if self._output is not None:
            self.take_output(self._output.drain())

    def _log(self, lines: list[LogEvent]) -> None:
        if lines:
            self._around.logs.append(self.function.region, self.function.log_group, self.log_stream, lines)

    def _sample_memory(self) -> None:
        now_s = self._around.clock.monotonic_s()
        if now_s - self._sampled_s >= _MEMORY_SAMPLE_S and self.process is not None:
            self._sampled_s = now_s
            self._max_memory_mb = max(self._max_memory_mb, peak_mb(self.process.pid))

    def _is_current(self, request_id: str) -> bool:
        """Answers to anything but the running invocation mean nothing."""
        return self._running is not None and self._running.invocation.request_id == request_id

    def _become(self, state: State) -> None:
        assert state in _NEXT[self.state], f"{self.log_stream}: {self.state.name} -> {state.name}"
        self.state = state


def _nothing(_: Environment) -> None: ...


def _answered_nothing(_: Environment, worked_us: int) -> None: ...


def _woken_nothing(idle_since_s: float) -> None: ...


def _done_nothing(_: FunctionVersion) -> None: ...
