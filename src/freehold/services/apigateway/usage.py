"""GetUsage and UpdateUsage: what the keys of a plan have used, day by day, and what is left of the quota.

API Gateway API Reference, "Usage": `items` holds, for each key, a list of [used, remaining] with one entry a day. The
gateway counts, and writes its counts down a moment later; so these figures are that much behind.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from freehold.aws.call import Call, Json
from freehold.aws.quota_periods import period_of
from freehold.services.apigateway.record import (
    USAGE,
    USAGE_EXTENSION,
    USAGE_PLAN_KEY,
    ApiGateway,
    bad_request,
    find_plan,
    key,
    not_found,
    page,
)
from freehold.state.store import Delete, Put, Write

_DAYS_MAX = 90


async def get_usage(gateway: ApiGateway, call: Call, request: Json) -> Json:
    plan = await find_plan(gateway, call, request["usagePlanId"])
    start, end = _day(request["startDate"]), _day(request["endDate"])
    if not 0 <= (end - start).days < _DAYS_MAX:
        raise bad_request(f"Usage can be asked for at most {_DAYS_MAX} days, the first of them not after the last")
    stored = await gateway.store.list_documents(USAGE_PLAN_KEY, key(call, plan["id"]) + "/")
    ids = [each.document["id"] for each in stored]
    if request.get("keyId"):
        ids = [each for each in ids if each == request["keyId"]]
    told = page([{each: await _usage(gateway, call, plan, each, start, end)} for each in ids], request)
    items = {name: days for each in told.pop("items") for name, days in each.items()}
    return {**_frame(plan, start, end), **told, "items": items}


async def update_usage(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """`replace /remaining` of the period that we are in."""
    plan = await find_plan(gateway, call, request["usagePlanId"])
    document_key = key(call, plan["id"], request["keyId"])
    if await gateway.store.read(USAGE_PLAN_KEY, document_key) is None:
        raise not_found("Invalid Usage Plan Key identifier specified")
    quota = plan.get("quota")
    if not quota:
        raise bad_request("Usage plan has no quota")
    today = datetime.fromtimestamp(gateway.clock.now_s(), UTC).date()
    period, end = period_of(quota["period"], quota.get("offset", 0), today)
    for operation in request.get("patchOperations") or ():
        value = operation.get("value") or ""
        if (operation.get("op"), operation.get("path")) != ("replace", "/remaining") or not value.isdigit():
            raise bad_request("Invalid patch operation specified: only replace of /remaining, with a whole number")
        extension: Json = {
            "id": gateway.ids.uuid(),
            "period": period.isoformat(),
            "end": end.isoformat(),
            "limit": quota["limit"],
            "remaining": int(value),
        }
        await gateway.store.write(Put(USAGE_EXTENSION, document_key, extension))
        used = (await _counts(gateway, document_key, plan, today))[-1][0]
        return {**_frame(plan, today, today), "items": {request["keyId"]: [[used, int(value)]]}}
    raise bad_request("No patch operation specified")


async def forget_usage(gateway: ApiGateway, document_key: str) -> list[Write]:
    """With the key or its plan."""
    return [
        Delete(kind, document_key)
        for kind in (USAGE, USAGE_EXTENSION)
        if await gateway.store.read(kind, document_key) is not None
    ]


async def _usage(gateway: ApiGateway, call: Call, plan: Json, key_id: str, start: date, end: date) -> list[list[int]]:
    days = (end - start).days + 1
    return await _counts(gateway, key(call, plan["id"], key_id), plan, end, days)


async def _counts(gateway: ApiGateway, document_key: str, plan: Json, end: date, days: int = 1) -> list[list[int]]:
    """[used, remaining] of each of the `days` that end with `end`."""
    stored = await gateway.store.read(USAGE, document_key)
    document: Json = stored.document if stored else {}
    used: dict[str, int] = document.get("days", {})
    counts = []
    for back in reversed(range(days)):
        day = end - timedelta(days=back)
        counts.append([used.get(day.isoformat(), 0), _remaining(document, used, plan.get("quota"), day)])
    return counts


def _remaining(document: Json, used: dict[str, int], quota: Json | None, day: date) -> int:
    if not quota:
        return 0
    start = period_of(quota["period"], quota.get("offset", 0), day)[0].isoformat()
    extra = document.get("extra", 0) if document.get("extraPeriod") == start else 0
    in_period = sum(count for each, count in used.items() if start <= each <= day.isoformat())
    left: int = quota["limit"] + extra - in_period
    return max(0, left)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad_request(f"Invalid date {text}: it must be like 2026-11-27") from None


def _frame(plan: Json, start: date, end: date) -> Json:
    return {"usagePlanId": plan["id"], "startDate": start.isoformat(), "endDate": end.isoformat()}
