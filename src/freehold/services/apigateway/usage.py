"""API keys and usage plans. API Gateway API Reference, "ApiKey", "UsagePlan", "UsagePlanKey".

They are kept, not yet enforced: a deployment whose methods require an API key is refused by name.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    API_KEY,
    STAGE,
    USAGE_PLAN,
    USAGE_PLAN_KEY,
    ApiGateway,
    bad_request,
    conflict,
    find,
    key,
    not_found,
    page,
    picked,
)
from freehold.state.store import Delete, Put, Write

_KEY_MEMBERS = ("customerId", "description", "enabled", "name", "tags", "value")
_KEY_PATCHABLE: dict[str, patch.Field] = {
    "customerId": patch.text,
    "description": patch.text,
    "enabled": patch.boolean,
    "name": patch.text,
}
_PLAN_MEMBERS = ("apiStages", "description", "name", "quota", "tags", "throttle")
_VALUE_MIN = 20
_VALUE_MAX = 128


async def create_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    now_s = gateway.clock.now_s()
    api_key = picked(
        request,
        _KEY_MEMBERS,
        createdDate=now_s,
        enabled=False,
        id=gateway.ids.short(10),
        lastUpdatedDate=now_s,
        stageKeys=[f"{each['restApiId']}/{each['stageName']}" for each in request.get("stageKeys") or ()],
        value=gateway.ids.short(40),
    )
    if not _VALUE_MIN <= len(api_key["value"]) <= _VALUE_MAX:
        raise bad_request(f"API Key value should be between {_VALUE_MIN} and {_VALUE_MAX} characters")
    for stored in await gateway.store.list_documents(API_KEY, call.region + "/"):
        if stored.document["value"] == api_key["value"]:
            raise conflict("API Key already exists")
    await gateway.store.write(Put(API_KEY, key(call, api_key["id"]), api_key))
    return api_key


async def get_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_key = await _find_key(gateway, call, request["apiKey"])
    return api_key if request.get("includeValue") else _without_value(api_key)


async def get_api_keys(gateway: ApiGateway, call: Call, request: Json) -> Json:
    stored = await gateway.store.list_documents(API_KEY, call.region + "/")
    keys = [
        each.document for each in stored if each.document.get("name", "").startswith(request.get("nameQuery") or "")
    ]
    if request.get("customerId"):
        keys = [each for each in keys if each.get("customerId") == request["customerId"]]
    return page(keys if request.get("includeValues") else [_without_value(each) for each in keys], request)


async def update_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_key = await _find_key(gateway, call, request["apiKey"])
    api_key = patch.apply_patch(api_key, request.get("patchOperations"), _KEY_PATCHABLE)
    api_key["lastUpdatedDate"] = gateway.clock.now_s()
    await gateway.store.write(Put(API_KEY, key(call, api_key["id"]), api_key))
    return _without_value(api_key)


async def delete_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """Also out of the plans that it was in."""
    await _find_key(gateway, call, request["apiKey"])
    writes: list[Write] = [Delete(API_KEY, key(call, request["apiKey"]))]
    for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, call.region + "/"):
        if stored.document["id"] == request["apiKey"]:
            writes.append(Delete(USAGE_PLAN_KEY, stored.key))
    await gateway.store.write(*writes)
    return {}


async def create_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    plan = picked(request, _PLAN_MEMBERS, apiStages=[], id=gateway.ids.short(6))
    await _check_plan(gateway, call, plan)
    await gateway.store.write(Put(USAGE_PLAN, key(call, plan["id"]), plan))
    return plan


async def get_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await _find_plan(gateway, call, request["usagePlanId"])


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
    plan = await _find_plan(gateway, call, request["usagePlanId"])
    fields: dict[str, patch.Field] = {
        "apiStages": _api_stages,
        "description": patch.text,
        "name": patch.text,
        "quota": _limits,
        "throttle": _limits,
    }
    plan = patch.apply_patch(plan, request.get("patchOperations"), fields)
    await _check_plan(gateway, call, plan)
    await gateway.store.write(Put(USAGE_PLAN, key(call, plan["id"]), plan))
    return plan


async def delete_usage_plan(gateway: ApiGateway, call: Call, request: Json) -> Json:
    plan = await _find_plan(gateway, call, request["usagePlanId"])
    if plan["apiStages"]:
        raise bad_request(f"Cannot delete Usage Plan {plan['id']} because it is associated with API Stages")
    writes: list[Write] = [Delete(USAGE_PLAN, key(call, plan["id"]))]
    for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, key(call, plan["id"]) + "/"):
        writes.append(Delete(USAGE_PLAN_KEY, stored.key))
    await gateway.store.write(*writes)
    return {}


async def create_usage_plan_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if request["keyType"] != "API_KEY":
        raise bad_request("Usage plan key type must be API_KEY")
    await _find_plan(gateway, call, request["usagePlanId"])
    api_key = await _find_key(gateway, call, request["keyId"])
    document_key = key(call, request["usagePlanId"], api_key["id"])
    if await gateway.store.read(USAGE_PLAN_KEY, document_key):
        raise conflict("Usage plan key already exists")
    entry = {"id": api_key["id"], "type": "API_KEY", "value": api_key["value"], "name": api_key.get("name", "")}
    await gateway.store.write(Put(USAGE_PLAN_KEY, document_key, entry))
    return entry


async def get_usage_plan_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await _find_plan(gateway, call, request["usagePlanId"])
    stored = await gateway.store.read(USAGE_PLAN_KEY, key(call, request["usagePlanId"], request["keyId"]))
    if stored is None:
        raise not_found("Invalid Usage Plan Key identifier specified")
    return stored.document


async def get_usage_plan_keys(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await _find_plan(gateway, call, request["usagePlanId"])
    stored = await gateway.store.list_documents(USAGE_PLAN_KEY, key(call, request["usagePlanId"]) + "/")
    wanted = request.get("nameQuery") or ""
    return page([each.document for each in stored if each.document["name"].startswith(wanted)], request)


async def delete_usage_plan_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await get_usage_plan_key(gateway, call, request)
    await gateway.store.write(Delete(USAGE_PLAN_KEY, key(call, request["usagePlanId"], request["keyId"])))
    return {}


async def _find_key(gateway: ApiGateway, call: Call, key_id: str) -> Json:
    stored = await gateway.store.read(API_KEY, key(call, key_id))
    if stored is None:
        raise not_found("Invalid API Key identifier specified")
    return stored.document


def _without_value(api_key: Json) -> Json:
    return {name: value for name, value in api_key.items() if name != "value"}


async def _find_plan(gateway: ApiGateway, call: Call, plan_id: str) -> Json:
    stored = await gateway.store.read(USAGE_PLAN, key(call, plan_id))
    if stored is None:
        raise not_found("Invalid Usage Plan ID specified")
    return stored.document


async def _check_plan(gateway: ApiGateway, call: Call, plan: Json) -> None:
    for each in plan["apiStages"]:
        await find(gateway, call, STAGE, each["apiId"], each["stage"])
    quota = plan.get("quota")
    if quota and quota.get("period") not in ("DAY", "WEEK", "MONTH"):
        raise bad_request("Usage plan quota must have a period of DAY, WEEK or MONTH")


def _api_stages(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """add or remove, value `apiId:stage`."""
    api_id, _, stage = value.partition(":")
    if rest or not stage:
        raise bad_request("Invalid API Stage: add and remove take the value apiId:stageName")
    others = [each for each in document.get(member) or () if (each["apiId"], each["stage"]) != (api_id, stage)]
    document[member] = others if op == "remove" else [*others, {"apiId": api_id, "stage": stage}]


def _limits(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """`/throttle/rateLimit`, `/quota/period`; `remove /throttle` takes all of it out."""
    if not rest:
        if op != "remove":
            raise bad_request(f"Invalid patch path '/{member}'")
        document.pop(member, None)
        return
    kinds: dict[str, type[int] | type[float] | None] = {
        "burstLimit": int,
        "limit": int,
        "offset": int,
        "period": None,
        "rateLimit": float,
    }
    if rest[0] not in kinds:
        raise bad_request(f"Invalid patch path '/{member}/{rest[0]}'")
    kind = kinds[rest[0]]
    document[member] = {**document.get(member, {}), rest[0]: value if kind is None else patch.as_number(value, kind)}
