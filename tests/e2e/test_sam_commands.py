"""The SAM CLI's commands with `freehold` in front, as its users type them, on the article's SAM app."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable

import pytest

from tests.e2e.conftest import CommandLine, fetch, outputs, resources
from tests.live import LiveServer

_TEMPLATE_OF_ONE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: Hello}
  Secret: {Type: String, NoEcho: true, Default: s3cret}
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.11
      CodeUri: src/
      Environment: {Variables: {GREETING: !Ref Greeting}}
      FunctionUrlConfig: {AuthType: NONE}
Outputs:
  Name: {Value: !Ref Greet, Description: Whom to call}
"""
_HANDLER = """\
import os

def handler(event, context):
    print("asked:", event.get("who"))
    return os.environ["GREETING"]
"""


@pytest.fixture
def one(example: Callable[[str], CommandLine]) -> CommandLine:
    """A folder with one function that needs nothing."""
    run = example("items-sam")
    (run.directory / "template.yaml").write_text(_TEMPLATE_OF_ONE)
    (run.directory / "src" / "app.py").write_text(_HANDLER)
    return run


def test_the_guide_asks_as_sam_does_and_the_next_deploy_needs_no_words(server: LiveServer, one: CommandLine) -> None:
    place = ("--endpoint-url", server.endpoint)
    typed = ["guide-app", "eu-west-1", "Hi", "", "n", "y", "n", "y", "", "live", ""]
    shown = one("sam", "deploy", "--guided", *place, typed="\n".join(typed))
    for question in (
        "Stack Name [items-sam]",
        "AWS Region [us-east-1]",
        "Parameter Greeting [Hello]",
        "Confirm changes before deploy [y/N]",
        "Allow SAM CLI IAM role creation [Y/n]",
        "Disable rollback [y/N]",
        "Save arguments to configuration file [Y/n]",
        "SAM configuration file [samconfig.toml]",
        "SAM configuration environment [default]",
    ):
        assert question in shown
    document = tomllib.loads((one.directory / "samconfig.toml").read_text())
    assert document["live"]["deploy"]["parameters"] == {
        "stack_name": "guide-app",
        "resolve_s3": True,
        "s3_prefix": "guide-app",
        "region": "eu-west-1",
        "confirm_changeset": False,
        "capabilities": "CAPABILITY_IAM",
        "disable_rollback": False,
        "parameter_overrides": 'Greeting="Hi"',
    }
    again = one("sam", "deploy", "--config-env", "live", *place)
    assert "guide-app (eu-west-1)" in again
    assert "Nothing to change" in again
    # The other commands find the stack by the environment's name too.
    told = one("sam", "list", "stack-outputs", "--config-env", "live", "--output", "json", *place)
    assert json.loads(told)[0]["Description"] == "Whom to call"
    one("sam", "delete", "--config-env", "live", "--no-prompts", *place)
    assert "no environment test; it has live" in one("sam", "deploy", "--config-env", "test", *place, status=1)


def test_samconfig_says_what_the_command_line_does_not(server: LiveServer, one: CommandLine) -> None:
    (one.directory / "samconfig.toml").write_text(
        'version = 0.1\n[default.global.parameters]\nstack_name = "configured"\n'
        '[default.deploy.parameters]\nparameter_overrides = "Greeting=Moin"\ntags = "team=one"\n'
        '[default.local_invoke.parameters]\nparameter_overrides = ["Greeting=Servus"]\n'
    )
    place = ("--endpoint-url", server.endpoint)
    one("sam", "deploy", *place)
    (stack,) = server.client("cloudformation").describe_stacks(StackName="configured")["Stacks"]
    assert stack["Tags"] == [{"Key": "team", "Value": "one"}]
    assert '"Moin"' in one("invoke", "Greet", *place)
    assert '"Servus"' in one("sam", "local", "invoke", "Greet")
    one("sam", "deploy", "--parameter-overrides", "Greeting=Hej", *place)
    assert '"Hej"' in one("invoke", "Greet", *place)
    one("sam", "delete", "--no-prompts", *place)
    assert "There is no stack configured" in one("sam", "list", "resources", *place, status=1)


