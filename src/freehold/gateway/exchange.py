"""One request on its way through the pipeline: what is known about it so far. Steps fill it in; nothing outlives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freehold.clock import Clock, Ids
from freehold.engine.invocation import Invoker
from freehold.gateway.fetch import Fetch
from freehold.http.client import HttpClient
from freehold.http.messages import Handler, Headers, Request
from freehold.state.logs import LogSink

if TYPE_CHECKING:
    from freehold.gateway.callers import Caller, Callers
    from freehold.gateway.compiled import Api, Route, Stage
    from freehold.gateway.function_policies import FunctionPolicies
    from freehold.gateway.integrations.deadlines import Deadlines
    from freehold.gateway.request_logs.notes import Notes
    from freehold.gateway.response_cache import ResponseCache
    from freehold.gateway.turn import Turn
    from freehold.gateway.usage_plans import Grant, UsagePlans


_RESPONSE_TYPES = {
    "INTEGRATION_UNREACHABLE": "INTEGRATION_FAILURE",
    "NOT_PERMITTED": "API_CONFIGURATION_ERROR",
}


class Refused(Exception):
    """The request ends here. `type` is one of API Gateway's gateway response types, which REST APIs can customise
    ("UNAUTHORIZED"), or one of ours: HEADERS_TOO_LARGE, INTEGRATION_THROTTLED, INVALID_RESPONSE, NOT_PERMITTED.
    The words for each kind of API are in errors.py; `message` replaces them for REST APIs alone."""

    def __init__(
        self,
        type: str,
        message: str | None = None,
        headers: Headers | None = None,
        detail: str = "",
        error_type: str = "",
    ) -> None:
        super().__init__(type)
        self.type = type
        self.message = message
        self.detail = detail  # What was wrong with the body: `$context.error.validationErrorString`.
        self.error_type = error_type  # Where it is finer than the type: x-amzn-ErrorType of REST APIs and URLs.
        self.headers: Headers = headers or []

    @property
    def response_type(self) -> str:
        """The gateway response type that a template can name, where ours is finer."""
        return _RESPONSE_TYPES.get(self.type, self.type)


@dataclass(frozen=True, slots=True)
class Means:
    """What steps may touch."""

    invoker: Invoker
    clock: Clock
    ids: Ids
    fetch: Fetch  # Reads an issuer's keys.
    usage_plans: UsagePlans
    http: HttpClient  # For integrations with other servers.
    callers: Callers  # Who may have signed a request.
    call_aws: Handler  # Our own AWS APIs, for integrations with other services.
    deadlines: Deadlines
    logs: LogSink
    cache: ResponseCache
    policies: FunctionPolicies  # Which functions the gateway may invoke.


@dataclass(slots=True)
class Exchange:
    means: Means
    request: Request
    api: Api
    stage: Stage
    path: str  # Percent-encoded, below the stage: what routes are matched against.
    full_path: str  # Percent-encoded, with the stage if the client named it: what events tell.
    request_id: str
    extended_id: str  # REST APIs only, else the same as `request_id`.
    now_s: float
    trace_id: str  # "Root=1-..."
    invocation_id: str  # Of the integration's function; an authorizer's has its own.
    base_path: str = ""  # Of a custom domain name's mapping: "/orders/v1".
    route: Route | None = None
    parameters: dict[str, str] = field(default_factory=dict)  # Of the path, decoded.
    authorizer: Mapping[str, Any] | None = None  # As `requestContext.authorizer` tells it.
    usage_key: str | None = None  # The API key that a Lambda authorizer named.
    caller: Caller | None = None  # Who signed it, where AWS_IAM asks for that.
    grant: Grant | None = None  # What the request's API key may do.
    turn: Turn | None = None  # WebSocket APIs only: what happens on which connection.
    notes: Notes | None = None  # What only logs tell; None where nothing is logged.

    @property
    def domain(self) -> str:
        """As the client named us; an API's own name if it did not say."""
        if self.turn is not None:
            return self.turn.domain
        return self.request.host or f"{self.api.id}.execute-api.{self.api.region}.amazonaws.com"
