"""The commands around a deployment as a person uses them: list, info, invoke, logs, deploy function, remove, doctor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import CommandLine, fetch, resources
from tests.e2e.terminal import Terminal
from tests.live import LiveServer


@pytest.fixture
def deployed(own_server: LiveServer, example: Callable[[str], CommandLine]) -> tuple[LiveServer, CommandLine]:
    run = example("hello-python")
    run("deploy", "--endpoint-url", own_server.endpoint)
    return own_server, run


def _url(server: LiveServer) -> str:
    api = resources(server, "hello-python-dev")["HttpApi"]["PhysicalResourceId"]
    return f"{server.endpoint}/_aws/execute-api/{api}"


def test_list_and_info_show_what_is_deployed_with_addresses_that_answer(
    deployed: tuple[LiveServer, CommandLine],
) -> None:
    server, run = deployed
    assert "hello-python-dev  CREATE_COMPLETE" in run("list", "--endpoint-url", server.endpoint)
    shown = run("info", "--endpoint-url", server.endpoint)
    (url,) = [word for line in shown.splitlines() if "GET" in line for word in line.split() if word.endswith("/hello")][
        :1
    ]
    assert fetch(url).status == 200
    assert "hello-python-dev-hello" in shown
    missing = run("info", "--stage", "prod", "--endpoint-url", server.endpoint, status=1)
    assert missing.startswith("Error: There is no stack hello-python-prod at ")


def test_invoke_takes_a_file_text_or_what_is_piped_in_and_prints_the_result(
    deployed: tuple[LiveServer, CommandLine],
) -> None:
    server, run = deployed
    event = json.dumps({"queryStringParameters": {"name": "Ada"}})
    (run.directory / "event.json").write_text(event)
    flags = ("--endpoint-url", server.endpoint)
    for printed in (
        run("invoke", "hello", "--event", "event.json", *flags),
        run("invoke", "HelloLambdaFunction", "--data", event, *flags),
        run("invoke", "hello-python-dev-hello", "--event", "-", *flags, typed=event),
        run("serverless", "invoke", "-f", "hello", "--path", "event.json", *flags),
    ):
        assert json.loads(json.loads(printed)["body"])["message"] == "Hello, Ada!"
    with_log = run("invoke", "hello", "--data", "{}", "-l", *flags)
    assert "START RequestId: " in with_log
    assert "REPORT RequestId: " in with_log
    unknown = run("invoke", "helo", *flags, status=1)
    assert unknown.startswith("Error: There is no function helo at ")
    assert "HelloLambdaFunction" in unknown


def test_a_function_that_fails_makes_invoke_fail(deployed: tuple[LiveServer, CommandLine]) -> None:
    server, run = deployed
    (run.directory / "handler.py").write_text("def handler(event, context):\n    raise KeyError('lost')\n")
    run("deploy", "function", "-f", "hello", "--endpoint-url", server.endpoint)
    printed = run("invoke", "hello", "--endpoint-url", server.endpoint, status=1)
    assert "KeyError" in printed


def test_deploy_function_brings_new_code_alone_into_force(deployed: tuple[LiveServer, CommandLine]) -> None:
    server, run = deployed
    handler = run.directory / "handler.py"
    handler.write_text(handler.read_text().replace("Hello, ", "Good day, "))
    assert "deployed (" in run("deploy", "function", "-f", "hello", "--endpoint-url", server.endpoint)
    assert fetch(f"{_url(server)}/hello?name=Ada").json["message"] == "Good day, Ada!"
    assert "nothing to change" in run("deploy", "function", "-f", "hello", "--endpoint-url", server.endpoint)
    unknown = run("deploy", "function", "-f", "helo", "--endpoint-url", server.endpoint, status=1)
    assert unknown == "Error: There is no function helo: the functions are hello.\n"


@pytest.fixture
def tail(deployed: tuple[LiveServer, CommandLine]) -> Iterator[Terminal]:
    server, run = deployed
    with Terminal(run.directory, "logs", "hello", "--tail", "--endpoint-url", server.endpoint) as terminal:
        yield terminal


def test_logs_are_shown_filtered_and_followed(deployed: tuple[LiveServer, CommandLine], tail: Terminal) -> None:
    server, run = deployed
    tail.wait_for("Following hello-python-dev-hello; Ctrl-C ends it.")
    fetch(f"{_url(server)}/hello?name=Ada")
    tail.wait_for(r"REPORT RequestId: ")
    after = len(tail.text)
    fetch(f"{_url(server)}/hello?name=Grace")
    tail.wait_for(r'"name": "Grace"', after)
    tail.press("\x03")
    assert tail.wait() == 130

    flags = ("--endpoint-url", server.endpoint)
    everything = run("logs", "hello", *flags).splitlines()
    assert sum("REPORT RequestId: " in line for line in everything) == 2
    grace = run("logs", "hello", "--filter", "Grace", *flags).splitlines()
    assert len(grace) == 1
    assert "Grace" in grace[0]
    assert "No events of hello-python-dev-hello" in run("logs", "hello", "--filter", "Nobody", *flags)
    refused = run("logs", "hello", "--filter", "{ $.x = ", *flags, status=1)
    assert refused.startswith("Error: Invalid filter pattern")
    assert run("logs", "hello", "--since", "soon", *flags, status=1).startswith("Error: 'soon' is no time")


def test_remove_leaves_nothing_and_a_second_one_says_so(deployed: tuple[LiveServer, CommandLine]) -> None:
    server, run = deployed
    assert "deleted   AWS::Lambda::Function" in run("remove", "--endpoint-url", server.endpoint)
    assert server.client("lambda").list_functions()["Functions"] == []
    assert run("list", "--endpoint-url", server.endpoint).startswith("No stacks in us-east-1 at ")
    again = run("remove", "--endpoint-url", server.endpoint, status=1)
    assert "There is no stack hello-python-dev at " in again


def test_doctor_tells_what_this_machine_runs(own_server: LiveServer, tmp_path: Path) -> None:
    shown = CommandLine(tmp_path)("doctor", "--data-dir", str(own_server.data_dir))
    for line in ("python3.11", "nodejs20.x", "port 4566", "port 3000", "data directory", "isolation"):
        assert line in shown
    assert str(own_server.data_dir) in shown
    nowhere = CommandLine(tmp_path)("doctor", "--data-dir", "/proc/nowhere/data")
    assert "cannot be written" in nowhere


@pytest.mark.parametrize(
    "command",
    ["dev", "serve", "deploy", "deploy function", "invoke", "logs", "info", "list", "remove", "build", "doctor"],
)
def test_every_commands_help_has_an_example(tmp_path: Path, command: str) -> None:
    shown = CommandLine(tmp_path)(*command.split(), "--help")
    assert shown.startswith("Usage: freehold ")
    assert f"freehold {command}" in shown.partition("Examples:")[2]
