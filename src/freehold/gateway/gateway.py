"""The front door. `handle` serves the API that path or Host name; `handle_api` one API at the root of a listener.

One decision to know: which stage a request is for is settled here, before any step of the pipeline runs.
Developer Guide, "Work with stages for HTTP APIs": a first path segment that names a stage wins over `$default`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from urllib.parse import unquote

from freehold.aws.call import DEFAULT_ACCOUNT
from freehold.clock import Clock, Ids
from freehold.engine.invocation import Invoker
from freehold.engine.role_sessions import RoleSessions
from freehold.gateway.addresses import Address
from freehold.gateway.apis import Apis
from freehold.gateway.callers import Callers
from freehold.gateway.compiled import Api, Canary, Kind, Stage
from freehold.gateway.compression import packed
from freehold.gateway.cors import add_cors_headers, is_preflight
from freehold.gateway.domains import Domains
from freehold.gateway.errors import http_refusal, write_refusal
from freehold.gateway.exchange import Exchange, Means, Refused
from freehold.gateway.fetch import Fetch, fetch_url
from freehold.gateway.integrations.deadlines import Deadlines
from freehold.gateway.limits import ANSWER_MAX_BYTES, MAX_BACKEND_REQUESTS
from freehold.gateway.pipeline import PIPELINES, run_steps
from freehold.gateway.response_cache import ResponseCache
from freehold.gateway.usage_plans import UsagePlans
from freehold.gateway.websockets.sockets import Sockets
from freehold.http.client import HttpClient
from freehold.http.messages import Handler, Request, Response
from freehold.state.logs import LogEvent, LogSink
from freehold.state.store import Store

_CONNECTIONS = "/@connections/"
_SHORT_IDS = (Kind.HTTP, Kind.WEBSOCKET)
_FORBIDDEN = b'{"message":"Forbidden"}'


class Gateway:
    def __init__(
        self,
        store: Store,
        invoker: Invoker,
        clock: Clock,
        ids: Ids,
        account: str = DEFAULT_ACCOUNT,
        fetch: Fetch = fetch_url,
        call_aws: Handler | None = None,
        callers: Callers | None = None,
        logs: LogSink | None = None,
    ) -> None:
        self._store = store
        self._usage_plans = UsagePlans(store, clock)
        self._http = HttpClient(max_body_bytes=ANSWER_MAX_BYTES, max_open=MAX_BACKEND_REQUESTS)
        # Without any, nobody is known: whatever asks for a signature refuses.
        self._callers = callers or Callers(account, RoleSessions(ids.hex(64).encode()), lambda arn: None)
        self._apis = Apis(account)
        self._domains = Domains()
        self._means = Means(
            invoker,
            clock,
            ids,
            fetch,
            self._usage_plans,
            self._http,
            self._callers,
            call_aws or _no_aws,
            Deadlines(),
            logs or NoLogs(),
            ResponseCache(),
            self._apis.policies,
        )
        self.sockets = Sockets(self._means, self._apis.find, self._exchange)
        self._unfollow: tuple[Callable[[], None], ...] = ()

    def start(self) -> None:
        self._unfollow = (
            self._apis.follow(self._store),
            self._domains.follow(self._store),
            self._usage_plans.follow(),
            self._callers.follow(self._store),
        )

    def stop(self) -> None:
        for unfollow in self._unfollow:
            unfollow()
        self._unfollow = ()

    async def close(self) -> None:
        """Stops, and writes down what was counted."""
        self.stop()
        await self._usage_plans.meters.close()
        await self._http.close()

    def find_connections(self, request: Request, address: Address) -> tuple[str, str] | None:
        """("{api id}/{stage}", the path as the management API's own) of a call of `@connections`; else None."""
        if _CONNECTIONS not in request.raw_path or address.is_function_url:
            return None
        api = self._apis.find(address.id)
        if api is None or api.kind is not Kind.WEBSOCKET:
            return None
        stage, below = (address.stage, address.path) if address.stage else _split(address.path)
        if not below.startswith(_CONNECTIONS):
            return None
        return f"{api.id}/{stage}", below

    def find_domain(self, request: Request) -> Address | None:
        """What a custom domain name leads to; None: Host is no such name."""
        return self._domains.find(request)

    async def handle(self, request: Request, address: Address) -> Response:
        """The answer of the API that path or Host name; AWS's own when there is none."""
        if address.is_function_url:
            api = self._apis.find_url(address.id)
            if api is None:
                return Response(404, [("Content-Type", "application/json")], b'{"Message":null}')
            return await self._run(api, api.stages["$default"], request, address.path, address.path)
        if address.stage or not address.id:
            return await self._handle_mapped(request, address)
        api = self._apis.find(address.id)
        if api is None:
            return http_refusal(Refused("RESOURCE_NOT_FOUND"))
        found = None if api.is_endpoint_disabled else _choose_stage(api, address.path)
        if found is None:
            return _no_stage(api)
        stage, path = found
        if api.kind is Kind.WEBSOCKET:
            return await self.sockets.connect(api, stage, request) if path == "/" else _no_stage(api)
        return await self._run(api, stage, request, path, address.path)

    async def _handle_mapped(self, request: Request, address: Address) -> Response:
        """By a custom domain name, which serves also where the API's own endpoint is disabled."""
        api = self._apis.find(address.id) if address.id else None
        stage = api.stages.get(address.stage) if api is not None else None
        if api is None or stage is None:
            return Response(403, [("Content-Type", "application/json")], _FORBIDDEN)
        if api.kind is Kind.WEBSOCKET:
            return await self.sockets.connect(api, stage, request) if address.path == "/" else _no_stage(api)
        return await self._run(api, stage, request, address.path, request.raw_path or "/", address.base_path)

    async def handle_api(self, api_id: str, stage_name: str, request: Request) -> Response:
        """One API at the root: its paths work without the stage in front, as `sam local` serves them, and with it."""
        api = self._apis.find(api_id)
        stage = api.stages.get(stage_name) if api else None
        if api is None or stage is None:
            return http_refusal(Refused("RESOURCE_NOT_FOUND"))
        if api.kind is Kind.WEBSOCKET:
            return await self.sockets.connect(api, stage, request)
        path = request.raw_path or "/"
        first, below = _split(path)
        if first == stage_name and stage.routes.find(request.method, _for_routes(api, path)) is None:
            return await self._run(api, stage, request, below, path)
        return await self._run(api, stage, request, path, path)

    async def _run(
        self, api: Api, stage: Stage, request: Request, path: str, full_path: str, base_path: str = ""
    ) -> Response:
        if stage.canary is not None and self._is_for(stage.canary):
            stage = stage.canary.stage
        exchange = self._exchange(api, stage, request, path, full_path)
        if base_path:
            exchange.base_path = base_path
        refused = None
        try:
            response = await run_steps(exchange, PIPELINES[api.kind])
            if stage.compress_from_bytes is not None:
                response = await packed(exchange, response)
        except Refused as raised:
            refused = raised
            response = write_refusal(exchange, raised)
        if api.cors is not None and not is_preflight(request):
            add_cors_headers(api.cors, request, response)
        headers = response.headers
        if api.kind is Kind.HTTP:
            headers.append(("apigw-requestid", exchange.request_id))
        else:
            headers.append(("x-amzn-RequestId", exchange.request_id))
            if api.kind is Kind.REST:
                headers.append(("x-amz-apigw-id", exchange.extended_id))
            headers.append(("X-Amzn-Trace-Id", exchange.trace_id))
        for log in stage.logs:
            log.write(exchange, response, refused)
        return response

    def _is_for(self, canary: Canary) -> bool:
        """By chance, each request for itself."""
        return int(self._means.ids.hex(8), 16) * 100 < canary.percent * 2**32

    def _exchange(self, api: Api, stage: Stage, request: Request, path: str, full_path: str) -> Exchange:
        now_s = self._means.clock.now_s()
        random = self._means.ids.hex(110)  # One draw for all ids of the request.
        # API Gateway's short ids are 11 bytes in base64; traces are X-Ray's: 8 hex digits of time, 24 of chance.
        short = b64encode(bytes.fromhex(random[:22])).decode("ascii")
        return Exchange(
            self._means,
            request,
            api,
            stage,
            _for_routes(api, path),
            full_path,
            short if api.kind in _SHORT_IDS else _uuid(random[46:78]),
            short,
            now_s,
            request.lower.get("x-amzn-trace-id") or f"Root=1-{int(now_s):08x}-{random[22:46]}",
            _uuid(random[78:]),
        )


class NoLogs:
    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Nobody reads them."""


async def _no_aws(request: Request) -> Response:
    return Response(503)


def _uuid(digits: str) -> str:
    """32 random hex digits as a version 4 UUID."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _choose_stage(api: Api, path: str) -> tuple[Stage, str] | None:
    """The stage and the path below it."""
    first, below = _split(path)
    stage = api.stages.get(first)
    if stage is not None and first != "$default":
        return stage, below
    if api.kind is Kind.HTTP:
        default = api.stages.get("$default")
        if default is not None:
            return default, path
    return None


def _split(path: str) -> tuple[str, str]:
    """("dev", "/items") of "/dev/items"; ("dev", "/") of "/dev"."""
    first, slash, rest = path[1:].partition("/")
    return unquote(first), slash + rest if slash else "/"


def _for_routes(api: Api, path: str) -> str:
    """REST APIs do not see slashes at the end; their root is the empty path."""
    return path.rstrip("/") if api.kind is Kind.REST else path


def _no_stage(api: Api) -> Response:
    if api.kind is Kind.HTTP:
        return http_refusal(Refused("RESOURCE_NOT_FOUND"))
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "ForbiddenException")]
    return Response(403, headers, _FORBIDDEN)
