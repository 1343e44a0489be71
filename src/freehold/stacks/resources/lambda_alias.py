"""AWS::Lambda::Alias"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.lambda_provisioned import provision
from freehold.stacks.resources.types import Created, ResourceType, changed, pick

TYPE = "AWS::Lambda::Alias"


async def create(aws: Aws, properties: Json) -> Created:
    alias = await aws("lambda", "CreateAlias", _request(properties))
    await _provision(aws, properties, {})
    return _created(alias)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    # What the template no longer says goes back to nothing.
    request = {"Description": "", "RoutingConfig": {"AdditionalVersionWeights": {}}, **_request(properties)}
    alias = await aws("lambda", "UpdateAlias", request)
    await _provision(aws, properties, previous)
    return _created(alias)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("lambda", "DeleteAlias", pick(properties, "FunctionName", "Name"))


def _request(properties: Json) -> Json:
    request = pick(properties, "FunctionName", "FunctionVersion", "Name", "Description")
    routing = properties.get("RoutingConfig")
    if routing:
        weights = routing.get("AdditionalVersionWeights") or []
        request["RoutingConfig"] = {
            "AdditionalVersionWeights": {item["FunctionVersion"]: item["FunctionWeight"] for item in weights}
        }
    return request


async def _provision(aws: Aws, properties: Json, previous: Json) -> None:
    if "ProvisionedConcurrencyConfig" not in changed(properties, previous):
        return
    target = {"FunctionName": properties["FunctionName"], "Qualifier": properties["Name"]}
    provisioned = properties.get("ProvisionedConcurrencyConfig")
    if provisioned:
        await provision(aws, target, provisioned)
    else:
        await aws("lambda", "DeleteProvisionedConcurrencyConfig", target)


def _created(alias: Json) -> Created:
    return Created(alias["AliasArn"], {"AliasArn": alias["AliasArn"]})


RESOURCE = ResourceType(TYPE, ("lambda",), create, delete, update)
