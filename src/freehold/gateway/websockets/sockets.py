"""WebSocket APIs at work: handshakes, messages, goodbyes, and the connections that `@connections` reaches.

API Gateway Developer Guide, "WebSocket APIs in API Gateway"; "Quotas for configuring and running a WebSocket API".
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import orjson

from freehold.gateway.compiled import Api, Kind, Route, Stage
from freehold.gateway.errors import socket_frame, write_refusal
from freehold.gateway.exchange import Exchange, Means, Refused
from freehold.gateway.pipeline import MESSAGE_PIPELINE, PIPELINES, run_steps
from freehold.gateway.turn import Caller, Turn
from freehold.gateway.websockets.connection import Connection
from freehold.http.messages import Request, Response
from freehold.http.websocket import NO_STATUS, WebSocket, accept_key, offers_websocket

IDLE_S = 10 * 60.0
LIFETIME_S = 2 * 60 * 60.0
MAX_CONNECTIONS = 50_000  # Of one server.
GOING_AWAY = 1001
GOING_AWAY_REASON = "Going away"  # Of a connection that was idle or old, or whose server stops.
NORMAL = 1000  # What DeleteConnection says to the client.
_SWEEP_S = 5.0
_GOODBYES_AT_ONCE = 32  # $disconnect routes that run at the same time.
_GOODBYES_S = 5.0  # How long a server that stops waits for them.
_NO_STATUS_REASON = "Client-side close frame status not set"  # Recorded.
_ABNORMAL_REASON = "Connection Closed Abnormally"  # Believed, not recorded.
_ID_BYTES = 11  # As AWS's: 16 characters.

MakeExchange = Callable[[Api, Stage, Request, str, str], Exchange]
FindApi = Callable[[str], Api | None]


class Sockets:
    """A Host of connections."""

    def __init__(self, means: Means, find_api: FindApi, make_exchange: MakeExchange) -> None:
        self._means = means
        self._find_api = find_api
        self._make_exchange = make_exchange
        self._connections: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._goodbyes = asyncio.Semaphore(_GOODBYES_AT_ONCE)
        self._sweeper: asyncio.Task[None] | None = None
        self._is_stopping = False

    @property
    def count(self) -> int:
        """Of open connections."""
        return len(self._connections)

    # Handshakes.

    async def connect(self, api: Api, stage: Stage, request: Request) -> Response:
        """101 with what takes the connection over, or the refusal."""
        if not offers_websocket(request):
            return _plain(403, "Forbidden")
        if request.lower.get("sec-websocket-version", "").strip() != "13":
            return Response(426, [("Sec-WebSocket-Version", "13")])
        accept = accept_key(request)
        if accept is None:
            return _plain(400, "Bad Request")
        if self._is_stopping or len(self._connections) >= MAX_CONNECTIONS:
            return _plain(503, "Service Unavailable")
        exchange = self._make_exchange(api, stage, request, "", "")
        exchange.turn = Turn("CONNECT", self._caller(exchange))
        headers = [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept)]
        assert stage.sockets is not None
        exchange.route = stage.sockets.by_key.get("$connect")
        if exchange.route is not None:
            try:
                response = await run_steps(exchange, PIPELINES[Kind.WEBSOCKET])
                _log(exchange, response, None)
            except Refused as refused:
                response = write_refusal(exchange, refused)
                _log(exchange, response, refused)
            if not 200 <= response.status < 300:
                response.headers = [each for each in response.headers if not _is_subprotocol(each)]
                return response
            headers += [each for each in response.headers if _is_subprotocol(each)]
        return Response(101, headers, upgrade=partial(self._open, exchange))

    def _caller(self, exchange: Exchange) -> Caller:
        request, api = exchange.request, exchange.api
        return Caller(
            connection_id=urlsafe_b64encode(bytes.fromhex(self._means.ids.hex(2 * _ID_BYTES))).decode("ascii"),
            connected_at_ms=int(exchange.now_s * 1000),
            source_ip=request.client,
            user_agent=request.lower.get("user-agent"),
            # The name that AWS gives it, however the client named us: functions are led from there to this server.
            domain=f"{api.id}.execute-api.{api.region}.amazonaws.com",
        )

    def _open(self, exchange: Exchange, transport: asyncio.Transport | None, behind: bytes) -> None:
        turn = exchange.turn
        assert turn is not None
        api = exchange.api
        connection = Connection(
            self, api.region, api.id, exchange.stage.name, turn.caller, exchange.authorizer, exchange.caller
        )
        if transport is None:
            # It left while $connect ran, and $connect may have written it down.
            self.ended(connection, NO_STATUS, "")
            return
        self._connections[connection.id] = connection
        connection.socket = WebSocket(transport, connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep_often())
        if self._is_stopping:
            connection.socket.close(GOING_AWAY, GOING_AWAY_REASON)
        if behind:
            connection.socket.data_received(behind)

    # What connections ask of their host.

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def now_s(self) -> float:
        return self._means.clock.monotonic_s()

    async def answer(self, connection: Connection, text: str) -> None:
        exchange = self._exchange_of(connection, text.encode())
        if exchange is None:
            assert connection.socket is not None
            connection.socket.close(GOING_AWAY, GOING_AWAY_REASON)
            return
        message_id = urlsafe_b64encode(bytes.fromhex(self._means.ids.hex(2 * _ID_BYTES))).decode("ascii")
        exchange.turn = Turn(
            "MESSAGE", connection.caller, message_id, authorizer=connection.authorizer, signer=connection.signer
        )
        try:
            exchange.route = _route_of(exchange)
            if exchange.route is None:
                raise Refused("FORBIDDEN", "Forbidden")
            response = await run_steps(exchange, MESSAGE_PIPELINE)
            _log(exchange, response, None)
        except Refused as refused:
            connection.send(socket_frame(exchange, refused))
            if exchange.stage.logs:
                _log(exchange, write_refusal(exchange, refused), refused)
            return
        if exchange.route.is_two_way:
            connection.send(response.body)

    def ended(self, connection: Connection, code: int, reason: str) -> None:
        self._connections.pop(connection.id, None)
        if not reason:
            reason = {NO_STATUS: _NO_STATUS_REASON, 1006: _ABNORMAL_REASON}.get(code, "")
        exchange = self._exchange_of(connection, b"")
        route = exchange.stage.sockets.by_key.get("$disconnect") if exchange and exchange.stage.sockets else None
        if exchange is None or route is None:
            return
        exchange.route = route
        exchange.turn = Turn(
            "DISCONNECT",
            connection.caller,
            code=code,
            reason=reason,
            authorizer=connection.authorizer,
            signer=connection.signer,
        )
        self.run(self._say_goodbye(exchange))

    async def _say_goodbye(self, exchange: Exchange) -> None:
        """Best effort, as on AWS: what the route answers is nobody's."""
        async with self._goodbyes:
            try:
                _log(exchange, await run_steps(exchange, MESSAGE_PIPELINE), None)
            except Refused as refused:
                _log(exchange, write_refusal(exchange, refused), refused)

    def _exchange_of(self, connection: Connection, body: bytes) -> Exchange | None:
        """None: its API or stage was deleted."""
        api = self._find_api(connection.api_id)
        stage = api.stages.get(connection.stage_name) if api else None
        if api is None or stage is None or stage.sockets is None:
            return None
        request = Request("POST", "/", "", [], body, client=connection.caller.source_ip)
        return self._make_exchange(api, stage, request, "", "")

    # What `@connections` does.

    def post(self, connection_id: str, place: str, data: bytes) -> bool:
        """`place`: "{api id}/{stage}" that it must belong to; "": any. False: it is gone, or does not read."""
        connection = self._find(connection_id, place)
        return connection is not None and connection.send(data)

    def describe(self, connection_id: str, place: str) -> tuple[Caller, float] | None:
        """Who it is, and when it was last active, in epoch seconds."""
        connection = self._find(connection_id, place)
        if connection is None:
            return None
        return connection.caller, self._means.clock.now_s() - (self.now_s() - connection.active_s)

    def place_of(self, connection_id: str) -> str:
        """ "{api id}/{stage}"; "" when it is gone."""
        connection = self._find(connection_id, "")
        return f"{connection.api_id}/{connection.stage_name}" if connection is not None else ""

    def hang_up(self, connection_id: str, place: str) -> bool:
        connection = self._find(connection_id, place)
        if connection is None or connection.socket is None:
            return False
        connection.socket.close(NORMAL)
        return True

    def _find(self, connection_id: str, place: str) -> Connection | None:
        connection = self._connections.get(connection_id)
        if connection is None or (place and place != f"{connection.api_id}/{connection.stage_name}"):
            return None
        return connection if connection.socket is not None and connection.socket.is_open else None

    # Ends.

    async def _sweep_often(self) -> None:
        while True:
            await self._means.clock.sleep(_SWEEP_S)
            self.sweep()

    def sweep(self) -> None:
        """Closes what was idle or open too long, or belongs to no stage any more."""
        now_s = self.now_s()
        for connection in list(self._connections.values()):
            assert connection.socket is not None
            if now_s - connection.active_s >= IDLE_S or now_s - connection.opened_s >= LIFETIME_S:
                connection.socket.close(GOING_AWAY, GOING_AWAY_REASON)

    async def close(self) -> None:
        """Says goodbye to every client, and lets $disconnect routes run for a moment."""
        self._is_stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _GOODBYES_S
        for connection in list(self._connections.values()):
            if connection.socket is not None:
                connection.socket.close(GOING_AWAY, GOING_AWAY_REASON)
        while (self._connections or self._tasks) and loop.time() < deadline:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=0.05)
            else:
                await asyncio.sleep(0.01)
        for connection in list(self._connections.values()):
            if connection.socket is not None:
                connection.socket.abort()
        for task in list(self._tasks):
            task.cancel()


def _route_of(exchange: Exchange) -> Route | None:
    """That which the message selects, else $default. What is not JSON selects nothing."""
    routes = exchange.stage.sockets
    assert routes is not None
    document: Any = None
    try:
        document = orjson.loads(exchange.request.body)
    except orjson.JSONDecodeError:
        pass
    else:
        key = routes.selection.evaluate(lambda root: document if root == "request.body" else {})
        if key is not None and not key.startswith("$") and key in routes.by_key:
            return routes.by_key[key]
    return routes.by_key.get("$default")


def _log(exchange: Exchange, response: Response, refused: Refused | None) -> None:
    for log in exchange.stage.logs:
        log.write(exchange, response, refused)


def _is_subprotocol(header: tuple[str, str]) -> bool:
    return header[0].lower() == "sec-websocket-protocol"


def _plain(status: int, message: str) -> Response:
    return Response(status, [("Content-Type", "application/json")], b'{"message":"%b"}' % message.encode())
