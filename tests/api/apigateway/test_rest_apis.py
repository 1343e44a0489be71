"""apigateway (REST APIs) as boto3 speaks it, against a live server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
URI = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:000000000000:function:nothere/invocations"
)


@pytest.fixture
def rest(client: Client) -> Any:
    return client("apigateway")


@pytest.fixture
def api(rest: Any) -> Iterator[dict[str, Any]]:
    made = rest.create_rest_api(name="items")
    yield made
    rest.delete_rest_api(restApiId=made["id"])


def put_method(rest: Any, api: dict[str, Any], path: str = "items", **more: Any) -> dict[str, Any]:
    resource = rest.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart=path)
    where = {"restApiId": api["id"], "resourceId": resource["id"], "httpMethod": "GET"}
    rest.put_method(**where, authorizationType="NONE", **more)
    rest.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=URI)
    return where


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_an_api_is_created_read_patched_and_deleted(rest: Any) -> None:
    api = rest.create_rest_api(name="first", tags={"team": "a"}, endpointConfiguration={"types": ["REGIONAL"]})
    patches = [
        {"op": "replace", "path": "/name", "value": "second"},
        {"op": "add", "path": "/binaryMediaTypes/image~1png"},
        {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"},
        {"op": "replace", "path": "/endpointConfiguration/types/REGIONAL", "value": "EDGE"},
    ]
    patched = rest.update_rest_api(restApiId=api["id"], patchOperations=patches)
    assert (patched["name"], patched["binaryMediaTypes"]) == ("second", ["image/png"])
    assert (patched["disableExecuteApiEndpoint"], patched["endpointConfiguration"]["types"]) == (True, ["EDGE"])
    with pytest.raises(ClientError) as caught:
        rest.update_rest_api(restApiId=api["id"], patchOperations=[{"op": "replace", "path": "/no", "value": "x"}])
    assert code(caught) == "BadRequestException"
    assert api["id"] in [each["id"] for each in rest.get_rest_apis(limit=500)["items"]]
    rest.delete_rest_api(restApiId=api["id"])
    with pytest.raises(ClientError) as caught:
        rest.get_rest_api(restApiId=api["id"])
    assert code(caught) == "NotFoundException"


def test_resources_are_a_tree(rest: Any, api: dict[str, Any]) -> None:
    items = rest.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="items")
    item = rest.create_resource(restApiId=api["id"], parentId=items["id"], pathPart="{id}")
    assert item["path"] == "/items/{id}"
    with pytest.raises(ClientError) as caught:
        rest.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="items")
    assert code(caught) == "ConflictException"
    with pytest.raises(ClientError, match="path part only allow"):
        rest.create_resource(restApiId=api["id"], parentId=items["id"], pathPart="a b")
    rename = [{"op": "replace", "path": "/pathPart", "value": "things"}]
    rest.update_resource(restApiId=api["id"], resourceId=items["id"], patchOperations=rename)
    assert rest.get_resource(restApiId=api["id"], resourceId=item["id"])["path"] == "/things/{id}"
    rest.delete_resource(restApiId=api["id"], resourceId=items["id"])
    assert [each["path"] for each in rest.get_resources(restApiId=api["id"])["items"]] == ["/"]


def test_methods_integrations_and_responses(rest: Any, api: dict[str, Any]) -> None:
    where = put_method(rest, api, requestParameters={"method.request.querystring.q": True})
    rest.put_method_response(**where, statusCode="200", responseModels={"application/json": "Empty"})
    rest.put_integration_response(**where, statusCode="200", selectionPattern="")
    method = rest.get_method(**where)
    assert method["requestParameters"] == {"method.request.querystring.q": True}
    assert method["methodIntegration"]["uri"] == URI
    assert method["methodIntegration"]["timeoutInMillis"] == 29000
    assert set(method["methodIntegration"]["integrationResponses"]) == set(method["methodResponses"]) == {"200"}
    rest.update_integration(**where, patchOperations=[{"op": "replace", "path": "/timeoutInMillis", "value": "1000"}])
    assert rest.get_integration(**where)["timeoutInMillis"] == 1000
    rest.delete_integration_response(**where, statusCode="200")
    rest.delete_integration(**where)
    with pytest.raises(ClientError) as caught:
        rest.get_integration(**where)
    assert code(caught) == "NotFoundException"


def test_a_deployment_makes_a_stage_and_stages_come_as_item(rest: Any, api: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="doesn't contain any methods"):
        rest.create_deployment(restApiId=api["id"], stageName="dev")
    put_method(rest, api)
    deployment = rest.create_deployment(restApiId=api["id"], stageName="dev", variables={"color": "red"})
    (stage,) = rest.get_stages(restApiId=api["id"])["item"]
    assert (stage["stageName"], stage["deploymentId"], stage["variables"]) == (
        "dev",
        deployment["id"],
        {"color": "red"},
    )
    summary = rest.get_deployment(restApiId=api["id"], deploymentId=deployment["id"], embed=["apisummary"])
    assert summary["apiSummary"]["/items"]["GET"] == {"authorizationType": "NONE", "apiKeyRequired": False}
    settings = [
        {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
        {"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"},
        {"op": "replace", "path": "/variables/color", "value": "blue"},
    ]
    stage = rest.update_stage(restApiId=api["id"], stageName="dev", patchOperations=settings)
    assert stage["methodSettings"]["*/*"] == {"loggingLevel": "INFO", "metricsEnabled": True}
    assert stage["variables"] == {"color": "blue"}
    with pytest.raises(ClientError, match="Active stages"):
        rest.delete_deployment(restApiId=api["id"], deploymentId=deployment["id"])
    rest.delete_stage(restApiId=api["id"], stageName="dev")
    rest.delete_deployment(restApiId=api["id"], deploymentId=deployment["id"])


def test_a_stage_setting_that_is_not_honoured_is_refused_by_name(rest: Any, api: dict[str, Any]) -> None:
    put_method(rest, api)
    deployment = rest.create_deployment(restApiId=api["id"])
    rest.create_stage(restApiId=api["id"], stageName="dev", deploymentId=deployment["id"])
    certificate = [{"op": "replace", "path": "/clientCertificateId", "value": "c1"}]
    with pytest.raises(ClientError, match="Freehold does not support client certificates"):
        rest.update_stage(restApiId=api["id"], stageName="dev", patchOperations=certificate)


def test_models_authorizers_and_gateway_responses(rest: Any, api: dict[str, Any]) -> None:
    rest.create_model(restApiId=api["id"], name="Item", contentType="application/json", schema='{"type":"object"}')
    assert [each["name"] for each in rest.get_models(restApiId=api["id"])["items"]] == ["Empty", "Error", "Item"]
    authorizer = rest.create_authorizer(
        restApiId=api["id"],
        name="gatekeeper",
        type="TOKEN",
        authorizerUri=URI,
        identitySource="method.request.header.Authorization",
    )
    assert authorizer["authorizerResultTtlInSeconds"] == 300
    response = rest.put_gateway_response(restApiId=api["id"], responseType="DEFAULT_4XX", statusCode="418")
    assert response["defaultResponse"] is False
    every = rest.get_gateway_responses(restApiId=api["id"], limit=500)["items"]
    by_type = {each["responseType"]: each for each in every}
    assert by_type["DEFAULT_4XX"]["statusCode"] == "418"
    assert by_type["UNAUTHORIZED"]["defaultResponse"] is True


def test_keys_and_usage_plans(rest: Any, api: dict[str, Any]) -> None:
    put_method(rest, api)
    rest.create_deployment(restApiId=api["id"], stageName="dev")
    key = rest.create_api_key(name="mine", enabled=True)
    plan = rest.create_usage_plan(name="basic", apiStages=[{"apiId": api["id"], "stage": "dev"}])
    rest.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    assert "value" not in rest.get_api_key(apiKey=key["id"])
    assert rest.get_api_key(apiKey=key["id"], includeValue=True)["value"] == key["value"]
    assert [each["id"] for each in rest.get_usage_plans(keyId=key["id"])["items"]] == [plan["id"]]
    patches = [
        {"op": "add", "path": "/throttle/rateLimit", "value": "2.5"},
        {"op": "remove", "path": "/apiStages", "value": f"{api['id']}:dev"},
    ]
    patched = rest.update_usage_plan(usagePlanId=plan["id"], patchOperations=patches)
    assert (patched["throttle"], patched["apiStages"]) == ({"rateLimit": 2.5}, [])
    rest.delete_api_key(apiKey=key["id"])
    assert rest.get_usage_plan_keys(usagePlanId=plan["id"])["items"] == []
    rest.delete_usage_plan(usagePlanId=plan["id"])


def test_the_account(rest: Any) -> None:
    role = "arn:aws:iam::000000000000:role/logs"
    rest.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}])
    account = rest.get_account()
    assert (account["cloudwatchRoleArn"], account["throttleSettings"]["burstLimit"]) == (role, 5000)


def test_tags(rest: Any, api: dict[str, Any]) -> None:
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api['id']}"
    rest.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    rest.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert rest.get_tags(resourceArn=arn)["tags"] == {"b": "2"}


def test_a_document_is_merged_into_an_api(rest: Any, api: dict[str, Any]) -> None:
    put_method(rest, api)
    document = {
        "openapi": "3.0.1",
        "info": {"title": "merged", "version": "1"},
        "paths": {
            "/items/{id}": {
                "delete": {
                    "security": [{"key": []}],
                    "x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": URI},
                }
            }
        },
        "components": {"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
    }
    rest.put_rest_api(restApiId=api["id"], mode="merge", body=json.dumps(document).encode())
    resources = rest.get_resources(restApiId=api["id"], embed=["methods"])["items"]
    methods = {each["path"]: each.get("resourceMethods", {}) for each in resources}
    assert set(methods) == {"/", "/items", "/items/{id}"}
    assert set(methods["/items"]) == {"GET"}
    assert methods["/items/{id}"]["DELETE"]["apiKeyRequired"] is True
