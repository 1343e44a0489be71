"""AWS::ApiGatewayV2::Stage"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick, retag, without

TYPE = "AWS::ApiGatewayV2::Stage"


async def create(aws: Aws, properties: Json) -> Created:
    stage = await aws("apigatewayv2", "CreateStage", without(properties, "AccessPolicyId"))
    return Created(stage["StageName"], {"Id": stage["StageName"]})


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    # UpdateStage merges: what the template no longer says is taken back by its empty value.
    empty: Json = {"StageVariables": {}, "RouteSettings": {}, "DefaultRouteSettings": {}, "AccessLogSettings": {}}
    gone = {name: value for name, value in empty.items() if name in previous and name not in properties}
    request = {**gone, **without(properties, "Tags", "AccessPolicyId")}
    await aws("apigatewayv2", "UpdateStage", request)
    arn = f"arn:aws:apigateway:{aws.call.region}::/apis/{properties['ApiId']}/stages/{physical_id}"
    await retag(aws, "apigatewayv2", arn, properties, previous, ("ResourceArn", "Tags", "TagKeys"))
    return Created(physical_id, {"Id": physical_id})


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteStage", pick(properties, "ApiId", "StageName"))


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
