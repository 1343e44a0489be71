"""What the operations may touch, and how their documents are found: every document of an API has its id in its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.store import Delete, Put, Store, Write

API = "apigateway.restapi"
RESOURCE = "apigateway.resource"
AUTHORIZER = "apigateway.authorizer"
MODEL = "apigateway.model"
VALIDATOR = "apigateway.requestvalidator"
GATEWAY_RESPONSE = "apigateway.gatewayresponse"
DOCUMENTATION_PART = "apigateway.documentationpart"
DOCUMENTATION_VERSION = "apigateway.documentationversion"
DEPLOYMENT = "apigateway.deployment"
STAGE = "apigateway.stage"
API_KEY = "apigateway.apikey"
USAGE_PLAN = "apigateway.usageplan"
USAGE_PLAN_KEY = "apigateway.usageplankey"
USAGE = "apigateway.usage"  # The gateway counts and writes it.
USAGE_EXTENSION = "apigateway.usageextension"
ACCOUNT = "apigateway.account"

IMPORTED = (RESOURCE, AUTHORIZER, MODEL, VALIDATOR, GATEWAY_RESPONSE, DOCUMENTATION_PART)
PARTS = (*IMPORTED, DOCUMENTATION_VERSION, DEPLOYMENT, STAGE)

_PAGE_DEFAULT = 25
_PAGE_MAX = 500

Check = Callable[[Json], None]


@dataclass(frozen=True, slots=True)
class ApiGateway:
    store: Store
    clock: Clock
    ids: Ids
    check_copy: Check
    """Given the `copy` of a deployment: raises AwsError that names the first thing the gateway could not honour."""
    check_stage: Check
    bind: Bind


_NAMES = {
    RESOURCE: "Resource",
    AUTHORIZER: "Authorizer",
    MODEL: "Model Name",
    VALIDATOR: "Request Validator",
    DOCUMENTATION_PART: "Documentation part",
    DOCUMENTATION_VERSION: "Documentation version",
    DEPLOYMENT: "Deployment",
    STAGE: "stage",
}


def key(call: Call, *parts: str) -> str:
    return "/".join((call.region, *parts))


async def find_api(gateway: ApiGateway, call: Call, api_id: str) -> Json:
    stored = await gateway.store.read(API, key(call, api_id))
    if stored is None:
        raise not_found(f"Invalid API identifier specified {call.account}:{api_id}")
    return stored.document


async def find_key(gateway: ApiGateway, call: Call, key_id: str) -> Json:
    stored = await gateway.store.read(API_KEY, key(call, key_id))
    if stored is None:
        raise not_found("Invalid API Key identifier specified")
    return stored.document


async def find_plan(gateway: ApiGateway, call: Call, plan_id: str) -> Json:
    stored = await gateway.store.read(USAGE_PLAN, key(call, plan_id))
    if stored is None:
        raise not_found("Invalid Usage Plan ID specified")
    return stored.document


async def find(gateway: ApiGateway, call: Call, kind: str, api_id: str, part_id: str) -> Json:
    """A part of an API; NotFoundException when the part or the API is not there."""
    await find_api(gateway, call, api_id)
    stored = await gateway.store.read(kind, key(call, api_id, part_id))
    if stored is None:
        raise not_found(f"Invalid {_NAMES[kind]} identifier specified".replace("Name identifier", "Name"))
    return stored.document


async def parts(gateway: ApiGateway, call: Call, kind: str, api_id: str) -> list[Json]:
    """Without asking whether the API is there."""
    return [stored.document for stored in await gateway.store.list_documents(kind, key(call, api_id) + "/")]


async def delete_parts(gateway: ApiGateway, call: Call, api_id: str, kinds: Sequence[str]) -> list[Write]:
    writes: list[Write] = []
    for kind in kinds:
        for stored in await gateway.store.list_documents(kind, key(call, api_id) + "/"):
            writes.append(Delete(kind, stored.key))
    return writes


def put(call: Call, kind: str, api_id: str, part_id: str, document: Json) -> Put:
    return Put(kind, key(call, api_id, part_id), document)


def page(items: list[Json], request: Json) -> Json:
    """One page; `position` is the index of the next item."""
    limit = request.get("limit") or _PAGE_DEFAULT
    if not 1 <= limit <= _PAGE_MAX:
        raise bad_request(f"Invalid limit: it must be between 1 and {_PAGE_MAX}")
    try:
        start = int(request.get("position") or 0)
    except ValueError:
        raise bad_request("Invalid position parameter") from None
    answer: Json = {"items": items[start : start + limit]}
    if start + limit < len(items):
        answer["position"] = str(start + limit)
    return answer


def picked(request: Json, members: Sequence[str], **defaults: Any) -> Json:
    return {**defaults, **{member: request[member] for member in members if member in request}}


def not_found(message: str) -> AwsError:
    return AwsError("NotFoundException", message, status=404)


def bad_request(message: str) -> AwsError:
    return AwsError("BadRequestException", message, status=400)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message, status=409)
