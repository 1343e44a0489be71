"""Brings an execution environment up: its files, its program, its link, its output, in a sandbox.

The steps of a cold start, top to bottom; nothing else in the engine knows sandboxes or languages.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from freehold.clock import Ids, now_ms
from freehold.engine import events
from freehold.engine.blanks import LINK_FD, Blank, Blanks
from freehold.engine.closed_network import ClosedNetwork
from freehold.engine.environment import Environment, InitFailed
from freehold.engine.extension_host import ExtensionHost, extension_names
from freehold.engine.frames import FrameLink
from freehold.engine.functions import FunctionVersion
from freehold.engine.limits import INIT_S
from freehold.engine.link import Link
from freehold.engine.output import OutputReader
from freehold.engine.packages import Packages
from freehold.engine.role_sessions import RoleSessions
from freehold.engine.runtime_api import RuntimeApi
from freehold.engine.snapshots import INIT_S as SNAPSHOT_INIT_S
from freehold.engine.snapshots import SNAP_START, Impossible, Snapshots, Template
from freehold.engine.surroundings import Surroundings
from freehold.engine.turns import Turns
from freehold.engine.variables import TELEMETRY_FD, function_variables
from freehold.runtimes.interpreters import NoInterpreter
from freehold.runtimes.launch import TASK_DIR, Launch, Launcher, LaunchError, Package, Transport
from freehold.runtimes.names import RUNTIMES, Runtime
from freehold.sandbox.sandbox import Limits, Program, Room, Sandbox, SandboxError, SandboxProcess

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"


class Starter:
    """`endpoint` gives the URL under which functions reach this server; `transport` None is the quickest.

    `closed_network`: where the sandbox gives each environment one.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        launcher: Launcher,
        packages: Packages,
        around: Surroundings,
        ids: Ids,
        endpoint: Callable[[], str],
        transport: Transport | None = None,
        sessions: RoleSessions | None = None,
        closed_network: ClosedNetwork | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._launcher = launcher
        self._packages = packages
        self._around = around
        self._ids = ids
        self._sessions = sessions or RoleSessions(ids.hex(64).encode())
        self._endpoint = endpoint
        self._transport = transport
        self._closed_network = closed_network
        self._turns = Turns()
        self.blanks = Blanks(sandbox)
        self.snapshots = Snapshots(self._take_snapshot)

    async def start(
        self,
        function: FunctionVersion,
        initialization: str = ON_DEMAND,
        limit_s: float = INIT_S,
        begin: Callable[[], bool] = lambda: True,
    ) -> Environment | None:
        """An IDLE environment; None when `begin`, asked as soon as it is the function's turn, says that none is needed
        any more. Raises InitFailed."""
        template = await self.snapshots.find(function) if function.snap_start and initialization == ON_DEMAND else None
        async with self._turns.of(function.function_key):
            environment = await self._begin(function, initialization, template) if begin() else None
        if environment is None:
            return None
        await self._become_ready(environment, limit_s)
        if environment.initialization == SNAP_START:
            environment.say(_restore_report(environment.function, environment.init_age_ms, now_ms(self._around.clock)))
        return environment

    async def _become_ready(self, environment: Environment, limit_s: float) -> None:
        try:
            await environment.wait_ready(limit_s)
        except InitFailed as failed:
            self._say_failed(environment, failed)
            raise

    async def _begin(self, function: FunctionVersion, initialization: str, template: Template | None) -> Environment:
        if template is not None and template.failure is not None:
            raise template.failure
        if template is not None and template.environment is not None:
            try:
                return await self._restore(function, template)
            except SandboxError as error:
                self.snapshots.renounce(function, str(error))
        environment = Environment(function, self._log_stream(function), self._around)
        environment.provisioned = initialization == PROVISIONED
        environment.say(_init_start(function, now_ms(self._around.clock)))
        try:
            await self._bring_up(environment, initialization)
        except (LaunchError, NoInterpreter, SandboxError, OSError) as error:
            environment.stop()
            error_type = error.error_type if isinstance(error, LaunchError) else "Runtime.InvalidEntrypoint"
            failed = InitFailed(error_type, error.message if isinstance(error, LaunchError) else str(error))
            self._say_failed(environment, failed)
            raise failed from error
        except asyncio.CancelledError:
            environment.stop()
            raise
        return environment

    async def prepare(self, runtime: Runtime) -> None:
        """Has what a runtime's environments start from up before they are asked for."""
        try:
            if runtime.language == "python":
                await self._sandbox.prepare(await self._launcher.zygote(runtime))
            elif runtime.language is not None:
                await self._sandbox.prepare(None)
            if self._sandbox.jails and runtime.language in ("python", "node") and self._transport != "http":
                self.blanks.want(await self._launcher.launch(Package(runtime, "", TASK_DIR, None, True), {}))
        except (SandboxError, NoInterpreter):
            # The first invocation will meet it too, and has somebody to tell.
            return

    async def find_all(self, function: FunctionVersion) -> None:
        """Has its files in place and finds its runtime. Raises NoInterpreter, AwsError, OSError."""
        package = await self._package(function)
        with suppress(LaunchError):  # What the package lacks is told to who invokes it, as on AWS.
            await self._launcher.launch(package, function.variables, self._transport)

    def close(self) -> None:
        """Lets go of what waits for functions."""
        self.blanks.close()
        self.snapshots.close()

    async def _take_snapshot(self, function: FunctionVersion) -> Environment:
        """A process that has run the function's init and waits to be forked. Raises InitFailed, Impossible."""
        environment = Environment(function, self._log_stream(function), self._around)
        environment.say(_init_start(function, now_ms(self._around.clock), SNAP_START))
        try:
            await self._bring_up(environment, SNAP_START)
        except (LaunchError, NoInterpreter, OSError) as error:
            environment.stop()
            raise InitFailed("Runtime.InvalidEntrypoint", str(error)) from error
        except BaseException:
            environment.stop()
            raise
        await self._become_ready(environment, max(SNAPSHOT_INIT_S, function.timeout_s))
        environment.say(events.init_report_line(environment.init_age_ms, "init", ""))
        if environment.observer is not None:
            environment.stop()
            raise Impossible("something in its init registered as an extension")
        return environment

    async def _restore(self, function: FunctionVersion, template: Template) -> Environment:
        """Raises SandboxError."""
        environment = Environment(function, self._log_stream(function), self._around)
        environment.initialization = SNAP_START
        stamp_ms, loop = now_ms(self._around.clock), asyncio.get_running_loop()
        environment.say(_restore_start(function, stamp_ms))
        blank = await template.take()
        output = OutputReader(loop, blank.output_fd, lambda: now_ms(self._around.clock), environment.take_output)
        host = ExtensionHost(environment, [], self._around, self._ids)
        inside = RuntimeApi(environment, False, host.begin, host.admit)
        await inside.hear(None)
        frames = FrameLink(loop, blank.link, environment)
        frames.owns(inside.close)
        link = host.serve(frames)
        host.started(blank.process)
        frames.start(orjson.dumps({"env": {"AWS_LAMBDA_RUNTIME_API": inside.address}}))
        environment.attach(blank.process, link, output)
        return environment

    async def _bring_up(self, environment: Environment, initialization: str) -> None:
        function = environment.function
        package = await self._package(function)
        names = extension_names(package.opt_dir)
        launch = await self._launcher.launch(package, function.variables, self._transport, may_fork=not names)
        is_template = initialization == SNAP_START
        if is_template and (launch.argv or self._closed_network is not None):
            raise Impossible("it has extensions, a wrapper or a network of its own")
        blank = self.blanks.take(launch) if launch.may_boot_blank and package.jailed and not is_template else None
        loop = asyncio.get_running_loop()
        output_fd, print_fd = (blank.output_fd, -1) if blank is not None else os.pipe()
        output = OutputReader(loop, output_fd, lambda: now_ms(self._around.clock), environment.take_output)
        inside: RuntimeApi | None = None
        try:
            environment.initialization = initialization
            host = ExtensionHost(environment, names, self._around, self._ids, self._closed_network is not None)
            network = self._closed_network
            inside = RuntimeApi(environment, launch.transport == "http", host.begin, None if network else host.admit)
            if network is None:
                await inside.hear(None)
            variables = function_variables(
                function, package, launch, network.endpoint if network else self._endpoint(), environment.log_stream,
                initialization, network.runtime_api if network else inside.address,
                self._sessions.issue(function.role_arn, function.name),
            )  # fmt: skip
            if blank is not None:
                link, process = await self._furnish(environment, package, launch, variables, blank, inside, host)
            else:
                link, process = await self._spawn(environment, package, launch, variables, print_fd, inside, host)
            if network is not None:
                try:
                    await network.open(process, inside)
                except BaseException:
                    link.close()
                    process.kill()
                    raise
        except BaseException:
            output.close()
            if inside is not None:
                inside.close()
            raise
        finally:
            if blank is None:
                os.close(print_fd)
        environment.attach(process, link, output)

    async def _furnish(
        self,
        environment: Environment,
        package: Package,
        launch: Launch,
        variables: dict[str, str],
        blank: Blank,
        inside: RuntimeApi,
        host: ExtensionHost,
    ) -> tuple[Link, SandboxProcess]:
        """A runtime that waits becomes the function."""
        frames = FrameLink(asyncio.get_running_loop(), blank.link, environment)
        frames.owns(inside.close)
        link = host.serve(frames)
        try:
            await blank.process.furnish(_room(environment.function, package, launch), _limits(environment.function))
        except BaseException as error:
            frames.close()
            blank.process.kill()
            if isinstance(error, SandboxError):
                # So it would be with the next one, too.
                self.blanks.renounce()
            raise
        host.started(blank.process)
        frames.start(orjson.dumps({**launch.first_message, "env": variables}))
        return link, blank.process

    async def _spawn(
        self,
        environment: Environment,
        package: Package,
        launch: Launch,
        variables: dict[str, str],
        print_fd: int,
        inside: RuntimeApi,
        host: ExtensionHost,
    ) -> tuple[Link, SandboxProcess]:
        """Starts the program. Where it is a managed runtime of ours, its first frame says what to become."""
        fds = {1: print_fd, 2: print_fd}
        if not launch.first_message:
            link = host.serve(inside)
            program = _program(environment, package, launch, variables, fds)
            return link, await self._start_program(program, package, variables, host)
        fds[TELEMETRY_FD] = print_fd
        ours, theirs = socket.socketpair()
        frames = FrameLink(asyncio.get_running_loop(), ours, environment)
        fds[LINK_FD] = theirs.fileno()
        # Over HTTP the frames end with the first: the runtime has its address.
        first, second = (inside, frames) if launch.transport == "http" else (frames, inside)
        first.owns(second.close)
        link = host.serve(first)
        try:
            program = _program(environment, package, launch, variables if launch.argv else {}, fds)
            process = await self._start_program(program, package, variables, host)
        except BaseException:
            first.close()
            raise
        finally:
            theirs.close()
        frames.start(orjson.dumps({**launch.first_message, "env": variables}))
        return link, process

    async def _start_program(
        self, program: Program, package: Package, variables: dict[str, str], host: ExtensionHost
    ) -> SandboxProcess:
        if not host.extensions.has_external:
            process = await self._sandbox.start(program)
            host.started(process)
            return process
        program, spawned = host.wrap(program, package)
        try:
            process = await self._sandbox.start(program)
        except BaseException:
            host.extensions.close()
            raise
        finally:
            spawned()
        host.started(process)
        host.start_extensions(package, variables)
        return process

    async def _package(self, function: FunctionVersion) -> Package:
        runtime = RUNTIMES[function.runtime_name]
        opt_dir = await self._packages.merge(function.layers)
        if function.code_directory:
            task_dir = Path(function.code_directory)
        else:
            task_dir = await self._packages.unpack(function.code_sha256)
        return Package(runtime, function.handler, task_dir, opt_dir, self._sandbox.jails)

    def _log_stream(self, function: FunctionVersion) -> str:
        day = datetime.fromtimestamp(self._around.clock.now_s(), UTC).strftime("%Y/%m/%d")
        return f"{day}/[{function.version}]{self._ids.hex(32)}"

    def _say_failed(self, environment: Environment, failed: InitFailed) -> None:
        if failed.words:
            environment.say(f"{failed.error_type}: {failed.words}")
        environment.say(events.init_report_line(failed.duration_ms, "init", failed.status, failed.error_type))


