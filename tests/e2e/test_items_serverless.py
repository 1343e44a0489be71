"""The article's Serverless Framework app of examples/items-serverless: deployed, called, restarted, removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import CommandLine, fetch, outputs, resources
from tests.live import LiveServer

_STACK = "my-serverless-api-dev"
_TABLE = "my-serverless-api-dev"


@pytest.fixture
def deployed(own_server: LiveServer, example: Callable[[str], CommandLine]) -> tuple[LiveServer, CommandLine, str]:
    run = example("items-serverless")
    run("serverless", "deploy", "--stage", "dev", "--endpoint-url", own_server.endpoint)
    api = resources(own_server, _STACK)["HttpApi"]["PhysicalResourceId"]
    return own_server, run, f"{own_server.endpoint}/_aws/execute-api/{api}"


def test_items_are_created_read_updated_deleted_and_survive_a_restart(
    deployed: tuple[LiveServer, CommandLine, str],
) -> None:
    server, _, api = deployed
    created = fetch(f"{api}/items", "POST", {"name": "first", "userId": "u1", "data": {"n": 1}})
    assert created.status == 201
    item = created.json
    assert fetch(f"{api}/items/{item['id']}").json == item
    updated = fetch(f"{api}/items/{item['id']}", "PUT", {"name": "new"})
    assert (updated.status, updated.json["data"]) == (200, {"name": "new"})

    server.restart()

    after = fetch(f"{api}/items/{item['id']}")
    assert (after.status, after.json) == (200, updated.json)
    assert [one["id"] for one in fetch(f"{api}/items").json["items"]] == [item["id"]]
    assert [one["id"] for one in fetch(f"{api}/items?userId=u1").json["items"]] == [item["id"]]
    stored = server.client("dynamodb").get_item(TableName=_TABLE, Key={"id": {"S": item["id"]}})["Item"]
    assert stored["name"] == {"S": "first"}
    assert fetch(f"{api}/items/{item['id']}", "DELETE").status == 204
    assert fetch(f"{api}/items/{item['id']}").status == 404


def test_only_the_allowed_origins_get_cors_headers(deployed: tuple[LiveServer, CommandLine, str]) -> None:
    _, _, api = deployed
    asked = {"Origin": "https://myapp.com", "Access-Control-Request-Method": "PUT"}
    preflight = fetch(f"{api}/items", "OPTIONS", headers=asked)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "https://myapp.com"
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    stranger = fetch(f"{api}/items", headers={"Origin": "https://evil.example"})
    assert stranger.status == 200
    assert "access-control-allow-origin" not in stranger.headers


def test_a_path_or_method_without_a_route_is_not_found(deployed: tuple[LiveServer, CommandLine, str]) -> None:
    _, _, api = deployed
    for method, path in (("GET", "/nothing"), ("PATCH", "/items")):
        answer = fetch(f"{api}{path}", method)
        assert (answer.status, answer.json) == (404, {"message": "Not Found"})


def test_the_deployment_says_where_the_api_is_and_remove_leaves_nothing(
    deployed: tuple[LiveServer, CommandLine, str],
) -> None:
    server, run, _ = deployed
    url = outputs(server, _STACK)["HttpApiUrl"]
    assert url.startswith("https://")
    assert "/items" in run("info", "--stage", "dev", "--endpoint-url", server.endpoint)
    run("serverless", "remove", "--stage", "dev", "--endpoint-url", server.endpoint)
    assert server.client("lambda").list_functions()["Functions"] == []
    assert server.client("dynamodb").list_tables()["TableNames"] == []
    assert server.client("apigatewayv2").get_apis()["Items"] == []
    with pytest.raises(ClientError, match="does not exist"):
        server.client("cloudformation").describe_stacks(StackName=_STACK)


def test_the_logs_of_a_function_are_shown_and_kept(deployed: tuple[LiveServer, CommandLine, str]) -> None:
    server, run, api = deployed
    fetch(f"{api}/items")
    server.restart()
    shown = run("serverless", "logs", "-f", "getItems", "--endpoint-url", server.endpoint)
    assert "START RequestId: " in shown
    assert "REPORT RequestId: " in shown
    assert "Request ID:" in shown


def test_one_function_is_deployed_alone(deployed: tuple[LiveServer, CommandLine, str]) -> None:
    server, run, api = deployed
    handlers = run.directory / "handlers" / "items.js"
    handlers.write_text(handlers.read_text().replace("Item not found", "Nothing of that name"))
    run("serverless", "deploy", "function", "-f", "getItems", "--endpoint-url", server.endpoint)
    assert fetch(f"{api}/items/none").json == {"error": "Nothing of that name"}


def test_the_scheduled_function_runs_when_invoked(deployed: tuple[LiveServer, CommandLine, str]) -> None:
    server, run, _ = deployed
    (rule,) = server.client("events").list_rules()["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 day)", "ENABLED")
    run("invoke", "cleanupOldItems", "--endpoint-url", server.endpoint)
