"""Aliases: names of versions, with weights. AWS: CreateAlias, UpdateAlias, "Configuring traffic shifting"."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.engine.functions import ALIAS, LATEST, VERSION
from freehold.services.lambda_.record import (
    EVENT_INVOKE,
    PROVISIONED,
    URL,
    Lambda,
    Name,
    check_revision,
    conflict,
    find_function,
    invalid,
    not_found,
    page,
    read_name,
)
from freehold.state.store import Conflict, Delete, Put


async def create_alias(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    alias = request["Name"]
    await find_function(lambda_, name)
    if alias.isdigit():
        raise invalid(f"1 validation error detected: Value '{alias}' at 'name' failed to satisfy constraint: "
                      "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")  # fmt: skip
    document: Json = {
        "AliasArn": f"{name.arn}:{alias}",
        "Name": alias,
        "FunctionVersion": request["FunctionVersion"],
        "Description": request.get("Description") or "",
    }
    await _route(lambda_, name, document, request)
    document["RevisionId"] = lambda_.ids.uuid()
    try:
        await lambda_.store.write(Put(ALIAS, f"{name.key}/{alias}", document, if_revision=0))
    except Conflict:
        raise conflict(f"Alias already exists: {document['AliasArn']}") from None
    return document


async def get_alias(lambda_: Lambda, call: Call, request: Json) -> Json:
    return await _find(lambda_, read_name(call, request["FunctionName"]), request["Name"])


async def update_alias(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    present = await _find(lambda_, name, request["Name"])
    check_revision(request, present["RevisionId"])
    document = dict(present)
    for member in ("FunctionVersion", "Description"):
        if request.get(member) is not None:
            document[member] = request[member]
    await _route(lambda_, name, document, request)
    document["RevisionId"] = lambda_.ids.uuid()
    await lambda_.store.write(Put(ALIAS, f"{name.key}/{request['Name']}", document))
    return document


async def delete_alias(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    key = f"{name.key}/{request['Name']}"
    await lambda_.store.write(*(Delete(kind, key) for kind in (ALIAS, URL, EVENT_INVOKE, PROVISIONED)))
    return {}


async def list_aliases(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    found = [one.document for one in await lambda_.store.list_documents(ALIAS, f"{name.key}/")]
    if version := request.get("FunctionVersion"):
        found = [one for one in found if one["FunctionVersion"] == version]
    listed, more = page(found, request, "Name")
    return {"Aliases": listed, **more}


async def _find(lambda_: Lambda, name: Name, alias: str) -> Json:
    await find_function(lambda_, name)
    stored = await lambda_.store.read(ALIAS, f"{name.key}/{alias}")
    if stored is None:
        raise not_found(f"Cannot find alias arn: {name.arn}:{alias}")
    return stored.document


async def _route(lambda_: Lambda, name: Name, document: Json, request: Json) -> None:
    """Checks the versions that the alias names, and puts its routing in place."""
    routing = request.get("RoutingConfig")
    if routing is not None:
        weights = routing.get("AdditionalVersionWeights") or {}
        if len(weights) > 1:
            raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        if any(not 0 <= weight <= 1 for weight in weights.values()):
            raise invalid("Value of AdditionalVersionWeights must be between 0 and 1")
        if document["FunctionVersion"] in weights:
            raise invalid(f"Invalid function version {document['FunctionVersion']}. Function version "
                          f"{document['FunctionVersion']} is already included in routing configuration.")  # fmt: skip
        if weights and (document["FunctionVersion"] == LATEST or LATEST in weights):
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        document.pop("RoutingConfig", None)
        if weights:
            document["RoutingConfig"] = {"AdditionalVersionWeights": weights}
    named = (document.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version in (document["FunctionVersion"], *named):
        if version != LATEST and await lambda_.store.read(VERSION, f"{name.key}/{version}") is None:
            raise not_found(f"Function not found: {name.arn}:{version}")
