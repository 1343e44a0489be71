"""HTTP APIs from the control plane's operations to the function and back."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from tests.unit.gateway.world import FUNCTION, World, event_of, header, request

from freehold.aws.errors import AwsError


async def test_a_route_calls_its_function_and_answers_what_it_returned(world: World) -> None:
    api_id = await world.http_api("GET /items/{id}")
    world.functions.answers["hello"] = lambda event: {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "x-count": 3},
        "cookies": ["a=1", "b=2; Secure"],
        "body": orjson.dumps(event["pathParameters"]).decode(),
    }
    response = await world.get(f"/_aws/execute-api/{api_id}/items/a%20b")
    assert (response.status, response.body) == (201, b'{"id":"a b"}')
    assert header(response, "x-count") == "3"
    assert [value for name, value in response.headers if name == "set-cookie"] == ["a=1", "b=2; Secure"]
    assert header(response, "apigw-requestid") == world.functions.events[0]["requestContext"]["requestId"]
    assert world.functions.invocations[0].source_arn == (
        f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/$default/GET/items/{{id}}"
    )


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1"),
        ("GET", "/pets/dog/2", "GET /pets/dog/{id}"),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}"),
        ("POST", "/pets/cat/1", "ANY /{proxy+}"),
        ("POST", "/pets/dog/1", "ANY /{proxy+}"),
        ("GET", "/", "$default"),
        ("GET", "/both", "GET /both"),
        ("POST", "/both", "ANY /both"),
    ],
)
async def test_the_most_specific_route_answers(world: World, method: str, path: str, key: str) -> None:
    """API Gateway Developer Guide, "Routing API requests": its example and the rules around it."""
    api_id = await world.http_api(
        "GET /pets/dog/1",
        "GET /pets/dog/{id}",
        "GET /pets/{proxy+}",
        "ANY /{proxy+}",
        "$default",
        "ANY /both",
        "GET /both",
    )
    response = await world.send(method, f"/_aws/execute-api/{api_id}{path}")
    assert event_of(response)["routeKey"] == key


async def test_a_path_without_route_is_not_found_also_with_another_method(world: World) -> None:
    api_id = await world.http_api("GET /items")
    for method, path in (("POST", "/items"), ("GET", "/other"), ("GET", "/items/"), ("GET", "/")):
        response = await world.send(method, f"/_aws/execute-api/{api_id}{path}")
        assert (response.status, response.body) == (404, b'{"message":"Not Found"}')
        assert header(response, "content-type") == "application/json"
        assert header(response, "apigw-requestid")
    assert world.functions.invocations == []


async def test_an_unknown_api_is_not_found(world: World) -> None:
    response = await world.get("/_aws/execute-api/nothere/items")
    assert (response.status, response.body) == (404, b'{"message":"Not Found"}')


async def test_a_named_stage_is_the_first_segment_and_part_of_the_path_that_the_function_sees(world: World) -> None:
    api_id = await world.http_api("GET /items", stage="dev")
    event = event_of(await world.get(f"/_aws/execute-api/{api_id}/dev/items"))
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/dev/items"
    assert event["requestContext"]["stage"] == "dev"
    assert (await world.get(f"/_aws/execute-api/{api_id}/items")).status == 404


async def test_a_stages_name_wins_over_the_default_stage(world: World) -> None:
    api_id = await world.http_api("GET /dev", "GET /items")
    await world.v2("CreateStage", ApiId=api_id, StageName="dev", AutoDeploy=True, StageVariables={"color": "red"})
    event = event_of(await world.get(f"/_aws/execute-api/{api_id}/dev/dev"))
    assert event["requestContext"]["stage"] == "dev"
    assert event["stageVariables"] == {"color": "red"}
    assert event_of(await world.get(f"/_aws/execute-api/{api_id}/items"))["requestContext"]["stage"] == "$default"


@pytest.mark.parametrize("suffix", ["localhost:4566", "localhost", "us-east-1.amazonaws.com"])
async def test_an_api_is_found_by_its_host(world: World, suffix: str) -> None:
    api_id = await world.http_api("GET /items")
    response = await world.send("GET", "/items", host=f"{api_id}.execute-api.{suffix}")
    context = event_of(response)["requestContext"]
    assert (context["domainName"], context["domainPrefix"]) == (f"{api_id}.execute-api.{suffix}", api_id)


async def test_a_disabled_endpoint_serves_nothing(world: World) -> None:
    api_id = await world.http_api("GET /items", DisableExecuteApiEndpoint=True)
    assert (await world.get(f"/_aws/execute-api/{api_id}/items")).status == 404
    served = await world.gateway.handle_api(api_id, "$default", request("GET", "/items"))
    assert served.status == 200


async def test_a_listener_of_one_api_serves_it_with_and_without_the_stage(world: World) -> None:
    api_id = await world.http_api("GET /items", stage="dev")
    for path in ("/items", "/dev/items"):
        event = event_of(await world.gateway.handle_api(api_id, "dev", request("GET", path)))
        assert (event["rawPath"], event["routeKey"]) == (path, "GET /items")


async def test_a_stage_without_auto_deploy_serves_what_was_deployed(world: World) -> None:
    api_id = await world.http_api("GET /old")
    await world.v2("CreateStage", ApiId=api_id, StageName="prod")
    assert (await world.get(f"/_aws/execute-api/{api_id}/prod/old")).status == 404
    deployment = await world.v2("CreateDeployment", ApiId=api_id, StageName="prod")
    target = (await world.v2("GetRoutes", ApiId=api_id))["Items"][0]["Target"]
    await world.v2("CreateRoute", ApiId=api_id, RouteKey="GET /new", Target=target)
    assert (await world.get(f"/_aws/execute-api/{api_id}/prod/old")).status == 200
    assert (await world.get(f"/_aws/execute-api/{api_id}/prod/new")).status == 404
    assert (await world.get(f"/_aws/execute-api/{api_id}/new")).status == 200
    assert "Copy" not in deployment
    assert (await world.v2("GetStage", ApiId=api_id, StageName="prod"))["DeploymentId"] == deployment["DeploymentId"]


async def test_auto_deploy_switched_off_freezes_what_is_served(world: World) -> None:
    api_id = await world.http_api("GET /old")
    await world.v2("UpdateStage", ApiId=api_id, StageName="$default", AutoDeploy=False)
    target = (await world.v2("GetRoutes", ApiId=api_id))["Items"][0]["Target"]
    await world.v2("CreateRoute", ApiId=api_id, RouteKey="GET /new", Target=target)
    assert (await world.get(f"/_aws/execute-api/{api_id}/old")).status == 200
    assert (await world.get(f"/_aws/execute-api/{api_id}/new")).status == 404


async def test_a_deleted_api_is_gone_with_all_its_parts(world: World) -> None:
    api_id = await world.http_api("GET /items")
    await world.v2("DeleteApi", ApiId=api_id)
    assert (await world.get(f"/_aws/execute-api/{api_id}/items")).status == 404
    for kind in ("api", "stage", "route", "integration", "deployment"):
        assert await world.store.list_documents(f"apigatewayv2.{kind}") == []


async def test_stage_variables_choose_the_function(world: World) -> None:
    api_id = (await world.v2("CreateApi", Name="api", ProtocolType="HTTP"))["ApiId"]
    uri = "arn:aws:lambda:us-east-1:000000000000:function:hello-${stageVariables.color}"
    integration = await world.v2(
        "CreateIntegration",
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=uri,
        PayloadFormatVersion="2.0",
    )
    target = f"integrations/{integration['IntegrationId']}"
    await world.v2("CreateRoute", ApiId=api_id, RouteKey="$default", Target=target)
    for color in ("red", "blue"):
        world.permit(uri.replace("${stageVariables.color}", color))
        variables = {"color": color}
        await world.v2("CreateStage", ApiId=api_id, StageName=color, AutoDeploy=True, StageVariables=variables)
        await world.get(f"/_aws/execute-api/{api_id}/{color}/")
    await world.v2("CreateStage", ApiId=api_id, StageName="none", AutoDeploy=True, StageVariables={})
    names = [invocation.function_arn.rpartition(":")[2] for invocation in world.functions.invocations]
    assert names == ["hello-red", "hello-blue"]


def _raise(message: str) -> Any:
    raise ValueError(message)


@pytest.mark.parametrize(
    "answer",
    [
        lambda event: _raise("boom"),
        lambda event: {"statusCode": "abc"},
        lambda event: {"statusCode": 103},
        lambda event: {"statusCode": 200, "body": {"not": "text"}},
        lambda event: {"statusCode": 200, "headers": "x"},
        lambda event: {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c"}},
        lambda event: {"statusCode": 200, "body": "###", "isBase64Encoded": True},
        lambda event: b"not json",
    ],
)
async def test_a_failed_function_and_a_malformed_answer_are_500(world: World, answer: Any) -> None:
    api_id = await world.http_api("GET /items")
    world.functions.answers["hello"] = answer
    response = await world.get(f"/_aws/execute-api/{api_id}/items")
    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("TooManyRequestsException", 503, "Service Unavailable"),
        ("ResourceNotFoundException", 500, "Internal Server Error"),
        ("AccessDeniedException", 500, "Internal Server Error"),
        ("RequestTooLargeException", 413, "Request Entity Too Large"),
    ],
)
async def test_what_the_engine_refuses_is_said_in_api_gateways_words(
    world: World, code: str, status: int, message: str
) -> None:
    api_id = await world.http_api("GET /items")
    world.functions.error = AwsError(code, "no")
    response = await world.get(f"/_aws/execute-api/{api_id}/items")
    assert (response.status, orjson.loads(response.body)) == (status, {"message": message})


async def test_past_the_integrations_timeout_the_answer_is_503(world: World) -> None:
    api_id = await world.http_api("GET /items")
    integration = (await world.v2("GetIntegrations", ApiId=api_id))["Items"][0]
    await world.v2("UpdateIntegration", ApiId=api_id, IntegrationId=integration["IntegrationId"], TimeoutInMillis=50)
    world.functions.wait = asyncio.Event().wait
    response = await world.get(f"/_aws/execute-api/{api_id}/items")
    assert (response.status, response.body) == (503, b'{"message":"Service Unavailable"}')


async def test_bodies_and_headers_over_the_limits_never_reach_the_function(world: World) -> None:
    api_id = await world.http_api("POST /items")
    path = f"/_aws/execute-api/{api_id}/items"
    large = await world.send("POST", path, body=b"x" * (10 * 1024 * 1024 + 1))
    assert (large.status, large.body) == (413, b'{"message":"Request Entity Too Large"}')
    many = await world.send("POST", path, [("x", "y" * 10_240)])
    assert many.status == 431
    assert world.functions.invocations == []


async def test_a_throttled_route_answers_429_until_its_bucket_fills_again(world: World) -> None:
    api_id = await world.http_api("GET /items", "GET /free")
    settings = {"GET /items": {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 1.0}}
    await world.v2("UpdateStage", ApiId=api_id, StageName="$default", RouteSettings=settings)
    path = f"/_aws/execute-api/{api_id}"
    statuses = [(await world.get(f"{path}/items")).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await world.get(f"{path}/free")).status == 200
    world.clock.at_s += 1.0
    assert (await world.get(f"{path}/items")).status == 200


async def test_quick_create_makes_an_api_that_answers(world: World) -> None:
    api = await world.v2("CreateApi", Name="quick", ProtocolType="HTTP", Target=FUNCTION)
    assert event_of(await world.get(f"/_aws/execute-api/{api['ApiId']}/any/where"))["routeKey"] == "$default"
    assert (await world.v2("GetStages", ApiId=api["ApiId"]))["Items"][0]["ApiGatewayManaged"] is True
