"""Usage plans and their keys. API Gateway API Reference, "UsagePlan", "UsagePlanKey"; the gateway enforces them."""

from __future__ import annotations

from collections.abc import Iterable

from freehold.aws.call import Call, Json
from freehold.aws.quota_periods import OFFSET_MAX
from freehold.services.apigateway import patch
from freehold.services.apigateway.api_keys import plan_key
from freehold.services.apigateway.record import (
    STAGE,
    USAGE_PLAN,
    USAGE_PLAN_KEY,
    ApiGateway,
    bad_request,
    conflict,
    find,
    find_key,
    find_plan,
    key,
    not_found,
    page,
    picked,
)
from freehold.services.apigateway.usage import forget_usage
from freehold.state.store import Delete, Put, Write

_MEMBERS = ("apiStages", "description", "name", "quota", "tags", "throttle")
_LIMITS: dict[str, type[int] | type[float] | None] = {
    "burstLimit": int,
    "limit": int,
    "offset": int,
    "period": None,
    "rateLimit": float,
}


async def create_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    plan = picked(request, _MEMBERS, apiStages=[], id=gateway.ids.short(6))
    await _check_plan(gateway, call, plan, [])
    await gateway.store.write(Put(USAGE_PLAN, key(call, plan["id"]), plan))
    return plan


async def get_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find_plan(gateway, call, request["usagePlanId"])


async def get_usage_plans(gateway: ApiGateway, call: Call, request: Json) -> Json:
    plans = [each.document for each in await gateway.store.list_documents(USAGE_PLAN, call.region + "/")]
    if request.get("keyId"):
        of_key = set()
        for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, call.region + "/"):
            if stored.document["id"] == request["keyId"]:
                of_key.add(stored.key.split("/")[1])
        plans = [plan for plan in plans if plan["id"] in of_key]
    return page(plans, request)


async def update_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    old = await find_plan(gateway, call, request["usagePlanId"])
    fields: dict[str, patch.Field] = {
        "apiStages": _api_stages,
        "description": patch.text,
        "name": patch.text,
        "productCode": patch.text,
        "quota": _limits,
        "throttle": _limits,
    }
    plan = patch.apply_patch(old, request.get("patchOperations"), fields)
    await _check_plan(gateway, call, plan, old["apiStages"])
    for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, key(call, plan["id"]) + "/"):
        await _check_stages_of_key(gateway, call, plan, stored.document["id"])
    await gateway.store.write(Put(USAGE_PLAN, key(call, plan["id"]), plan))
    return plan


async def delete_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    plan = await find_plan(gateway, call, request["usagePlanId"])
    if plan["apiStages"]:
        raise bad_request(f"Cannot delete Usage Plan {plan['id']} because it is associated with API Stages")
    writes: list[Write] = [Delete(USAGE_PLAN, key(call, plan["id"]))]
    for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, key(call, plan["id"]) + "/"):
        writes.append(Delete(USAGE_PLAN_KEY, stored.key))
        writes += await forget_usage(gateway, stored.key)
    await gateway.store.write(*writes)
    return {}


async def create_usage_plan_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if request["keyType"] != "API_KEY":
        raise bad_request("Usage plan key type must be API_KEY")
    plan = await find_plan(gateway, call, request["usagePlanId"])
    api_key = await find_key(gateway, call, request["keyId"])
    document_key = key(call, request["usagePlanId"], api_key["id"])
    if await gateway.store.read(USAGE_PLAN_KEY, document_key):
        raise conflict("Usage plan key already exists")
    await _check_stages_of_key(gateway, call, plan, api_key["id"])
    entry = plan_key(api_key)
    await gateway.store.write(Put(USAGE_PLAN_KEY, document_key, entry))
    return entry


async def get_usage_plan_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_plan(gateway, call, request["usagePlanId"])
    stored = await gateway.store.read(USAGE_PLAN_KEY, key(call, request["usagePlanId"], request["keyId"]))
    if stored is None:
        raise not_found("Invalid Usage Plan Key identifier specified")
    return stored.document


