"""AWS::ApiGatewayV2::DomainName"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, retag, without

TYPE = "AWS::ApiGatewayV2::DomainName"


async def create(aws: Aws, properties: Json) -> Created:
    return _created(await aws("apigatewayv2", "CreateDomainName", properties))


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    domain = await aws("apigatewayv2", "UpdateDomainName", without(properties, "Tags"))
    arn = f"arn:aws:apigateway:{aws.call.region}::/domainnames/{physical_id}"
    await retag(aws, "apigatewayv2", arn, properties, previous, ("ResourceArn", "Tags", "TagKeys"))
    return _created(domain)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigatewayv2", "DeleteDomainName", {"DomainName": physical_id})


def _created(domain: Json) -> Created:
    configuration = (domain.get("DomainNameConfigurations") or [{}])[0]
    attributes = {
        "DomainNameArn": domain.get("DomainNameArn", ""),
        "RegionalDomainName": configuration.get("ApiGatewayDomainName", ""),
        "RegionalHostedZoneId": configuration.get("HostedZoneId", ""),
    }
    return Created(domain.get("DomainName", ""), attributes)


RESOURCE = ResourceType(TYPE, ("apigatewayv2",), create, delete, update)
