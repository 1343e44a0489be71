"""Function URLs: an HTTP address of a function or alias. AWS: CreateFunctionUrlConfig, "Lambda function URLs".

Document "lambda.url", key region/name/qualifier (empty for none); the gateway serves it by its UrlId.
"""

from __future__ import annotations

from datetime import UTC, datetime

from freehold.aws.call import Call, Json
from freehold.engine.functions import ALIAS
from freehold.services.lambda_.record import (
    URL,
    Lambda,
    Name,
    conflict,
    find_function,
    invalid,
    not_found,
    page,
    read_name,
)
from freehold.state.store import Conflict, Delete, Document, Put, Stored


async def create_function_url_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    now = _now(lambda_)
    document: Document = {
        "UrlId": lambda_.ids.short(32),
        "FunctionArn": name.qualified_arn,
        "AuthType": request["AuthType"],
        "InvokeMode": request.get("InvokeMode") or "BUFFERED",
        "CreationTime": now,
        "LastModifiedTime": now,
    }
    if request.get("Cors"):
        document["Cors"] = request["Cors"]
    try:
        await lambda_.store.write(Put(URL, _key(name), document, if_revision=0))
    except Conflict:
        raise conflict(
            f"Failed to create function url config for [functionArn = {name.qualified_arn}]. "
            f"Error message:  FunctionUrlConfig exists for this Lambda function"
        ) from None
    return _shown(lambda_, call, document)


async def get_function_url_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    return _shown(lambda_, call, (await _find(lambda_, name)).document)


async def update_function_url_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    stored = await _find(lambda_, name)
    document = dict(stored.document)
    for member in ("AuthType", "Cors", "InvokeMode"):
        if request.get(member) is not None:
            document[member] = request[member]
    document["LastModifiedTime"] = _now(lambda_)
    await lambda_.store.write(Put(URL, stored.key, document))
    return _shown(lambda_, call, document)


async def delete_function_url_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    await lambda_.store.write(Delete(URL, (await _find(lambda_, name)).key))
    return {}


async def list_function_url_configs(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    found = await lambda_.store.list_documents(URL, f"{name.key}/")
    listed, more = page([_shown(lambda_, call, one.document) for one in found], request, "FunctionArn")
    return {"FunctionUrlConfigs": listed, **more}


async def _name(lambda_: Lambda, call: Call, request: Json) -> Name:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    await find_function(lambda_, name)
    if name.qualifier:
        if name.qualifier.isdigit() or name.qualifier == "$LATEST":
            raise invalid("A function URL belongs to the function or to an alias, not to a version.")
        if await lambda_.store.read(ALIAS, f"{name.key}/{name.qualifier}") is None:
            raise not_found(f"Function does not exist: {name.qualified_arn}")
    return name


async def _find(lambda_: Lambda, name: Name) -> Stored:
    stored = await lambda_.store.read(URL, _key(name))
    if stored is None:
        raise not_found("The resource you requested does not exist.")
    return stored


def _key(name: Name) -> str:
    return f"{name.key}/{name.qualifier or ''}"


def _now(lambda_: Lambda) -> str:
    now = datetime.fromtimestamp(lambda_.clock.now_s(), UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _shown(lambda_: Lambda, call: Call, document: Document) -> Json:
    start = f"{call.scheme}://{call.host}" if call.host else lambda_.endpoint()
    shown = {name: value for name, value in document.items() if name != "UrlId"}
    return {"FunctionUrl": f"{start}/_aws/lambda-url/{document['UrlId']}/", **shown}
