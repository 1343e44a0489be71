"""Functions: create, read, update, delete, list. AWS: CreateFunction, GetFunction, UpdateFunctionCode and their kin."""

from __future__ import annotations

import copy
from collections.abc import Callable

from freehold.aws.call import Call, Json
from freehold.engine.functions import ALIAS, FUNCTION, LATEST, VERSION
from freehold.services.lambda_.code import Code, take_code
from freehold.services.lambda_.configuration import change_configuration, make_configuration, put_code, stamp
from freehold.services.lambda_.record import (
    EVENT_INVOKE,
    PROVISIONED,
    RECURSION,
    RUNTIME_MANAGEMENT,
    URL,
    Lambda,
    Name,
    change_function,
    check_revision,
    conflict,
    find_function,
    find_version,
    invalid,
    not_found,
    page,
    read_name,
)
from freehold.services.lambda_.states import FAILED, PENDING, put_pending, refuse_pending
from freehold.services.lambda_.versions import publish
from freehold.state.store import Conflict, Delete, Document, Put, Write

_OF_A_FUNCTION = (VERSION, ALIAS, URL, EVENT_INVOKE, PROVISIONED, RUNTIME_MANAGEMENT, RECURSION)


async def create_function(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    if name.qualifier:
        raise invalid("A function's name has no qualifier.")
    if await lambda_.store.read(FUNCTION, name.key) is not None:
        raise conflict(f"Function already exist: {name.name}")
    code = await take_code(lambda_, call, request["Code"])
    configuration, layers = await make_configuration(lambda_, name, request, code)
    stamp(lambda_, configuration)
    put_pending(configuration)
    document: Document = {
        "configuration": configuration,
        "code": code.document,
        "layers": layers,
        "tags": request.get("Tags") or {},
        "last_version": 0,
    }
    try:
        await lambda_.store.write(Put(FUNCTION, name.key, document, if_revision=0))
    except Conflict:
        raise conflict(f"Function already exist: {name.name}") from None
    if request.get("Publish"):
        await lambda_.preparations.settle(name.key, None)
        return await publish(lambda_, name, "")
    return await lambda_.preparations.settle(name.key) or configuration


async def get_function(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    function = await find_function(lambda_, name)
    stored, _ = await find_version(lambda_, name)
    code = stored.document["code"]
    if code.get("directory"):
        location = f"file://{code['directory']}"
    else:
        location = lambda_.downloads.address(call, lambda_.endpoint(), code["sha256"])
    answer: Json = {
        "Configuration": _shown(name, stored.document["configuration"]),
        "Code": {"RepositoryType": "S3", "Location": location},
    }
    if function.document.get("tags"):
        answer["Tags"] = function.document["tags"]
    if function.document.get("reserved_concurrency") is not None:
        answer["Concurrency"] = {"ReservedConcurrentExecutions": function.document["reserved_concurrency"]}
    return answer


async def get_function_configuration(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    stored, _ = await find_version(lambda_, name)
    return _shown(name, stored.document["configuration"])


async def update_function_code(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    stored = await find_function(lambda_, name)
    check_revision(request, stored.document["configuration"]["RevisionId"])
    code = await take_code(lambda_, call, request)

    def change(document: Document) -> None:
        put_code(document["configuration"], code)
        document["code"] = code.document
        if request.get("Architectures"):
            document["configuration"]["Architectures"] = request["Architectures"]

    if request.get("DryRun"):
        return _shown(name, _with_code(stored.document["configuration"], code))
    configuration = await _change(lambda_, name, change, request)
    if request.get("Publish"):
        return await publish(lambda_, name, "")
    return configuration


async def update_function_configuration(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    stored = await find_function(lambda_, name)
    configuration = copy.deepcopy(stored.document["configuration"])
    layers = await change_configuration(lambda_, configuration, request)

    def change(document: Document) -> None:
        kept = document["configuration"]
        document["configuration"] = {**configuration, "CodeSize": kept["CodeSize"], "CodeSha256": kept["CodeSha256"]}
        if layers is not None:
            document["layers"] = layers

    return await _change(lambda_, name, change, request)


async def delete_function(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    await find_function(lambda_, name)
    if name.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if name.qualifier:
        return await _delete_version(lambda_, name)
    writes: list[Write] = [Delete(FUNCTION, name.key)]
    for kind in _OF_A_FUNCTION:
        writes += [Delete(kind, one.key) for one in await lambda_.store.list_documents(kind, f"{name.key}/")]
    await lambda_.store.write(*writes)
    return {"StatusCode": 204}


async def list_functions(lambda_: Lambda, call: Call, request: Json) -> Json:
    found = await lambda_.store.list_documents(FUNCTION, f"{call.region}/")
    items = [{**one.document["configuration"], "FunctionArn": _latest_arn(request, one.document)} for one in found]
    if request.get("FunctionVersion") == "ALL":
        for one in await lambda_.store.list_documents(VERSION, f"{call.region}/"):
            items.append(one.document["configuration"])
        items.sort(key=lambda item: (item["FunctionName"], item["Version"] != LATEST, item["Version"]))
    listed, more = page(items, request, "FunctionArn")
    # The update's fate is told by GetFunction only.
    return {"Functions": [_without_state(item) for item in listed], **more}


async def _delete_version(lambda_: Lambda, name: Name) -> Json:
    key = f"{name.key}/{name.qualifier}"
    if await lambda_.store.read(VERSION, key) is None:
        if await lambda_.store.read(ALIAS, key) is not None:
            raise invalid("Deletion of aliases is not currently supported.")
        raise not_found(f"Function not found: {name.qualified_arn}")
    for alias in await lambda_.store.list_documents(ALIAS, f"{name.key}/"):
        weights = (alias.document.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        if alias.document["FunctionVersion"] == name.qualifier or name.qualifier in weights:
            raise conflict(
                f"Unable to delete version because the following aliases reference it: [{alias.document['Name']}]"
            )
    writes: list[Write] = [Delete(VERSION, key), Delete(EVENT_INVOKE, key), Delete(PROVISIONED, key)]
    await lambda_.store.write(*writes)
    return {"StatusCode": 204}


async def _change(lambda_: Lambda, name: Name, change: Callable[[Document], None], request: Json) -> Json:
    """Applies `change` to the function's document as it is then, with a new revision id."""

    def make(document: Document) -> None:
        check_revision(request, document["configuration"]["RevisionId"])
        refuse_pending(document["configuration"])
        change(document)
        stamp(lambda_, document["configuration"])
        if document["configuration"]["State"] == FAILED:
            put_pending(document["configuration"])

    configuration: Json = (await change_function(lambda_, name, make))["configuration"]
    return await lambda_.preparations.settle(name.key) if configuration["State"] == PENDING else configuration


def _shown(name: Name, configuration: Json) -> Json:
    """A configuration's ARN carries the qualifier that was asked for."""
    return {**configuration, "FunctionArn": name.qualified_arn} if name.qualifier else configuration


def _with_code(configuration: Json, code: Code) -> Json:
    changed = dict(configuration)
    put_code(changed, code)
    return changed


def _latest_arn(request: Json, document: Document) -> str:
    arn = str(document["configuration"]["FunctionArn"])
    return f"{arn}:{LATEST}" if request.get("FunctionVersion") == "ALL" else arn


def _without_state(configuration: Json) -> Json:
    hidden = ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "RuntimeVersionConfig")
    return {name: value for name, value in configuration.items() if name not in hidden}
