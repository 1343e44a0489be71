"""API keys: created, imported from a CSV file, read, changed. API Gateway API Reference, "ApiKey", "ImportApiKeys".

Developer Guide, "API Gateway API key file format": the columns name, key, description, enabled and usageplanIds.
"""

from __future__ import annotations

import csv
import io

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    API_KEY,
    USAGE_PLAN,
    USAGE_PLAN_KEY,
    ApiGateway,
    bad_request,
    conflict,
    find_key,
    key,
    page,
    picked,
)
from freehold.services.apigateway.usage import forget_usage
from freehold.state.store import Delete, Put, Write

_MEMBERS = ("customerId", "description", "enabled", "name", "tags", "value")
_PATCHABLE: dict[str, patch.Field] = {
    "customerId": patch.text,
    "description": patch.text,
    "enabled": patch.boolean,
    "name": patch.text,
    "stages": lambda document, member, rest, op, value: patch.texts(document, "stageKeys", rest, op, value),
}
_COLUMNS = ("name", "key", "description", "enabled", "usageplanids")
_VALUE_MIN = 20
_VALUE_MAX = 128
_IMPORTED_MAX = 10_000


async def create_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_key = _new_key(gateway, request)
    if api_key["value"] in await _values(gateway, call):
        raise conflict("API Key already exists")
    await gateway.store.write(Put(API_KEY, key(call, api_key["id"]), api_key))
    return api_key


async def import_api_keys(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """Rows that cannot be taken are warnings, or refuse the whole file (`failOnWarnings`)."""
    if request["format"] != "csv":
        raise bad_request("Invalid format specified. Must be csv")
    values = await _values(gateway, call)
    plans = {each.document["id"] for each in await gateway.store.list_documents(USAGE_PLAN, call.region + "/")}
    writes: list[Write] = []
    ids: list[str] = []
    warnings: list[str] = []
    for number, row in enumerate(_rows(request["body"]), 1):
        if row["key"] in values:
            warnings.append(f"API Key already exists, at row {number}")
            continue
        wanted: Json = {"name": row["name"], "value": row["key"], "enabled": row["enabled"].lower() != "false"}
        if row["description"]:
            wanted["description"] = row["description"]
        api_key = _new_key(gateway, wanted)
        values.add(api_key["value"])
        ids.append(api_key["id"])
        writes.append(Put(API_KEY, key(call, api_key["id"]), api_key))
        for plan in row["usageplanids"].split(","):
            if plan.strip() in plans:
                writes.append(Put(USAGE_PLAN_KEY, key(call, plan.strip(), api_key["id"]), plan_key(api_key)))
            elif plan.strip():
                warnings.append(f"Usage plan {plan.strip()} does not exist, at row {number}")
    if warnings and request.get("failOnWarnings"):
        raise bad_request("; ".join(warnings))
    if writes:
        await gateway.store.write(*writes)
    return {"ids": ids, "warnings": warnings}


async def get_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_key = await find_key(gateway, call, request["apiKey"])
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
    api_key = await find_key(gateway, call, request["apiKey"])
    api_key = patch.apply_patch(api_key, request.get("patchOperations"), _PATCHABLE)
    api_key["lastUpdatedDate"] = gateway.clock.now_s()
    await gateway.store.write(Put(API_KEY, key(call, api_key["id"]), api_key))
    return _without_value(api_key)


async def delete_api_key(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """Also out of the plans that it was in."""
    await find_key(gateway, call, request["apiKey"])
    writes: list[Write] = [Delete(API_KEY, key(call, request["apiKey"]))]
    for stored in await gateway.store.list_documents(USAGE_PLAN_KEY, call.region + "/"):
        if stored.document["id"] == request["apiKey"]:
            writes.append(Delete(USAGE_PLAN_KEY, stored.key))
            writes += await forget_usage(gateway, stored.key)
    await gateway.store.write(*writes)
    return {}


def plan_key(api_key: Json) -> Json:
    """A key's entry in a usage plan."""
    return {"id": api_key["id"], "type": "API_KEY", "value": api_key["value"], "name": api_key.get("name", "")}


def _new_key(gateway: ApiGateway, request: Json) -> Json:
    now_s = gateway.clock.now_s()
    api_key = picked(
        request,
        _MEMBERS,
        createdDate=now_s,
        enabled=False,
        id=gateway.ids.short(10),
        lastUpdatedDate=now_s,
        stageKeys=[f"{each['restApiId']}/{each['stageName']}" for each in request.get("stageKeys") or ()],
        value=gateway.ids.short(40),
    )
    if not _VALUE_MIN <= len(api_key["value"]) <= _VALUE_MAX:
        raise bad_request(f"API Key value should be between {_VALUE_MIN} and {_VALUE_MAX} characters")
    return api_key


async def _values(gateway: ApiGateway, call: Call) -> set[str]:
    return {each.document["value"] for each in await gateway.store.list_documents(API_KEY, call.region + "/")}


def _rows(body: bytes) -> list[dict[str, str]]:
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad_request(f"Unable to read the API key file: {error}") from None
    names = [name.strip().lower() for name in lines[0]] if lines else []
    if "name" not in names or "key" not in names:
        raise bad_request("The API key file needs a header line with the columns name and key")
    if len(lines) - 1 > _IMPORTED_MAX:
        raise bad_request(f"The API key file has more than {_IMPORTED_MAX} keys")
    empty = dict.fromkeys(_COLUMNS, "")
    return [{**empty, **dict(zip(names, map(str.strip, line), strict=False))} for line in lines[1:] if any(line)]


def _without_value(api_key: Json) -> Json:
    return {name: value for name, value in api_key.items() if name != "value"}
