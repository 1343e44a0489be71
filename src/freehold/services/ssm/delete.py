"""DeleteParameter, DeleteParameters: a parameter with its whole history."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.ssm.record import (
    PARAMETER,
    VERSION,
    Ssm,
    find_parameter,
    list_versions,
    parameter_key,
    plain_name,
)
from freehold.state.store import Delete


async def delete_parameter(ssm: Ssm, call: Call, request: Json) -> Json:
    name = plain_name(request["Name"])
    await find_parameter(ssm, call, name)
    history = [Delete(VERSION, stored.key) for stored in await list_versions(ssm, call, name)]
    await ssm.store.write(Delete(PARAMETER, parameter_key(call, name)), *history)
    return {}


async def delete_parameters(ssm: Ssm, call: Call, request: Json) -> Json:
    deleted, missing = [], []
    for name in request["Names"]:
        try:
            await delete_parameter(ssm, call, {"Name": name})
            deleted.append(name)
        except AwsError as error:
            if error.code != "ParameterNotFound":
                raise
            missing.append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": missing}
