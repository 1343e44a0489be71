"""AWS::Lambda::Url"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::Lambda::Url"


async def create(aws: Aws, properties: Json) -> Created:
    return _created(await aws("lambda", "CreateFunctionUrlConfig", _request(properties)))


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    # Without Cors the configuration would stay as it is: an empty one takes it away.
    request = {"Cors": {}, "InvokeMode": "BUFFERED", **_request(properties)}
    return _created(await aws("lambda", "UpdateFunctionUrlConfig", request))


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    request = {"FunctionName": properties["TargetFunctionArn"], **pick(properties, "Qualifier")}
    await aws("lambda", "DeleteFunctionUrlConfig", request)


def _request(properties: Json) -> Json:
    named = {"FunctionName": properties["TargetFunctionArn"]}
    return {**named, **pick(properties, "Qualifier", "AuthType", "Cors", "InvokeMode")}


def _created(url: Json) -> Created:
    arn = url["FunctionArn"]
    return Created(arn, {"FunctionArn": arn, "FunctionUrl": url["FunctionUrl"]})


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, update)
