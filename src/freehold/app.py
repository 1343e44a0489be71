"""Builds every part once, by hand, top to bottom, and introduces them to each other; the only file that knows them all.

Start:   App.start
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import importlib
import logging
import os
import resource
import signal
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

import freehold
from freehold.account_services import AccountParts, add_account_services
from freehold.aws.call import Call, OperationTable, Service
from freehold.aws.validate import validate
from freehold.clock import Clock, Ids, RandomIds, SystemClock
from freehold.config import Config
from freehold.engine.async_invoke import AsyncInvoker
from freehold.engine.closed_network import ClosedNetwork
from freehold.engine.destinations import Destinations
from freehold.engine.dispatch import Engine
from freehold.engine.evictor import Idleness
from freehold.engine.invocation import Invoker
from freehold.engine.memory import share_left
from freehold.engine.packages import Packages
from freehold.engine.provisioned import Provisioned
from freehold.engine.role_sessions import RoleSessions
from freehold.engine.starter import Starter
from freehold.engine.surroundings import Surroundings
from freehold.events.dynamodb_streams import DynamoDBStreamSource
from freehold.events.mappings import Mappings, Source
from freehold.events.queues import QueueSource
from freehold.events.schedules import Schedules
from freehold.gateway.addresses import find_address
from freehold.gateway.callers import Callers
from freehold.gateway.fetch import fetch_url
from freehold.gateway.gateway import Gateway
from freehold.gateway.websockets.managers import Managers
from freehold.http.aws_api import AwsApi
from freehold.http.messages import Request, Response
from freehold.http.server import HttpServer, Limits
from freehold.runtimes.interpreters import Interpreters
from freehold.runtimes.launch import Launcher
from freehold.sandbox.layers import NETWORK, choose_sandbox, plain_sandbox
from freehold.services import apigatewaymanagementapi, events, iam, lambda_, logs
from freehold.services.lambda_.downloads import PATH as CODE_PATH
from freehold.services.lambda_.downloads import Downloads
from freehold.stacks import OPERATIONS as CLOUDFORMATION
from freehold.stacks import Stacks, start_stacks, stop_stacks
from freehold.state.blobs import Blobs
from freehold.state.log_files import FileLogs
from freehold.state.message_queues import MessageQueues
from freehold.state.object_files import ObjectFiles
from freehold.state.seal import CannotOpen, Seal
from freehold.state.sqlite_queue import SqliteQueue
from freehold.state.sqlite_store import NewerData, SqliteStore
from freehold.state.store import Document
from freehold.user_pool_pages import UserPoolPages

if TYPE_CHECKING:
    from freehold.services.dynamodb.running import RunningDynamoDB

_OPEN_FILES = 65_536
_LOAD_REST_AFTER_S = 2.0  # By then the first requests, which somebody waits for, have been answered.
_log = logging.getLogger(__name__)
_Opened = TypeVar("_Opened")


class CannotStart(Exception):
    """One sentence for the person who starts the server: what is in the way and what to do."""


class DataDirInUse(CannotStart):
    """Another server holds the data directory's lock."""


