"""Reserved and provisioned concurrency. AWS: PutFunctionConcurrency, PutProvisionedConcurrencyConfig and their kin.

Reserved concurrency lies in the function's document; "lambda.provisioned_concurrency" has a document per qualifier,
which the engine follows: it keeps so many environments initialised.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.engine.functions import ALIAS, FUNCTION, LATEST
from freehold.engine.limits import UNRESERVED_CONCURRENCY
from freehold.services.lambda_.configuration import modified
from freehold.services.lambda_.record import (
    PROVISIONED,
    Lambda,
    Name,
    change_function,
    find_function,
    find_version,
    invalid,
    page,
    read_name,
)
from freehold.state.store import Delete, Document, Put

_WITH_SNAP_START = "Provisioned Concurrency is not supported for SnapStart enabled functions."
"""AWS: "Improving startup performance with Lambda SnapStart" has the rule; the words are not known."""


async def put_function_concurrency(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    wanted = request["ReservedConcurrentExecutions"]
    await find_function(lambda_, name)
    others = sum(
        one.document.get("reserved_concurrency") or 0
        for one in await lambda_.store.list_documents(FUNCTION, f"{call.region}/")
        if one.key != name.key
    )
    if lambda_.concurrency - others - wanted < UNRESERVED_CONCURRENCY:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{UNRESERVED_CONCURRENCY}]."
        )
    provisioned = sum(
        one.document["requested"] for one in await lambda_.store.list_documents(PROVISIONED, f"{name.key}/")
    )
    if wanted < provisioned:
        # The spaces are AWS's.
        raise invalid(
            f" ReservedConcurrentExecutions  {wanted} should not be lower than function's total provisioned "
            f"concurrency [{provisioned}]."
        )
    await _reserve(lambda_, name, wanted)
    return {"ReservedConcurrentExecutions": wanted}


async def get_function_concurrency(lambda_: Lambda, call: Call, request: Json) -> Json:
    stored = await find_function(lambda_, read_name(call, request["FunctionName"]))
    count = stored.document.get("reserved_concurrency")
    return {} if count is None else {"ReservedConcurrentExecutions": count}


async def delete_function_concurrency(lambda_: Lambda, call: Call, request: Json) -> Json:
    await _reserve(lambda_, read_name(call, request["FunctionName"]), None)
    return {}


async def put_provisioned_concurrency_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request["Qualifier"])
    wanted = request["ProvisionedConcurrentExecutions"]
    function = await find_function(lambda_, name)
    if name.qualifier == LATEST:
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    version, _ = await find_version(lambda_, name)
    if version.document["configuration"]["SnapStart"]["ApplyOn"] != "None":
        raise invalid(_WITH_SNAP_START)
    await _refuse_twice(lambda_, name)
    others = sum(
        one.document["requested"]
        for one in await lambda_.store.list_documents(PROVISIONED, f"{name.key}/")
        if one.key != f"{name.key}/{name.qualifier}"
    )
    reserved = function.document.get("reserved_concurrency")
    if reserved is not None and wanted + others > reserved:
        raise invalid(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
        )
    if reserved is None and wanted + others > (left := await _unreserved(lambda_, name)):
        raise invalid(
            f"Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{left}]."
        )
    document = {"requested": wanted, "modified": modified(lambda_.clock)}
    await lambda_.store.write(Put(PROVISIONED, f"{name.key}/{name.qualifier}", document))
    return await _status(lambda_, name, document, just_put=True)


async def get_provisioned_concurrency_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request["Qualifier"])
    await find_version(lambda_, name)
    return await _status(lambda_, name, (await _find(lambda_, name)))


async def delete_provisioned_concurrency_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request["Qualifier"])
    await find_function(lambda_, name)
    await lambda_.store.write(Delete(PROVISIONED, f"{name.key}/{name.qualifier}"))
    return {}


async def list_provisioned_concurrency_configs(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    items = []
    for one in await lambda_.store.list_documents(PROVISIONED, f"{name.key}/"):
        qualified = Name(name.region, name.account, name.name, one.key.rsplit("/", 1)[1])
        status = await _status(lambda_, qualified, one.document)
        items.append({"FunctionArn": qualified.qualified_arn, **status})
    listed, more = page(items, request, "FunctionArn")
    return {"ProvisionedConcurrencyConfigs": listed, **more}


async def _unreserved(lambda_: Lambda, name: Name) -> int:
    """What a function without a reservation may have provisioned: what no other one has, but for the last hundred."""
    taken = 0
    for one in await lambda_.store.list_documents(FUNCTION, f"{name.region}/"):
        reserved = one.document.get("reserved_concurrency")
        if reserved is not None:
            taken += reserved
        elif one.key != name.key:
            provisioned = await lambda_.store.list_documents(PROVISIONED, f"{one.key}/")
            taken += sum(each.document["requested"] for each in provisioned)
    return lambda_.concurrency - taken - UNRESERVED_CONCURRENCY


async def _reserve(lambda_: Lambda, name: Name, count: int | None) -> None:
    def reserve(document: Document) -> None:
        document["reserved_concurrency"] = count

    await change_function(lambda_, name, reserve)


async def _find(lambda_: Lambda, name: Name) -> Json:
    stored = await lambda_.store.read(PROVISIONED, f"{name.key}/{name.qualifier}")
    if stored is None:
        raise AwsError(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
            status=404,
            fields={"Type": "User"},
        )
    return stored.document


async def _refuse_twice(lambda_: Lambda, name: Name) -> None:
    """A version is provisioned by its own number or by one alias."""
    _, version = await find_version(lambda_, name)
    for one in await lambda_.store.list_documents(PROVISIONED, f"{name.key}/"):
        qualifier = one.key.rsplit("/", 1)[1]
        if qualifier == name.qualifier:
            continue
        alias = await lambda_.store.read(ALIAS, f"{name.key}/{qualifier}")
        if (alias.document["FunctionVersion"] if alias else qualifier) == version:
            kind = "Alias" if alias else "Version"
            raise invalid(f"{kind} can't be used for Provisioned Concurrency configuration on an already Provisioned "
                          f"version {version}")  # fmt: skip


async def _status(lambda_: Lambda, name: Name, document: Json, just_put: bool = False) -> Json:
    _, version = await find_version(lambda_, name)
    up, failure = (0, "") if just_put else lambda_.provisioning.provisioned(f"{name.key}/{version}")
    answer: Json = {
        "RequestedProvisionedConcurrentExecutions": document["requested"],
        "AvailableProvisionedConcurrentExecutions": min(up, document["requested"]),
        "AllocatedProvisionedConcurrentExecutions": min(up, document["requested"]),
        "Status": "READY" if up >= document["requested"] else "IN_PROGRESS",
        "LastModified": document["modified"],
    }
    if failure and up < document["requested"]:
        answer |= {"Status": "FAILED", "StatusReason": failure}
    return answer
