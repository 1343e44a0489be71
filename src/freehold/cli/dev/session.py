"""One run of `freehold dev`: the server, the API's port, the edits, the keys; and the end of all of them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from freehold.app import App
from freehold.aws.errors import AwsError
from freehold.cli import output, stacks
from freehold.cli.dev import embedded, keys, watch
from freehold.cli.dev.activity import Activity
from freehold.cli.dev.front import Front
from freehold.cli.dev.reload import Outcome, Reloader
from freehold.cli.dev.schedules import Schedule, find_schedules, fire
from freehold.cli.failure import Failure, sentence
from freehold.cli.functions import stack_of
from freehold.cli.packaging import Wishes
from freehold.cli.project import Project
from freehold.cli.stacks import Api, Resource
from freehold.cli.summary import functions_by_id
from freehold.cli.target import Running, announce, withdraw
from freehold.http.aws_client import AwsClient
from freehold.http.client import HttpClient
from freehold.http.server import HttpServer
from freehold.state.logs import LogEvent
from freehold.templates.errors import TemplateError

_EXPECTED = (TemplateError, Failure, AwsError)


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int
    aws_port: int | None  # None: 4566, or a free one where that is taken.
    watch: bool = True


class Session:
    def __init__(self, project: Project, wishes: Wishes, options: Options) -> None:
        self._project = project
        self._wishes = wishes
        self._options = options
        self._stop = asyncio.Event()
        self._activity = Activity(self._say, self._label)
        self._edits: asyncio.Queue[frozenset[Path]] = asyncio.Queue()
        self._apis: list[Api] = []
        self._found: list[Resource] = []
        self._schedules: list[Schedule] = []
        self._keys: dict[str, str] = {}  # Logical id of a function -> its name in serverless.yml.
        self._servers: list[HttpServer] = []  # All that listen.
        self._fronts: list[HttpServer] = []  # Of the API's port.
        self._broken: frozenset[str] = frozenset()  # Functions whose newest code does not start.

    async def run(self) -> None:
        """Until Ctrl-C, SIGTERM, or the terminal is closed. Raises Failure where it cannot start."""
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        async with AsyncExitStack() as leaving:
            app = await self._start_server(leaving)
            if self._options.watch:
                # Before the first deploy, so that no edit falls between the two.
                await self._watch(leaving)
            try:
                if not await self._unless_stopped(self._deploy_first(started)):
                    return
            except (TemplateError, AwsError) as error:
                raise Failure(_words(error)) from error
            announce(
                self._project.directory,
                Running(os.getpid(), app.endpoint, self._aws.call.region, self._stack_name),
            )
            leaving.callback(withdraw, self._project.directory)
            await self._work()

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """False where we were asked to stop before it ended: it is given up."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not self._stop.is_set():
            working.result()
            return True
        working.cancel()
        # Ctrl-C reaches what the work has started too: it may just have failed of that.
        await asyncio.gather(working, return_exceptions=True)
        return False

    async def _start_server(self, leaving: AsyncExitStack) -> App:
        app = await embedded.start(self._project, self._options.aws_port, self._wishes, self._activity.watch)
        leaving.push_async_callback(app.stop)
        app.engine.listen(self._activity.on_record)
        leaving.callback(app.logs.follow(self._on_log))
        http = HttpClient()
        leaving.push_async_callback(http.close)
        self._app = app
        self._servers.append(app.server)
        self._aws = AwsClient(app.endpoint, self._wishes.region or app.config.region, http)
        self._front = Front(app.gateway.handle_api, self._activity)
        self._url = await self._listen(leaving)
        return app

    def _on_log(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """What user pools would send by mail: whoever develops a sign-in needs the code."""
        if self._app.pool_pages.is_mail(group):
            for event in events:
                self._say(f"No mail was sent: {event.message}")

    async def _listen(self, leaving: AsyncExitStack) -> str:
        server = HttpServer(self._front.handle)
        host, port = self._options.host, self._options.port
        try:
            _, port = await server.start(host, port)
        except OSError as error:
            raise Failure(f"Port {port} is in use. Choose another with --port." if port else str(error)) from error
        self._add_front(server)
        leaving.push_async_callback(self._stop_listening)
        if host == "127.0.0.1":
            await self._listen_on_ipv6(port)
        return f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}"

    async def _listen_on_ipv6(self, port: int) -> None:
        """`localhost` is ::1 to some clients, which do not try the other address."""
        server = HttpServer(self._front.handle)
        try:
            await server.start("::1", port)
        except OSError:
            # A machine without IPv6.
            return
        self._add_front(server)

    def _add_front(self, server: HttpServer) -> None:
        self._fronts.append(server)
        self._servers.append(server)

    async def _stop_listening(self) -> None:
        """Before the engine ends, so that the requests in progress get their answers."""
        running = sum(server.running for server in self._fronts)
        if running:
            self._say(output.still_running(running))
        await asyncio.gather(*(server.stop(embedded.GRACE_S) for server in self._fronts))

    def _ask_to_stop(self) -> None:
        if self._stop.is_set():
            for server in self._servers:
                server.hurry()
        self._stop.set()

    async def _deploy_first(self, started: float) -> None:
        if self._project.is_serverless:
            from freehold.cli.packaging import load_service

            region = (await load_service(self._project, self._wishes, self._aws)).region
            self._aws = self._aws.in_region(region)
        self._stack_name = await stack_of(self._project, self._wishes, self._aws)
        self._wishes = replace(self._wishes, stack_name=self._stack_name)
        self._reloader = Reloader(
            self._project, self._wishes, self._aws, embedded.Rehearsal(self._app, self._aws.call.region)
        )
        outcome = await self._reloader.deploy()
        for words in outcome.warnings:
            output.warn(words)
        await self._look(outcome)
        self._print_app(time.monotonic() - started)

    async def _work(self) -> None:
        menu = keys.Menu(
            {"s": self._offer_schedules, "r": self._print_routes, "q": self._leave, "h": self._print_help},
            self._fire,
        )
        self._menu = menu
        with keys.listening(menu.on_key) as has_keys:
            if has_keys:
                await self._print_help()
            elif self._schedules:
                self._say(f"Fire a schedule by hand: freehold invoke {self._label(self._schedules[0].function)}")
            self._say("Ctrl-C stops it.")
            following = asyncio.ensure_future(self._follow_edits())
            await self._stop.wait()
            following.cancel()
            await asyncio.wait([following])
        self._say("Stopping.")

    async def _watch(self, leaving: AsyncExitStack) -> None:
        batches = watch.edits(self._project.directory, self._stop)

        async def take() -> None:
            async for changed in batches:
                self._edits.put_nowait(changed)

        task = asyncio.ensure_future(take())
        leaving.callback(task.cancel)
        # Its first step sets the watch up.
        await asyncio.sleep(0)

    async def _follow_edits(self) -> None:
        while True:
            changed = await self._edits.get()
            while not self._edits.empty():
                changed |= self._edits.get_nowait()
            started = time.monotonic()
            try:
                outcome = await self._reloader.deploy()
                await self._report(outcome, changed, time.monotonic() - started)
            except _EXPECTED as error:
                self._tell(error)
                self._say("The last good version keeps serving.")

    async def _report(self, outcome: Outcome, changed: frozenset[Path], seconds: float) -> None:
        for name, problem in outcome.broken.items():
            self._say(f"{click.style('broken', fg='red')} {name}: {problem}")
        if outcome.broken:
            self._say("The last good version keeps serving.")
        rows = self._rows()
        await self._look(outcome)
        touched = [self._keys.get(name, name) for name in outcome.changed if name in self._functions().values()]
        healed = [name for name in self._broken if name not in outcome.broken and name not in touched]
        self._broken = frozenset(outcome.broken)
        if outcome.changed:
            files = ", ".join(sorted(path.name for path in changed)[:3])
            names = ", ".join(touched or outcome.changed[:5])
            self._say(f"{click.style('reloaded', fg='green')} {names} ({files}, {output.duration(seconds)})")
        for name in healed:
            self._say(f"{click.style('healed', fg='green')} {name}: the version that serves is the saved one again")
        if self._rows() != rows:
            self._say_routes()

    async def _look(self, outcome: Outcome) -> None:
        """What the stack holds now."""
        aws, name = self._aws, self._stack_name
        self._keys = {logical_id: key for key, logical_id in outcome.functions.items()}
        self._found = await stacks.resources(aws, name)
        self._apis = await stacks.apis(aws, self._found)
        self._front.show(self._apis)
        self._reloader.know({logical_id: function for function, logical_id in self._functions().items()})
        processed = await stacks.processed_template(aws, name)
        self._schedules = find_schedules(processed, self._found)

    def _functions(self) -> dict[str, str]:
        """FunctionName -> logical id."""
        return functions_by_id(self._found)

    def _label(self, function: str) -> str:
        """What the user calls the function of this FunctionName."""
        logical_id = self._functions().get(function, function)
        return self._keys.get(logical_id, logical_id)

    def _print_app(self, seconds: float) -> None:
        head = f"{output.heading(self._stack_name)} is live at {click.style(self._url, fg='cyan')}"
        self._say(f"{head} ({output.duration(seconds)}; AWS endpoint {self._app.endpoint})")
        self._say_routes()

    async def _print_routes(self) -> None:
        self._say_routes()

    def _say_routes(self) -> None:
        rows = self._rows()
        if rows:
            self._say(output.table(("METHOD", "URL", "FUNCTION"), rows, indent="  "))
        else:
            names = ", ".join(self._label(name) for name in self._functions()) or "none"
            self._say(f"  no routes; functions: {names}; call one with `freehold invoke NAME`")

    def _rows(self) -> list[list[str]]:
        rows = [
            [route.method, self._url + ("/*" if route.path == "*" else route.path), self._label(route.function)]
            for api in self._apis
            if api.kind != "websocket"
            for route in sorted(api.routes, key=lambda route: route.path)
        ]
        # The first is at the root of the app's own port, see front.py.
        sockets = [api for api in self._apis if api.kind == "websocket"]
        rows += [["WS", re.sub("^http", "ws", self._url), self._functions_of(api)] for api in sockets[:1]]
        rows += [
            ["WS", api.url(self._app.endpoint, stage), self._functions_of(api)]
            for api in sockets[1:]
            for stage in api.stages
        ]
        return rows + [["EVERY", each.expression, self._label(each.function)] for each in self._schedules]

    def _functions_of(self, api: Api) -> str:
        return " ".join(sorted({self._label(route.function) for route in api.routes if route.function}))

    async def _print_help(self) -> None:
        fire_key = "s fires a schedule, " if self._schedules else ""
        self._say(f"Keys: {fire_key}r shows the routes, q quits.")

    async def _offer_schedules(self) -> None:
        if not self._schedules:
            self._say("The app has no schedules.")
            return
        if len(self._schedules) == 1:
            await self._fire(1)
            return
        for number, each in enumerate(self._schedules[:9], 1):
            self._say(f"  {number}  {self._label(each.function)}  {each.expression}")
        self._say("Which one? Press its number.")
        self._menu.is_choosing = True

    async def _fire(self, number: int) -> None:
        if not 1 <= number <= len(self._schedules):
            return
        schedule = self._schedules[number - 1]
        self._say(f"Firing {self._label(schedule.function)} ({schedule.expression}).")
        try:
            await fire(self._aws, schedule)
        except AwsError as error:
            self._tell(error)

    async def _leave(self) -> None:
        self._stop.set()

    def _tell(self, error: Exception) -> None:
        self._say(f"{click.style('Error:', fg='red', bold=True)} {_words(error)}")

    def _say(self, text: str) -> None:
        try:
            output.say(text)
        except OSError:
            # Nobody reads any more: `freehold dev | head`, or a terminal that is gone.
            self._hang_up()

    def _hang_up(self) -> None:
        """Our terminal is closed: what is said from now on goes nowhere, and we end as after Ctrl-C."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nowhere, fd)
        os.close(nowhere)
        self._stop.set()


def _words(error: Exception) -> str:
    return error.format_message() if isinstance(error, Failure) else sentence(error)
