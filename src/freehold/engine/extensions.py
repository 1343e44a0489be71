"""The extensions of one environment: who they are, what state each is in, and when a phase is over.

AWS: "Using the Lambda Extensions API to create extensions"; states and error types as in AWS's runtime interface
emulator. Stands between the runtime's link and the environment: work goes out to the extensions as well, answers pass
at once, and the environment is ready when the runtime and all extensions are.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from freehold.clock import Clock, Ids, now_ms
from freehold.engine import events
from freehold.engine.environment import Environment
from freehold.engine.inside_http import InsideRequest
from freehold.engine.link import Link, Work
from freehold.engine.supervision import RUNTIME
from freehold.engine.telemetry import Telemetry
from freehold.sandbox.sandbox import Exit

INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"
MOST = 10
CRASH, LAUNCH_ERROR = "Extension.Crash", "Extension.LaunchError"
INIT_ERROR, EXIT_ERROR = "Extension.InitError", "Extension.ExitError"


class ExtensionState(enum.Enum):
    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"  # A GET next is open.
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    EXITED = "Exited"
    LAUNCH_ERROR = "LaunchError"


_S = ExtensionState
_NEXT = {
    _S.STARTED: {_S.REGISTERED, _S.LAUNCH_ERROR, _S.EXITED},
    _S.REGISTERED: {_S.READY, _S.INIT_ERROR, _S.EXIT_ERROR, _S.EXITED},
    _S.READY: {_S.RUNNING, _S.EXIT_ERROR, _S.EXITED},
    _S.RUNNING: {_S.READY, _S.EXIT_ERROR, _S.EXITED},
    # Both may be told again; the first word counts.
    _S.INIT_ERROR: {_S.INIT_ERROR, _S.EXITED},
    _S.EXIT_ERROR: {_S.EXIT_ERROR, _S.EXITED},
    _S.EXITED: set(),
    _S.LAUNCH_ERROR: set(),
}


@dataclass(slots=True, eq=False)
class Extension:
    name: str
    identifier: str
    is_external: bool
    state: ExtensionState = ExtensionState.STARTED
    events: list[str] = field(default_factory=list)
    error_type: str = ""  # Its own word, of init/error or exit/error.
    waiting: InsideRequest | None = None
    unsent: bytes | None = None  # An event for which it has not asked again yet: it lost its connection.

    def may(self, state: ExtensionState) -> bool:
        return state in _NEXT[self.state]

    @property
    def is_up(self) -> bool:
        return self.state not in (_S.EXITED, _S.LAUNCH_ERROR)


class Extensions:
    """Meets `Link` and `LinkEvents`, and `SupervisionEvents`. The inner link is given with `take`."""

    def __init__(
        self, environment: Environment, names: list[str], telemetry: Telemetry, clock: Clock, ids: Ids
    ) -> None:
        self.environment = environment
        self.telemetry = telemetry
        self.all: dict[str, Extension] = {}  # By identifier.
        self.open = True  # For registrations.
        self.on_all_registered: Callable[[], None] = _nothing
        self.on_change: asyncio.Event = asyncio.Event()
        self.closers: list[Callable[[], None]] = []
        self.runtime_ended = False
        self._clock = clock
        self._ids = ids
        self._link: Link | None = None
        self._runtime_ready = False
        self._fatal = ""  # The first error type that an extension told.
        self._parts_bytes = 0  # Of the answer that the runtime streams.
        self.ending = False  # Shutting down: ends are expected.
        for name in names:
            self.add(name, is_external=True)

    def take(self, link: Link) -> None:
        self._link = link

    def add(self, name: str, is_external: bool) -> Extension:
        extension = Extension(name, self._ids.uuid(), is_external)
        self.all[extension.identifier] = extension
        return extension

    def find(self, name: str) -> Extension | None:
        return next((one for one in self.all.values() if one.name == name), None)

    # What the extensions do.

    def registered(self, extension: Extension, wanted: list[str]) -> None:
        extension.events = wanted
        extension.state = _S.REGISTERED
        if all(one.state is not _S.STARTED for one in self.all.values() if one.is_external):
            then, self.on_all_registered = self.on_all_registered, _nothing
            then()

    def asked(self, extension: Extension, request: InsideRequest) -> None:
        """GET next, at a time when it may."""
        extension.state = _S.READY
        extension.waiting = request
        request.on_lost = lambda _: self._lost(extension)
        if extension.unsent is not None:
            event, extension.unsent = extension.unsent, None
            self._deliver(extension, event)
            return
        self.on_change.set()
        self._ready_if_all_are()

    def failed(self, extension: Extension, state: ExtensionState, said: str) -> None:
        """It told an error of its init, or that it will exit; the environment ends when its process does."""
        if extension.state is not state:
            extension.state = state
            extension.error_type = said
        self._fatal = self._fatal or (INIT_ERROR if state is _S.INIT_ERROR else EXIT_ERROR)
        if not extension.is_external:
            self._end_environment(extension, self._fatal, "exit code 0")

    # SupervisionEvents.

    def on_launch_failed(self, name: str, why: str) -> None:
        if name == RUNTIME:
            words = f"fork/exec: {why.lower()}"
            self.environment.fail("Runtime.InvalidEntrypoint", words)
            return
        extension = self.find(name)
        if extension is not None:
            extension.state = _S.LAUNCH_ERROR
            extension.error_type = why
            self._end_environment(extension, LAUNCH_ERROR, f"fork/exec /opt/extensions/{name}: {why.lower()}")

    def on_ended(self, name: str, end: Exit) -> None:
        self.on_change.set()
        if name == RUNTIME:
            self.runtime_ended = True
            if not self.ending:
                if self._fatal:
                    self.environment.fail(self._fatal, "exit code 0")
                else:
                    self.environment.fail("Runtime.ExitError", events.exit_words(end))
            return
        extension = self.find(name)
        if extension is None:
            return
        before, extension.state = extension.state, _S.EXITED
        if self.ending:
            return
        kinds = {_S.INIT_ERROR: INIT_ERROR, _S.EXIT_ERROR: EXIT_ERROR}
        # AWS counts a signal's end as its exit code too; the words are seen in its users' logs.
        code = end.code if end.code is not None else 128 + (end.signal or 0)
        extension.state = before
        self._end_environment(extension, kinds.get(before, CRASH), f"exit code {code}")
        extension.state = _S.EXITED

    # Link.

    def send(self, work: Work) -> None:
        assert self._link is not None
        self._runtime_ready = False
        self._parts_bytes = 0
        event: dict[str, object] = {
            "eventType": INVOKE,
            "deadlineMs": work.deadline_ms,
            "requestId": work.request_id,
            "invokedFunctionArn": work.function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": work.trace_id},
        }
        self.telemetry.platform(
            "start",
            {
                "requestId": work.request_id,
                "version": self.environment.function.version,
                "tracing": {"type": "X-Amzn-Trace-Id", "value": work.trace_id},
            },
        )
        encoded = orjson.dumps(event)
        for extension in self.all.values():
            if INVOKE in extension.events and extension.is_up:
                self._deliver(extension, encoded)
        self._link.send(work)

    def hold(self) -> None:
        if self._link is not None:
            self._link.hold()

    def go_on(self) -> None:
        if self._link is not None:
            self._link.go_on()

    def close(self) -> None:
        self.telemetry.close()
        if self._link is not None:
            self._link.close()
        for close in self.closers:
            close()
        self.closers.clear()

    def redirect(self, events: object) -> None:
        raise AssertionError("nothing stands before the extensions")

    # LinkEvents, from the runtime's link.

    def on_ready(self) -> None:
        self._runtime_ready = True
        self._ready_if_all_are()

    def on_response(
        self, request_id: str, payload: bytes, content_type: str, worked_us: int = -1, unread_bytes: int = -1
    ) -> None:
        self._runtime_done(request_id, "success", "", self._parts_bytes + len(payload))
        self.environment.on_response(request_id, payload, content_type, worked_us, unread_bytes)

    def on_part(self, request_id: str, part: bytes, content_type: str) -> bool:
        self._parts_bytes += len(part)
        return self.environment.on_part(request_id, part, content_type)

    def on_error(self, request_id: str, error_type: str, payload: bytes) -> None:
        self._runtime_done(request_id, "error", error_type, len(payload))
        self.environment.on_error(request_id, error_type, payload)

    def on_init_error(self, error_type: str, payload: bytes) -> None:
        self.environment.on_init_error(error_type, payload)

    def on_too_large(self, request_id: str, size_bytes: int) -> None:
        self._runtime_done(request_id, "error", "Function.ResponseSizeTooLarge", size_bytes)
        self.environment.on_too_large(request_id, size_bytes)

    # Phases.

    def tell_shutdown(self, reason: str, deadline_ms: int) -> list[Extension]:
        """Those that will hear of it; the others are to be killed."""
        event = {"eventType": SHUTDOWN, "deadlineMs": deadline_ms, "shutdownReason": reason}
        encoded = orjson.dumps(event)
        told = [one for one in self.all.values() if one.is_external and one.is_up and SHUTDOWN in one.events]
        for extension in told:
            self._deliver(extension, encoded)
        return told

    def _ready_if_all_are(self) -> None:
        if not self._runtime_ready:
            return
        ups = [one for one in self.all.values() if one.is_up]
        if self.open:
            if any(one.state is not _S.READY for one in ups):
                return
            self.open = False
            self._init_done(ups)
        elif any(INVOKE in one.events and one.state is not _S.READY for one in ups):
            return
        self.environment.on_ready()

    def _init_done(self, ups: list[Extension]) -> None:
        for extension in ups:
            self._say(extension)
        self.telemetry.platform("initRuntimeDone", {**self._phase(), "status": "success"})
        metrics = {"durationMs": round(self.environment.init_age_ms, 3)}
        self.telemetry.platform("initReport", {**self._phase(), "status": "success", "metrics": metrics})
        self.telemetry.shut()

    def _phase(self) -> dict[str, object]:
        return {"initializationType": self.environment.initialization, "phase": "init"}

    def _runtime_done(self, request_id: str, status: str, error_type: str, size_bytes: int) -> None:
        record: dict[str, object] = {"requestId": request_id, "status": status}
        if error_type:
            record["errorType"] = error_type
        record["metrics"] = {"durationMs": round(self.environment.age_ms, 3), "producedBytes": size_bytes}
        self.telemetry.platform("runtimeDone", record)

    def _deliver(self, extension: Extension, event: bytes) -> None:
        extension.state = _S.RUNNING
        request, extension.waiting = extension.waiting, None
        if request is None:
            extension.unsent = event
            return
        request.answer(200, event, headers={"Lambda-Extension-Event-Identifier": self._ids.uuid()})

    def _lost(self, extension: Extension) -> None:
        """It may ask again, on a new connection."""
        extension.waiting = None

    def _end_environment(self, extension: Extension, error_type: str, words: str) -> None:
        self._say(extension, error_type)
        self.environment.fail(error_type, words)

    def _say(self, extension: Extension, error_type: str = "") -> None:
        """AWS's log line of an extension, and platform.extension."""
        line = (
            f"EXTENSION\tName: {extension.name}\tState: {extension.state.value}\tEvents: [{','.join(extension.events)}]"
        )
        record: dict[str, object] = {
            "name": extension.name, "state": extension.state.value, "events": extension.events
        }  # fmt: skip
        if error_type:
            line += f"\tError Type: {extension.error_type or error_type}"
            record["errorType"] = extension.error_type or error_type
        self.environment.say(line)
        self.telemetry.platform("extension", record)

    @property
    def has_external(self) -> bool:
        return any(one.is_external for one in self.all.values())

    def now_ms(self) -> int:
        return now_ms(self._clock)


def _nothing() -> None: ...
