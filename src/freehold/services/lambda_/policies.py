"""Resource policies: who may invoke. AWS: AddPermission, GetPolicy, RemovePermission.

Kept in the function's document, under "policies" by qualifier ("" for none).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from freehold.aws.call import Call, Json
from freehold.services.lambda_.record import (
    Lambda,
    Name,
    change_function,
    check_revision,
    conflict,
    find_function,
    find_version,
    not_found,
    read_name,
)
from freehold.state.store import Document


async def add_permission(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    await find_version(lambda_, name)
    statement = make_statement(name, request)

    def change(statements: list[Json]) -> None:
        if any(one["Sid"] == statement["Sid"] for one in statements):
            raise conflict(f"The statement id ({statement['Sid']}) provided already exists. "
                           "Please provide a new statement id, or remove the existing statement.")  # fmt: skip
        statements.append(statement)

    await _change(lambda_, name, request, change)
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


async def remove_permission(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))

    def change(statements: list[Json]) -> None:
        kept = [one for one in statements if one["Sid"] != request["StatementId"]]
        if len(kept) == len(statements):
            if not statements:
                raise not_found("No policy is associated with the given resource.")
            raise not_found(f"Statement {request['StatementId']} is not found in resource policy.")
        statements[:] = kept

    await _change(lambda_, name, request, change)
    return {}


async def get_policy(lambda_: Lambda, call: Call, request: Json) -> Json:
    name = read_name(call, request["FunctionName"], request.get("Qualifier"))
    stored = await find_function(lambda_, name)
    entry = (stored.document.get("policies") or {}).get(name.qualifier or "")
    if not entry or not entry["statements"]:
        raise not_found("The resource you requested does not exist.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": entry["statements"]}
    return {"Policy": json.dumps(policy, separators=(",", ":")), "RevisionId": entry["revision"]}


def make_statement(name: Name, request: Json) -> Json:
    """The policy statement that AWS makes of an AddPermission request."""
    principal = request["Principal"]
    if principal == "*":
        shown: Json | str = "*"
    elif re.fullmatch(r"\d{12}", principal):
        shown = {"AWS": f"arn:aws:iam::{principal}:root"}
    elif principal.startswith("arn:"):
        shown = {"AWS": principal}
    else:
        shown = {"Service": principal}
    conditions: Json = {}
    if source_arn := request.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": source_arn}
    equals = {
        "AWS:SourceAccount": request.get("SourceAccount"),
        "aws:PrincipalOrgID": request.get("PrincipalOrgID"),
        "lambda:EventSourceToken": request.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": request.get("FunctionUrlAuthType"),
    }
    if found := {key: value for key, value in equals.items() if value}:
        conditions["StringEquals"] = found
    if request.get("InvokedViaFunctionUrl") is not None:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(request["InvokedViaFunctionUrl"]).lower()}
    statement: Json = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": shown,
        "Action": request["Action"],
        "Resource": name.qualified_arn,
    }
    if conditions:
        statement["Condition"] = conditions
    return statement


async def _change(lambda_: Lambda, name: Name, request: Json, change: Callable[[list[Json]], None]) -> None:
    qualifier = name.qualifier or ""

    def make(document: Document) -> None:
        entry = document.setdefault("policies", {}).setdefault(qualifier, {"statements": [], "revision": None})
        check_revision(request, entry["revision"])
        change(entry["statements"])
        entry["revision"] = lambda_.ids.uuid()

    await change_function(lambda_, name, make)
