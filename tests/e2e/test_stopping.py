"""A server that is asked to stop: what runs ends well, nothing new begins, and a second Ctrl-C waits for nothing."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Answer, CommandLine, fetch
from tests.e2e.terminal import Terminal, free_port
from tests.live import LiveServer

_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: notes
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Slow:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.11
      CodeUri: code
      Timeout: 25
      Policies: [{DynamoDBCrudPolicy: {TableName: notes}}]
      Events: {Get: {Type: HttpApi, Properties: {Path: /slow, Method: GET}}}
"""
# It meets the test, waits to be let go, and then needs an AWS operation on a new connection.
_CODE = """\
import boto3, socket
dynamodb = boto3.client("dynamodb")
def handler(event, context):
    with socket.create_connection(("127.0.0.1", PORT)) as line:
        line.sendall(b"here")
        line.recv(1)
    dynamodb.put_item(TableName="notes", Item={"id": {"S": "late"}})
    return "written"
"""


class Meeting:
    """Where the function waits for us."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(30)
        self.port = self._listening.getsockname()[1]

    def wait(self) -> socket.socket:
        line, _ = self._listening.accept()
        line.settimeout(30)
        assert line.recv(4) == b"here"
        return line

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def meeting() -> Iterator[Meeting]:
    place = Meeting()
    yield place
    place.close()


@pytest.fixture
def app(tmp_path: Path, meeting: Meeting) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    (directory / "template.yaml").write_text(_TEMPLATE)
    (directory / "code").mkdir()
    (directory / "code" / "app.py").write_text(_CODE.replace("PORT", str(meeting.port)))
    return directory


@contextmanager
def asking(url: str) -> Iterator[Future[Answer]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(fetch, url)


def test_a_request_in_progress_ends_well_and_its_function_can_still_call_aws(
    own_server: LiveServer, app: Path, meeting: Meeting
) -> None:
    CommandLine(app)("deploy", "--endpoint-url", own_server.endpoint, "--stack-name", "slow")
    (api,) = own_server.client("apigatewayv2").get_apis()["Items"]
    url = f"{own_server.endpoint}/_aws/execute-api/{api['ApiId']}/slow"
    with asking(url) as answer, ThreadPoolExecutor(1) as pool:
        with meeting.wait() as line:
            stopping = pool.submit(own_server.stop)
            _wait_for_503(url)
            line.sendall(b"x")
            assert answer.result(30).body == b"written"
        assert stopping.result(30) == 0
    own_server.start()
    assert own_server.client("dynamodb").scan(TableName="notes")["Count"] == 1


def _wait_for_503(url: str) -> None:
    """The server has heard that it shall stop, and takes no new request of an API; it answers OPTIONS at once."""
    for _ in range(10_000):
        answer = fetch(url, "OPTIONS")
        if answer.status == 503:
            assert json.loads(answer.body) == {"message": "Service Unavailable"}
            return
    raise AssertionError("the server goes on")


@pytest.mark.parametrize("command", [("dev",), ("sam", "local", "start-api")], ids=" ".join)
def test_dev_answers_what_runs_and_takes_nothing_new(app: Path, meeting: Meeting, command: tuple[str, ...]) -> None:
    port = free_port()
    with Terminal(app, *command, "--port", str(port), "--aws-port", "0") as terminal:
        terminal.wait_for("Ctrl-C stops it", limit_s=60)
        with asking(f"http://localhost:{port}/slow") as answer:
            with meeting.wait() as line:
                terminal.press("\x03")
                terminal.wait_for("Stopping: 1 request still runs; Ctrl-C again ends it at once.")
                # Refused, or closed without an answer where it came in the moment of the closing: never run.
                with pytest.raises((urllib.error.URLError, ConnectionError)) as refused:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/slow", timeout=10)
                assert not isinstance(refused.value, urllib.error.HTTPError)
                line.sendall(b"x")
                assert answer.result(30).body == b"written"
            assert terminal.wait() == 0


def test_a_second_ctrl_c_waits_for_nothing(tmp_path: Path, app: Path, meeting: Meeting) -> None:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "freehold", "serve", "--port", str(port), "--data-dir", str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    with server, server.stdout as shown:
        assert any("Ctrl-C stops it" in line for line in shown)
        CommandLine(app)("deploy", "--endpoint-url", f"http://127.0.0.1:{port}", "--stack-name", "slow")
        live = LiveServer(tmp_path / "data")
        live.port = port
        (api,) = live.client("apigatewayv2").get_apis()["Items"]
        live.client("apigatewayv2").close()
        with asking(f"http://127.0.0.1:{port}/_aws/execute-api/{api['ApiId']}/slow") as answer:
            with meeting.wait():
                server.send_signal(signal.SIGINT)
                assert any("Stopping: 1 request still runs" in line for line in shown)
                server.send_signal(signal.SIGINT)
                assert server.wait(20) == 0
            assert answer.exception(20) is not None or answer.result().status >= 500
