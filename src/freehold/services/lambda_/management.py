"""Runtime updates and recursive loops of functions. AWS: PutRuntimeManagementConfig, PutFunctionRecursionConfig.

One decision to know: functions run on this machine's interpreters, so that a runtime version of AWS cannot be pinned;
that is refused by name. How a loop is to be treated is engine/recursion.py's to know.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.engine.functions import LATEST
from freehold.services.lambda_.record import (
    RECURSION,
    RUNTIME_MANAGEMENT,
    Lambda,
    find_function,
    find_version,
    invalid,
    read_name,
)
from freehold.state.store import Put

_DEFAULT_UPDATE = "Auto"
_DEFAULT_LOOP = "Terminate"


async def put_runtime_management_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    await find_version(lambda_, name)
    mode = request["UpdateRuntimeOn"]
    if mode == "Manual":
        raise invalid(
            "Freehold runs functions on this machine's interpreters: UpdateRuntimeOn Manual, which pins a runtime "
            "version of AWS, is not supported. Use Auto or FunctionUpdate."
        )
    if request.get("RuntimeVersionArn"):
        raise invalid(f"RuntimeVersionArn can be set with UpdateRuntimeOn Manual only, not with {mode}.")
    qualifier = name.qualifier or LATEST
    await lambda_.store.write(Put(RUNTIME_MANAGEMENT, f"{name.key}/{qualifier}", {"UpdateRuntimeOn": mode}))
    return {"UpdateRuntimeOn": mode, "FunctionArn": f"{name.arn}:{qualifier}"}


async def get_runtime_management_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    await find_version(lambda_, name)
    qualifier = name.qualifier or LATEST
    stored = await lambda_.store.read(RUNTIME_MANAGEMENT, f"{name.key}/{qualifier}")
    mode = stored.document["UpdateRuntimeOn"] if stored else _DEFAULT_UPDATE
    return {"UpdateRuntimeOn": mode, "FunctionArn": f"{name.arn}:{qualifier}"}


async def put_function_recursion_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    document = {"RecursiveLoop": request["RecursiveLoop"]}
    await lambda_.store.write(Put(RECURSION, f"{name.key}/", document))
    return document


async def get_function_recursion_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    stored = await lambda_.store.read(RECURSION, f"{name.key}/")
    return stored.document if stored else {"RecursiveLoop": _DEFAULT_LOOP}
