"""AWS::IAM::Role"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, changed, json_text, pick, tag_changes, tag_list

TYPE = "AWS::IAM::Role"


async def create(aws: Aws, properties: Json) -> Created:
    request = pick(properties, "RoleName", "Path", "Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
    document = json_text(properties["AssumeRolePolicyDocument"])
    answer = await aws("iam", "CreateRole", {**request, "AssumeRolePolicyDocument": document})
    role = answer["Role"]
    await _attach(aws, role["RoleName"], properties, {})
    return _created(role)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    different = changed(properties, previous)
    role_name = {"RoleName": physical_id}
    if "AssumeRolePolicyDocument" in different:
        document = json_text(properties["AssumeRolePolicyDocument"])
        await aws("iam", "UpdateAssumeRolePolicy", {**role_name, "PolicyDocument": document})
    if "Description" in different or "MaxSessionDuration" in different:
        request = {
            "Description": "",
            "MaxSessionDuration": 3600,
            **pick(properties, "Description", "MaxSessionDuration"),
        }
        await aws("iam", "UpdateRole", {**role_name, **request})
    if "PermissionsBoundary" in different:
        boundary = properties.get("PermissionsBoundary")
        if boundary:
            await aws("iam", "PutRolePermissionsBoundary", {**role_name, "PermissionsBoundary": boundary})
        else:
            await aws("iam", "DeleteRolePermissionsBoundary", role_name)
    if "Tags" in different:
        await _tag(aws, physical_id, properties, previous)
    await _attach(aws, physical_id, properties, previous)
    answer = await aws("iam", "GetRole", role_name)
    return _created(answer["Role"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await _attach(aws, physical_id, {}, properties)
    await aws("iam", "DeleteRole", {"RoleName": physical_id})


def _created(role: Json) -> Created:
    return Created(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})


async def _attach(aws: Aws, role: str, properties: Json, previous: Json) -> None:
    """Inline and managed policies, brought from what they were to what the properties say."""
    new = {policy["PolicyName"]: json_text(policy["PolicyDocument"]) for policy in properties.get("Policies") or []}
    old = {policy["PolicyName"]: json_text(policy["PolicyDocument"]) for policy in previous.get("Policies") or []}
    for name, document in new.items():
        if old.get(name) != document:
            await aws("iam", "PutRolePolicy", {"RoleName": role, "PolicyName": name, "PolicyDocument": document})
    for name in old:
        if name not in new:
            await aws("iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": name})
    wanted = list(dict.fromkeys(properties.get("ManagedPolicyArns") or []))
    attached = list(dict.fromkeys(previous.get("ManagedPolicyArns") or []))
    for arn in wanted:
        if arn not in attached:
            await aws("iam", "AttachRolePolicy", {"RoleName": role, "PolicyArn": arn})
    for arn in attached:
        if arn not in wanted:
            await aws("iam", "DetachRolePolicy", {"RoleName": role, "PolicyArn": arn})


async def _tag(aws: Aws, role: str, properties: Json, previous: Json) -> None:
    gone, put = tag_changes(properties, previous)
    if gone:
        await aws("iam", "UntagRole", {"RoleName": role, "TagKeys": gone})
    if put:
        await aws("iam", "TagRole", {"RoleName": role, "Tags": tag_list(put)})


RESOURCE = ResourceType(TYPE, ("iam",), create, delete, update, Name("RoleName", 64))
