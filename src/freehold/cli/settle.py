"""What a deployment does after its change set: the stack's policy, and the settings of a REST API's stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freehold.aws.call import Json
from freehold.http.aws_client import AwsClient

if TYPE_CHECKING:
    from freehold.templates.serverless.stack_settings import RestStage, StackSettings


async def settle(aws: AwsClient, stack_name: str, settings: StackSettings) -> None:
    if settings.policy:
        await aws("cloudformation", "SetStackPolicy", {"StackName": stack_name, "StackPolicyBody": settings.policy})
    if settings.rest_stage:
        await _settle_stage(aws, stack_name, settings.rest_stage)


async def _settle_stage(aws: AwsClient, stack_name: str, wanted: RestStage) -> None:
    request = {"StackName": stack_name, "LogicalResourceId": wanted.api}
    api = (await aws("cloudformation", "DescribeStackResource", request))["StackResourceDetail"]
    place = {"restApiId": api["PhysicalResourceId"], "stageName": wanted.name}
    stage = await aws("apigateway", "GetStage", place)
    patches = [each for each in wanted.patches if each["op"] != "remove" or stage.get("accessLogSettings")]
    if wanted.log_group:
        call = aws.call
        arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{wanted.log_group}"
        patches.insert(0, {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn})
    if patches:
        await aws("apigateway", "UpdateStage", {**place, "patchOperations": patches})
    if wanted.tags is not None:
        await _settle_tags(aws, place, stage.get("tags") or {}, dict(wanted.tags))


async def _settle_tags(aws: AwsClient, place: Json, held: Json, wanted: Json) -> None:
    arn = f"arn:aws:apigateway:{aws.call.region}::/restapis/{place['restApiId']}/stages/{place['stageName']}"
    gone = [key for key in held if key not in wanted and not key.startswith("aws:")]
    if gone:
        await aws("apigateway", "UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if wanted != held:
        await aws("apigateway", "TagResource", {"resourceArn": arn, "tags": wanted})
