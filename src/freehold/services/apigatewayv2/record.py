"""What the operations may touch, and how their documents are found: every document of an API has its id in its key.

Documents hold what AWS would answer, except ApiEndpoint, which depends on how the client named us.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.store import Delete, Put, Store, Write

API = "apigatewayv2.api"
STAGE = "apigatewayv2.stage"
ROUTE = "apigatewayv2.route"
INTEGRATION = "apigatewayv2.integration"
AUTHORIZER = "apigatewayv2.authorizer"
DEPLOYMENT = "apigatewayv2.deployment"
INTEGRATION_RESPONSE = "apigatewayv2.integrationresponse"  # Its key has the integration's id before its own.
ROUTE_RESPONSE = "apigatewayv2.routeresponse"  # Its key has the route's id before its own.
MODEL = "apigatewayv2.model"
DOMAIN = "apigatewayv2.domainname"  # Its key is region and name.
MAPPING = "apigatewayv2.apimapping"  # Its key has the domain's name before its own.
PARTS = (STAGE, ROUTE, INTEGRATION, AUTHORIZER, DEPLOYMENT, INTEGRATION_RESPONSE, ROUTE_RESPONSE, MODEL)

WEBSOCKET = "WEBSOCKET"

Check = Callable[[Json], None]
"""Given {"ProtocolType", "Apis", "Routes", "Integrations", "IntegrationResponses", "Authorizers", "Stages"} (any may be
absent): raises AwsError, BadRequestException, that names the first thing which the gateway could not honour. So nothing
that guards an API is dropped in silence."""


@dataclass(frozen=True, slots=True)
class ApiGatewayV2:
    store: Store
    clock: Clock
    ids: Ids
    check: Check
    bind: Bind


_NAMES = {
    STAGE: "stage",
    ROUTE: "Route",
    INTEGRATION: "Integration",
    AUTHORIZER: "Authorizer",
    DEPLOYMENT: "Deployment",
    INTEGRATION_RESPONSE: "IntegrationResponse",
    ROUTE_RESPONSE: "RouteResponse",
    MODEL: "Model",
}


def key(call: Call, *parts: str) -> str:
    return "/".join((call.region, *parts))


async def find_api(gateway: ApiGatewayV2, call: Call, api_id: str) -> Json:
    stored = await gateway.store.read(API, key(call, api_id))
    if stored is None:
        raise not_found(f"Invalid API identifier specified {call.account}:{api_id}")
    return stored.document


async def find_domain(gateway: ApiGatewayV2, call: Call, name: str) -> Json:
    stored = await gateway.store.read(DOMAIN, key(call, name.lower()))
    if stored is None:
        raise not_found("Invalid domain name identifier specified")
    return stored.document


async def find(gateway: ApiGatewayV2, call: Call, kind: str, api_id: str, part_id: str) -> Json:
    """A part of an API; NotFoundException when the part or the API is not there."""
    await find_api(gateway, call, api_id)
    stored = await gateway.store.read(kind, key(call, api_id, part_id))
    if stored is None:
        raise not_found(f"Invalid {_NAMES[kind]} identifier specified {part_id.rpartition('/')[2]}")
    return stored.document


async def parts(gateway: ApiGatewayV2, call: Call, kind: str, api_id: str) -> list[Json]:
    """Without asking whether the API is there."""
    return [stored.document for stored in await gateway.store.list_documents(kind, key(call, api_id) + "/")]


async def parts_of(gateway: ApiGatewayV2, call: Call, kind: str, api_id: str, owner_id: str) -> list[Json]:
    """Those of one route or integration."""
    return await parts(gateway, call, kind, f"{api_id}/{owner_id}")


async def require_socket_api(gateway: ApiGatewayV2, call: Call, api_id: str) -> None:
    if (await find_api(gateway, call, api_id))["ProtocolType"] != WEBSOCKET:
        raise bad_request("This operation is supported only for WebSocket APIs")


async def delete_parts(gateway: ApiGatewayV2, call: Call, *owner: str, kinds: Sequence[str] = PARTS) -> list[Write]:
    """The writes that delete every part of these kinds of the API, or of its part (`api_id, integration_id`)."""
    writes: list[Write] = []
    for kind in kinds:
        for stored in await gateway.store.list_documents(kind, key(call, *owner) + "/"):
            writes.append(Delete(kind, stored.key))
    return writes


def put(call: Call, kind: str, api_id: str, part_id: str, document: Json) -> Put:
    return Put(kind, key(call, api_id, part_id), document)


def page(items: list[Json], request: Json) -> Json:
    """One page: NextToken is the index of the next item. MaxResults is text in the model."""
    try:
        start = int(request.get("NextToken") or 0)
        limit = int(request.get("MaxResults") or 0) or len(items)
    except ValueError:
        raise bad_request("Invalid NextToken or MaxResults") from None
    answer: Json = {"Items": items[start : start + limit]}
    if start + limit < len(items):
        answer["NextToken"] = str(start + limit)
    return answer


def changed(document: Json, request: Json, members: Sequence[str]) -> Json:
    """The document with those members that the request names."""
    return {**document, **{member: request[member] for member in members if member in request}}


def picked(request: Json, members: Sequence[str], **defaults: Any) -> Json:
    return {**defaults, **{member: request[member] for member in members if member in request}}


def not_found(message: str) -> AwsError:
    return AwsError("NotFoundException", message, status=404)


def bad_request(message: str) -> AwsError:
    return AwsError("BadRequestException", message, status=400)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, status=409)
