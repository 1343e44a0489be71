"""The smallest app in each language, deployed and called by plain HTTP and by boto3."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.e2e.conftest import CommandLine, fetch, resources
from tests.live import LiveServer


@pytest.mark.parametrize("language", ["python", "node"])
def test_hello_is_deployed_and_called(
    own_server: LiveServer, example: Callable[[str], CommandLine], language: str
) -> None:
    run = example(f"hello-{language}")
    run("deploy", "--stack-name", "hello", "--endpoint-url", own_server.endpoint)
    found = resources(own_server, "hello")
    api = f"{own_server.endpoint}/_aws/execute-api/{found['HttpApi']['PhysicalResourceId']}"
    answer = fetch(f"{api}/hello?name=Ada")
    assert (answer.status, answer.json["message"]) == (200, "Hello, Ada!")
    assert fetch(f"{api}/hello", "POST", {"name": "Grace"}).json["message"] == "Hello, Grace!"
    assert fetch(f"{api}/users/u%2F7/hello").json["userId"] == "u/7"
    invoked = own_server.client("lambda").invoke(
        FunctionName=found["HelloLambdaFunction"]["PhysicalResourceId"], Payload=b"{}", LogType="Tail"
    )
    assert json.loads(json.loads(invoked["Payload"].read())["body"])["message"] == "Hello, Guest!"
    assert "LogResult" in invoked