def _program(
    environment: Environment, package: Package, launch: Launch, env: Mapping[str, str], fds: Mapping[int, int]
) -> Program:
    function, forks = environment.function, environment.initialization == SNAP_START
    return Program(
        launch.argv, launch.zygote, env, package.task_seen, fds,
        _limits(function), _room(function, package, launch), forks,
    )  # fmt: skip


def _limits(function: FunctionVersion) -> Limits:
    return Limits(memory_mb=function.memory_mb)


def _room(function: FunctionVersion, package: Package, launch: Launch) -> Room:
    return Room(package.task_dir, package.opt_dir, launch.visible, function.ephemeral_mb)


def _restore_start(function: FunctionVersion, stamp_ms: int) -> str:
    if function.log_format == "JSON":
        record: dict[str, object] = {"functionName": function.name, "functionVersion": function.version}
        return events.platform_record("restoreStart", record, stamp_ms)
    return events.init_start_line(function.runtime_name, function.region, "RESTORE")


def _restore_report(function: FunctionVersion, duration_ms: float, stamp_ms: int) -> str:
    if function.log_format == "JSON":
        record: dict[str, object] = {"status": "success", "metrics": {"durationMs": round(duration_ms, 3)}}
        return events.platform_record("restoreReport", record, stamp_ms)
    return events.restore_report_line(duration_ms)


def _init_start(function: FunctionVersion, stamp_ms: int, initialization: str = ON_DEMAND) -> str:
    if function.log_format == "JSON":
        record: dict[str, object] = {
            "initializationType": initialization,
            "phase": "init",
            "functionName": function.name,
            "functionVersion": function.version,
        }
        return events.platform_record("initStart", record, stamp_ms)
    return events.init_start_line(function.runtime_name, function.region)
