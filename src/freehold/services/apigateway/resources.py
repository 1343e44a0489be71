"""Resources: the tree of a REST API's paths. A resource's document holds its methods. API Reference, "Resource"."""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    RESOURCE,
    ApiGateway,
    bad_request,
    conflict,
    find,
    find_api,
    key,
    page,
    parts,
    put,
)
from freehold.state.store import Delete, Write

_PATH_PART = re.compile(r"^(?:[a-zA-Z0-9._\-:,$*@!~]+|\{[a-zA-Z0-9._\-:]+\+?\})$")


async def create_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    parent = await find(gateway, call, RESOURCE, api_id, request["parentId"])
    siblings = [each for each in await parts(gateway, call, RESOURCE, api_id) if each.get("parentId") == parent["id"]]
    resource = new_resource(gateway, parent, request["pathPart"], siblings)
    await gateway.store.write(put(call, RESOURCE, api_id, resource["id"], resource))
    return resource


def new_resource(gateway: ApiGateway, parent: Json, path_part: str, siblings: list[Json]) -> Json:
    """Raises BadRequestException or ConflictException."""
    if not _PATH_PART.match(path_part):
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the "
            "beginning and the end."
        )
    if parent["path"].endswith("+}"):
        raise bad_request(f"Cannot create a child of a resource with a greedy path variable: {parent['path']}")
    for other in siblings:
        if other["pathPart"] == path_part:
            raise conflict(f"Another resource with the same parent already has this name: {path_part}")
        if (
            path_part.startswith("{")
            and other["pathPart"].startswith("{")
            and _same_reach(path_part, other["pathPart"])
        ):
            raise bad_request(f"A sibling ({other['pathPart']}) of this resource already has a variable path part")
    return {
        "id": gateway.ids.short(6),
        "parentId": parent["id"],
        "path": parent["path"].rstrip("/") + "/" + path_part,
        "pathPart": path_part,
    }


async def get_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    resource = await find(gateway, call, RESOURCE, request["restApiId"], request["resourceId"])
    return _answer(resource, request)


async def get_resources(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    resources = await parts(gateway, call, RESOURCE, request["restApiId"])
    return page([_answer(resource, request) for resource in resources], request)


async def update_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """Renames it, which changes the paths of everything below it."""
    api_id = request["restApiId"]
    old = await find(gateway, call, RESOURCE, api_id, request["resourceId"])
    fields: dict[str, patch.Field] = {"pathPart": patch.text, "parentId": patch.text}
    wanted = patch.apply_patch(old, request.get("patchOperations"), fields)
    if "parentId" not in old:
        raise bad_request("The root resource cannot be updated")
    parent = await find(gateway, call, RESOURCE, api_id, wanted["parentId"])
    if parent["path"] == old["path"] or parent["path"].startswith(old["path"] + "/"):
        raise bad_request("A resource cannot become its own child")
    every = await parts(gateway, call, RESOURCE, api_id)
    siblings = [each for each in every if each.get("parentId") == parent["id"] and each["id"] != old["id"]]
    path = new_resource(gateway, parent, wanted["pathPart"], siblings)["path"]
    writes: list[Write] = []
    for each in every:
        if each["id"] == old["id"]:
            writes.append(put(call, RESOURCE, api_id, each["id"], {**wanted, "path": path}))
        elif each["path"].startswith(old["path"] + "/"):
            moved = {**each, "path": path + each["path"].removeprefix(old["path"])}
            writes.append(put(call, RESOURCE, api_id, each["id"], moved))
    await gateway.store.write(*writes)
    return {**wanted, "path": path}


async def delete_resource(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """With everything below it."""
    api_id = request["restApiId"]
    resource = await find(gateway, call, RESOURCE, api_id, request["resourceId"])
    if "parentId" not in resource:
        raise bad_request("Root resource cannot be deleted")
    writes: list[Write] = [
        Delete(RESOURCE, key(call, api_id, each["id"]))
        for each in await parts(gateway, call, RESOURCE, api_id)
        if each["id"] == resource["id"] or each["path"].startswith(resource["path"] + "/")
    ]
    await gateway.store.write(*writes)
    return {}


def _same_reach(one: str, other: str) -> bool:
    """A greedy variable may stand beside a plain one."""
    return one.endswith("+}") == other.endswith("+}")


def _answer(resource: Json, request: Json) -> Json:
    """Methods are told in full only when they are asked for."""
    methods = resource.get("resourceMethods")
    if not methods or "methods" in (request.get("embed") or ()):
        return resource
    return {**resource, "resourceMethods": {method: {} for method in methods}}
