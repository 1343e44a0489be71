"""boto3 calls every operation of the table, on one API that it makes and takes away; and what is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from freehold.services.apigateway import OPERATIONS

Client = Callable[..., Any]
_DOCUMENT = {
    "openapi": "3.0.1",
    "info": {"title": "merged", "version": "1"},
    "paths": {
        "/merged": {
            "get": {
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {"default": {"statusCode": "200"}},
                },
                "responses": {"200": {"description": "done"}},
            }
        }
    },
}


class Calls:
    """A client whose operations are noted: `calls.get_stage(...)`."""

    def __init__(self, rest: Any) -> None:
        self._rest = rest
        self.done: set[str] = set()
        rest.meta.events.register("provide-client-params.api-gateway", self._note)

    def _note(self, model: Any, **more: Any) -> None:
        self.done.add(model.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rest, name)


def replaced(path: str, value: str) -> list[dict[str, str]]:
    return [{"op": "replace", "path": path, "value": value}]


def test_every_operation_of_the_table_answers_boto3(client: Client) -> None:
    calls = Calls(client("apigateway"))
    api = calls.create_rest_api(name="every", tags={"team": "a"})["id"]
    of = {"restApiId": api}
    _the_api(calls, api, of)
    where = _methods(calls, of)
    _parts(calls, of, where)
    deployment = _stages(calls, of)
    _documentation(calls, of)
    _domain_names(calls, api, client("apigateway").get_stages(**of)["item"][0]["stageName"])
    _usage(calls, api, of)
    _away(calls, of, where, deployment)
    assert set(OPERATIONS) - calls.done == set()


def _the_api(calls: Calls, api: str, of: dict[str, str]) -> None:
    assert calls.get_rest_api(**of)["name"] == "every"
    assert api in [each["id"] for each in calls.get_rest_apis(limit=500)["items"]]
    assert calls.update_rest_api(**of, patchOperations=replaced("/name", "all"))["name"] == "all"
    assert calls.put_rest_api(**of, mode="merge", body=json.dumps(_DOCUMENT).encode())["id"] == api
    imported = calls.import_rest_api(body=json.dumps(_DOCUMENT).encode())
    assert imported["name"] == "merged"
    calls.delete_rest_api(restApiId=imported["id"])
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    calls.tag_resource(resourceArn=arn, tags={"color": "red"})
    calls.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert calls.get_tags(resourceArn=arn)["tags"] == {"color": "red"}
    role = "arn:aws:iam::000000000000:role/logs"
    calls.update_account(patchOperations=replaced("/cloudwatchRoleArn", role))
    assert calls.get_account()["cloudwatchRoleArn"] == role


def _methods(calls: Calls, of: dict[str, str]) -> dict[str, str]:
    root = calls.get_rest_api(**of)["rootResourceId"]
    resource = calls.create_resource(**of, parentId=root, pathPart="thing")["id"]
    assert calls.update_resource(**of, resourceId=resource, patchOperations=replaced("/pathPart", "things"))
    assert calls.get_resource(**of, resourceId=resource)["path"] == "/things"
    assert len(calls.get_resources(**of)["items"]) == 3
    where = {**of, "resourceId": resource, "httpMethod": "GET"}
    calls.put_method(**where, authorizationType="NONE")
    assert calls.update_method(**where, patchOperations=replaced("/operationName", "List"))["operationName"] == "List"
    assert calls.get_method(**where)["authorizationType"] == "NONE"
    calls.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    changed = calls.update_integration(**where, patchOperations=replaced("/timeoutInMillis", "500"))
    assert (changed["timeoutInMillis"], calls.get_integration(**where)["type"]) == (500, "MOCK")
    one = {**where, "statusCode": "200"}
    calls.put_method_response(**one, responseParameters={"method.response.header.X-A": True})
    patch = [{"op": "add", "path": "/responseParameters/method.response.header.X-B", "value": "false"}]
    assert len(calls.update_method_response(**one, patchOperations=patch)["responseParameters"]) == 2
    assert calls.get_method_response(**one)["statusCode"] == "200"
    calls.put_integration_response(**one)
    patch = [{"op": "add", "path": "/responseTemplates/application~1json", "value": "{}"}]
    assert calls.update_integration_response(**one, patchOperations=patch)["responseTemplates"]
    assert calls.get_integration_response(**one)["statusCode"] == "200"
    return where


def _parts(calls: Calls, of: dict[str, str], where: dict[str, str]) -> None:
    """Those that belong to the API as a whole: made, read, changed and taken away."""
    function = "arn:aws:lambda:us-east-1:000000000000:function:f"
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    source = "method.request.header.Authorization"
    guard = calls.create_authorizer(**of, name="a", type="TOKEN", authorizerUri=uri, identitySource=source)
    one = {**of, "authorizerId": guard["id"]}
    assert calls.update_authorizer(**one, patchOperations=replaced("/name", "b"))["name"] == "b"
    assert (calls.get_authorizer(**one)["name"], len(calls.get_authorizers(**of)["items"])) == ("b", 1)
    calls.delete_authorizer(**one)
    calls.create_model(**of, name="Thing", contentType="application/json", schema="{}")
    model = {**of, "modelName": "Thing"}
    assert calls.update_model(**model, patchOperations=replaced("/description", "d"))["description"] == "d"
    assert calls.get_model(**model)["schema"] == "{}"
    assert "Thing" in [each["name"] for each in calls.get_models(**of)["items"]]
    calls.delete_model(**model)
    made = calls.create_request_validator(**of, name="all", validateRequestBody=True)
    validator = {**of, "requestValidatorId": made["id"]}
    assert calls.update_request_validator(**validator, patchOperations=replaced("/validateRequestBody", "false"))
    assert calls.get_request_validator(**validator)["validateRequestBody"] is False
    assert len(calls.get_request_validators(**of)["items"]) == 1
    calls.delete_request_validator(**validator)
    response = {**of, "responseType": "THROTTLED"}
    calls.put_gateway_response(**response, statusCode="420")
    assert calls.update_gateway_response(**response, patchOperations=replaced("/statusCode", "421"))
    assert calls.get_gateway_response(**response)["statusCode"] == "421"
    assert len(calls.get_gateway_responses(**of, limit=500)["items"]) > 10
    calls.delete_gateway_response(**response)


def _stages(calls: Calls, of: dict[str, str]) -> str:
    deployment = str(calls.create_deployment(**of, description="first")["id"])
    one = {**of, "deploymentId": deployment}
    assert calls.update_deployment(**one, patchOperations=replaced("/description", "d"))["description"] == "d"
    assert (calls.get_deployment(**one)["description"], len(calls.get_deployments(**of)["items"])) == ("d", 1)
    calls.create_stage(**of, stageName="dev", deploymentId=deployment)
    stage = {**of, "stageName": "dev"}
    assert calls.update_stage(**stage, patchOperations=replaced("/description", "s"))["description"] == "s"
    assert (calls.get_stage(**stage)["description"], len(calls.get_stages(**of)["item"])) == ("s", 1)
    calls.flush_stage_cache(**stage)
    calls.flush_stage_authorizers_cache(**stage)
    return deployment


def _documentation(calls: Calls, of: dict[str, str]) -> None:
    """Parts, a version that the stage shows, and the export that tells it."""
    made = calls.create_documentation_part(**of, location={"type": "API"}, properties='{"info": {"title": "old"}}')
    part = {**of, "documentationPartId": made["id"]}
    told = '{"info": {"title": "The whole story"}}'
    assert calls.update_documentation_part(**part, patchOperations=replaced("/properties", told))["properties"] == told
    assert calls.get_documentation_part(**part)["location"] == {"type": "API"}
    documentation = {"documentationParts": [{"location": {"type": "METHOD"}, "properties": {"summary": "Some method"}}]}
    body = json.dumps({**_DOCUMENT, "x-amazon-apigateway-documentation": documentation}).encode()
    ids = calls.import_documentation_parts(**of, mode="merge", body=body)["ids"]
    assert len(calls.get_documentation_parts(**of)["items"]) == 2
    assert [each["id"] for each in calls.get_documentation_parts(**of, type="METHOD")["items"]] == ids
    version = {**of, "documentationVersion": "v1"}
    calls.create_documentation_version(**version, stageName="dev")
    assert calls.update_documentation_version(**version, patchOperations=replaced("/description", "first"))
    assert calls.get_documentation_version(**version)["description"] == "first"
    assert [each["version"] for each in calls.get_documentation_versions(**of)["items"]] == ["v1"]
    answer = calls.get_export(**of, stageName="dev", exportType="oas30", parameters={"extensions": "apigateway"})
    exported = json.loads(answer["body"].read())
    assert exported["info"]["title"] == "The whole story"
    assert exported["paths"]["/merged"]["get"]["summary"] == "Some method"
    assert exported["paths"]["/merged"]["get"]["x-amazon-apigateway-integration"]["type"] == "mock"
    in_yaml = calls.get_export(**of, stageName="dev", exportType="swagger", accepts="application/yaml")
    assert in_yaml["body"].read().startswith(b"swagger: '2.0'\n")
    assert in_yaml["contentDisposition"].endswith('.yaml"')
    off = [{"op": "remove", "path": "/documentationVersion"}]
    calls.update_stage(**of, stageName="dev", patchOperations=off)
    calls.delete_documentation_version(**version)
    calls.delete_documentation_part(**part)


def _domain_names(calls: Calls, api: str, stage: str) -> None:
    certificate = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"
    name = {"domainName": "every.example"}
    assert calls.create_domain_name(**name, certificateArn=certificate)["domainNameStatus"] == "AVAILABLE"
    changed = calls.update_domain_name(**name, patchOperations=replaced("/securityPolicy", "TLS_1_0"))
    assert changed["securityPolicy"] == calls.get_domain_name(**name)["securityPolicy"] == "TLS_1_0"
    assert "every.example" in [each["domainName"] for each in calls.get_domain_names()["items"]]
    made = calls.create_base_path_mapping(**name, restApiId=api, stage=stage, basePath="v1")
    assert calls.get_base_path_mapping(**name, basePath="v1")["restApiId"] == made["restApiId"] == api
    calls.update_base_path_mapping(**name, basePath="v1", patchOperations=replaced("/basePath", "v2"))
    assert [each["basePath"] for each in calls.get_base_path_mappings(**name)["items"]] == ["v2"]
    calls.delete_base_path_mapping(**name, basePath="v2")
    calls.delete_domain_name(**name)


def _usage(calls: Calls, api: str, of: dict[str, str]) -> None:
    key = calls.create_api_key(name="every-key", enabled=True)["id"]
    assert calls.update_api_key(apiKey=key, patchOperations=replaced("/description", "k"))["description"] == "k"
    assert calls.get_api_key(apiKey=key)["name"] == "every-key"
    assert [each["id"] for each in calls.get_api_keys(nameQuery="every-key")["items"]] == [key]
    imported = calls.import_api_keys(body=b"name,key\nevery-other,abcdefghij0123456789\n", format="csv")["ids"]
    calls.delete_api_key(apiKey=imported[0])
    quota = {"limit": 10, "period": "DAY"}
    plan = calls.create_usage_plan(name="every-plan", quota=quota, apiStages=[{"apiId": api, "stage": "dev"}])["id"]
    assert calls.update_usage_plan(usagePlanId=plan, patchOperations=replaced("/description", "p"))
    assert calls.get_usage_plan(usagePlanId=plan)["description"] == "p"
    assert plan in [each["id"] for each in calls.get_usage_plans(limit=500)["items"]]
    pair = {"usagePlanId": plan, "keyId": key}
    calls.create_usage_plan_key(**pair, keyType="API_KEY")
    assert calls.get_usage_plan_key(**pair)["name"] == "every-key"
    assert len(calls.get_usage_plan_keys(usagePlanId=plan)["items"]) == 1
    calls.update_usage(**pair, patchOperations=replaced("/remaining", "5"))
    assert calls.get_usage(usagePlanId=plan, startDate="2026-01-01", endDate="2026-01-02")["usagePlanId"] == plan
    calls.delete_usage_plan_key(**pair)
    off = [{"op": "remove", "path": "/apiStages", "value": f"{api}:dev"}]
    calls.update_usage_plan(usagePlanId=plan, patchOperations=off)
    calls.delete_usage_plan(usagePlanId=plan)
    calls.delete_api_key(apiKey=key)


def _away(calls: Calls, of: dict[str, str], where: dict[str, str], deployment: str) -> None:
    one = {**where, "statusCode": "200"}
    calls.delete_integration_response(**one)
    calls.delete_method_response(**one)
    calls.delete_integration(**where)
    calls.delete_method(**where)
    calls.delete_resource(**of, resourceId=where["resourceId"])
    calls.delete_stage(**of, stageName="dev")
    calls.delete_deployment(**of, deploymentId=deployment)
    calls.delete_rest_api(**of)
    with pytest.raises(ClientError, match="Invalid API identifier"):
        calls.get_rest_api(**of)


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        ("create_rest_api", {"name": "n", "securityPolicy": "TLS_1_2"}, "does not support securityPolicy"),
        ("create_rest_api", {"name": "n", "endpointAccessMode": "STRICT"}, "does not support endpointAccessMode"),
        ("get_model", {"modelName": "Empty", "flatten": True}, "does not support flatten"),
        (
            "create_stage",
            {"stageName": "s", "documentationVersion": "1"},
            "Invalid Documentation version identifier specified",
        ),
        ("get_documentation_parts", {"locationStatus": "UNDOCUMENTED"}, "does not support locationStatus UNDOCUMENTED"),
        ("get_sdk", {"stageName": "s", "sdkType": "javascript"}, "does not support apigateway:GetSdk yet"),
        ("generate_client_certificate", {}, "does not support apigateway:GenerateClientCertificate yet"),
        ("create_vpc_link", {"name": "v", "targetArns": ["a"]}, "does not support apigateway:CreateVpcLink yet"),
        (
            "import_rest_api",
            {"parameters": {"unknown": "1"}, "body": json.dumps(_DOCUMENT).encode()},
            "Invalid import parameter specified: unknown",
        ),
        (
            "update_rest_api",
            {"patchOperations": replaced("/endpointConfiguration/ipAddressType", "ipv9")},
            "Invalid ipAddressType",
        ),
        (
            "update_rest_api",
            {"patchOperations": replaced("/endpointConfiguration/vpcEndpointIds/vpce-1", "")},
            "Invalid patch path",
        ),
    ],
)
def test_what_is_not_honoured_is_refused_by_name(
    client: Client, operation: str, request_: dict[str, Any], said: str
) -> None:
    rest = client("apigateway")
    api = rest.create_rest_api(name="refusals")["id"]
    rest.put_rest_api(restApiId=api, mode="merge", body=json.dumps(_DOCUMENT).encode())
    members = rest.meta.service_model.operation_model(rest.meta.method_to_api_mapping[operation]).input_shape.members
    more = {"restApiId": api} if "restApiId" in members else {}
    if "deploymentId" in members:
        more["deploymentId"] = rest.create_deployment(restApiId=api)["id"]
    with pytest.raises(ClientError, match=said):
        getattr(rest, operation)(**more, **request_)
    rest.delete_rest_api(restApiId=api)
