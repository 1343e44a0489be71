"""Stages of REST APIs from templates: canaries, caches and logs are set, changed and taken away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.e2e.conftest import fetch
from tests.live import LiveServer

_ANSWER = {"StatusCode": "200", "ResponseTemplates": {"application/json": '"$stageVariables.color"'}}
_RESOURCES: dict[str, Any] = {
    "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "canaries"}},
    "Root": {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
            "HttpMethod": "GET",
            "AuthorizationType": "NONE",
            "Integration": {
                "Type": "MOCK",
                "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                "IntegrationResponses": [_ANSWER],
            },
            "MethodResponses": [{"StatusCode": "200"}],
        },
    },
    "First": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Root", "Properties": {"RestApiId": {"Ref": "Api"}}},
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/canaries"}},
}


def template(**stage: Any) -> str:
    own = {"RestApiId": {"Ref": "Api"}, "StageName": "dev", "DeploymentId": {"Ref": "First"}, **stage}
    resources = {**_RESOURCES, "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": own}}
    return json.dumps({"Resources": resources, "Outputs": {"Api": {"Value": {"Ref": "Api"}}}})


def update(stacks: Any, text: str) -> None:
    stacks.update_stack(StackName="canaries", TemplateBody=text)
    stacks.get_waiter("stack_update_complete").wait(StackName="canaries", WaiterConfig={"Delay": 1})


def test_a_stages_canary_cache_and_logs_follow_its_template(client: Callable[..., Any], server: LiveServer) -> None:
    stacks, rest = client("cloudformation"), client("apigateway")
    canary = {"PercentTraffic": 100, "StageVariableOverrides": {"color": "red"}, "UseStageCache": True}
    log = {"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}, "Format": "$context.requestId $context.isCanaryRequest"}
    settings = [{"ResourcePath": "/*", "HttpMethod": "*", "CachingEnabled": True, "CacheTtlInSeconds": 60}]
    text = template(
        Variables={"color": "blue"},
        CanarySetting={**canary, "DeploymentId": {"Ref": "First"}},
        AccessLogSetting=log,
        CacheClusterEnabled=True,
        CacheClusterSize="1.6",
        MethodSettings=settings,
    )
    stacks.create_stack(StackName="canaries", TemplateBody=text)
    stacks.get_waiter("stack_create_complete").wait(StackName="canaries", WaiterConfig={"Delay": 1})
    outputs = stacks.describe_stacks(StackName="canaries")["Stacks"][0]["Outputs"]
    api = outputs[0]["OutputValue"]
    url = f"{server.endpoint}/_aws/execute-api/{api}/dev"
    assert fetch(url).json == "red"
    events = client("logs").filter_log_events(logGroupName="/canaries")["events"]
    assert [event["message"].partition(" ")[2] for event in events] == ["true"]
    stage = rest.get_stage(restApiId=api, stageName="dev")
    assert stage["canarySettings"] == {
        "percentTraffic": 100.0,
        "deploymentId": stage["deploymentId"],
        "stageVariableOverrides": {"color": "red"},
        "useStageCache": True,
    }
    assert (stage["cacheClusterSize"], stage["cacheClusterStatus"]) == ("1.6", "AVAILABLE")
    assert stage["methodSettings"]["*/*"]["cacheTtlInSeconds"] == 60

    update(stacks, template(Variables={"color": "blue"}, CanarySetting={"StageVariableOverrides": {"size": "big"}}))
    stage = rest.get_stage(restApiId=api, stageName="dev")
    assert stage["canarySettings"]["stageVariableOverrides"] == {"size": "big"}
    assert (stage["canarySettings"]["percentTraffic"], stage["canarySettings"]["useStageCache"]) == (0.0, False)
    assert "accessLogSettings" not in stage
    assert stage["cacheClusterEnabled"] is False
    assert "*/*" not in stage["methodSettings"]
    assert fetch(url).json == "blue"

    update(stacks, template(Variables={"color": "blue"}))
    assert "canarySettings" not in rest.get_stage(restApiId=api, stageName="dev")
    stacks.delete_stack(StackName="canaries")
    stacks.get_waiter("stack_delete_complete").wait(StackName="canaries", WaiterConfig={"Delay": 1})
