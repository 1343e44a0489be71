"""AWS::IAM::ManagedPolicy"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.iam_attachments import attach
from freehold.stacks.resources.types import Created, Name, ResourceType, json_text, pick

TYPE = "AWS::IAM::ManagedPolicy"


async def create(aws: Aws, properties: Json) -> Created:
    request = {
        "PolicyName": properties["ManagedPolicyName"],
        "PolicyDocument": json_text(properties["PolicyDocument"]),
        **pick(properties, "Description", "Path"),
    }
    policy = (await aws("iam", "CreatePolicy", request))["Policy"]
    await attach(aws, policy["Arn"], properties, {})
    return _created(policy["Arn"], policy["PolicyId"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    if properties["PolicyDocument"] != previous["PolicyDocument"]:
        await _drop_oldest(aws, physical_id)
        document = json_text(properties["PolicyDocument"])
        request = {"PolicyArn": physical_id, "PolicyDocument": document, "SetAsDefault": True}
        await aws("iam", "CreatePolicyVersion", request)
    await attach(aws, physical_id, properties, previous)
    policy = (await aws("iam", "GetPolicy", {"PolicyArn": physical_id}))["Policy"]
    return _created(physical_id, policy["PolicyId"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await attach(aws, physical_id, {}, properties)
    for version in await _other_versions(aws, physical_id):
        await aws("iam", "DeletePolicyVersion", {"PolicyArn": physical_id, "VersionId": version})
    await aws("iam", "DeletePolicy", {"PolicyArn": physical_id})


async def _drop_oldest(aws: Aws, arn: str) -> None:
    """A policy keeps five versions at most."""
    others = await _other_versions(aws, arn)
    if len(others) >= 4:
        await aws("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": others[-1]})


async def _other_versions(aws: Aws, arn: str) -> list[str]:
    """Those beside the default one, newest first."""
    versions = (await aws("iam", "ListPolicyVersions", {"PolicyArn": arn}))["Versions"]
    return [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]


def _created(arn: str, identity: str) -> Created:
    return Created(arn, {"PolicyArn": arn, "PolicyId": identity})


RESOURCE = ResourceType(TYPE, ("iam",), create, delete, update, Name("ManagedPolicyName", 128))
