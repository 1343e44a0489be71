"""How asynchronous invocations are retried and where their results go. AWS: PutFunctionEventInvokeConfig and its kin.

Document "lambda.event_invoke_config", key region/name/qualifier ("$LATEST" for none); engine/async_invoke.py
follows it.
"""

from __future__ import annotations

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.engine.functions import LATEST
from freehold.services.lambda_.record import (
    EVENT_INVOKE,
    Lambda,
    Name,
    find_version,
    invalid,
    not_found,
    page,
    read_name,
)
from freehold.state.store import Delete, Put, Stored

_DESTINATIONS = ("lambda", "sqs", "sns", "events", "s3")


async def put_function_event_invoke_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    return await _put(lambda_, name, request, {})


async def update_function_event_invoke_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    return await _put(lambda_, name, request, (await _find(lambda_, name)).document)


async def get_function_event_invoke_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    return (await _find(lambda_, name)).document


async def delete_function_event_invoke_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, request)
    await lambda_.store.write(Delete(EVENT_INVOKE, (await _find(lambda_, name)).key))
    return {}


async def list_function_event_invoke_configs(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = await _name(lambda_, call, {"FunctionName": request["FunctionName"]})
    found = [one.document for one in await lambda_.store.list_documents(EVENT_INVOKE, f"{name.key}/")]
    listed, more = page(found, request, "FunctionArn")
    return {"FunctionEventInvokeConfigs": listed, **more}


async def _put(lambda_: Lambda, name: Name, request: Json, present: Json) -> Json:
    document = {
        **present,
        "LastModified": lambda_.clock.now_s(),
        "FunctionArn": f"{name.arn}:{name.qualifier or LATEST}",
    }
    for member in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds"):
        if request.get(member) is not None:
            document[member] = request[member]
    if request.get("DestinationConfig") is not None:
        document["DestinationConfig"] = _destinations(request["DestinationConfig"])
    document.setdefault("DestinationConfig", {"OnSuccess": {}, "OnFailure": {}})
    await lambda_.store.write(Put(EVENT_INVOKE, _key(name), document))
    return document


def _destinations(config: Json) -> Json:
    for outcome in ("OnSuccess", "OnFailure"):
        target = (config.get(outcome) or {}).get("Destination")
        arn = parse_arn(target) if target else None
        if target and (arn is None or arn.service not in _DESTINATIONS):
            raise invalid(f"The provided destination config DestinationConfig({outcome}) is not valid: {target}")
        if arn is not None and arn.service == "s3":
            raise invalid(f"Freehold does not support S3 as a destination of asynchronous invocations yet: {target}")
    return {"OnSuccess": config.get("OnSuccess") or {}, "OnFailure": config.get("OnFailure") or {}}


async def _name(lambda_: Lambda, call: Call, request: Json) -> Name:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    await find_version(lambda_, name)
    return name


async def _find(lambda_: Lambda, name: Name) -> Stored:
    stored = await lambda_.store.read(EVENT_INVOKE, _key(name))
    if stored is None:
        raise not_found(f"The function {name.arn}:{name.qualifier or LATEST} doesn't have an EventInvokeConfig")
    return stored


def _key(name: Name) -> str:
    return f"{name.key}/{name.qualifier or LATEST}"
