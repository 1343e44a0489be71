"""Documentation of REST APIs: parts, each about one place of an API, and versions, which are copies of all parts.

API Gateway API Reference, "DocumentationPart", "DocumentationPartLocation" and "DocumentationVersion"; Developer Guide,
"Representation of API documentation in API Gateway".
"""

from __future__ import annotations

from typing import Any

import orjson

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.openapi import read_documentation
from freehold.services.apigateway.record import (
    DOCUMENTATION_PART,
    DOCUMENTATION_VERSION,
    STAGE,
    ApiGateway,
    bad_request,
    conflict,
    delete_parts,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.state.store import Delete, Write

_METHOD = ("path", "method")
_PARAMETER = (*_METHOD, "name")
_RESPONSE = (*_METHOD, "statusCode")
# Type of a part -> what its location may say beside it.
_FIELDS: dict[str, tuple[str, ...]] = {
    "API": (),
    "AUTHORIZER": ("name",),
    "MODEL": ("name",),
    "RESOURCE": ("path",),
    "METHOD": _METHOD,
    "PATH_PARAMETER": _PARAMETER,
    "QUERY_PARAMETER": _PARAMETER,
    "REQUEST_HEADER": _PARAMETER,
    "REQUEST_BODY": _METHOD,
    "RESPONSE": _RESPONSE,
    "RESPONSE_HEADER": (*_RESPONSE, "name"),
    "RESPONSE_BODY": _RESPONSE,
}
_DEFAULTS = {"path": "/", "method": "*", "statusCode": "*"}  # What a location says where it says nothing.
_ALREADY_THERE = "Documentation part already exists for the specified location"  # Believed.


async def create_documentation_part(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    await find_api(gateway, call, api_id)
    part = new_part(gateway, request["location"], request["properties"])
    for other in await parts(gateway, call, DOCUMENTATION_PART, api_id):
        if other["location"] == part["location"]:
            raise conflict(f"{_ALREADY_THERE}: {_told(part['location'])}")
    await gateway.store.write(put(call, DOCUMENTATION_PART, api_id, part["id"], part))
    return part


def new_part(gateway: ApiGateway, location: Json, properties: str) -> Json:
    """A checked document of a new part. `properties`: a JSON object as text."""
    allowed = _FIELDS.get(location.get("type", ""))
    if allowed is None:
        raise bad_request("Invalid documentation part location type: must be one of " + ", ".join(_FIELDS))
    given = {name: value for name, value in location.items() if value is not None}
    wrong = set(given) - {"type", *allowed}
    if wrong:
        raise bad_request(f"Invalid location for type {given['type']}: {', '.join(sorted(wrong))}")
    if "name" in allowed and not given.get("name"):
        raise bad_request(f"Invalid location for type {given['type']}: name is missing")
    _check_properties(properties)
    whole = {name: given.get(name, _DEFAULTS.get(name)) for name in allowed}
    return {"id": gateway.ids.short(6), "location": {"type": given["type"], **whole}, "properties": properties}


def _check_properties(text: str) -> None:
    try:
        found: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise bad_request("Invalid documentation part properties: they must be a JSON object")


async def get_documentation_part(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find(gateway, call, DOCUMENTATION_PART, request["restApiId"], request["documentationPartId"])


async def get_documentation_parts(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    if request.get("locationStatus") == "UNDOCUMENTED":
        raise bad_request("Freehold does not support locationStatus UNDOCUMENTED of GetDocumentationParts yet.")
    found = []
    for part in await parts(gateway, call, DOCUMENTATION_PART, request["restApiId"]):
        location = part["location"]
        if request.get("type") and location["type"] != request["type"]:
            continue
        if request.get("path") and location.get("path") != request["path"]:
            continue
        if request.get("nameQuery") and request["nameQuery"] not in (location.get("name") or ""):
            continue
        found.append(part)
    return page(found, request)


async def update_documentation_part(gateway: ApiGateway, call: Call, request: Json) -> Json:
    part = await get_documentation_part(gateway, call, request)
    part = patch.apply_patch(part, request.get("patchOperations"), {"properties": patch.text})
    _check_properties(part.get("properties", ""))
    await gateway.store.write(put(call, DOCUMENTATION_PART, request["restApiId"], part["id"], part))
    return part


async def delete_documentation_part(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find(gateway, call, DOCUMENTATION_PART, request["restApiId"], request["documentationPartId"])
    await gateway.store.write(
        Delete(DOCUMENTATION_PART, key(call, request["restApiId"], request["documentationPartId"]))
    )
    return {}


async def import_documentation_parts(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """Of an OpenAPI document's `x-amazon-apigateway-documentation`. `merge` replaces parts of the same place."""
    api_id = request["restApiId"]
    await find_api(gateway, call, api_id)
    mode = request.get("mode", "merge")
    if mode not in ("merge", "overwrite"):
        raise bad_request("mode must be merge or overwrite")
    imported = read_documentation(request["body"])
    writes: list[Write] = []
    if mode == "overwrite":
        writes = await delete_parts(gateway, call, api_id, (DOCUMENTATION_PART,))
        old: list[Json] = []
    else:
        old = await parts(gateway, call, DOCUMENTATION_PART, api_id)
    made = imported_parts(gateway, imported, old)
    writes += [put(call, DOCUMENTATION_PART, api_id, part["id"], part) for part in made]
    await gateway.store.write(*writes)
    return {"ids": [part["id"] for part in made], "warnings": []}


def imported_parts(gateway: ApiGateway, imported: list[Json], old: list[Json]) -> list[Json]:
    """`imported`: `location` and `properties`, as text. One of a place that has one already keeps its id."""
    ids = {_told(part["location"]): part["id"] for part in old}
    made = [new_part(gateway, part["location"], part["properties"]) for part in imported]
    return [{**part, "id": ids.get(_told(part["location"]), part["id"])} for part in made]


async def create_documentation_version(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    await find_api(gateway, call, api_id)
    name = request["documentationVersion"]
    if not name:
        raise bad_request("Documentation version cannot be empty")
    if await gateway.store.read(DOCUMENTATION_VERSION, key(call, api_id, name)):
        raise conflict("Documentation version already exists")
    version = {
        **picked(request, ("description",)),
        "version": name,
        "createdDate": gateway.clock.now_s(),
        "parts": await parts(gateway, call, DOCUMENTATION_PART, api_id),
    }
    writes: list[Write] = [put(call, DOCUMENTATION_VERSION, api_id, name, version)]
    if request.get("stageName"):
        stage = await find(gateway, call, STAGE, api_id, request["stageName"])
        writes.append(put(call, STAGE, api_id, stage["stageName"], {**stage, "documentationVersion": name}))
    await gateway.store.write(*writes)
    return _answer(version)


async def get_documentation_version(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return _answer(await _find_version(gateway, call, request))


async def get_documentation_versions(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    versions = await parts(gateway, call, DOCUMENTATION_VERSION, request["restApiId"])
    return page([_answer(version) for version in versions], request)


async def update_documentation_version(gateway: ApiGateway, call: Call, request: Json) -> Json:
    version = await _find_version(gateway, call, request)
    version = patch.apply_patch(version, request.get("patchOperations"), {"description": patch.text})
    await gateway.store.write(put(call, DOCUMENTATION_VERSION, request["restApiId"], version["version"], version))
    return _answer(version)


async def delete_documentation_version(gateway: ApiGateway, call: Call, request: Json) -> Json:
    version = await _find_version(gateway, call, request)
    for stage in await parts(gateway, call, STAGE, request["restApiId"]):
        if stage.get("documentationVersion") == version["version"]:
            raise bad_request(f"The documentation version is used by the stage {stage['stageName']}")
    await gateway.store.write(Delete(DOCUMENTATION_VERSION, key(call, request["restApiId"], version["version"])))
    return {}


async def _find_version(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find(gateway, call, DOCUMENTATION_VERSION, request["restApiId"], request["documentationVersion"])


def _answer(version: Json) -> Json:
    return {name: value for name, value in version.items() if name != "parts"}


def _told(location: Json) -> str:
    return ", ".join(f"{name} '{value}'" for name, value in sorted(location.items()))
