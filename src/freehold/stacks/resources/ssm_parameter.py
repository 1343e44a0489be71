"""AWS::SSM::Parameter"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, Name, ResourceType, tag_changes, tag_list, without

TYPE = "AWS::SSM::Parameter"


async def create(aws: Aws, properties: Json) -> Created:
    if properties["Type"] == "SecureString":
        # A template is no place for a secret: CloudFormation makes none.
        raise AwsError("ValidationException", "AWS::SSM::Parameter cannot create a parameter of the type SecureString.")
    request = without(properties, "Tags")
    if properties.get("Tags"):
        request["Tags"] = [{"Key": key, "Value": value} for key, value in properties["Tags"].items()]
    await aws("ssm", "PutParameter", request)
    return _created(properties)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("ssm", "PutParameter", {**without(properties, "Tags"), "Overwrite": True})
    target = {"ResourceType": "Parameter", "ResourceId": physical_id}
    gone, put = tag_changes(properties, previous)
    if gone:
        await aws("ssm", "RemoveTagsFromResource", {**target, "TagKeys": gone})
    if put:
        await aws("ssm", "AddTagsToResource", {**target, "Tags": tag_list(put)})
    return _created(properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("ssm", "DeleteParameter", {"Name": physical_id})


def _created(properties: Json) -> Created:
    return Created(properties["Name"], {"Type": properties["Type"], "Value": properties["Value"]})


RESOURCE = ResourceType(
    TYPE, ("ssm",), create, delete, update, Name("Name", 1011), more_attributes=frozenset({"Type", "Value"})
)
