"""AWS::Cognito::UserPoolClient"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, pick, without

TYPE = "AWS::Cognito::UserPoolClient"


async def create(aws: Aws, properties: Json) -> Created:
    return _created((await aws("cognito-idp", "CreateUserPoolClient", properties))["UserPoolClient"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    request = {**without(properties, "GenerateSecret"), "ClientId": physical_id}
    return _created((await aws("cognito-idp", "UpdateUserPoolClient", request))["UserPoolClient"])


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "DeleteUserPoolClient", {**pick(properties, "UserPoolId"), "ClientId": physical_id})


def _created(client: Json) -> Created:
    attributes = {"ClientId": client["ClientId"], "Name": client["ClientName"]}
    if "ClientSecret" in client:
        attributes["ClientSecret"] = client["ClientSecret"]
    return Created(client["ClientId"], attributes)


RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete, update, Name("ClientName", 128))