async def get_usage_plan_keys(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_plan(gateway, call, request["usagePlanId"])
    stored = await gateway.store.list_documents(USAGE_PLAN_KEY, key(call, request["usagePlanId"]) + "/")
    wanted = request.get("nameQuery") or ""
    return page([each.document for each in stored if each.document["name"].startswith(wanted)], request)


async def delete_usage_plan_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await get_usage_plan_key(gateway, call, request)
    await gateway.store.write(Delete(USAGE_PLAN_KEY, key(call, request["usagePlanId"], request["keyId"])))
    return {}


async def without_stages(gateway: ApiGateway, call: Call, api_id: str, stage: str | None = None) -> list[Write]:
    """Writes that take a stage that goes, or all of an API's, out of the plans that have it."""
    writes: list[Write] = []
    for stored in await gateway.store.list_documents(USAGE_PLAN, call.region + "/"):
        stages = stored.document["apiStages"]
        kept = [each for each in stages if each["apiId"] != api_id or (stage is not None and each["stage"] != stage)]
        if len(kept) < len(stages):
            writes.append(Put(USAGE_PLAN, stored.key, {**stored.document, "apiStages": kept}))
    return writes


async def _check_plan(gateway: ApiGateway, call: Call, plan: Json, old: Iterable[Json]) -> None:
    """`old` are the plan's stages before."""
    known = {(each["apiId"], each["stage"]) for each in old}
    for each in plan["apiStages"]:
        if (each["apiId"], each["stage"]) not in known:
            await find(gateway, call, STAGE, each["apiId"], each["stage"])
    quota = plan.get("quota")
    if not quota:
        return
    period, offset = quota.get("period"), quota.get("offset", 0)
    if period not in OFFSET_MAX:
        raise bad_request("Usage plan quota must have a period of DAY, WEEK or MONTH")
    if quota.get("limit", -1) < 0:
        raise bad_request("Usage plan quota must have a limit, and it must not be negative")
    if not 0 <= offset <= OFFSET_MAX[period]:
        wanted = "zero" if period == "DAY" else f"between 0 and {OFFSET_MAX[period]} inclusive"
        raise bad_request(f"Usage Plan quota offset must be {wanted} in the {period} period")


async def _check_stages_of_key(gateway: ApiGateway, call: Call, plan: Json, key_id: str) -> None:
    """In a stage a key belongs to one plan: which one would count it otherwise?"""
    stages = {(each["apiId"], each["stage"]) for each in plan["apiStages"]}
    for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, call.region + "/"):
        other = stored.key.split("/")[1]
        if stored.document["id"] != key_id or other == plan["id"]:
            continue
        for each in (await find_plan(gateway, call, other))["apiStages"]:
            if (each["apiId"], each["stage"]) in stages:
                raise conflict(
                    f"Usage Plan {plan['id']} cannot be added because API Key {key_id} cannot reference multiple Usage "
                    f"Plans with the same Api Stage: {each['apiId']}:{each['stage']}"
                )


def _api_stages(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """add or remove with the value `apiId:stage`; `/apiStages/apiId:stage/throttle/{path}/{method}/rateLimit`."""
    name = rest[0] if rest else value
    api_id, _, stage = name.partition(":")
    if not stage:
        raise bad_request("Invalid API Stage: add and remove take the value apiId:stageName")
    stages = list(document.get(member) or ())
    at = next((at for at, each in enumerate(stages) if (each["apiId"], each["stage"]) == (api_id, stage)), None)
    if not rest:
        if op == "remove":
            document[member] = [each for number, each in enumerate(stages) if number != at]
        elif at is None:
            document[member] = [*stages, {"apiId": api_id, "stage": stage}]
        return
    if at is None or len(rest) < 2 or rest[1] != "throttle":
        raise bad_request(f"Invalid patch path '/{member}/{'/'.join(rest)}'")
    stages[at] = {**stages[at], "throttle": _method_throttle(stages[at].get("throttle") or {}, rest[2:], op, value)}
    document[member] = stages


def _method_throttle(throttle: Json, rest: list[str], op: str, value: str) -> Json:
    """`rest` is the resource's path, the method and, except to remove, what is set of it."""
    if op == "remove" and not rest:
        return {}
    if len(rest) < 2 or (len(rest) > 2 and rest[2] not in ("burstLimit", "rateLimit")):
        raise bad_request("Invalid patch path: it must be like /apiStages/{id}/throttle/{path}/{method}/rateLimit")
    name = f"{rest[0]}/{rest[1]}"
    if op == "remove":
        return {method: settings for method, settings in throttle.items() if method != name}
    kind = _LIMITS[rest[2]] if len(rest) > 2 else None
    if kind is None:
        raise bad_request("Invalid patch path: it must end with rateLimit or burstLimit")
    return {**throttle, name: {**throttle.get(name, {}), rest[2]: patch.as_number(value, kind)}}


def _limits(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """`/throttle/rateLimit`, `/quota/period`; `remove /throttle` takes all of it out."""
    if not rest:
        if op != "remove":
            raise bad_request(f"Invalid patch path '/{member}'")
        document.pop(member, None)
        return
    if rest[0] not in _LIMITS:
        raise bad_request(f"Invalid patch path '/{member}/{rest[0]}'")
    kind = _LIMITS[rest[0]]
    document[member] = {**document.get(member, {}), rest[0]: value if kind is None else patch.as_number(value, kind)}
