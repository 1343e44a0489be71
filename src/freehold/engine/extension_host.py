"""What an environment has for its extensions: their API, their telemetry, the supervisor that starts them, their end.

AWS: "Understanding the Lambda execution environment lifecycle" (shutdown phase). Used by environments with external
extensions (files in /opt/extensions) from the beginning, and by any other once something inside registers an internal
one.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from freehold.clock import Clock, Ids, now_ms
from freehold.engine import events
from freehold.engine.environment import Environment
from freehold.engine.extensions import Extensions
from freehold.engine.extensions_api import ExtensionsApi
from freehold.engine.inside_http import InsideRequest
from freehold.engine.link import Link
from freehold.engine.output import OutputReader
from freehold.engine.supervision import RUNTIME, Supervision
from freehold.engine.surroundings import Surroundings
from freehold.engine.telemetry import EXTENSION, FUNCTION, Telemetry
from freehold.runtimes.launch import Package, installation
from freehold.runtimes.supervisor import CONTROL_FD, EXTENSIONS_FD
from freehold.runtimes.supervisor import __file__ as SUPERVISOR
from freehold.sandbox.peers import Address
from freehold.sandbox.sandbox import Program, SandboxProcess
from freehold.state.logs import LogEvent

_INTERNAL_S, _EXTERNAL_S = 0.5, 2.0  # The shutdown phase.
_RUNTIME_SHARE = 0.3  # Of it, for the runtime after its SIGTERM.
_HIDDEN = frozenset({
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
})  # fmt: skip
"""What the function sees and its extensions do not, beside names that begin with an underscore."""


def extension_names(opt_dir: Path | None) -> list[str]:
    """The external extensions of the layers: every file of /opt/extensions."""
    if opt_dir is None:
        return []
    try:
        return sorted(entry.name for entry in os.scandir(opt_dir / "extensions") if entry.is_file())
    except OSError:
        return []


class ExtensionHost:
    """Of one environment; `names`: its external extensions; `apart`: it has a network of its own. Meets `Observer`."""

    def __init__(
        self, environment: Environment, names: list[str], around: Surroundings, ids: Ids, apart: bool = False
    ) -> None:
        self.environment = environment
        self._names = names
        self._apart = apart
        self._around = around
        self._clock: Clock = around.clock
        self.telemetry = Telemetry(self._clock, self._connect)
        self.extensions = Extensions(environment, names, self.telemetry, self._clock, ids)
        self._api = ExtensionsApi(self.extensions, self._engage)
        self._link: Link | None = None
        self._process: asyncio.Future[SandboxProcess] = asyncio.get_running_loop().create_future()
        self._supervision: Supervision | None = None
        self._control: socket.socket | None = None
        self._output: OutputReader | None = None
        self._runtime: Program | None = None
        self._runtime_started = False
        self._engaged = False
        if names:
            self._engage()

    def begin(self, request: InsideRequest) -> bool:
        return self._api.begin(request)

    def serve(self, link: Link) -> Link:
        """The runtime's link is known; what the environment shall talk to."""
        self._link = link
        self.extensions.take(link)
        if self._engaged:
            link.redirect(self.extensions)
            return self.extensions
        return link

    def started(self, process: SandboxProcess) -> None:
        self._process.set_result(process)

    async def admit(self, client: Address, server: Address) -> bool:
        """Whether who connects to the environment's APIs lives in it: other functions may share its network."""
        process = await asyncio.shield(self._process)
        return await process.owns(client, server)

    # External extensions: the sandbox's program is the supervisor.

    def wrap(self, program: Program, package: Package) -> tuple[Program, Callable[[], None]]:
        """The supervisor in the runtime's place, and what to call when it was started or could not be."""
        ours, theirs = socket.socketpair()
        read_end, write_end = os.pipe()
        loop = asyncio.get_running_loop()
        self._control = ours
        self._supervision = Supervision(ours, self.extensions)
        self._output = OutputReader(loop, read_end, lambda: now_ms(self._clock), self._extensions_printed)
        self._runtime = program
        self.extensions.on_all_registered = self._start_runtime
        self.extensions.closers += [self._supervision.close, self._output.close]
        python = os.path.realpath(sys.executable) if package.jailed else sys.executable
        room = program.room
        if room is not None:
            room = replace(room, visible=(*room.visible, *installation(python), Path(SUPERVISOR)))
        fds = {**program.fds, CONTROL_FD: theirs.fileno(), EXTENSIONS_FD: write_end}

        def spawned() -> None:
            theirs.close()
            os.close(write_end)

        argv = (python, "-I", "-S", SUPERVISOR)
        return replace(program, argv=argv, zygote=None, env={}, fds=fds, room=room), spawned

    def start_extensions(self, package: Package, variables: Mapping[str, str]) -> None:
        assert self._supervision is not None
        assert package.opt_seen is not None
        env = {name: value for name, value in variables.items() if name not in _HIDDEN and not name.startswith("_")}
        paths = [str(package.opt_seen / "extensions" / name) for name in self._names]
        self._supervision.start_extensions(paths, env, "/")

    def _start_runtime(self) -> None:
        assert self._supervision is not None
        assert self._runtime is not None
        self._runtime_started = True
        self._supervision.start_runtime(self._runtime.argv, self._runtime.env, str(self._runtime.cwd))

    # Observer.

    def printed(self, lines: list[LogEvent]) -> None:
        self.telemetry.printed(FUNCTION, [(line.timestamp_ms, line.message) for line in lines])

    def reported(self, report: events.Report) -> None:
        self.telemetry.platform("end", {"requestId": report.request_id})
        self.telemetry.platform("report", events.report_record(report))

    # The end.

    def farewell(self, reason: str, close: Callable[[], None]) -> None:
        """Lets everything inside end in order, beside everything else, and then calls `close`."""
        self.extensions.ending = True
        task = asyncio.get_running_loop().create_task(self._shut_down(reason, close))
        self._around.farewells.add(task)
        task.add_done_callback(self._around.farewells.discard)

    async def _shut_down(self, reason: str, close: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        budget_s = _EXTERNAL_S if self.extensions.has_external else _INTERNAL_S
        start_s = loop.time()
        deadline_ms = now_ms(self._clock) + int(budget_s * 1000)
        self.telemetry.flush()
        try:
            if self._supervision is None:
                await self._end_process(start_s + budget_s * _RUNTIME_SHARE)
                return
            if self._runtime_started and not self.extensions.runtime_ended:
                self._supervision.signal(RUNTIME, signal.SIGTERM)
                await self._wait(lambda: self.extensions.runtime_ended, start_s + budget_s * _RUNTIME_SHARE)
                self._supervision.signal(RUNTIME, signal.SIGKILL)
            told = self.extensions.tell_shutdown(reason, deadline_ms)
            for extension in self.extensions.all.values():
                if extension.is_external and extension not in told:
                    self._supervision.signal(extension.name, signal.SIGKILL)
            await self._wait(lambda: not any(one.is_up for one in told), start_s + budget_s)
        finally:
            close()

    async def _end_process(self, until_s: float) -> None:
        """Without a supervisor the sandbox's process is the runtime itself."""
        if not self._process.done() or self._process.result().exited.done():
            return
        process = self._process.result()
        try:
            os.kill(process.pid, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            return
        await asyncio.wait([process.exited], timeout=max(0.0, until_s - asyncio.get_running_loop().time()))

    async def _wait(self, done: Callable[[], bool], until_s: float) -> None:
        changed = self.extensions.on_change
        try:
            async with asyncio.timeout_at(until_s):
                while not done():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return

    # Within.

    def _engage(self) -> None:
        if self._engaged:
            return
        self._engaged = True
        self.environment.observer = self
        self.environment.farewell = self.farewell
        if self._link is not None:
            self._link.redirect(self.extensions)
            self.environment.replace_link(self.extensions)
        function = self.environment.function
        self.telemetry.platform(
            "initStart",
            {
                "initializationType": self.environment.initialization,
                "phase": "init",
                "functionName": function.name,
                "functionVersion": function.version,
                "runtimeVersion": events.runtime_label(function.runtime_name),
            },
        )

    def _extensions_printed(self, lines: list[LogEvent]) -> None:
        self.telemetry.printed(EXTENSION, [(line.timestamp_ms, line.message) for line in lines])
        self.environment.take_extension_output(lines)

    async def _connect(self, port: int) -> socket.socket:
        """Inside the sandbox. Without a supervisor, sandboxes share the machine's loopback interface with us."""
        if self._supervision is not None:
            return await self._supervision.connect(port)
        if self._apart:
            # Nobody of ours is in its network, and what is at this port of ours is not the function's to reach.
            self.environment.say("Telemetry of internal extensions is not to be had without internet access.")
            raise OSError("the sandbox has a network of its own")
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        return connection
