"""AWS::Lambda::Permission: a statement of the function's resource policy; any change makes a new statement."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, without

TYPE = "AWS::Lambda::Permission"


async def create(aws: Aws, properties: Json) -> Created:
    statement_id = properties["Id"]
    request = {**without(properties, "Id"), "StatementId": statement_id}
    await aws("lambda", "AddPermission", request)
    return Created(statement_id, {"Id": statement_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("lambda", "RemovePermission", {"FunctionName": properties["FunctionName"], "StatementId": physical_id})


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, name=Name("Id", 100))