def test_a_change_set_is_shown_and_made_only_on_a_yes(server: LiveServer, one: CommandLine) -> None:
    arguments = ("sam", "deploy", "--stack-name", "asked", "--confirm-changeset", "--endpoint-url", server.endpoint)
    shown = one(*arguments, typed="n\n", status=1)
    assert "AWS::Lambda::Function" in shown
    assert "Not deployed" in shown
    assert "There is no stack asked" in one("info", "--stack-name", "asked", *arguments[-2:], status=1)
    one(*arguments, typed="y\n")
    assert "Greet" in resources(server, "asked")
    # As the SAM CLI has it where it is asked to: no change is a failure.
    empty = one("sam", "deploy", "--stack-name", "asked", "--fail-on-empty-changeset", *arguments[-2:], status=1)
    assert "up to date" in empty


def test_a_failed_deploy_that_must_not_roll_back_stays_as_far_as_it_came(server: LiveServer, one: CommandLine) -> None:
    template = one.directory / "template.yaml"
    properties = "Action: 'lambda:InvokeFunction', FunctionName: nobody, Principal: '*'"
    wrong = f"  Bad:\n    Type: AWS::Lambda::Permission\n    DependsOn: Greet\n    Properties: {{{properties}}}\n"
    text = _TEMPLATE_OF_ONE.replace("Outputs:\n", f"{wrong}Outputs:\n")
    template.write_text(text)
    arguments = ("--stack-name", "half", "--endpoint-url", server.endpoint)
    shown = one("sam", "deploy", "--disable-rollback", *arguments, status=1)
    assert "Bad (AWS::Lambda::Permission) failed" in shown
    assert resources(server, "half")["Greet"]["ResourceStatus"] == "CREATE_COMPLETE"
    one("sam", "delete", "--no-prompts", *arguments)


def test_lists_and_logs_of_a_deployed_app(server: LiveServer, example: Callable[[str], CommandLine]) -> None:
    run = example("items-sam")
    arguments = ("--stack-name", "listed", "--endpoint-url", server.endpoint)
    run("sam", "deploy", "--parameter-overrides", "Stage=prod", *arguments)
    (api,) = json.loads(run("sam", "list", "endpoints", "--output", "json", *arguments))
    assert sorted(api["Methods"]) == ["/items/{id}['GET']", "/items['GET']", "/items['POST']"]
    (url,) = api["CloudEndpoint"]
    assert url == outputs_here(server, "listed")
    assert fetch(f"{url}/items", "POST", {"name": "x"}).status == 201
    listed = json.loads(run("sam", "list", "resources", "--output", "json", *arguments))
    assert {each["LogicalResourceId"] for each in listed} == set(resources(server, "listed"))
    assert "listed" in run("sam", "list", "--endpoint-url", server.endpoint)

    assert fetch(f"{url}/items").status == 200
    # Logs are written beside the request: the follower ends when it has seen both functions' reports.
    wanted = {"listed-get-items", "listed-create-item"}
    with subprocess.Popen(
        [sys.executable, "-m", "freehold", "sam", "logs", "--tail", *arguments],
        cwd=run.directory,
        stdout=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        for line in follower.stdout:
            wanted -= {name for name in wanted if name in line and "REPORT RequestId" in line}
            if not wanted:
                break
        follower.terminate()
    shown = run("sam", "logs", "-n", "GetItemsFunction", "-s", "5mins ago", "--filter", "REPORT", *arguments)
    assert "REPORT RequestId" in shown
    assert "START RequestId" not in shown
    assert "No events" in run("sam", "logs", "-n", "GetItemsFunction", "-s", "2h", "-e", "1h", *arguments)


def outputs_here(server: LiveServer, stack: str) -> str:
    return f"{server.endpoint}/_aws/execute-api/{resources(server, stack)['ApiGateway']['PhysicalResourceId']}/prod"


def test_the_listed_address_of_a_function_url_answers(server: LiveServer, one: CommandLine) -> None:
    one("sam", "deploy", "--stack-name", "named", "--endpoint-url", server.endpoint)
    (endpoint,) = json.loads(
        one("sam", "list", "endpoints", "--stack-name", "named", "--output", "json", "--endpoint-url", server.endpoint)
    )
    assert fetch(endpoint["CloudEndpoint"][0]).body == b"Hello"
    assert outputs(server, "named")["Name"] == endpoint["PhysicalResourceId"]
