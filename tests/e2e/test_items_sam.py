"""The article's SAM app, as it stands in examples/items-sam: deployed with SAM's commands, called, restarted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import CommandLine, fetch, outputs, resources
from tests.live import LiveServer


def test_the_app_is_deployed_called_and_keeps_its_data_over_a_restart(
    own_server: LiveServer, example: Callable[[str], CommandLine]
) -> None:
    run = example("items-sam")
    arguments = ("--stack-name", "my-api-prod", "--parameter-overrides", "Stage=prod")
    run("sam", "deploy", *arguments, "--endpoint-url", own_server.endpoint)
    assert outputs(own_server, "my-api-prod")["TableName"] == "my-api-prod-items"
    api_id = resources(own_server, "my-api-prod")["ApiGateway"]["PhysicalResourceId"]
    api = f"{own_server.endpoint}/_aws/execute-api/{api_id}/prod"

    created = fetch(f"{api}/items", "POST", {"name": "first", "price": 1.5})
    assert created.status == 201
    own_server.restart()
    assert fetch(f"{api}/items/{created.json['id']}").json == created.json
    assert fetch(f"{api}/items").json == {"items": [created.json]}
    assert fetch(f"{api}/items/none").status == 404

    again = run("sam", "deploy", *arguments, "--endpoint-url", own_server.endpoint)
    assert "Nothing to change" in again


def test_a_value_that_the_template_does_not_allow_is_refused_before_anything_is_made(
    own_server: LiveServer, example: Callable[[str], CommandLine]
) -> None:
    run = example("items-sam")
    arguments = ("--stack-name", "wrong", "--parameter-overrides", "Stage=moon")
    shown = run("sam", "deploy", *arguments, "--endpoint-url", own_server.endpoint, status=1)
    assert "Stage" in shown
    assert "Traceback" not in shown
    assert own_server.client("dynamodb").list_tables()["TableNames"] == []


def test_a_guided_deployment_asks_and_remembers(own_server: LiveServer, example: Callable[[str], CommandLine]) -> None:
    run = example("items-sam")
    run("sam", "deploy", "--guided", "--endpoint-url", own_server.endpoint, typed="guided-stack\n" + "\n" * 12)
    assert "GetItemsFunction" in resources(own_server, "guided-stack")
    assert "guided-stack" in (run.directory / "samconfig.toml").read_text()


def test_build_then_invoke_locally_with_an_event_file(example: Callable[[str], CommandLine], tmp_path: Path) -> None:
    run = example("items-sam")
    run("sam", "build")
    assert (run.directory / ".aws-sam" / "build" / "template.yaml").is_file()
    shown = run("sam", "local", "invoke", "GetItemsFunction", "--event", "events/get.json")
    assert '"statusCode"' in shown


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (
            "AWS::DynamoDB::Table",
            "AWS::Foo::Bar",
            "template.yaml:85: Template format error: Unrecognized resource type",
        ),
        ("BillingMode:", "BillingMod:", "template.yaml:85: Properties validation failed for resource ItemsTable"),
        ("Handler: app.get_items", "Handler: gone.x", "template.yaml:48: GetItemsFunction has the handler gone.x"),
        ("CodeUri: src/", "CodeUri: gone/", "template.yaml:49: GetItemsFunction: there is no gone/."),
        ("Runtime: python3.11", "Runtime: cobol85", "cobol85"),
        ("Resources:", "Resources: [", "template.yaml:28: "),
        ("Method: POST", "Method: GET", "API method 'get' defined multiple times for path '/items'"),
        ("!Ref ItemsTable", "!Ref Nothing", "Unresolved resource dependencies [Nothing]"),
        ("Default: dev", "Default: dev\n    Deflt: dev", "Invalid template parameter property 'Deflt'"),
    ],
    ids=["type", "property", "handler", "folder", "runtime", "yaml", "two routes", "reference", "parameter"],
)
def test_a_wrong_template_is_one_sentence_and_nothing_is_made(
    server: LiveServer, example: Callable[[str], CommandLine], right: str, wrong: str, words: str
) -> None:
    run = example("items-sam")
    template = run.directory / "template.yaml"
    assert right in template.read_text()
    template.write_text(template.read_text().replace(right, wrong))
    shown = run("deploy", "--stack-name", "mistaken", "--endpoint-url", server.endpoint, status=1)
    assert words in shown
    assert "Traceback" not in shown
    stacks = server.client("cloudformation").list_stacks()["StackSummaries"]
    assert all(each["StackStatus"] == "DELETE_COMPLETE" for each in stacks if each["StackName"] == "mistaken")
