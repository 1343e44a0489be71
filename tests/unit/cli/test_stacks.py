"""A stack's APIs, URLs and functions, read through AWS operations."""

from __future__ import annotations

import pytest
from tests.unit.cli.aws_stub import StubAws

from freehold.cli import stacks
from freehold.cli.stacks import Api, Resource, Route
from freehold.cli.summary import endpoint_rows

ENDPOINT = "http://127.0.0.1:4566"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:app-dev-get"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://abc.execute-api.us-east-1.amazonaws.com/dev", f"{ENDPOINT}/_aws/execute-api/abc/dev"),
        ("https://abc.execute-api.us-east-1.amazonaws.com", f"{ENDPOINT}/_aws/execute-api/abc"),
        ("wss://abc.execute-api.us-east-1.amazonaws.com/dev", "ws://127.0.0.1:4566/_aws/execute-api/abc/dev"),
        ("at https://abc.execute-api.eu-west-1.amazonaws.com.cn/x now", f"at {ENDPOINT}/_aws/execute-api/abc/x now"),
        ("https://example.com/dev", "https://example.com/dev"),
    ],
)
def test_addresses_of_the_cloud_become_ones_that_work(text: str, expected: str) -> None:
    assert stacks.working_url(text, ENDPOINT) == expected


async def test_an_http_apis_routes_have_their_functions() -> None:
    aws = StubAws(
        {
            "GetApi": {"protocolType": "HTTP"},
            "GetRoutes": {
                "items": [
                    {"routeKey": "GET /items", "target": "integrations/i1"},
                    {"routeKey": "$default", "target": "integrations/i2"},
                ]
            },
            "GetIntegrations": {
                "items": [
                    {"integrationId": "i1", "integrationUri": ARN},
                    {"integrationId": "i2", "integrationUri": "http://elsewhere/"},
                ]
            },
            "GetStages": {"items": [{"stageName": "$default"}]},
        }
    )
    (api,) = await stacks.apis(aws, [Resource("HttpApi", "abc", "AWS::ApiGatewayV2::Api", "CREATE_COMPLETE")])
    assert api == Api(
        "HttpApi", "abc", "http", ("$default",), (Route("GET", "/items", "app-dev-get"), Route("ANY", "*", ""))
    )
    assert endpoint_rows(api, ENDPOINT, {"app-dev-get": "Get"}) == [
        ["GET", f"{ENDPOINT}/_aws/execute-api/abc/items", "Get"],
        ["ANY", f"{ENDPOINT}/_aws/execute-api/abc/*", ""],
    ]


async def test_a_websocket_api_has_one_address_for_all_its_routes() -> None:
    aws = StubAws(
        {
            "GetApi": {"protocolType": "WEBSOCKET"},
            "GetRoutes": {"items": [{"routeKey": "$default", "target": "integrations/i1"}]},
            "GetIntegrations": {"items": [{"integrationId": "i1", "integrationUri": ARN}]},
            "GetStages": {"items": [{"stageName": "dev"}]},
        }
    )
    (api,) = await stacks.apis(aws, [Resource("Chat", "abc", "AWS::ApiGatewayV2::Api", "CREATE_COMPLETE")])
    assert endpoint_rows(api, ENDPOINT, {"app-dev-get": "Get"}) == [
        ["WS", "ws://127.0.0.1:4566/_aws/execute-api/abc/dev", "Get"]
    ]


async def test_a_rest_apis_methods_have_their_functions_and_stage() -> None:
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations"
    aws = StubAws(
        {
            "GetResources": {
                "item": [
                    {"path": "/"},
                    {"path": "/items", "resourceMethods": {"GET": {"methodIntegration": {"uri": uri}}, "OPTIONS": {}}},
                ]
            },
            "GetStages": {"item": [{"stageName": "dev"}]},
        }
    )
    (api,) = await stacks.apis(aws, [Resource("Api", "abc", "AWS::ApiGateway::RestApi", "CREATE_COMPLETE")])
    assert api.routes == (Route("GET", "/items", "app-dev-get"), Route("OPTIONS", "/items", ""))
    assert endpoint_rows(api, ENDPOINT, {})[0] == ["GET", f"{ENDPOINT}/_aws/execute-api/abc/dev/items", "app-dev-get"]


async def test_lists_are_read_to_their_last_page() -> None:
    page = {"LogicalResourceId": "A", "ResourceType": "T"}
    aws = StubAws(
        {
            "ListStackResources": [
                {"StackResourceSummaries": [page], "NextToken": "t"},
                {"StackResourceSummaries": [{**page, "LogicalResourceId": "B"}]},
            ]
        }
    )
    assert [each.logical_id for each in await stacks.resources(aws, "s")] == ["A", "B"]
    assert aws.asked[1][1] == {"StackName": "s", "NextToken": "t"}
