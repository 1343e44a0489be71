"""AWS::Logs::MetricFilter"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, Name, ResourceType, camel, camel_deep

TYPE = "AWS::Logs::MetricFilter"


async def create(aws: Aws, properties: Json) -> Created:
    # Put replaces the filter of that name.
    await aws("logs", "PutMetricFilter", _request(properties))
    return Created(properties["FilterName"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    return await create(aws, properties)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    request = {"logGroupName": properties["LogGroupName"], "filterName": physical_id}
    await aws("logs", "DeleteMetricFilter", request)


def _request(properties: Json) -> Json:
    request = camel(properties)
    request["metricTransformations"] = [_transformation(item) for item in properties["MetricTransformations"]]
    return request


def _transformation(item: Json) -> Json:
    made: Json = camel_deep({name: value for name, value in item.items() if name != "Dimensions"})
    if "Dimensions" in item:
        made["dimensions"] = {dimension["Key"]: dimension["Value"] for dimension in item["Dimensions"]}
    return made


RESOURCE = ResourceType(TYPE, ("logs",), create, delete, update, Name("FilterName", 512))
