"""Access logs and execution logs of a stage, as CloudWatch Logs gets them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.test_lambda_authorizers import policy, rest_api
from tests.unit.gateway.world import NOW_S, World

from freehold.aws.errors import AwsError
from freehold.gateway.request_logs.execution import EVENT_MAX_BYTES

GROUP = "/apis/access"
ARN = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}"
# Developer Guide, "Set up CloudWatch logging for REST APIs": the example in Common Log Format.
COMMON = (
    '$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "'
    "$context.httpMethod $context.resourcePath $context.protocol"
    '" $context.status $context.responseLength $context.requestId'
)


async def log_access(world: World, api_id: str, format: str, arn: str = ARN) -> None:
    patches = [
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn},
        {"op": "replace", "path": "/accessLogSettings/format", "value": format},
    ]
    await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=patches)


async def set_level(world: World, api_id: str, level: str, trace: str = "false", method: str = "/*/*") -> None:
    patches = [
        {"op": "replace", "path": f"{method}/logging/loglevel", "value": level},
        {"op": "replace", "path": f"{method}/logging/dataTrace", "value": trace},
    ]
    await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=patches)


async def test_the_guides_common_log_format(world: World) -> None:
    world.functions.answers["hello"] = lambda event: {"statusCode": 201, "body": "made"}
    api_id = await world.rest_api("GET /items/{id}")
    await log_access(world, api_id, COMMON + "\n")
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items/7?q=1")
    request_id = dict(response.headers)["x-amzn-RequestId"]
    line = f'203.0.113.7 - - [04/Mar/2020:19:03:58 +0000] "GET /items/{{id}} HTTP/1.1" 201 4 {request_id}'
    assert world.logged == [(GROUP, line)]


async def test_what_a_format_may_name(world: World) -> None:
    names = [
        *("requestId", "path", "stage", "apiId", "accountId", "status", "responseLatency", "requestTimeEpoch"),
        *("integrationLatency", "integrationStatus", "integration.status", "integrationErrorMessage"),
        *("authorizer.principalId", "authorizer.team", "authorizer.status", "authorizer.latency"),
        *("error.message", "error.responseType", "waf.status", "identity.userAgent"),
    ]
    world.functions.answers["gatekeeper"] = lambda event: policy("Allow", "*", context={"team": "blue"})

    async def takes_250_ms() -> None:
        world.clock.at_s += 0.25

    world.functions.wait = takes_250_ms
    path = await rest_api(world, "GET /items")
    api_id = path.split("/")[3]
    await log_access(world, api_id, json.dumps({name: f"$context.{name}" for name in names}))
    world.functions.answers["hello"] = lambda event: {"statusCode": 404}
    await world.get(f"{path}/items", ("Authorization", "x"), ("User-Agent", 'a"b\\c\x01'))
    logged = json.loads(world.logged[0][1])
    assert logged.pop("requestId")
    assert logged == {
        "path": "/dev/items",
        "stage": "dev",
        "apiId": api_id,
        "accountId": "000000000000",
        "status": "404",
        "responseLatency": "500",
        "requestTimeEpoch": str(int(NOW_S * 1000)),
        "integrationLatency": "250",
        "integrationStatus": "200",
        "integration.status": "404",
        "integrationErrorMessage": "-",
        "authorizer.principalId": "me",
        "authorizer.team": "blue",
        "authorizer.status": "200",
        "authorizer.latency": "250",
        "error.message": "-",
        "error.responseType": "-",
        "waf.status": "-",
        "identity.userAgent": 'a"b\\c\x01',
    }


async def test_refusals_are_logged_with_their_reason(world: World) -> None:
    path = await rest_api(world, "GET /items")
    names = "$context.requestId|$context.status|$context.error.messageString|$context.error.responseType"
    await log_access(
        world, path.split("/")[3], f"{names}|$context.authorizer.error|$context.resourcePath|$context.path"
    )
    await world.get(f"{path}/items")
    await world.get(f"{path}/nothing\r\nhere")

    def fails(event: Any) -> Any:
        raise RuntimeError

    world.functions.answers["gatekeeper"] = fails
    await world.get(f"{path}/items", ("Authorization", "x"))
    assert [line.partition("|")[2] for _, line in world.logged] == [
        '401|\\"Unauthorized\\"|UNAUTHORIZED|Unauthorized|/items|/dev/items',
        '403|\\"Missing Authentication Token\\"|MISSING_AUTHENTICATION_TOKEN|-|-|/dev/nothing\\r\\nhere',
        "500|null|AUTHORIZER_CONFIGURATION_ERROR|Internal server error|/items|/dev/items",
    ]


async def test_a_failing_function_is_told_by_status_and_words(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    await log_access(
        world, api_id, "$context.requestId|$context.integration.integrationStatus|$context.integration.error"
    )

    def fails(event: Any) -> Any:
        raise RuntimeError("secret")

    world.functions.answers["hello"] = fails
    await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    assert world.logged[0][1].endswith(
        "|200|The Lambda function returned an error. Check your Lambda function code and try again."
    )


async def test_nothing_is_logged_or_measured_until_it_is_asked_for(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    path = f"/_aws/execute-api/{api_id}/dev/items"
    await world.get(path)
    await log_access(world, api_id, "$context.requestId")
    await world.get(path)
    off = [{"op": "remove", "path": "/accessLogSettings"}]
    await world.rest("UpdateStage", restApiId=api_id, stageName="dev", patchOperations=off)
    await world.get(path)
    assert len(world.logged) == 1


@pytest.mark.parametrize(
    ("arn", "format", "said"),
    [
        ("arn:aws:firehose:us-east-1:1:deliverystream/amazon-apigateway-x", "$context.requestId", "to Firehose"),
        ("arn:aws:s3:::bucket", "$context.requestId", "Invalid ARN specified"),
        (ARN, "$context.requestId\n$context.status", "must be single line"),
        (ARN, "$context.status", "must include \\$context.requestId"),
    ],
)
async def test_an_access_log_that_could_not_be_written_is_refused(
    world: World, arn: str, format: str, said: str
) -> None:
    api_id = await world.rest_api("GET /items")
    with pytest.raises(AwsError, match=said):
        await log_access(world, api_id, format, arn)


async def test_info_tells_of_every_request_and_error_of_those_that_failed(world: World) -> None:
    api_id = await world.rest_api("GET /items", "GET /quiet", "GET /failing")
    await set_level(world, api_id, "INFO", method="/~1items/GET")
    await set_level(world, api_id, "ERROR", method="/~1failing/GET")
    path = f"/_aws/execute-api/{api_id}/dev"
    await world.get(f"{path}/quiet")
    await world.get(f"{path}/failing")
    assert world.logged == []
    response = await world.get(f"{path}/items")
    head = f"({dict(response.headers)['x-amzn-RequestId']}) "
    group = f"API-Gateway-Execution-Logs_{api_id}/dev"
    assert all(each == group and line.startswith(head) for each, line in world.logged)
    lines = [line.removeprefix(head) for _, line in world.logged]
    assert lines[1:] == [
        f"Starting execution for request: {head[1:-2]}",
        "HTTP Method: GET, Resource Path: /items",
        "Received response. Status: 200, Integration latency: 0 ms",
        "Successfully completed execution",
        "Method completed with status: 200",
    ]
    world.logged.clear()
    world.functions.answers["hello"] = lambda event: {"unknown": 1}
    await world.get(f"{path}/failing")
    assert [line.partition(") ")[2] for _, line in world.logged][-2:] == [
        "Execution failed: INVALID_RESPONSE: The response from the Lambda function doesn't match the format that API "
        "Gateway expects.",
        "Method completed with status: 502",
    ]


async def test_data_trace_shows_request_and_answer_without_secrets(world: World) -> None:
    world.functions.answers["hello"] = lambda event: {"statusCode": 200, "body": "x" * 5000}
    api_id = await world.rest_api("POST /items/{id}")
    await set_level(world, api_id, "INFO", "true")
    sent = [("Authorization", "Bearer abcdefgh1234"), ("X-Api-Key", "0123456789secret"), ("X-Mine", "me")]
    await world.send("POST", f"/_aws/execute-api/{api_id}/dev/items/7?a=b", sent, b'{"n": 1}')
    text = "\n".join(line for _, line in world.logged)
    assert "Method request path: {id=7}" in text
    assert "Method request query string: {a=b}" in text
    assert "Authorization=********1234" in text
    assert "X-Api-Key=********cret" in text
    assert "X-Mine=me" in text
    assert 'before transformations: {"n": 1}' in text
    assert "abcdefgh" not in text
    assert "56789se" not in text
    longest = max((line for _, line in world.logged), key=len)
    assert "body after transformations: xxx" in longest
    assert len(longest) == EVENT_MAX_BYTES + len(" [TRUNCATED]")


async def test_an_unknown_level_is_refused(world: World) -> None:
    api_id = await world.rest_api("GET /items")
    with pytest.raises(AwsError, match="Invalid logging level DEBUG"):
        await set_level(world, api_id, "DEBUG")


async def test_an_http_api_logs_by_its_own_variables(world: World) -> None:
    api_id = await world.http_api("GET /items/{id}")
    # Developer Guide, "Customize HTTP API access logs": the example in JSON, shortened.
    format = (
        '{"ip":"$context.identity.sourceIp","method":"$context.httpMethod","routeKey":"$context.routeKey",'
        '"status":"$context.status","length":"$context.responseLength","requestId":"$context.requestId",'
        '"latency":"$context.integrationLatency","error":"$context.error.message"}'
    )
    settings = {"DestinationArn": ARN, "Format": format}
    await world.v2("UpdateStage", ApiId=api_id, StageName="$default", AccessLogSettings=settings)
    world.functions.answers["hello"] = lambda event: {"statusCode": 202, "body": "yes"}
    response = await world.get(f"/_aws/execute-api/{api_id}/items/7")
    await world.get(f"/_aws/execute-api/{api_id}/no")
    found, missing = [json.loads(line) for _, line in world.logged]
    request_id = dict(response.headers)["apigw-requestid"]
    assert found == {
        "ip": "203.0.113.7", "method": "GET", "routeKey": "GET /items/{id}", "status": "202", "length": "3",
        "requestId": request_id, "latency": "0", "error": "-",
    }  # fmt: skip
    assert (missing["status"], missing["routeKey"], missing["error"]) == ("404", "-", "Not Found")
    await world.v2("DeleteAccessLogSettings", ApiId=api_id, StageName="$default")
    await world.get(f"/_aws/execute-api/{api_id}/items/7")
    assert len(world.logged) == 2


@pytest.mark.parametrize("protocol", ["HTTP", "WEBSOCKET"])
async def test_what_a_stage_of_version_2_cannot_honour_is_refused(world: World, protocol: str) -> None:
    more = {"RouteSelectionExpression": "$request.body.action"} if protocol == "WEBSOCKET" else {}
    api_id = (await world.v2("CreateApi", Name="api", ProtocolType=protocol, **more))["ApiId"]
    firehose = {"DestinationArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/d", "Format": COMMON}
    for wanted in (
        {"ClientCertificateId": "a1b2c3"},
        {"AccessLogSettings": firehose},
        {"AccessLogSettings": {"DestinationArn": ARN, "Format": "$context.status"}},
    ):
        with pytest.raises(AwsError) as error:
            await world.v2("CreateStage", ApiId=api_id, StageName="dev", **wanted)
        assert error.value.code == "BadRequestException"
