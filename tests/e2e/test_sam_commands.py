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


def test_local_invoke_takes_other_variables_and_the_only_function(one: CommandLine) -> None:
    (one.directory / "env.json").write_text('{"Greet": {"GREETING": "Salut", "OTHER": "x"}}')
    assert "Salut" in one("sam", "local", "invoke", "--env-vars", "env.json")


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


_GROUP = "  A: {Type: AWS::Logs::LogGroup}\n"


def _plain(properties: str, name: str = "A") -> str:
    return f"  {name}:\n    Type: AWS::Logs::LogGroup\n    Properties: {{{properties}}}\n"


def _parameter(settings: str) -> str:
    return f"Parameters:\n  P: {{{settings}}}\nResources:\n{_GROUP}"


_WRONG = {
    "nothing": ("", (), "template.yaml: A template holds sections"),
    "a list": ("- a\n", (), "template.yaml: A template holds sections"),
    "no resources": ("Description: x\n", (), "template.yaml: Template format error: At least one Resources member"),
    "a tag": (f"Resources:\n{_plain('LogGroupName: !Foo x')}", (), "template.yaml:4: unknown tag !Foo"),
    "a cycle": (
        f"Resources:\n{_plain('LogGroupName: !Ref B')}{_plain('LogGroupName: !Ref A', 'B')}",
        (),
        "template.yaml:2: Circular dependency between resources: [A, B]",
    ),
    "a value": (
        f"Resources:\n{_plain('RetentionInDays: many')}",
        (),
        "template.yaml:2: Properties validation failed for resource A with message: #/RetentionInDays",
    ),
    "an attribute": (
        f"Resources:\n{_GROUP}Outputs:\n  X: {{Value: !GetAtt A.Nope}}\n",
        (),
        "template.yaml:2: Template error: resource A does not support attribute type Nope",
    ),
    "too many": (
        "Resources:\n" + "".join(_GROUP.replace("A:", f"R{number}:") for number in range(501)),
        (),
        "Number of resources, 501, is greater than maximum allowed, 500",
    ),
    "too large": (
        f"Metadata: {{X: {'x' * 1_100_000}}}\nResources:\n{_GROUP}",
        (),
        "Template may not exceed 1000000 bytes in size",
    ),
    "no transform": (
        _TEMPLATE_OF_ONE.replace("Transform: AWS::Serverless-2016-10-31\n", ""),
        (),
        "the template needs the line Transform: AWS::Serverless-2016-10-31",
    ),
    "a transform": (f"Transform: Magic\nResources:\n{_GROUP}", (), "template.yaml: No transform named"),
    "a handler": (
        _TEMPLATE_OF_ONE.replace("app.handler", "app"),
        (),
        "template.yaml:9: Greet has the handler app, which names no function",
    ),
    "of the function": (
        _TEMPLATE_OF_ONE.replace("FunctionUrlConfig:", "FunctionUrl:"),
        (),
        "template.yaml:6: Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application "
        "Specification document. Number of errors found: 1. Resource with id [Greet] is invalid. property FunctionUrl "
        "not defined for resource of type AWS::Serverless::Function",
    ),
    "too short": (_parameter("Type: String, MinLength: 3"), ("P=ab",), "template.yaml:2: Parameter 'P' must contain"),
    "too much": (_parameter("Type: Number, MaxValue: 9"), ("P=10",), "template.yaml:2: Parameter 'P' must be a number"),
    "a pattern": (_parameter("Type: String, AllowedPattern: '[a-z]+'"), ("P=1",), "must match pattern [a-z]+"),
    "in own words": (
        _parameter("Type: String, AllowedValues: [a], ConstraintDescription: only a"),
        ("P=b",),
        "template.yaml:2: Parameter P failed to satisfy constraint: only a",
    ),
    "another": (_parameter("Type: String"), ("Q=1",), "The template has no parameter Q: it has P."),
    "none": (_parameter("Type: String"), (), "The parameter P needs a value"),
}


@pytest.mark.parametrize("case", _WRONG)
def test_a_wrong_template_is_one_sentence(server: LiveServer, one: CommandLine, case: str) -> None:
    text, overrides, words = _WRONG[case]
    (one.directory / "template.yaml").write_text(text)
    given = ("--parameter-overrides", *overrides) if overrides else ()
    arguments = ("--stack-name", "wrong-one", *given, "--endpoint-url", server.endpoint)
    shown = one("sam", "deploy", *arguments, status=1)
    (sentence,) = [line for line in shown.splitlines() if not line.startswith("Deploying ")]
    assert sentence.startswith("Error: ")
    assert words in sentence
    stacks = server.client("cloudformation").list_stacks()["StackSummaries"]
    assert all(each["StackStatus"] == "DELETE_COMPLETE" for each in stacks if each["StackName"] == "wrong-one")
