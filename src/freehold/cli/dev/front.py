"""The API's own port: requests go to the app's API at the root, without an API id or a stage in the path.

WebSocket handshakes go to the app's first WebSocket API, whatever their path.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from freehold.cli.dev.activity import Activity
from freehold.cli.stacks import Api
from freehold.http.messages import Request, Response
from freehold.http.websocket import offers_websocket

HandleApi = Callable[[str, str, Request], Awaitable[Response]]
"""The gateway's: (API id, stage, request)."""


@dataclass(frozen=True, slots=True)
class _Place:
    api: Api
    stage: str
    patterns: tuple[tuple[str, re.Pattern[str]], ...]  # Method ("ANY": all) and path, of each route.

    def has(self, request: Request, path: str) -> bool:
        # A preflight is answered by the API whose route the real request will go to.
        method = None if request.method == "OPTIONS" else request.method
        return any(
            (verb == "ANY" or method in (None, verb)) and pattern.fullmatch(path) for verb, pattern in self.patterns
        )


class Front:
    """With several APIs, the first that has a route for the request gets it, else the first of all."""

    def __init__(self, handle_api: HandleApi, activity: Activity) -> None:
        self._handle_api = handle_api
        self._activity = activity
        self._places: list[_Place] = []
        self._socket_place: _Place | None = None
        self._is_settled = asyncio.Event()  # Requests that come during the first deploy wait for its end.

    def show(self, apis: Sequence[Api]) -> None:
        """What is served from now on."""
        self._places = [_place(api) for api in apis if api.kind != "websocket"]
        self._socket_place = next((_place(api) for api in apis if api.kind == "websocket"), None)
        self._is_settled.set()

    async def handle(self, request: Request) -> Response:
        started = time.monotonic()
        exchange = self._activity.begin(request.method, unquote(request.raw_path))
        status = 500
        try:
            response = await self._answer(request)
            status = response.status
            return response
        finally:
            self._activity.end(exchange, status, time.monotonic() - started)

    async def _answer(self, request: Request) -> Response:
        await self._is_settled.wait()
        if self._socket_place is not None and (offers_websocket(request) or not self._places):
            return await self._handle_api(self._socket_place.api.id, self._socket_place.stage, request)
        if not self._places:
            return Response(503, [("Content-Type", "application/json")], b'{"message":"The app has no API."}')
        place = self._places[0]
        if len(self._places) > 1:
            path = _without_stage(request.raw_path, self._places)
            place = next((each for each in self._places if each.has(request, path)), place)
        return await self._handle_api(place.api.id, place.stage, request)


def _place(api: Api) -> _Place:
    stage = "$default" if "$default" in api.stages or not api.stages else api.stages[0]
    return _Place(api, stage, tuple((route.method, _pattern(route.path)) for route in api.routes))


def _pattern(path: str) -> re.Pattern[str]:
    """ "/items/{id}", "/{proxy+}", "*"."""
    if path == "*":
        return re.compile(".*", re.DOTALL)
    parts = re.split(r"(\{[^}]*\})", path)
    regex = "".join(
        (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts
    )
    return re.compile(f"{regex}/?", re.DOTALL)


def _without_stage(path: str, places: Sequence[_Place]) -> str:
    first, slash, rest = path.removeprefix("/").partition("/")
    return f"/{rest}" if slash and any(place.stage == first for place in places) else path
