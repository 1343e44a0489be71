"""AWS::ApiGateway::UsagePlan"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import Patches, patch, pointer, retag, scalars
from freehold.stacks.resources.types import Created, Name, ResourceType, camel, camel_deep, tag_map

TYPE = "AWS::ApiGateway::UsagePlan"

_QUOTA = {"Limit": "/quota/limit", "Offset": "/quota/offset", "Period": "/quota/period"}
_THROTTLE = {"BurstLimit": "/throttle/burstLimit", "RateLimit": "/throttle/rateLimit"}


async def create(aws: Aws, properties: Json) -> Created:
    request: Json = {"name": properties["UsagePlanName"]}
    if "Description" in properties:
        request["description"] = properties["Description"]
    if "ApiStages" in properties:
        request["apiStages"] = [_stage(stage) for stage in properties["ApiStages"]]
    for name in ("Quota", "Throttle"):
        if name in properties:
            request[name.lower()] = camel(properties[name])
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    return _created((await aws("apigateway", "CreateUsagePlan", request))["id"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars(properties, previous, {"UsagePlanName": "/name", "Description": "/description"})
    for name, paths in (("Quota", _QUOTA), ("Throttle", _THROTTLE)):
        new, old = properties.get(name) or {}, previous.get(name) or {}
        if old and not new:
            patches.append({"op": "remove", "path": f"/{name.lower()}"})
        else:
            patches += scalars(new, old, paths)
    patches += _stage_patches(properties.get("ApiStages") or [], previous.get("ApiStages") or [])
    await patch(aws, "UpdateUsagePlan", {"usagePlanId": physical_id}, patches)
    await retag(aws, f"/usageplans/{physical_id}", properties, previous)
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    # A plan with stages cannot be deleted.
    patches = _stage_patches([], properties.get("ApiStages") or [])
    await patch(aws, "UpdateUsagePlan", {"usagePlanId": physical_id}, patches)
    await aws("apigateway", "DeleteUsagePlan", {"usagePlanId": physical_id})


def _stage(stage: Json) -> Json:
    made = camel({name: value for name, value in stage.items() if name != "Throttle"})
    if "Throttle" in stage:
        made["throttle"] = {path: camel_deep(limits) for path, limits in stage["Throttle"].items()}
    return made


def _stage_patches(new: list[Json], old: list[Json]) -> Patches:
    gone = [stage for stage in old if stage not in new]
    come = [stage for stage in new if stage not in old]
    patches = [{"op": "remove", "path": "/apiStages", "value": _name(stage)} for stage in gone]
    for stage in come:
        patches.append({"op": "add", "path": "/apiStages", "value": _name(stage)})
        for method, limits in (stage.get("Throttle") or {}).items():
            resource, _, verb = method.rpartition("/")
            path = f"/apiStages/{_name(stage)}/throttle/{pointer(resource or '/')}/{verb}"
            patches += scalars(limits, {}, {"BurstLimit": f"{path}/burstLimit", "RateLimit": f"{path}/rateLimit"})
    return patches


def _name(stage: Json) -> str:
    return f"{stage['ApiId']}:{stage['Stage']}"


def _created(identity: str) -> Created:
    return Created(identity, {"Id": identity})


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update, Name("UsagePlanName", 255))
