"""Roles, service-linked ones too. Source: IAM API Reference, the actions' pages."""

from __future__ import annotations

import re

import orjson

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.iam.documents import check_trust, encode
from freehold.services.iam.policies import require_attachable
from freehold.services.iam.principals import describe_boundary
from freehold.services.iam.record import (
    PROFILE,
    ROLE,
    Iam,
    change,
    create,
    delete_conflict,
    find,
    list_all,
    moment,
    new_document,
    no_such,
    page,
    read_tags,
    write_tags,
)
from freehold.state.store import Delete, Document

_SESSION_S = 3600
_SERVICE_PATH = "/aws-service-role/"
# Services whose role is not named after their principal in the plain way.
_SERVICE_ROLES = {
    "apigateway": "APIGateway",
    "dynamodb.application-autoscaling": "ApplicationAutoScaling_DynamoDBTable",
    "ops.apigateway": "APIGateway",
    "replication.dynamodb": "DynamoDBReplication",
    "replicator.lambda": "LambdaReplicator",
}


async def create_role(iam: Iam, call: Call, request: Json) -> Json:
    check_trust(request["AssumeRolePolicyDocument"])
    if request.get("PermissionsBoundary"):
        await require_attachable(iam, request["PermissionsBoundary"])
    if (request.get("Path") or "/").startswith(_SERVICE_PATH):
        raise AwsError("ValidationError", "The path of a service-linked role is for services alone.", status=400)
    document = _new(iam, call, request["RoleName"], request.get("Path"), request["AssumeRolePolicyDocument"])
    document["tags"] = read_tags(request.get("Tags"))
    for name, member in (("description", "Description"), ("boundary", "PermissionsBoundary")):
        if request.get(member):
            document[name] = request[member]
    document["sessionS"] = request.get("MaxSessionDuration") or _SESSION_S
    await create(iam, ROLE, document)
    return {"Role": describe(document)}


async def get_role(iam: Iam, call: Call, request: Json) -> Json:
    return {"Role": describe((await find(iam, ROLE, request["RoleName"])).document)}


async def list_roles(iam: Iam, call: Call, request: Json) -> Json:
    found = await list_all(iam, ROLE, request.get("PathPrefix"))
    shown, more = page(request, found, lambda document: str(document["name"]))
    hidden = ("Tags", "PermissionsBoundary", "RoleLastUsed")  # IAM leaves them to GetRole.
    roles = [{key: value for key, value in describe(role).items() if key not in hidden} for role in shown]
    return {"Roles": roles, **more}


async def delete_role(iam: Iam, call: Call, request: Json) -> Json:
    stored = await find(iam, ROLE, request["RoleName"])
    role = stored.document
    if role["path"].startswith(_SERVICE_PATH):
        raise AwsError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{role['name']}' - this role is only modifiable by "
            "AWS",
            status=400,
        )
    await _check_unused(iam, role)
    await iam.store.write(Delete(ROLE.kind, stored.key, if_revision=stored.revision))
    return {}


async def update_role(iam: Iam, call: Call, request: Json) -> Json:
    def edit(document: Document) -> None:
        if "Description" in request:
            document["description"] = request["Description"]
        if request.get("MaxSessionDuration"):
            document["sessionS"] = request["MaxSessionDuration"]

    await change(iam, ROLE, request["RoleName"], edit)
    return {}


async def update_role_description(iam: Iam, call: Call, request: Json) -> Json:
    await update_role(iam, call, {"RoleName": request["RoleName"], "Description": request["Description"]})
    return await get_role(iam, call, request)


async def update_assume_role_policy(iam: Iam, call: Call, request: Json) -> Json:
    check_trust(request["PolicyDocument"])

    def edit(document: Document) -> None:
        document["trust"] = request["PolicyDocument"]

    await change(iam, ROLE, request["RoleName"], edit)
    return {}


async def create_service_linked_role(iam: Iam, call: Call, request: Json) -> Json:
    service = request["AWSServiceName"]
    if not service.endswith(".amazonaws.com"):
        raise AwsError("InvalidInput", f"Service role name {service} is not a service principal.", status=400)
    suffix = f"_{request['CustomSuffix']}" if request.get("CustomSuffix") else ""
    short = service.removesuffix(".amazonaws.com")
    name = f"AWSServiceRoleFor{_SERVICE_ROLES.get(short) or _camel(short)}{suffix}"
    if await iam.store.read(ROLE.kind, name.lower()) is not None:
        raise AwsError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different suffix.",
            status=400,
        )
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    document = _new(iam, call, name, f"{_SERVICE_PATH}{service}/", orjson.dumps(trust).decode())
    if request.get("Description"):
        document["description"] = request["Description"]
    await create(iam, ROLE, document)
    return {"Role": describe(document)}


async def delete_service_linked_role(iam: Iam, call: Call, request: Json) -> Json:
    stored = await find(iam, ROLE, request["RoleName"])
    role = stored.document
    if not role["path"].startswith(_SERVICE_PATH):
        raise no_such(f"The service-linked role with name {request['RoleName']} cannot be found.")
    await iam.store.write(Delete(ROLE.kind, stored.key))
    return {"DeletionTaskId": f"task{role['path']}{role['name']}/{iam.ids.uuid()}"}


async def get_service_linked_role_deletion_status(iam: Iam, call: Call, request: Json) -> Json:
    parts = request["DeletionTaskId"].split("/")
    if len(parts) != 5 or parts[0] != "task":
        raise no_such(f"The deletion task {request['DeletionTaskId']} cannot be found.")
    # Deleting is done when it is answered; a role of that name was made anew since, or there is none.
    return {"Status": "SUCCEEDED"}


def describe(role: Document) -> Json:
    described: Json = {
        "Path": role["path"],
        "RoleName": role["name"],
        "RoleId": role["id"],
        "Arn": role["arn"],
        "CreateDate": moment(role["createdMs"]),
        "AssumeRolePolicyDocument": encode(role["trust"]),
        "MaxSessionDuration": role["sessionS"],
        "RoleLastUsed": {},
        **describe_boundary(role),
    }
    if role.get("description"):
        described["Description"] = role["description"]
    if role["tags"]:
        described["Tags"] = write_tags(role["tags"])
    return described


def _new(iam: Iam, call: Call, name: str, path: str | None, trust: str) -> Document:
    document = new_document(iam, call, ROLE, name, path)
    return {**document, "trust": trust, "sessionS": _SESSION_S, "inline": {}, "attached": []}


async def _check_unused(iam: Iam, role: Document) -> None:
    if role["attached"]:
        raise delete_conflict("Cannot delete entity, must detach all policies first.")
    if role["inline"]:
        raise delete_conflict("Cannot delete entity, must delete policies first.")
    for profile in await list_all(iam, PROFILE):
        if role["name"] in profile["roles"]:
            raise delete_conflict("Cannot delete entity, must remove roles from instance profile first.")


def _camel(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[.\-_]", text))
