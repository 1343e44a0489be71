"""The account's settings of API Gateway in a region, and tags. API Gateway API Reference, "Account", "Tags"."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    ACCOUNT,
    API,
    API_KEY,
    STAGE,
    USAGE_PLAN,
    ApiGateway,
    key,
    not_found,
)
from freehold.state.store import Put

_DEFAULTS: Json = {
    "apiKeyVersion": "4",
    "features": ["UsagePlans"],
    "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
}
_DOMAIN = ":/domainnames/"
_TAGGED = {"restapis": API, "apikeys": API_KEY, "usageplans": USAGE_PLAN}


async def get_account(gateway: ApiGateway, call: Call, request: Json) -> Json:
    stored = await gateway.store.read(ACCOUNT, key(call, "account"))
    return stored.document if stored else _DEFAULTS


async def update_account(gateway: ApiGateway, call: Call, request: Json) -> Json:
    account = await get_account(gateway, call, request)
    fields: dict[str, patch.Field] = {"cloudwatchRoleArn": patch.text, "features": patch.texts}
    account = patch.apply_patch(account, request.get("patchOperations"), fields)
    await gateway.store.write(Put(ACCOUNT, key(call, "account"), account))
    return account


async def get_tags(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if _DOMAIN in unquote(request["resourceArn"]):
        return {"tags": (await _of_domain(gateway, call, "GetTags", request))["Tags"]}
    _, _, document = await _tagged(gateway, call, request["resourceArn"])
    return {"tags": document.get("tags") or {}}


async def tag_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if _DOMAIN in unquote(request["resourceArn"]):
        return await _of_domain(gateway, call, "TagResource", request, Tags=request["tags"])
    kind, document_key, document = await _tagged(gateway, call, request["resourceArn"])
    tags = {**(document.get("tags") or {}), **request["tags"]}
    await gateway.store.write(Put(kind, document_key, {**document, "tags": tags}))
    return {}


async def untag_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if _DOMAIN in unquote(request["resourceArn"]):
        return await _of_domain(gateway, call, "UntagResource", request, TagKeys=request["tagKeys"])
    kind, document_key, document = await _tagged(gateway, call, request["resourceArn"])
    tags = {name: value for name, value in (document.get("tags") or {}).items() if name not in request["tagKeys"]}
    await gateway.store.write(Put(kind, document_key, {**document, "tags": tags}))
    return {}


async def _of_domain(gateway: ApiGateway, call: Call, operation: str, request: Json, **more: Any) -> Json:
    """Domain names are apigatewayv2's."""
    return await gateway.bind(call)("apigatewayv2", operation, {"ResourceArn": request["resourceArn"], **more})


async def _tagged(gateway: ApiGateway, call: Call, arn_text: str) -> tuple[str, str, Json]:
    """`arn:aws:apigateway:us-east-1::/restapis/a1b2c3d4e5/stages/dev`: (kind, key, document)."""
    arn = parse_arn(unquote(arn_text))
    names = arn.resource.strip("/").split("/") if arn else []
    kind = None
    if len(names) == 2:
        kind = _TAGGED.get(names[0])
    elif len(names) == 4 and names[0] == "restapis" and names[2] == "stages":
        kind = STAGE
    if kind is not None:
        document_key = key(call, *names[1::2])
        stored = await gateway.store.read(kind, document_key)
        if stored is not None:
            return kind, document_key, stored.document
    raise not_found(f"Invalid resource ARN {arn_text}")
