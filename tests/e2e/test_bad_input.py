"""What is wrong with an app or a command is one clear sentence with its place, exit code 1, and nothing half-made."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import CommandLine, fetch
from tests.live import LiveServer

_HEAD = "service: broken\nprovider:\n  name: aws\n  runtime: python3.11\nfunctions:\n  one:\n    handler: one.handler\n"
_MANY = "\n".join(f"    P{number}: {{Type: AWS::SSM::Parameter}}" for number in range(501))

# What follows the seven lines of _HEAD, or replaces a part of them -> the line, and words of the sentence.
_SERVERLESS = {
    "unknown key of a function": (_HEAD + "    timout: 3\n", 8, 'Did you mean "timeout"?'),
    "unknown key of the provider": (_HEAD.replace("runtime:", "runtim:"), 4, 'Did you mean "runtime"?'),
    "unknown key of the file": (_HEAD + "resource: {}\n", 8, 'Did you mean "resources"?'),
    "unknown event": (_HEAD + "    events:\n      - htpApi: GET /x\n", 9, 'Did you mean "httpApi"?'),
    "value of the wrong kind": (_HEAD + "    timeout: soon\n", 8, "a whole number from 1 to 900"),
    "variable without a value": (_HEAD + "    memorySize: ${self:custom.memory}\n", 8, "${self:custom.memory}"),
    "environment variable that is not set": (_HEAD + "    memorySize: ${env:NOT_SET_AT_ALL}\n", 8, "NOT_SET_AT_ALL"),
    "unknown variable source": (_HEAD + "    memorySize: ${vault:x}\n", 8, 'the variable source "vault"'),
    "variable that goes in a circle": (
        _HEAD + "custom:\n  a: ${self:custom.b}\n  b: ${self:custom.a}\n",
        None,
        "custom.a",
    ),
    "YAML": (_HEAD + "    events:\n   - wrong\n", 9, "not valid YAML"),
    "key twice": (_HEAD + "    handler: other.handler\n", 8, "twice"),
    "no handler file": (_HEAD.replace("one.handler", "gone.handler"), 7, "there is no file gone.py"),
    "two functions on one HTTP API route": (
        _HEAD + "    events: [{httpApi: GET /x}]\n  two:\n    handler: one.handler\n    events: [{httpApi: GET /x}]\n",
        11,
        'The functions "one" and "two" are both on the route GET /x.',
    ),
    "two functions on one REST path": (
        _HEAD + "    events: [{http: GET x}]\n  two:\n    handler: one.handler\n    events: [{http: GET x}]\n",
        11,
        'The functions "one" and "two" are both on the route GET /x.',
    ),
    "unknown runtime": (_HEAD.replace("python3.11", "pyton3.11"), 4, 'Did you mean "python3.11"?'),
    "runtime that is not run here": (
        _HEAD.replace("python3.11", "ruby3.3"),
        6,
        "(provided.*); everything it had made was removed.",
    ),
    "schedule": (_HEAD + "    events:\n      - schedule: rate(5 minute)s\n", 9, '"rate(5 minute)s" is no schedule'),
    "unknown plugin": (_HEAD + "plugins: [serverless-unheard-of]\n", 8, "Freehold does not know it"),
    "serverless-lift": (_HEAD + "plugins: [serverless-lift]\nconstructs: {}\n", 8, "serverless-lift"),
    "serverless-lift's variables": (
        _HEAD + "    environment: {Q: '${construct:jobs.queueUrl}'}\nplugins: [serverless-lift]\n",
        9,
        "its constructs are not built in; say them as functions and resources",
    ),
    "serverless-webpack": (
        _HEAD + "plugins: [serverless-webpack]\ncustom: {webpack: {}}\n",
        8,
        "webpack is not built in; serverless-esbuild is",
    ),
    "serverless-bundle": (_HEAD + "plugins: [serverless-bundle]\n", 8, "serverless-bundle"),
    "unknown resource type": (
        _HEAD + "resources:\n  Resources:\n    Queue:\n      Type: AWS::SQS::Quue\n",
        10,
        "AWS::SQS::Quue",
    ),
    "unknown property of a resource": (
        _HEAD
        + "resources:\n  Resources:\n    Bucket:\n      Type: AWS::S3::Bucket\n      Properties: {BucketNam: x}\n",
        10,
        "BucketNam",
    ),
    "more resources than CloudFormation takes": (_HEAD + f"resources:\n  Resources:\n{_MANY}\n", None, "500"),
    "name of the service": (_HEAD.replace("service: broken", "service: my app!"), 1, "letters, digits and -"),
}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "one.py").write_text("def handler(event, context):\n    return {}\n")
    (directory / "serverless.yml").write_text(_HEAD)
    return directory


@pytest.mark.parametrize("case", _SERVERLESS)
def test_a_mistake_in_serverless_yml_is_told_with_its_line(server: LiveServer, app: Path, case: str) -> None:
    text, line, words = _SERVERLESS[case]
    (app / "serverless.yml").write_text(text)
    printed = CommandLine(app)("deploy", "--endpoint-url", server.endpoint, status=1)
    (sentence,) = [each for each in printed.splitlines() if each.startswith("Error: ")]
    assert printed.endswith(sentence + "\n")
    assert words in sentence
    assert line is None or sentence.startswith(f"Error: serverless.yml:{line}: ")
    stacks = server.client("cloudformation").describe_stacks()["Stacks"]
    assert [one["StackStatus"] for one in stacks if one["StackName"] == "broken-dev"] in ([], ["ROLLBACK_COMPLETE"])
    functions = server.client("lambda").list_functions()["Functions"]
    assert [one for one in functions if one["FunctionName"].startswith("broken")] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stage", "a b"), 'The stage "a b" may only hold letters, digits, - and _.'),
        (("--stack-name", "my_stack"), "'my_stack' is no name for a stack"),
        (("--param", "x"), "--param takes KEY=VALUE, not 'x'."),
        (("--parameter-overrides", "Size=2"), "The template has no parameter Size: it has none."),
        (("--template", "gone.yml"), "There is no template "),
        (("--endpoint-url", "localhost:4566"), "'localhost:4566' is not an endpoint"),
        (("--endpoint-url", "http://127.0.0.1:9"), "Start a server with `freehold serve`"),
        (("nowhere",), "There is no folder nowhere."),
        (("..",), "has neither a serverless.yml nor a template.yaml"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(
    server: LiveServer, app: Path, arguments: tuple[str, ...], words: str
) -> None:
    printed = CommandLine(app)("deploy", "--endpoint-url", server.endpoint, *arguments, status=1)
    (sentence,) = [line for line in printed.splitlines() if not line.startswith("Deploying ")]
    assert sentence.startswith("Error: ")
    assert words in sentence


def test_a_command_that_is_misspelt_gets_the_nearest(app: Path) -> None:
    assert "There is no command 'remvoe'. Did you mean 'remove'?" in CommandLine(app)("remvoe", status=2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--event", "broken.json"), "Error: broken.json:2: the event is not JSON: "),
        (("--data", '{"x": '), "Error: --data:1: the event is not JSON: "),
        (("--event", "gone.json"), "Error: Cannot read the event gone.json: No such file or directory."),
    ],
)
def test_an_event_that_is_not_json_is_not_sent(
    server: LiveServer, app: Path, options: tuple[str, str], words: str
) -> None:
    (app / "broken.json").write_text('{"a": 1,\n "b": }\n')
    printed = CommandLine(app)("invoke", "one", *options, "--endpoint-url", server.endpoint, status=1)
    assert printed.startswith(words)
    assert len(printed.splitlines()) == 1


def test_a_port_in_use_and_a_data_directory_in_use_are_told_to_serve(own_server: LiveServer, tmp_path: Path) -> None:
    run = CommandLine(tmp_path)
    port, other = str(own_server.port), str(tmp_path / "other")
    printed = run("serve", "--port", port, "--data-dir", other, status=1)
    assert printed == f"Error: Port {port} is in use. Stop what listens there, or choose another port with --port.\n"
    printed = run("serve", "--port", "0", "--data-dir", str(own_server.data_dir), status=1)
    assert printed.startswith(f"Error: Another Freehold server uses the data directory {own_server.data_dir}.")


@pytest.mark.parametrize("database", ["control.db", "tables.db", "queue.db"])
def test_data_of_a_newer_version_is_refused_and_left_alone(
    own_server: LiveServer, tmp_path: Path, database: str
) -> None:
    own_server.stop()
    file = own_server.data_dir / database
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = file.read_bytes()
    printed = CommandLine(tmp_path)("serve", "--port", "0", "--data-dir", str(own_server.data_dir), status=1)
    assert printed.startswith("Error: ")
    assert "newer" in printed
    assert str(own_server.data_dir) in printed
    assert len(printed.splitlines()) == 1
    assert file.read_bytes() == before


def test_a_request_that_cannot_be_served_gets_its_answer_and_the_server_goes_on(server: LiveServer) -> None:
    too_large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    for sent, status in ((b"hello there\r\n\r\n", b"400"), (too_large, b"413")):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(sent)
            assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
    answer = fetch(f"{server.endpoint}/_aws/execute-api/noapi12345/items")
    assert (answer.status, answer.json) == (404, {"message": "Not Found"})
    assert fetch(f"{server.endpoint}/_freehold/health").status == 200
