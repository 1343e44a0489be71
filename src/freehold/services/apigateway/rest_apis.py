"""REST APIs: create, read, update, delete. API Gateway API Reference, "RestApi"."""

from __future__ import annotations

import orjson

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.models import default_models
from freehold.services.apigateway.record import (
    API,
    IMPORTED,
    MODEL,
    PARTS,
    RESOURCE,
    ApiGateway,
    bad_request,
    delete_parts,
    find_api,
    key,
    page,
    picked,
    put,
)
from freehold.services.apigateway.usage_plans import without_stages
from freehold.state.store import Delete, Put, Write

_MEMBERS = (
    "apiKeySource",
    "binaryMediaTypes",
    "description",
    "disableExecuteApiEndpoint",
    "endpointConfiguration",
    "minimumCompressionSize",
    "name",
    "policy",
    "tags",
    "version",
)


_MOST_COMPRESSION_BYTES = 10 * 1024 * 1024
_ADDRESS_TYPES = ("ipv4", "dualstack")


def _endpoint_configuration(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """`/endpointConfiguration/types/EDGE`, value REGIONAL; `/endpointConfiguration/ipAddressType`, value dualstack.
    Endpoints in a VPC belong to private APIs, which do not deploy."""
    if rest == ["ipAddressType"]:
        if value and value not in _ADDRESS_TYPES:
            raise bad_request(f"Invalid ipAddressType. Must be one of: {', '.join(_ADDRESS_TYPES)}")
        document[member] = {**(document.get(member) or {}), "ipAddressType": value or _ADDRESS_TYPES[0]}
        return
    if not rest or rest[0] != "types":
        raise bad_request(f"Invalid patch path '/{member}/{'/'.join(rest)}'")
    document[member] = {**(document.get(member) or {}), "types": [value]}


def _compression(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """Without a value there is no compression; 0 is compression of everything."""
    if rest or op != "replace":
        raise bad_request("Invalid patch operation specified. Must be one of: [replace]")
    document.pop(member, None)
    if value:
        document[member] = _compression_size(value)


def _compression_size(value: object) -> int:
    text = str(value)
    if not text.isdigit() or int(text) > _MOST_COMPRESSION_BYTES:
        raise bad_request(f"Invalid minimum compression size, must be between 0 and {_MOST_COMPRESSION_BYTES}")
    return int(text)


_PATCHABLE: dict[str, patch.Field] = {
    "apiKeySource": patch.text,
    "binaryMediaTypes": patch.texts,
    "description": patch.text,
    "disableExecuteApiEndpoint": patch.boolean,
    "endpointConfiguration": _endpoint_configuration,
    "minimumCompressionSize": _compression,
    "name": patch.text,
    "policy": patch.text,
    "version": patch.text,
}


async def create_rest_api(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if request.get("cloneFrom"):
        return answer_of(await _clone(gateway, call, request))
    api = new_api(gateway, request)
    models = [put(call, MODEL, api["id"], model["name"], model) for model in default_models(gateway)]
    await gateway.store.write(
        Put(API, key(call, api["id"]), api),
        put(call, RESOURCE, api["id"], api["rootResourceId"], root_resource(api)),
        *models,
    )
    return answer_of(api)


async def _clone(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """An API like another, with what it describes and without its stages; what the request says is its own."""
    source = await find_api(gateway, call, request["cloneFrom"])
    kept = {name: source[name] for name in _MEMBERS if name in source and name != "tags"}
    api = {**new_api(gateway, {**kept, **request}), "rootResourceId": source["rootResourceId"]}
    writes: list[Write] = [Put(API, key(call, api["id"]), api)]
    for kind in IMPORTED:
        for stored in await gateway.store.list_documents(kind, key(call, source["id"]) + "/"):
            # Schemas name other models by their API.
            text = orjson.dumps(stored.document).replace(source["id"].encode(), api["id"].encode())
            part = stored.key.rpartition("/")[2]
            writes.append(put(call, kind, api["id"], part, orjson.loads(text) if kind == MODEL else stored.document))
    await gateway.store.write(*writes)
    return api


def new_api(gateway: ApiGateway, request: Json) -> Json:
    """A checked document of a new API."""
    if not request["name"].strip():
        raise bad_request("API Name cannot be blank")
    if request.get("apiKeySource", "HEADER") not in ("HEADER", "AUTHORIZER"):
        raise bad_request("Invalid API Key Source type. Must be HEADER or AUTHORIZER")
    if request.get("minimumCompressionSize") is not None:
        _compression_size(request["minimumCompressionSize"])
    for name in ("endpointAccessMode", "securityPolicy"):
        if request.get(name):
            raise bad_request(f"Freehold does not support {name} of REST APIs yet.")
    return picked(
        request,
        _MEMBERS,
        apiKeySource="HEADER",
        createdDate=gateway.clock.now_s(),
        disableExecuteApiEndpoint=False,
        endpointConfiguration={"types": ["EDGE"]},
        id=gateway.ids.short(10),
        rootResourceId=gateway.ids.short(10),
        tags={},
    )


def answer_of(api: Json) -> Json:
    """As AWS answers it: the policy is escaped as if it stood in JSON once more, and Terraform unescapes it."""
    return {**api, "policy": orjson.dumps(api["policy"]).decode()[1:-1]} if api.get("policy") else api


def root_resource(api: Json) -> Json:
    return {"id": api["rootResourceId"], "path": "/"}


async def get_rest_api(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return answer_of(await find_api(gateway, call, request["restApiId"]))


async def get_rest_apis(gateway: ApiGateway, call: Call, request: Json) -> Json:
    stored = await gateway.store.list_documents(API, call.region + "/")
    return page([answer_of(each.document) for each in stored], request)


async def update_rest_api(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api = await find_api(gateway, call, request["restApiId"])
    operations = request.get("patchOperations") or []
    # As the guide turns compression off: a replacement by nothing.
    operations = [
        {"value": "", **each} if each.get("path") == "/minimumCompressionSize" else each for each in operations
    ]
    api = patch.apply_patch(api, operations, _PATCHABLE)
    await gateway.store.write(Put(API, key(call, api["id"]), api))
    return answer_of(api)


async def delete_rest_api(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    writes = await delete_parts(gateway, call, request["restApiId"], PARTS)
    writes += await without_stages(gateway, call, request["restApiId"])
    await gateway.store.write(Delete(API, key(call, request["restApiId"])), *writes)
    return {}
