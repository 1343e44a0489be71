"""The account's limits and use, and settings of functions that have one value here. AWS: GetAccountSettings."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.engine.functions import FUNCTION
from freehold.engine.limits import UNZIPPED_BYTES, ZIP_DIRECT_BYTES
from freehold.services.lambda_.record import Lambda, find_function, read_name

_TOTAL_CODE_BYTES = 80_530_636_800


async def get_account_settings(lambda_: Lambda, call: Call, request: Json) -> Json:
    found = [one.document for one in await lambda_.store.list_documents(FUNCTION, f"{call.region}/")]
    reserved = sum(one.get("reserved_concurrency") or 0 for one in found)
    return {
        "AccountLimit": {
            "TotalCodeSize": _TOTAL_CODE_BYTES,
            "CodeSizeUnzipped": UNZIPPED_BYTES,
            "CodeSizeZipped": ZIP_DIRECT_BYTES,
            "ConcurrentExecutions": lambda_.concurrency,
            "UnreservedConcurrentExecutions": lambda_.concurrency - reserved,
        },
        "AccountUsage": {
            "TotalCodeSize": sum(one["configuration"]["CodeSize"] for one in found),
            "FunctionCount": len(found),
        },
    }


async def get_function_code_signing_config(lambda_: Lambda, call: Call, request: Json) -> Json:
    """Terraform and others ask this of every function: none has one."""
    name = read_name(call, request["FunctionName"])
    await find_function(lambda_, name)
    return {"FunctionName": name.name}
