"""Parameter mapping of HTTP APIs, before Lambda functions and HTTP backends, and of their answers.

API Gateway Developer Guide, "Transform API requests and responses for HTTP APIs": its tables and examples.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.unit.gateway.test_backends import Backend
from tests.unit.gateway.world import FUNCTION, World, event_of, header
from tests.unit.http.test_client import listening

from freehold.aws.errors import AwsError

_FRAME = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [{}]"


async def api(world: World, route_key: str = "ANY /pets/{petId}", **integration: Any) -> str:
    """An HTTP API of one route; its URL."""
    api_id = (await world.v2("CreateApi", Name="api", ProtocolType="HTTP"))["ApiId"]
    wanted = {
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": FUNCTION,
        "PayloadFormatVersion": "2.0" if integration.get("IntegrationType", "AWS_PROXY") == "AWS_PROXY" else "1.0",
        **integration,
    }
    made = await world.v2("CreateIntegration", ApiId=api_id, **wanted)
    await world.v2("CreateRoute", ApiId=api_id, RouteKey=route_key, Target=f"integrations/{made['IntegrationId']}")
    await world.v2(
        "CreateStage", ApiId=api_id, StageName="$default", AutoDeploy=True, StageVariables={"color": "green"}
    )
    return f"/_aws/execute-api/{api_id}"


@pytest.mark.parametrize(
    ("value", "mapped"),
    [
        ("$request.header.X-One", "a,b"),
        ("${request.header.x-one}", "a,b"),
        ("$request.querystring.q", "1,2"),
        ("$request.body.user.names[1]", "Ada"),
        ("$request.body.user", '{"names":["Al","Ada"]}'),
        ("$request.body", '{"user": {"names": ["Al", "Ada"]}}'),
        ("$request.path", "/pets/a%20b"),
        ("$request.path.petId", "a b"),
        ("$context.httpMethod", "POST"),
        ("$context.routeKey", "ANY /pets/{petId}"),
        ("$context.identity.sourceIp", "203.0.113.7"),
        ("$stageVariables.color", "green"),
        ("plain", "plain"),
        ("costs $5", "costs $5"),
        ("${stageVariables.color}-${request.path.petId}!", "green-a b!"),
    ],
)
async def test_a_header_is_mapped_from(world: World, value: str, mapped: str) -> None:
    url = await api(world, RequestParameters={"overwrite:header.x-mapped": value})
    headers = [("X-One", "a"), ("x-one", "b"), ("Content-Type", "application/json")]
    response = await world.send("POST", f"{url}/pets/a%20b?q=1&q=2", headers, b'{"user": {"names": ["Al", "Ada"]}}')
    assert event_of(response)["headers"]["x-mapped"] == mapped


async def test_headers_and_the_query_are_appended_to_overwritten_and_removed(world: World) -> None:
    url = await api(
        world,
        RequestParameters={
            "append:header.a": "new",
            "overwrite:header.b": "new",
            "remove:header.c": "''",
            "append:querystring.a": "n&w",
            "overwrite:querystring.b": "new",
            "remove:querystring.c": "''",
        },
    )
    sent = [(name.upper(), "old") for name in "abcd"]
    event = event_of(await world.get(f"{url}/pets/1?a=old&b=old&c=old&d=old", *sent))
    assert {name: event["headers"].get(name) for name in "abcd"} == {"a": "old,new", "b": "new", "c": None, "d": "old"}
    assert event["queryStringParameters"] == {"a": "old,n&w", "b": "new", "d": "old"}
    assert event["rawQueryString"] == "a=old&d=old&a=n%26w&b=new"


async def test_what_a_caller_sends_does_not_stand_in_for_a_value_that_is_missing(world: World) -> None:
    url = await api(world, RequestParameters={"overwrite:header.x-user": "$context.authorizer.claims.sub"})
    event = event_of(await world.get(f"{url}/pets/1", ("X-User", "root")))
    assert "x-user" not in event["headers"]


async def test_the_path_that_a_function_sees_is_overwritten_and_logs_tell_the_clients(world: World) -> None:
    url = await api(world, RequestParameters={"overwrite:path": "/v2/${request.path.petId}"})
    await world.v2(
        "UpdateStage",
        ApiId=url.rpartition("/")[2],
        StageName="$default",
        AccessLogSettings={
            "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:access",
            "Format": "$context.requestId $context.path",
        },
    )
    event = event_of(await world.get(f"{url}/pets/7"))
    assert (event["rawPath"], event["pathParameters"]) == ("/v2/7", {"petId": "7"})
    assert world.logged[0][1].endswith(" /pets/7")


async def test_a_backend_gets_the_mapped_path_query_and_host(world: World) -> None:
    backend = Backend()
    try:
        async with listening(backend) as address:
            url = await api(
                world,
                IntegrationType="HTTP_PROXY",
                IntegrationMethod="ANY",
                IntegrationUri=f"{address}/old/{{petId}}?fixed=1",
                RequestParameters={
                    "overwrite:path": "/new/$request.path.petId",
                    "append:querystring.color": "$stageVariables.color",
                    "overwrite:header.host": "pets.example",
                },
            )
            response = await world.get(f"{url}/pets/a%20b%3Fc")
    finally:
        await world.gateway.close()
    assert response.status == 200
    assert backend.lines == ["GET /new/a%20b%3Fc?fixed=1&color=green HTTP/1.1"]
    assert backend.headers["host"] == "pets.example"


@pytest.mark.parametrize("pet", ["..", "%2e%2e", "a%2F..%2F..%2Fadmin"])
async def test_a_mapped_path_does_not_climb(world: World, pet: str) -> None:
    url = await api(world, RequestParameters={"overwrite:path": "/pets/photos/${request.path.petId}"})
    response = await world.get(f"{url}/pets/{pet}")
    assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')
    assert world.functions.invocations == []


async def test_an_answer_is_changed_by_its_own_status(world: World) -> None:
    """The example of the page: of a 500 the status and a header, of a 404 another header; 200 stays as it is."""
    url = await api(
        world,
        ResponseParameters={
            "500": {"append:header.header1": "$context.routeKey", "overwrite:statuscode": "403"},
            "404": {"append:header.error": "${stageVariables.color}: ${response.body.error.code}"},
            "201": {"overwrite:header.x-was": "$response.header.X-Is", "remove:header.x-is": "''"},
        },
    )

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        status = int(event["queryStringParameters"]["status"])
        body = orjson.dumps({"error": {"code": 7}}).decode()
        return {"statusCode": status, "body": body, "headers": {"X-Is": "here", "x-was": "old"}}

    world.functions.answers["hello"] = answer
    changed = await world.get(f"{url}/pets/1?status=500")
    assert (changed.status, header(changed, "header1")) == (403, "ANY /pets/{petId}")
    missing = await world.get(f"{url}/pets/1?status=404")
    assert (missing.status, header(missing, "error")) == (404, "green: 7")
    made = await world.get(f"{url}/pets/1?status=201")
    assert (header(made, "x-was"), header(made, "x-is")) == ("here", None)
    plain = await world.get(f"{url}/pets/1?status=200")
    assert (header(plain, "x-was"), header(plain, "x-is"), header(plain, "error")) == ("old", "here", None)


async def test_a_value_that_is_no_header_or_status_is_an_error_of_the_api(world: World) -> None:
    url = await api(
        world,
        ResponseParameters={
            "200": {"overwrite:header.x": "$response.body.text"},
            "201": {"overwrite:statuscode": "$response.body.text"},
        },
    )
    for status in (200, 201):
        world.functions.answers["hello"] = lambda event, status=status: {
            "statusCode": status,
            "body": '{"text": "a\\r\\nSet-Cookie: b=c"}',
        }
        response = await world.get(f"{url}/pets/1")
        assert (response.status, response.body) == (500, b'{"message":"Internal Server Error"}')


@pytest.mark.parametrize(
    ("member", "parameters", "error"),
    [
        (
            "RequestParameters",
            {"integration.request.header.x": "method.request.header.y"},
            "Invalid Request Actioned Parameter destination specified: integration.request.header.x",
        ),
        (
            "RequestParameters",
            {"append:path": "/"},
            "Invalid Request Actioned Parameter destination specified: append:path",
        ),
        (
            "RequestParameters",
            {"overwrite:statuscode": "200"},
            "Invalid Request Actioned Parameter destination specified: overwrite:statuscode",
        ),
        (
            "ResponseParameters",
            {"200": {"append:overwrite.static": "value"}},
            "Invalid Response Actioned Parameter destination specified: append:overwrite.static",
        ),
        (
            "ResponseParameters",
            {"200": {"append:querystring.x": "value"}},
            "Invalid Response Actioned Parameter destination specified: append:querystring.x",
        ),
        (
            "RequestParameters",
            {"append:header.x": "$request.cookies.y"},
            "Invalid mapping expression specified: $request.cookies.y",
        ),
        (
            "RequestParameters",
            {"append:header.x": "$request.body..y"},
            "Invalid mapping expression specified: $request.body..y",
        ),
        (
            "RequestParameters",
            {"append:header.x": "${request.body.a[?(@.b)]}"},
            "Invalid mapping expression specified: ${request.body.a[?(@.b)]}",
        ),
        (
            "ResponseParameters",
            {"200": {"append:header.x": "$request.header.y"}},
            "Invalid mapping expression specified: $request.header.y",
        ),
        (
            "RequestParameters",
            {"overwrite:header.Authorization": "x"},
            "Operations on header authorization are restricted",
        ),
        (
            "RequestParameters",
            {"remove:header.x-amzn-trace-id": "''"},
            "Operations on header x-amzn-trace-id are restricted",
        ),
        (
            "ResponseParameters",
            {"200": {"append:header.Access-Control-Allow-Origin": "*"}},
            "Operations on header access-control-allow-origin are restricted",
        ),
        (
            "ResponseParameters",
            {"99": {"append:header.x": "y"}},
            "Invalid status code 99 in ResponseParameters: it must be between 200 and 599",
        ),
    ],
)
async def test_what_cannot_be_mapped_is_refused(world: World, member: str, parameters: Any, error: str) -> None:
    with pytest.raises(AwsError) as caught:
        await api(world, **{member: parameters})
    assert (caught.value.code, caught.value.message) == ("BadRequestException", _FRAME.format(error))


async def test_parameters_are_updated_one_by_one_and_removed_by_their_empty_value(world: World) -> None:
    url = await api(
        world,
        RequestParameters={"append:header.a": "1", "append:header.b": "1"},
        ResponseParameters={"200": {"append:header.a": "1"}, "404": {"append:header.a": "1"}},
    )
    api_id = url.rpartition("/")[2]
    made = (await world.v2("GetIntegrations", ApiId=api_id))["Items"][0]
    changed = await world.v2(
        "UpdateIntegration",
        ApiId=api_id,
        IntegrationId=made["IntegrationId"],
        RequestParameters={"append:header.a": "", "append:header.c": "1"},
        ResponseParameters={"404": {}},
    )
    assert changed["RequestParameters"] == {"append:header.b": "1", "append:header.c": "1"}
    assert changed["ResponseParameters"] == {"200": {"append:header.a": "1"}}


async def test_a_mapping_is_checked_also_where_a_stage_names_the_backend(world: World) -> None:
    with pytest.raises(AwsError, match="Actioned Parameter destination"):
        await api(
            world,
            IntegrationUri="arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.name}",
            RequestParameters={"nonsense": "x"},
        )
