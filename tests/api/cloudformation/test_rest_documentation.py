"""The documentation of a REST API from a template: its parts, a version of them, and the stage that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.api.cloudformation.test_rest_stages import _RESOURCES


def template(words: str, version: str) -> str:
    resources = {
        **{name: each for name, each in _RESOURCES.items() if name != "Logs"},
        "Words": {
            "Type": "AWS::ApiGateway::DocumentationPart",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "Location": {"Type": "METHOD", "Path": "/", "Method": "GET"},
                "Properties": json.dumps({"summary": words}),
            },
        },
        "Version": {
            "Type": "AWS::ApiGateway::DocumentationVersion",
            "DependsOn": "Words",
            "Properties": {"RestApiId": {"Ref": "Api"}, "DocumentationVersion": version, "Description": words},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "StageName": "dev",
                "DeploymentId": {"Ref": "First"},
                "DocumentationVersion": {"Ref": "Version"},
            },
        },
    }
    outputs = {"Api": {"Value": {"Ref": "Api"}}, "Part": {"Value": {"Fn::GetAtt": ["Words", "DocumentationPartId"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def test_a_stage_shows_the_documentation_of_its_template(client: Callable[..., Any]) -> None:
    stacks, rest = client("cloudformation"), client("apigateway")
    stacks.create_stack(StackName="documented", TemplateBody=template("Before", "v1"))
    stacks.get_waiter("stack_create_complete").wait(StackName="documented", WaiterConfig={"Delay": 1})
    found = stacks.describe_stacks(StackName="documented")["Stacks"][0]["Outputs"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found}
    api = outputs["Api"]
    assert rest.get_documentation_part(restApiId=api, documentationPartId=outputs["Part"])

    def summary() -> str:
        body = rest.get_export(restApiId=api, stageName="dev", exportType="oas30")["body"].read()
        return str(json.loads(body)["paths"]["/"]["get"]["summary"])

    assert summary() == "Before"
    stacks.update_stack(StackName="documented", TemplateBody=template("After", "v2"))
    stacks.get_waiter("stack_update_complete").wait(StackName="documented", WaiterConfig={"Delay": 1})
    assert summary() == "After"
    versions = rest.get_documentation_versions(restApiId=api)["items"]
    assert [(each["version"], each["description"]) for each in versions] == [("v2", "After")]
    stacks.delete_stack(StackName="documented")
    stacks.get_waiter("stack_delete_complete").wait(StackName="documented", WaiterConfig={"Delay": 1})