class App:
    """One Freehold server in this process. `await start()`, then `await stop()`; both on one event loop.

    `watch_invoker` stands between the gateway and the engine: `freehold dev` sees each request's invocation with it.
    """

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        ids: Ids | None = None,
        watch_invoker: Callable[[Invoker], Invoker] | None = None,
    ) -> None:
        self.config = config
        self.clock: Clock = clock or SystemClock()
        self.ids: Ids = ids or RandomIds()
        self.operations = OperationTable(check=validate)
        self.pool_pages = UserPoolPages(self.operations, lambda: self.endpoint)
        self.role_sessions = RoleSessions(self.ids.hex(64).encode())
        self.callers = Callers(config.account, self.role_sessions, iam.managed_policy_text)
        self.watch_invoker = watch_invoker
        self.host = config.host
        self.port = config.port
        self.warn: Callable[[str], None] = _log.warning  # Told, in plain words, what a user should know once.
        self.event_sources: set[str] = set()  # Services whose events somebody polls for event source mappings.
        self._tables: RunningDynamoDB | None = None
        self._stops: list[Callable[[], Awaitable[None]]] = []  # In reverse order of the starts.

    async def start(self) -> None:
        """Raises CannotStart; what was begun by then is stopped again."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stops every part, the last started first, so that nothing runs without what it needs."""
        while self._stops:
            await self._stops.pop()()

    @property
    def endpoint(self) -> str:
        """What a client on this machine calls us."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{host}:{self.port}"

    async def _start(self) -> None:
        config = self.config
        data_dir = config.data_dir
        self._stops.append(_DataDirLock(data_dir).release)
        self.store = _open(SqliteStore, data_dir / "control.db")
        self._stops.append(self.store.close)
        self.blobs = Blobs(data_dir / "blobs")
        self.logs = FileLogs(data_dir / "logs", self.clock)
        self._stops.append(self._close_logs)
        logs.follow_retention(self.store, self.logs)
        try:
            self.seal = Seal(data_dir / "secrets.key")
        except CannotOpen as error:
            raise CannotStart(str(error)) from error
        self._add_account_services()
        await self._start_tables()
        _open_many_files()
        self.server = HttpServer(self.handle, _limits(config))
        await self._start_engine()
        invoker: Invoker = self.engine if self.watch_invoker is None else self.watch_invoker(self.engine)
        self.aws_api = AwsApi(self.operations, self.ids, config.account, config.region)
        self.gateway = Gateway(
            self.store,
            invoker,
            self.clock,
            self.ids,
            config.account,
            self._fetch,
            self.aws_api,
            self.callers,
            self.logs,
        )
        self._stops.append(self._stop_gateway)
        self.gateway.start()
        sockets = self.gateway.sockets
        managers = Managers(self.callers, self.clock, sockets)
        management = apigatewaymanagementapi.ApiGatewayManagementApi(sockets, managers.check)
        self.operations.add(Service("apigatewaymanagementapi", apigatewaymanagementapi.OPERATIONS, management))
        await self._start_events()
        await self._start_stacks()
        await self._listen()
        loading = asyncio.create_task(self._load_rest())
        self._stops.append(lambda: _cancel(loading))

    def _add_account_services(self) -> None:
        store, clock = self.store, self.clock
        self.operations.add(Service("logs", logs.OPERATIONS, logs.Logs(store, self.logs, clock)))
        self.operations.add(Service("iam", iam.OPERATIONS, iam.Iam(store, clock, self.ids)))
        messages = _open(MessageQueues, self.config.data_dir / "messages.db")
        self._stops.append(messages.close)
        objects = ObjectFiles(self.config.data_dir / "s3")
        add_account_services(
            self.operations,
            AccountParts(
                store,
                self.seal,
                clock,
                self.ids,
                self.logs,
                messages,
                objects,
                self.callers.find,
                lambda: self.endpoint,
            ),
        )

    async def _start_tables(self) -> None:
        """At once where there are tables, as some work goes on in the background; else at the first call."""
        self.operations.add_later("dynamodb", self._dynamodb)
        self.operations.add_later("dynamodbstreams", self._dynamodbstreams)
        self._stops.append(self._stop_tables)
        if (self.config.data_dir / "tables.db").exists():
            await self.operations.load("dynamodb")

    async def _dynamodb(self) -> Service:
        running = await self._running_tables()
        from freehold.services import dynamodb
        from freehold.services.dynamodb.throttling import throttled

        operations = dynamodb.OPERATIONS
        if self.config.throttle_tables:
            operations = throttled(operations, self.clock)
        return Service("dynamodb", operations, running.record, raw_json=True)

    async def _dynamodbstreams(self) -> Service:
        running = await self._running_tables()
        from freehold.services import dynamodbstreams

        record = dynamodbstreams.DynamoDBStreams(running.storage, self.clock)
        return Service("dynamodbstreams", dynamodbstreams.OPERATIONS, record, raw_json=True)

    async def _running_tables(self) -> RunningDynamoDB:
        """Started by the first that asks; the operations' table lets one ask at a time. Raises CannotStart."""
        if self._tables is not None:
            return self._tables
        await asyncio.to_thread(importlib.import_module, "freehold.services.dynamodb.running")
        from freehold.services.dynamodb.running import RunningDynamoDB
        from freehold.tables.sqlite import NewerTables
        from freehold.tables.storage import StorageFailed

        def opened(file: Path) -> RunningDynamoDB:
            return RunningDynamoDB(file, self.clock, self.ids, self.operations.bind)

        try:
            running = _open(opened, self.config.data_dir / "tables.db")
        except NewerTables as error:
            raise CannotStart(str(error)) from error
        try:
            await running.start()
        except StorageFailed as error:
            await running.stop()
            raise CannotStart(f"{self.config.data_dir}: {error.message}") from error
        self._tables = running
        return running

    async def _stop_tables(self) -> None:
        if self._tables is not None:
            await self._tables.stop()

    async def _load_rest(self) -> None:
        """What was left out to start sooner, so that no call waits for it long and no upgrade of our files on the disk
        meets a server that has read half of them."""
        await self.clock.sleep(_LOAD_REST_AFTER_S)
        await self.operations.load_all()
        await asyncio.to_thread(importlib.import_module, "freehold.gateway.compile_rest")

    async def _start_engine(self) -> None:
        """Functions: what runs them, what keeps them, their API. After what they use: a schedule may run one now."""
        config, store, clock = self.config, self.store, self.clock
        around = Surroundings(clock, self.logs, [])
        network = None if config.internet else ClosedNetwork(config.port or 4566, self._serve_inside)
        if config.jail:
            self.sandbox, self.layers = await choose_sandbox(
                config.data_dir / "run" / "jail", config.cpu_limit, network.ports if network else ()
            )
        else:
            self.sandbox, self.layers = plain_sandbox("it is turned off")
        self._stops.append(self.sandbox.stop)
        if config.require_jail and not self.layers.jailed:
            raise CannotStart(f"This machine cannot jail functions, and a jail is required: {self.layers.reason}.")
        if network is not None and not self.layers.has(NETWORK):
            raise CannotStart(f"This machine cannot keep functions off its network: {self.layers.reason}.")
        packages = Packages(self.blobs, config.data_dir / "code")
        launcher = Launcher(Interpreters(self.warn), config.data_dir / "run", self.warn)
        starter = Starter(
            self.sandbox, launcher, packages, around, self.ids, lambda: self.endpoint, sessions=self.role_sessions,
            closed_network=network,
        )  # fmt: skip
        idleness = Idleness(config.keep_alive_s, config.freeze, share_left)
        self.engine = Engine(store, starter, around, config.max_environments, idleness)
        self._stops.append(self.engine.stop)
        self.engine.start()
        provisioned = Provisioned(store, self.engine)
        provisioned.start()
        queue = _open(SqliteQueue, config.data_dir / "queue.db")
        self._stops.append(queue.close)
        destinations = Destinations(self.operations.bind, clock, self.engine.dead_letter)
        later = AsyncInvoker(store, queue, self.engine, self.engine.concurrency, destinations, clock)
        self._stops.append(later.stop)
        later.start()
        self.downloads = Downloads(self.blobs, clock, self.ids.hex(64).encode())
        preparations = lambda_.Preparations(store, self.engine.prepare)
        self._stops.append(preparations.stop)
        await preparations.start()
        record = lambda_.Lambda(
            store, self.blobs, packages, self.downloads, self.engine, later, provisioned, self.engine, preparations,
            clock, self.ids, self.operations.bind, lambda: self.endpoint, config.max_environments, self.event_sources,
        )  # fmt: skip
        self.operations.add(Service("lambda", lambda_.OPERATIONS, record))

    async def _start_events(self) -> None:
        """Rules, their timer, event source mappings. After the engine: what was due while no server ran runs now."""
        operations, account = self.operations, self.config.account
        router = events.Router()
        router.follow(self.store)
        record = events.Events(self.store, router, self.clock, self.ids, operations.bind, operations.has)
        operations.add(Service("events", events.OPERATIONS, record))

        async def deliver(region: str, rule: Document, event: Document) -> None:
            await events.deliver(record, Call(region=region, account=account), rule, event)

        self.schedules = Schedules(self.store, self.clock, self.ids, deliver, account)
        self._stops.append(self.schedules.stop)
        await self.schedules.start()
        streams = DynamoDBStreamSource(self.store, operations.bind, self.engine, self.clock, self.ids)
        queues = QueueSource(operations.bind, self.engine, self.clock, self.ids)
        sources: dict[str, Source] = {"dynamodb": streams, "sqs": queues}
        mappings = Mappings(self.store, self.clock, sources)
        self.event_sources.update(sources)
        self._stops.append(mappings.stop)
        mappings.start()

    async def _start_stacks(self) -> None:
        """After every service: a stack that was interrupted goes on at once, by their operations."""
        operations = self.operations
        stacks = Stacks(self.store, operations.bind, self.clock, self.ids, operations.has)
        operations.add(Service("cloudformation", CLOUDFORMATION, stacks))
        self._stops.append(lambda: stop_stacks(stacks))
        await start_stacks(stacks)

    async def _fetch(self, url: str) -> bytes:
        """What the gateway reads of issuers; of our own user pools, without asking AWS. Raises FetchFailed."""
        own = await self.pool_pages.find_document(url)
        return await fetch_url(url) if own is None else own

    async def _stop_gateway(self) -> None:
        await self.gateway.close()

    async def _close_logs(self) -> None:
        await asyncio.to_thread(self.logs.close)

    async def _serve_inside(self, listening: socket.socket) -> Callable[[], None]:
        return await self.server.serve_also(listening)

    async def _listen(self) -> None:
        config = self.config
        try:
            self.host, self.port = await self.server.start(config.host, config.port)
        except OSError as error:
            raise CannotStart(_listen_problem(config, error)) from error
        self._stops.append(partial(self.server.stop, 1.0))
        # Before: what runs at the end of a connection, and what still runs at all, may call us.
        self._stops.append(self.gateway.sockets.close)
        self._stops.append(self._settle)

    async def _settle(self) -> None:
        self.server.handler = self._handle_last
        await self.server.settle(self.config.grace_s)

    async def _handle_last(self, request: Request) -> Response:
        """While we stop, the functions that still run may call AWS operations; deployed APIs take nothing new."""
        own = request.raw_path.startswith("/_freehold/")
        address = None if own else find_address(request) or self.gateway.find_domain(request)
        if address is None or self.gateway.find_connections(request, address) is not None:
            return await self.handle(request)
        return Response(503, [("Content-Type", "application/json")], b'{"message":"Service Unavailable"}')

    def handle(self, request: Request) -> Awaitable[Response]:
        """Every request of the one port: our own pages, then deployed APIs, then the AWS APIs."""
        if request.raw_path.startswith("/_freehold/"):
            return self._own_page(request)
        address = find_address(request) or self.gateway.find_domain(request)
        if address is None:
            return self._pool_page(request) if self.pool_pages.may_be(request) else self.aws_api(request)
        connections = self.gateway.find_connections(request, address)
        if connections is not None:
            return self.aws_api(request, *connections)
        return self.gateway.handle(request, address)

    async def _pool_page(self, request: Request) -> Response:
        page = await self.pool_pages.answer(request)
        return await self.aws_api(request) if page is None else page

    async def _own_page(self, request: Request) -> Response:
        path = request.raw_path
        if path == "/_freehold/health":
            isolation = {layer.name: layer.active for layer in self.layers.layers}
            body = orjson.dumps({"status": "ok", "version": freehold.__version__, "isolation": isolation})
            return Response(200, [("Content-Type", "application/json")], body)
        if path.startswith(CODE_PATH):
            code = await self.downloads.read(path, request.query)
            if code is None:
                return Response(403, [("Content-Type", "application/json")], b'{"message":"Forbidden"}')
            return Response(200, [("Content-Type", "application/zip")], code)
        return Response(404, [("Content-Type", "application/json")], b'{"message":"Not Found"}')


