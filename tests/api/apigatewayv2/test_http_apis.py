"""apigatewayv2 as boto3 speaks it, against a live server."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:nothere"


@pytest.fixture
def v2(client: Client) -> Any:
    return client("apigatewayv2")


@pytest.fixture
def api_id(v2: Any) -> Iterator[str]:
    made = v2.create_api(Name="items", ProtocolType="HTTP")["ApiId"]
    yield made
    v2.delete_api(ApiId=made)


def integrate(v2: Any, api_id: str, **more: Any) -> str:
    request = {"IntegrationType": "AWS_PROXY", "IntegrationUri": FUNCTION, "PayloadFormatVersion": "2.0", **more}
    return str(v2.create_integration(ApiId=api_id, **request)["IntegrationId"])


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_an_api_is_created_read_changed_and_deleted(v2: Any) -> None:
    cors = {"AllowOrigins": ["https://a.com"], "AllowMethods": ["GET"], "MaxAge": 60}
    api = v2.create_api(Name="first", ProtocolType="HTTP", CorsConfiguration=cors, Tags={"team": "a"})
    assert re.fullmatch(rf"http://127.0.0.1:\d+/_aws/execute-api/{api['ApiId']}", api["ApiEndpoint"])
    assert isinstance(api["CreatedDate"], datetime)
    assert v2.get_api(ApiId=api["ApiId"])["CorsConfiguration"] == cors
    assert v2.update_api(ApiId=api["ApiId"], Name="second")["Name"] == "second"
    v2.delete_cors_configuration(ApiId=api["ApiId"])
    assert "CorsConfiguration" not in v2.get_api(ApiId=api["ApiId"])
    assert api["ApiId"] in [each["ApiId"] for each in v2.get_apis(MaxResults="500")["Items"]]
    v2.delete_api(ApiId=api["ApiId"])
    with pytest.raises(ClientError) as caught:
        v2.get_api(ApiId=api["ApiId"])
    assert code(caught) == "NotFoundException"


def test_routes_integrations_and_stages(v2: Any, api_id: str) -> None:
    target = f"integrations/{integrate(v2, api_id)}"
    route = v2.create_route(ApiId=api_id, RouteKey="GET /items/{id}", Target=target)
    assert (route["AuthorizationType"], route["ApiKeyRequired"]) == ("NONE", False)
    assert [each["RouteKey"] for each in v2.get_routes(ApiId=api_id)["Items"]] == ["GET /items/{id}"]
    stage = v2.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True, StageVariables={"a": "b"})
    assert stage["AutoDeploy"] is True
    assert v2.get_deployments(ApiId=api_id)["Items"][0]["DeploymentId"] == stage["DeploymentId"]
    assert v2.get_stage(ApiId=api_id, StageName="$default")["StageVariables"] == {"a": "b"}
    with pytest.raises(ClientError) as caught:
        v2.delete_integration(ApiId=api_id, IntegrationId=target.removeprefix("integrations/"))
    assert code(caught) == "ConflictException"
    v2.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    v2.delete_integration(ApiId=api_id, IntegrationId=target.removeprefix("integrations/"))
    assert v2.get_integrations(ApiId=api_id)["Items"] == []


def test_a_route_key_is_taken_once(v2: Any, api_id: str) -> None:
    v2.create_route(ApiId=api_id, RouteKey="GET /items")
    with pytest.raises(ClientError) as caught:
        v2.create_route(ApiId=api_id, RouteKey="GET /items")
    assert code(caught) == "ConflictException"


@pytest.mark.parametrize("route_key", ["FETCH /items", "GET items", "GET /{a+}/b", "GET /x{id}", "GET  /a"])
def test_a_malformed_route_key_is_refused(v2: Any, api_id: str, route_key: str) -> None:
    with pytest.raises(ClientError) as caught:
        v2.create_route(ApiId=api_id, RouteKey=route_key)
    assert code(caught) == "BadRequestException"


@pytest.mark.parametrize(
    ("integration", "name"),
    [
        (
            {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "arn:aws:x", "ConnectionType": "VPC_LINK"},
            "integrations through a VPC link",
        ),
        (
            {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "Kinesis-PutRecord"},
            "the integration subtype Kinesis-PutRecord",
        ),
    ],
)
def test_what_the_gateway_cannot_call_is_refused_by_name(
    v2: Any, api_id: str, integration: dict[str, str], name: str
) -> None:
    with pytest.raises(ClientError) as caught:
        v2.create_integration(ApiId=api_id, PayloadFormatVersion="1.0", **integration)
    assert caught.value.response["Error"]["Message"] == f"Freehold does not support {name} yet."


def test_an_iam_route_keeps_out_who_did_not_sign(v2: Any, api_id: str) -> None:
    target = f"integrations/{integrate(v2, api_id)}"
    v2.create_route(ApiId=api_id, RouteKey="GET /items", Target=target, AuthorizationType="AWS_IAM")
    v2.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    with (
        pytest.raises(urllib.error.HTTPError) as caught,
        urllib.request.urlopen(v2.get_api(ApiId=api_id)["ApiEndpoint"] + "/items"),
    ):
        pass
    with caught.value as refused:
        assert (refused.code, refused.read()) == (403, b'{"message":"Forbidden"}')


def test_credentials_do_not_go_with_every_origin(v2: Any) -> None:
    with pytest.raises(ClientError, match="'allowCredentials' must be false"):
        v2.create_api(
            Name="open", ProtocolType="HTTP", CorsConfiguration={"AllowOrigins": ["*"], "AllowCredentials": True}
        )


def test_authorizers_say_what_they_need(v2: Any, api_id: str) -> None:
    source = ["$request.header.Authorization"]
    made = v2.create_authorizer(
        ApiId=api_id,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=source,
        JwtConfiguration={"Issuer": "https://issuer.example", "Audience": ["app"]},
    )
    assert v2.get_authorizer(ApiId=api_id, AuthorizerId=made["AuthorizerId"])["IdentitySource"] == source
    with pytest.raises(ClientError, match=r"JwtConfiguration\.Issuer"):
        v2.create_authorizer(ApiId=api_id, Name="two", AuthorizerType="JWT", IdentitySource=source)
    with pytest.raises(ClientError, match="AuthorizerPayloadFormatVersion"):
        v2.create_authorizer(
            ApiId=api_id, Name="three", AuthorizerType="REQUEST", AuthorizerUri=FUNCTION, IdentitySource=source
        )
    with pytest.raises(ClientError, match="AuthorizerId is required"):
        v2.create_route(ApiId=api_id, RouteKey="GET /items", AuthorizationType="JWT")


def test_tags_of_an_api_and_a_stage(v2: Any, api_id: str) -> None:
    v2.create_stage(ApiId=api_id, StageName="dev")
    arn = f"arn:aws:apigateway:us-east-1::/apis/{api_id}"
    for resource in (arn, f"{arn}/stages/dev"):
        v2.tag_resource(ResourceArn=resource, Tags={"a": "1", "b": "2"})
        v2.untag_resource(ResourceArn=resource, TagKeys=["a"])
        assert v2.get_tags(ResourceArn=resource)["Tags"] == {"b": "2"}


def test_pages_follow_each_other(v2: Any, api_id: str) -> None:
    for index in range(5):
        v2.create_route(ApiId=api_id, RouteKey=f"GET /r{index}")
    first = v2.get_routes(ApiId=api_id, MaxResults="3")
    second = v2.get_routes(ApiId=api_id, MaxResults="3", NextToken=first["NextToken"])
    keys = [route["RouteKey"] for route in (*first["Items"], *second["Items"])]
    assert sorted(keys) == [f"GET /r{index}" for index in range(5)]
    assert "NextToken" not in second


def test_an_openapi_document_is_imported_and_imported_again(v2: Any) -> None:
    document = {
        "openapi": "3.0.1",
        "info": {"title": "imported", "version": "1.0"},
        "paths": {
            "/items": {
                "get": {
                    "security": [{"jwt": ["read"]}],
                    "x-amazon-apigateway-integration": {
                        "type": "aws_proxy",
                        "httpMethod": "POST",
                        "uri": FUNCTION,
                        "payloadFormatVersion": "2.0",
                    },
                }
            }
        },
        "components": {
            "securitySchemes": {
                "jwt": {
                    "type": "oauth2",
                    "x-amazon-apigateway-authorizer": {
                        "type": "jwt",
                        "identitySource": "$request.header.Authorization",
                        "jwtConfiguration": {"issuer": "https://issuer.example", "audience": ["app"]},
                    },
                }
            }
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["*"], "allowMethods": ["GET"]},
        "tags": [{"name": "made-by", "x-amazon-apigateway-tag-value": "test"}],
    }
    api = v2.import_api(Body=json.dumps(document))
    assert (api["Name"], api["Version"], api["Tags"]) == ("imported", "1.0", {"made-by": "test"})
    assert api["CorsConfiguration"]["AllowOrigins"] == ["*"]
    (route,) = v2.get_routes(ApiId=api["ApiId"])["Items"]
    assert (route["RouteKey"], route["AuthorizationType"], route["AuthorizationScopes"]) == (
        "GET /items",
        "JWT",
        ["read"],
    )
    document["paths"] = {"/$default": {"x-amazon-apigateway-any-method": {"isDefaultRoute": True}}}
    v2.reimport_api(ApiId=api["ApiId"], Body=json.dumps(document))
    assert [each["RouteKey"] for each in v2.get_routes(ApiId=api["ApiId"])["Items"]] == ["$default"]
    with pytest.raises(ClientError, match="Only OpenAPI 3"):
        v2.import_api(Body='{"swagger": "2.0"}')
    v2.delete_api(ApiId=api["ApiId"])


def test_apis_survive_a_restart(own_server: Any) -> None:
    api_id = own_server.client("apigatewayv2").create_api(Name="kept", ProtocolType="HTTP")["ApiId"]
    own_server.restart()
    assert own_server.client("apigatewayv2").get_api(ApiId=api_id)["Name"] == "kept"
