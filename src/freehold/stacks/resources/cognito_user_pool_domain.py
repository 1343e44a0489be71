"""AWS::Cognito::UserPoolDomain"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick

TYPE = "AWS::Cognito::UserPoolDomain"


async def create(aws: Aws, properties: Json) -> Created:
    await aws("cognito-idp", "CreateUserPoolDomain", properties)
    return await _created(aws, properties["Domain"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    await aws("cognito-idp", "UpdateUserPoolDomain", properties)
    return await _created(aws, physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("cognito-idp", "DeleteUserPoolDomain", pick(properties, "Domain", "UserPoolId"))


async def _created(aws: Aws, domain: str) -> Created:
    told = (await aws("cognito-idp", "DescribeUserPoolDomain", {"Domain": domain}))["DomainDescription"]
    return Created(domain, {"CloudFrontDistribution": told["CloudFrontDistribution"]})


RESOURCE = ResourceType(TYPE, ("cognito-idp",), create, delete, update)
