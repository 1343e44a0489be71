"""REST APIs from the control plane's operations to the function and back."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from tests.unit.gateway.world import FUNCTION, World, event_of, header, invoke_uri

from freehold.aws.errors import AwsError


async def test_a_method_calls_its_function_with_the_rest_event(world: World) -> None:
    api_id = await world.rest_api("GET /items/{id}")
    event = event_of(await world.get(f"/_aws/execute-api/{api_id}/dev/items/a%20b?x=1&x=2", ("X-Custom", "Yes")))
    assert "version" not in event
    assert event["resource"] == "/items/{id}"
    assert event["path"] == "/items/a%20b"
    assert event["requestContext"]["path"] == "/dev/items/a%20b"
    assert event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "2"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["headers"]["X-Custom"] == "Yes"
    assert event["body"] is None
    assert event["stageVariables"] is None


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/items", "/items"),
        ("GET", "/items/", "/items"),
        ("GET", "/items/special", "/items/special"),
        ("GET", "/items/7", "/items/{id}"),
        ("DELETE", "/files/a/b", "/files/{proxy+}"),
        ("GET", "", "/"),
        ("GET", "/", "/"),
    ],
)
async def test_the_most_specific_resource_answers_and_slashes_at_the_end_are_ignored(
    world: World, method: str, path: str, resource: str
) -> None:
    api_id = await world.rest_api("GET /", "GET /items", "GET /items/special", "GET /items/{id}", "ANY /files/{proxy+}")
    assert event_of(await world.send(method, f"/_aws/execute-api/{api_id}/dev{path}"))["resource"] == resource


async def test_an_unknown_path_or_method_is_a_missing_authentication_token(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    for method, path in (("POST", "/items"), ("GET", "/other")):
        response = await world.send(method, f"/_aws/execute-api/{api_id}/dev{path}")
        assert (response.status, response.body) == (403, b'{"message":"Missing Authentication Token"}')
        assert header(response, "x-amzn-errortype") == "MissingAuthenticationTokenException"
        assert header(response, "x-amzn-requestid")


async def test_an_unknown_stage_is_forbidden(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    response = await world.get(f"/_aws/execute-api/{api_id}/nothere/items")
    assert (response.status, response.body) == (403, b'{"message":"Forbidden"}')


async def test_edits_are_invisible_until_they_are_deployed(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    await world.rest_method(api_id, "GET /new")
    assert (await world.get(f"/_aws/execute-api/{api_id}/dev/new")).status == 403
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    assert (await world.get(f"/_aws/execute-api/{api_id}/dev/new")).status == 200


async def test_an_older_deployment_can_be_served_again(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    old = (await world.rest("GetStage", restApiId=api_id, stageName="dev"))["deploymentId"]
    await world.rest_method(api_id, "GET /new")
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    back = [{"op": "replace", "path": "/deploymentId", "value": old}]
    await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=back)
    assert (await world.get(f"/_aws/execute-api/{api_id}/dev/new")).status == 403


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": 200, "extra": 1},
        {"statusCode": "abc"},
        {"statusCode": 101},
        {"statusCode": 200, "headers": {"x": 1}},
        {"statusCode": 200, "body": {"not": "text"}},
        ["not", "an", "object"],
        "text",
        None,
    ],
)
async def test_a_malformed_answer_is_502(world: World, answer: Any) -> None:
    api_id = await world.rest_api("GET /items")
    world.functions.answers["hello"] = lambda event: answer
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    assert (response.status, response.body) == (502, b'{"message": "Internal server error"}')
    assert header(response, "x-amzn-errortype") == "InternalServerErrorException"


async def test_an_answer_may_leave_everything_out(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    world.functions.answers["hello"] = lambda event: {}
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    assert (response.status, response.body) == (200, b"")
    assert header(response, "content-type") == "application/json"


async def test_multi_value_headers_win_and_reserved_headers_are_remapped(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    world.functions.answers["hello"] = lambda event: {
        "headers": {"X-A": "one", "Server": "mine", "x-flag": True},
        "multiValueHeaders": {"x-a": ["1", "2"], "Set-Cookie": ["a=1", "b=2"]},
        "body": "ok",
    }
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    values = [value for name, value in response.headers if name.lower() == "x-a"]
    assert values == ["1", "2"]
    assert header(response, "x-amzn-remapped-server") == "mine"
    assert header(response, "server") is None
    assert header(response, "x-flag") == "true"


@pytest.mark.parametrize(
    ("code", "status", "body"),
    [
        ("TooManyRequestsException", 502, b'{"message": "Internal server error"}'),
        ("AccessDeniedException", 500, b'{"message": "Internal server error"}'),
        ("ResourceNotFoundException", 500, b'{"message": "Internal server error"}'),
    ],
)
async def test_what_the_engine_refuses_is_said_in_rest_words(world: World, code: str, status: int, body: bytes) -> None:
    api_id = await world.rest_api("GET /items")
    world.functions.error = AwsError(code, "no")
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    assert (response.status, response.body) == (status, body)


async def test_past_the_integrations_timeout_the_answer_is_504(world: World) -> None:
    api_id = await world.rest_api("GET /items", deploy=False)
    resource_id = await world.rest_resource(api_id, "/items")
    shorter = [{"op": "replace", "path": "/timeoutInMillis", "value": "50"}]
    await world.rest(
        "UpdateIntegration", restApiId=api_id, resourceId=resource_id, httpMethod="GET", patchOperations=shorter
    )
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    go = asyncio.Event()
    world.functions.wait = lambda: _until(go)
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    assert (response.status, response.body) == (504, b'{"message": "Endpoint request timed out"}')
    go.set()


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def test_a_body_is_base64_only_for_a_binary_media_type(world: World) -> None:
    api_id = await world.rest_api("POST /items", binaryMediaTypes=["image/*"])
    path = f"/_aws/execute-api/{api_id}/dev/items"
    image = event_of(await world.send("POST", path, [("Content-Type", "image/png")], b"\x89PNG"))
    assert (image["body"], image["isBase64Encoded"]) == ("iVBORw==", True)
    form = event_of(await world.send("POST", path, [("Content-Type", "application/x-www-form-urlencoded")], b"a=1"))
    assert (form["body"], form["isBase64Encoded"]) == ("a=1", False)


async def test_a_base64_answer_is_decoded_when_the_first_accepted_type_is_binary(world: World) -> None:
    api_id = await world.rest_api("GET /items", binaryMediaTypes=["image/png"])
    world.functions.answers["hello"] = lambda event: {"body": "iVBORw==", "isBase64Encoded": True}
    path = f"/_aws/execute-api/{api_id}/dev/items"
    assert (await world.get(path, ("Accept", "image/png,*/*"))).body == b"\x89PNG"
    assert (await world.get(path, ("Accept", "text/html,image/png"))).body == b"iVBORw=="


async def test_a_preflight_of_the_serverless_framework_is_answered_without_a_function(world: World) -> None:
    template = (
        '#set($origin = $input.params("Origin"))\n'
        '#if($origin == "") #set($origin = $input.params("origin")) #end\n'
        '#if($origin.matches("https://a[.]com") || $origin.matches("https://.+[.]b[.]com")) '
        "#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin) #end"
    )
    api_id = await _with_mock(world, "{statusCode:200}", template)
    path = f"/_aws/execute-api/{api_id}/dev/items"
    for origin, allowed in (
        ("https://x.b.com", "https://x.b.com"),
        ("https://evil.com", "https://a.com"),
        ("https://aXcom", "https://a.com"),
    ):
        response = await world.send("OPTIONS", path, [("Origin", origin)])
        assert response.status == 200
        assert header(response, "access-control-allow-origin") == allowed
        assert header(response, "access-control-allow-methods") == "OPTIONS,GET"
    assert world.functions.invocations == []


@pytest.mark.parametrize(
    ("request_template", "response_template"),
    [("#if($x", ""), ('{"statusCode": 200}', "#foreach($x in $y) without an end")],
)
async def test_a_broken_template_does_not_deploy(world: World, request_template: str, response_template: str) -> None:
    with pytest.raises(
        AwsError, match=r"Invalid mapping template specified: the re(quest|sponse) template of OPTIONS /items"
    ):
        await _with_mock(world, request_template, response_template)


async def _with_mock(world: World, request_template: str, response_template: str) -> str:
    api_id = await world.rest_api("GET /items", deploy=False)
    where = {"restApiId": api_id, "resourceId": await world.rest_resource(api_id, "/items"), "httpMethod": "OPTIONS"}
    await world.rest("PutMethod", **where, authorizationType="NONE")
    await world.rest("PutIntegration", **where, type="MOCK", requestTemplates={"application/json": request_template})
    parameters = {
        "method.response.header.Access-Control-Allow-Origin": "'https://a.com'",
        "method.response.header.Access-Control-Allow-Methods": "'OPTIONS,GET'",
    }
    await world.rest(
        "PutIntegrationResponse",
        **where,
        statusCode="200",
        responseParameters=parameters,
        responseTemplates={"application/json": response_template},
    )
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return api_id


async def test_a_guard_that_is_not_enforced_does_not_deploy(world: World) -> None:
    api_id = await world.rest_api("GET /items", deploy=False)
    authorizer = await world.rest(
        "CreateAuthorizer", restApiId=api_id, name="pool", type="COGNITO_USER_POOLS", providerARNs=["arn:aws:no:pool"],
        identitySource="method.request.header.Authorization",
    )  # fmt: skip
    guard = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer["id"]}
    await world.rest_method(api_id, "GET /guarded", **guard)
    with pytest.raises(AwsError, match="Invalid Cognito user pool ARN"):
        await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    assert (await world.rest("GetStages", restApiId=api_id))["item"] == []


async def test_a_method_whose_authorizer_is_of_another_type_does_not_deploy(world: World) -> None:
    api_id = await world.rest_api("GET /items", deploy=False)
    authorizer = await world.rest(
        "CreateAuthorizer", restApiId=api_id, name="token", type="TOKEN", authorizerUri=invoke_uri(FUNCTION),
        identitySource="method.request.header.Authorization",
    )  # fmt: skip
    guard = {"authorizationType": "COGNITO_USER_POOLS", "authorizerId": authorizer["id"]}
    await world.rest_method(api_id, "GET /guarded", **guard)
    with pytest.raises(AwsError, match="GET /guarded needs an authorizer that does not exist"):
        await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")


@pytest.mark.parametrize(
    ("api", "what"),
    [
        ({"endpointConfiguration": {"types": ["PRIVATE"]}}, "private REST APIs"),
        ({"securityPolicy": "TLS_1_2"}, "securityPolicy"),
        ({"endpointAccessMode": "STRICT"}, "endpointAccessMode"),
    ],
)
async def test_an_api_wide_guard_that_is_not_enforced_does_not_deploy(
    world: World, api: dict[str, Any], what: str
) -> None:
    with pytest.raises(AwsError, match=f"Freehold does not support {what}"):
        await world.rest_api("GET /items", **api)


async def test_gateway_responses_change_refusals_status_headers_and_body(world: World) -> None:
    api_id = await world.rest_api("GET /items", deploy=False)
    await world.rest(
        "PutGatewayResponse",
        restApiId=api_id,
        responseType="DEFAULT_4XX",
        responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        responseTemplates={
            "application/json": '{"oops":$context.error.messageString,"type":"$context.error.responseType"}'
        },
    )
    await world.rest("PutGatewayResponse", restApiId=api_id, responseType="RESOURCE_NOT_FOUND", statusCode="499")
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/nope")
    assert response.status == 403
    assert header(response, "access-control-allow-origin") == "*"
    assert orjson.loads(response.body) == {
        "oops": "Missing Authentication Token",
        "type": "MISSING_AUTHENTICATION_TOKEN",
    }


async def test_a_gateway_response_names_variables_and_is_no_vtl(world: World) -> None:
    api_id = await world.rest_api("GET /items", deploy=False)
    await world.rest(
        "PutGatewayResponse",
        restApiId=api_id,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={
            "gatewayresponse.header.X-Type": "context.error.responseType",
            "gatewayresponse.header.X-Color": "stageVariables.color",
            "gatewayresponse.header.X-Asked": "method.request.querystring.q",
        },
        responseTemplates={
            "application/json": '{"stage": "$context.stage"}',
            "text/html": "#if(1)<p>${stageVariables.color}: $method.request.header.X-Mine, $input.body $$</p>",
        },
    )
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev", variables={"color": "green"})
    sent = [("Accept", "text/html, */*"), ("X-Mine", "me")]
    response = await world.send("GET", f"/_aws/execute-api/{api_id}/dev/nope?q=a%0d%0aX-Smuggled:1", sent)
    assert (response.status, response.body) == (404, b"#if(1)<p>green: me, $input.body $$</p>")
    assert header(response, "content-type") == "text/html"
    assert header(response, "x-type") == "MISSING_AUTHENTICATION_TOKEN"
    assert (header(response, "x-color"), header(response, "x-asked")) == ("green", "a  X-Smuggled:1")
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/nope")
    assert orjson.loads(response.body) == {"stage": "dev"}


async def test_method_throttling_of_a_stage_answers_429(world: World) -> None:
    api_id = await world.rest_api("GET /items", "GET /free")
    settings = [
        {"op": "replace", "path": "/~1items/GET/throttling/burstLimit", "value": "1"},
        {"op": "replace", "path": "/~1items/GET/throttling/rateLimit", "value": "0.5"},
    ]
    await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=settings)
    path = f"/_aws/execute-api/{api_id}/dev"
    assert [(await world.get(f"{path}/items")).status for _ in range(2)] == [200, 429]
    assert (await world.get(f"{path}/free")).status == 200


async def test_sams_document_becomes_an_api_that_answers(world: World) -> None:
    """What AWS::Serverless::Api with Cors emits, shortened."""
    document = {
        "swagger": "2.0",
        "info": {"version": "1.0", "title": "app"},
        "paths": {
            "/hello/{name}": {
                "get": {
                    "x-amazon-apigateway-integration": {
                        "httpMethod": "POST",
                        "type": "aws_proxy",
                        "uri": invoke_uri(FUNCTION),
                    },
                    "responses": {},
                },
                "options": {
                    "summary": "CORS support",
                    "consumes": ["application/json"],
                    "produces": ["application/json"],
                    "x-amazon-apigateway-integration": {
                        "type": "mock",
                        "requestTemplates": {"application/json": '{\n  "statusCode" : 200\n}\n'},
                        "responses": {
                            "default": {
                                "statusCode": "200",
                                "responseTemplates": {"application/json": "{}\n"},
                                "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
                            }
                        },
                    },
                    "responses": {
                        "200": {
                            "description": "Default response for CORS method",
                            "headers": {"Access-Control-Allow-Origin": {"type": "string"}},
                        }
                    },
                },
            }
        },
    }
    api = await world.rest("ImportRestApi", body=orjson.dumps(document))
    await world.rest("CreateDeployment", restApiId=api["id"], stageName="Prod")
    path = f"/_aws/execute-api/{api['id']}/Prod/hello/you"
    assert event_of(await world.get(path))["pathParameters"] == {"name": "you"}
    preflight = await world.send("OPTIONS", path, [("Origin", "https://a.com")])
    assert (preflight.status, preflight.body) == (200, b"{}\n")
    assert header(preflight, "access-control-allow-origin") == "*"
    ids = {each["path"]: each["id"] for each in (await world.rest("GetResources", restApiId=api["id"]))["items"]}
    await world.rest("PutRestApi", restApiId=api["id"], mode="overwrite", body=orjson.dumps(document))
    again = {each["path"]: each["id"] for each in (await world.rest("GetResources", restApiId=api["id"]))["items"]}
    assert ids == again
