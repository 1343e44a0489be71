"""AWS::Lambda::Version: what it was published of cannot change, so every change publishes another."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.lambda_provisioned import provision
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::Lambda::Version"


async def create(aws: Aws, properties: Json) -> Created:
    request = pick(properties, "FunctionName", "CodeSha256", "Description")
    version = await aws("lambda", "PublishVersion", request)
    if version.get("State") == "Failed":
        raise AwsError(version["StateReasonCode"], version["StateReason"], status=400)
    provisioned = properties.get("ProvisionedConcurrencyConfig")
    if provisioned:
        target = {"FunctionName": properties["FunctionName"], "Qualifier": version["Version"]}
        await provision(aws, target, provisioned)
    arn = version["FunctionArn"]
    return Created(arn, {"Version": version["Version"], "FunctionArn": arn})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    name, _, version = physical_id.rpartition(":")
    await aws("lambda", "DeleteFunction", {"FunctionName": name, "Qualifier": version})


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete)
