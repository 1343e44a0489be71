"""API mappings: which API and stage answers below which path of a custom domain name.

API Gateway V2 API Reference, "DomainNames DomainName Apimappings"; Developer Guide, "Map API stages to a custom domain
name": the longest key wins, keys may have several segments, WebSocket APIs do not share a name with others.
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.apigatewayv2.record import (
    API,
    MAPPING,
    WEBSOCKET,
    ApiGatewayV2,
    bad_request,
    changed,
    conflict,
    find_domain,
    key,
    not_found,
    page,
    parts,
    put,
)
from freehold.state.store import Delete

_KEY = re.compile(r"^[a-zA-Z0-9$_.+!*'()-]+(/[a-zA-Z0-9$_.+!*'()-]+)*$")
_KEY_MAX = 300
_MEMBERS = ("ApiId", "ApiMappingKey", "Stage")


async def create_api_mapping(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    domain = await find_domain(gateway, call, request["DomainName"])
    mapping = {
        "ApiId": request["ApiId"],
        "ApiMappingId": gateway.ids.short(6),
        "ApiMappingKey": request.get("ApiMappingKey") or "",
        "Stage": request["Stage"],
    }
    await _check(gateway, call, domain["DomainName"], mapping)
    await gateway.store.write(put(call, MAPPING, domain["DomainName"], mapping["ApiMappingId"], mapping))
    return mapping


async def get_api_mapping(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    domain = await find_domain(gateway, call, request["DomainName"])
    stored = await gateway.store.read(MAPPING, key(call, domain["DomainName"], request["ApiMappingId"]))
    if stored is None:
        raise not_found("Invalid API mapping identifier specified")
    return stored.document


async def get_api_mappings(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    domain = await find_domain(gateway, call, request["DomainName"])
    return page(await parts(gateway, call, MAPPING, domain["DomainName"]), request)


async def update_api_mapping(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    mapping = changed(await get_api_mapping(gateway, call, request), request, _MEMBERS)
    name = request["DomainName"].lower()
    await _check(gateway, call, name, mapping)
    await gateway.store.write(put(call, MAPPING, name, mapping["ApiMappingId"], mapping))
    return mapping


async def delete_api_mapping(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    mapping = await get_api_mapping(gateway, call, request)
    await gateway.store.write(Delete(MAPPING, key(call, request["DomainName"].lower(), mapping["ApiMappingId"])))
    return {}


async def _check(gateway: ApiGatewayV2, call: Call, domain: str, mapping: Json) -> None:
    wanted = mapping["ApiMappingKey"]
    if wanted and (len(wanted) > _KEY_MAX or not _KEY.match(wanted)):
        raise bad_request(
            f"Invalid API mapping key {wanted}: segments of letters, digits and $-_.+!*'() with / between"
        )
    kinds = {await _protocol(gateway, call, mapping)}
    for other in await parts(gateway, call, MAPPING, domain):
        if other["ApiMappingId"] == mapping["ApiMappingId"]:
            continue
        if other["ApiMappingKey"] == wanted:
            raise conflict("ApiMapping key already exists for this domain name")
        stored = await gateway.store.read(API, key(call, other["ApiId"]))
        kinds.add(stored.document["ProtocolType"] if stored else "REST")
    if WEBSOCKET in kinds and len(kinds) > 1:
        raise bad_request("WebSocket APIs cannot share a domain name with REST or HTTP APIs")


async def _protocol(gateway: ApiGatewayV2, call: Call, mapping: Json) -> str:
    """Of the API, whose stage must be there: "HTTP", "WEBSOCKET", "REST"."""
    aws, api_id, stage = gateway.bind(call), mapping["ApiId"], mapping["Stage"]
    stored = await gateway.store.read(API, key(call, api_id))
    if stored is not None:
        await aws("apigatewayv2", "GetStage", {"ApiId": api_id, "StageName": stage})
        return str(stored.document["ProtocolType"])
    try:
        await aws("apigateway", "GetStage", {"restApiId": api_id, "stageName": stage})
    except AwsError as error:
        raise not_found(f"Invalid stage identifier specified: {stage} of {api_id}") from error
    return "REST"