async def serve(
    config: Config, on_ready: Callable[[App], None], on_stop: Callable[[App], None] = lambda app: None
) -> None:
    """Runs a server until SIGINT or SIGTERM; a second one ends what still runs. Raises CannotStart."""
    loop = asyncio.get_running_loop()
    asked_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked_to_stop.set)
    app = App(config)
    await app.start()
    try:
        on_ready(app)
        await asked_to_stop.wait()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, app.server.hurry)
        on_stop(app)
    finally:
        await app.stop()


class _DataDirLock:
    """Two servers on one data directory would destroy each other's work: the second is told so."""

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = (directory / "lock").open("w")
        except OSError as error:
            raise CannotStart(f"Cannot write to the data directory {directory}: {error.strerror}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise DataDirInUse(
                f"Another Freehold server uses the data directory {directory}. "
                "Stop it, or choose another directory with --data-dir."
            ) from None

    async def release(self) -> None:
        self._file.close()


def _open(opened: Callable[[Path], _Opened], file: Path) -> _Opened:
    """A database; CannotStart where it is not ours to open."""
    try:
        return opened(file)
    except NewerData as error:
        raise CannotStart(str(error)) from error
    except sqlite3.Error as error:
        raise CannotStart(f"{file} cannot be opened: {error}.") from error


def _open_many_files() -> None:
    """Most systems start programs with a small limit that they may raise themselves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _limits(config: Config) -> Limits:
    """Connections take at most half of the files that we may open: functions and databases need theirs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = config.max_connections if soft == resource.RLIM_INFINITY else min(config.max_connections, soft // 2)
    return Limits(
        body_bytes=config.max_body_bytes,
        connections=connections,
        held_bytes=config.max_held_bytes,
        head_s=config.head_s,
        body_s=config.body_s,
    )


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _listen_problem(config: Config, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {config.port} is in use. Stop what listens there, or choose another port with --port."
    with contextlib.suppress(ValueError):
        return f"Cannot listen on {config.host}:{config.port}: {os.strerror(error.errno or 0)}."
    return f"Cannot listen on {config.host}:{config.port}: {error}."
