"""AWS::CloudFormation::Stack: a stack as a resource of another.

Source: "AWS::CloudFormation::Stack" and "Embed stacks within other stacks using nested stacks".
"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.names import physical_name
from freehold.stacks.resources.types import Created, Place, PlacedType
from freehold.stacks.schema import text_of

TYPE = "AWS::CloudFormation::Stack"

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_NAME_LIMIT = 128
_NOTHING = "No updates are to be performed."


async def create(place: Place, properties: Json) -> Created:
    seed = f"{place.stack_id}/{place.logical_id}/{place.request_id}"
    name = physical_name(place.stack_name, place.logical_id, seed, limit=_NAME_LIMIT)
    # A parent is not a member of the public CreateStack request: only the server itself can name one.
    parent = {"ParentId": place.stack_id, "RootId": place.root_id}
    made = await place.aws(
        "cloudformation",
        "CreateStack",
        {"StackName": name, "OnFailure": "DELETE", **_request(place, properties), **parent},
    )
    return await _settled(place.aws, made["StackId"], "CREATE_COMPLETE")


async def update(place: Place, physical_id: str, properties: Json, previous: Json) -> Created:
    request = {"StackName": physical_id, **_request(place, properties)}
    request.pop("TimeoutInMinutes", None)
    try:
        await place.aws("cloudformation", "UpdateStack", request)
    except AwsError as error:
        if error.message != _NOTHING:
            raise
    return await _settled(place.aws, physical_id, "UPDATE_COMPLETE", "CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


async def delete(place: Place, physical_id: str, properties: Json) -> None:
    await place.aws("cloudformation", "DeleteStack", {"StackName": physical_id})
    await _settled(place.aws, physical_id, "DELETE_COMPLETE")


def _request(place: Place, properties: Json) -> Json:
    given = properties.get("Parameters") or {}
    tags = {**dict(place.tags), **{tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}}
    request: Json = {
        "TemplateURL": properties["TemplateURL"],
        "Capabilities": _CAPABILITIES,
        "Parameters": [{"ParameterKey": key, "ParameterValue": _text(value)} for key, value in given.items()],
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
    for name in ("NotificationARNs", "TimeoutInMinutes"):
        if name in properties:
            request[name] = properties[name]
    return request


def _text(value: object) -> str:
    return ",".join(text_of(item) for item in value) if isinstance(value, list) else text_of(value)


async def _settled(aws: Aws, stack_id: str, *wanted: str) -> Created:
    """Raises AwsError when the stack comes to rest elsewhere. DescribeStacks waits a while before it answers."""
    while True:
        (stack,) = (await aws("cloudformation", "DescribeStacks", {"StackName": stack_id}))["Stacks"]
        status = stack["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            break
    if status not in wanted or "ROLLBACK" in status:
        reason = stack.get("StackStatusReason", "")
        raise AwsError(
            "ValidationError", f"Embedded stack {stack_id} was not successfully brought about: {status} {reason}"
        )
    outputs = {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in stack.get("Outputs", [])}
    return Created(stack_id, {"StackId": stack_id, **outputs})


RESOURCE = PlacedType(TYPE, (), create, update, delete, attributes=frozenset({"StackId"}))
