"""What an API becomes in memory: immutable values, made from documents when they change, read by every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from freehold.gateway.cors import Cors
from freehold.gateway.routes import Node
from freehold.gateway.throttle import Bucket

if TYPE_CHECKING:
    from freehold.gateway.exchange import Exchange, Refused
    from freehold.gateway.gateway_responses import GatewayResponse
    from freehold.gateway.selection import Selection
    from freehold.gateway.validation import Validation
    from freehold.http.messages import Response


class Kind(StrEnum):
    HTTP = "HTTP API"
    REST = "REST API"
    URL = "function URL"
    WEBSOCKET = "WebSocket API"


class Integration(Protocol):
    async def answer(self, exchange: Exchange) -> Response:
        """Raises Refused."""
        ...


class Authorizer(Protocol):
    async def authorize(self, exchange: Exchange) -> None:
        """Sets `exchange.authorizer` to what the function is told; raises Refused when the request may not pass."""
        ...


class RequestLog(Protocol):
    def write(self, exchange: Exchange, response: Response, refused: Refused | None) -> None:
        """After the answer is made; `refused`: why it is a refusal. Neither waits nor raises."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    key: str  # "GET /items/{id}"; "$default".
    path: str  # "/items/{id}"; "/$default" for the catch-all.
    names: tuple[str, ...]  # Of the path's variables, in order.
    integration: Integration | None  # None: the route has no target.
    authorizer: Authorizer | None = None
    resource_id: str = ""  # REST APIs only.
    throttle: Bucket | None = None
    needs_api_key: bool = False  # REST and WebSocket APIs.
    validation: Validation | None = None  # REST and WebSocket APIs.
    is_two_way: bool = False  # WebSocket APIs only: what the integration answers goes to the client.


@dataclass(frozen=True, slots=True)
class SocketRoutes:
    """The routes of a WebSocket API's stage."""

    by_key: Mapping[str, Route]  # "$connect", "$disconnect", "$default", "sendmessage".
    selection: Selection  # Of a message.


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    routes: Node[Route]
    default_route: Route | None = None
    variables: Mapping[str, str] | None = None  # None when there are none.
    deployment_id: str = ""
    binary_media_types: tuple[str, ...] = ()  # REST APIs only.
    compress_from_bytes: int | None = None  # REST APIs only; None: nothing is packed or unpacked.
    has_authorizers_keys: bool = False  # Whether API keys come from authorizers instead of the header.
    gateway_responses: Mapping[str, GatewayResponse] = field(default_factory=dict)  # REST APIs only, by type.
    sockets: SocketRoutes | None = None  # WebSocket APIs only, instead of `routes`.
    logs: tuple[RequestLog, ...] = ()
    canary: Canary | None = None  # REST APIs only.
    is_canary: bool | None = None  # None: there is no canary.


@dataclass(frozen=True, slots=True)
class Canary:
    """Another deployment of a stage, which some of the requests go to."""

    stage: Stage
    percent: float


@dataclass(frozen=True, slots=True)
class Api:
    kind: Kind
    id: str
    region: str
    account: str
    stages: Mapping[str, Stage]
    cors: Cors | None = None
    throttle: Bucket | None = None  # Of the account in the region: all its REST APIs share it.
    is_endpoint_disabled: bool = False  # Of the execute-api endpoint.

    @property
    def arn(self) -> str:
        """What the ARNs of its methods begin with: `arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5`."""
        return api_arn(self.region, self.account, self.id)


def api_arn(region: str, account: str, api_id: str) -> str:
    return f"arn:aws:execute-api:{region}:{account}:{api_id}"
