"""Answers that stream, through function URLs and InvokeWithResponseStream: what is written is read before the end.

The functions wait for the test: they connect to a socket of it, and go on when they are told to.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socket
import stat
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import zipped
from tests.live import LiveServer

Make = Callable[..., str]
Ask = Callable[..., "Reading"]

NODE = """
const net = require('net');
const told = (port, word) => new Promise((resolve, reject) => {
  const socket = net.connect(port, '127.0.0.1', () => socket.write(word));
  socket.on('data', () => { socket.end(); resolve(); });
  socket.on('error', reject);
});
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  const { how, port } = event.body ? JSON.parse(event.body) : event;
  const headers = { 'Content-Type': 'text/event-stream', 'X-Own': 'yes' };
  const head = { statusCode: 201, headers, cookies: ['a=1', 'b=2'] };
  if (how !== 'plain') stream = awslambda.HttpResponseStream.from(stream, head);
  else stream.setContentType('text/plain');
  if (how === 'early') throw new TypeError('before anything');
  stream.write('first');
  await told(port, 'written');
  if (how === 'boom') throw new TypeError('midway');
  if (how === 'crash') { setImmediate(() => { throw new Error('nobody catches'); }); return new Promise(() => {}); }
  if (how === 'never') return new Promise(() => setInterval(() => {}, 1000));
  stream.write(Buffer.from('second'));
  stream.end();
  await new Promise((resolve) => stream.on('finish', resolve));
  if (how === 'tells') { console.log('the end'); await told(port, 'done'); }
});
"""
# The Runtime API by hand, as a custom runtime speaks it.
CUSTOM = """#!/usr/bin/env python3
import http.client, json, os, socket
while True:
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    asked = api.getresponse()
    event, request_id = json.loads(asked.read()), asked.headers["Lambda-Runtime-Aws-Request-Id"]
    port = json.loads(event["body"])["port"]
    api.putrequest("POST", f"/2018-06-01/runtime/invocation/{request_id}/response")
    api.putheader("Content-Type", "application/vnd.awslambda.http-integration-response")
    api.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    api.putheader("Transfer-Encoding", "chunked")
    api.endheaders()
    for part in (b'{"statusCode":202}' + bytes(8), b"first"):
        api.send(b"%x\\r\\n%b\\r\\n" % (len(part), part))
    with socket.create_connection(("127.0.0.1", port)) as test:
        test.sendall(b"written")
        test.recv(1)
    api.send(b"6\\r\\nsecond\\r\\n0\\r\\n\\r\\n")
    api.getresponse().read()
"""


class Signals:
    """Where functions say how far they are and wait to be told to go on."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(20)
        self.port = self._listening.getsockname()[1]

    @contextlib.contextmanager
    def heard(self, word: str) -> Iterator[None]:
        """A function has said it, and goes on when the block is left."""
        connection, _ = self._listening.accept()
        with connection:
            connection.settimeout(20)
            assert connection.recv(100).decode() == word
            yield
            connection.sendall(b"!")

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def signals() -> Iterator[Signals]:
    found = Signals()
    yield found
    found.close()


class Reading:
    """A request by hand, and its answer read from the socket as it comes."""

    def __init__(self, server: LiveServer, url_id: str, body: dict[str, Any]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.settimeout(20)
        data = json.dumps(body).encode()
        head = f"POST /_aws/lambda-url/{url_id}/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        self.socket.sendall(head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self.read = b""

    def until(self, end: bytes) -> bytes:
        """What is here once `end` has come."""
        while end not in self.read:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                raise AssertionError(f"nothing came after {self.read[-500:]!r}") from None
            assert more, f"the connection ended after {self.read[-500:]!r}"
            self.read += more
        return self.read

    def to_the_end(self) -> bytes:
        """All of it, when the other side has closed the connection."""
        while more := self.socket.recv(65536):
            self.read += more
        return self.read


@pytest.fixture
def ask(server: LiveServer) -> Iterator[Callable[..., Reading]]:
    """`ask(id of the URL, body)`"""
    asked: list[Reading] = []

    def begin(url_id: str, body: dict[str, Any]) -> Reading:
        asked.append(Reading(server, url_id, body))
        return asked[-1]

    yield begin
    for one in asked:
        one.socket.close()


@pytest.fixture
def url(lambda_: Any, make: Make) -> Callable[..., str]:
    """`url(files={...}, Runtime=...)` -> the id of a new streaming URL that is public."""

    def create(source: str = NODE, mode: str = "RESPONSE_STREAM", **settings: Any) -> str:
        node = {"Runtime": "nodejs20.x", "Handler": "index.handler", "Code": {"ZipFile": zipped({"index.js": source})}}
        name = make("", **{**node, "Timeout": 20, **settings})
        made = lambda_.create_function_url_config(FunctionName=name, AuthType="NONE", InvokeMode=mode)
        both: list[tuple[str, dict[str, Any]]] = [
            ("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
            ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
        ]
        for number, (action, condition) in enumerate(both):
            lambda_.add_permission(
                FunctionName=name, StatementId=str(number), Action=action, Principal="*", **condition
            )
        return str(made["FunctionUrl"]).rstrip("/").rpartition("/")[2]

    return create


def executable(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = (stat.S_IFREG | 0o755) << 16
            archive.writestr(entry, text)
    return data.getvalue()


def test_what_a_function_writes_is_read_before_it_ends(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    reading = ask(url(), {"port": signals.port})
    with signals.heard("written"):
        head = reading.until(b"first")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 201 Created"
    assert {b"Content-Type: text/event-stream", b"X-Own: yes", b"set-cookie: a=1", b"set-cookie: b=2"} <= set(lines)
    assert b"Transfer-Encoding: chunked" in lines
    whole = reading.until(b"0\r\n\r\n")
    assert whole.endswith(b"\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")
    # The connection is kept: another request is answered on it.
    reading.socket.sendall(b"GET /_aws/lambda-url/nobody/ HTTP/1.1\r\nHost: a\r\n\r\n")
    reading.read = b""
    assert reading.until(b"}").startswith(b"HTTP/1.1 404 ")


def test_a_stream_without_metadata_is_the_body(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    reading = ask(url(), {"port": signals.port, "how": "plain"})
    with signals.heard("written"):
        head = reading.until(b"first")
    assert head.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")
    assert reading.until(b"0\r\n\r\n").endswith(b"\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


def test_a_custom_runtime_streams_by_the_runtime_api(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    code = {"ZipFile": executable({"bootstrap": CUSTOM})}
    reading = ask(url(Runtime="provided.al2023", Handler="x", Code=code), {"port": signals.port})
    with signals.heard("written"):
        assert reading.until(b"first").startswith(b"HTTP/1.1 202 ")
    assert reading.until(b"0\r\n\r\n").endswith(b"\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n")


@pytest.mark.parametrize("how", ["boom", "crash"])
def test_who_fails_midway_cuts_the_connection(ask: Ask, signals: Signals, url: Callable[..., str], how: str) -> None:
    url_id = url()
    reading = ask(url_id, {"port": signals.port, "how": how})
    with signals.heard("written"):
        reading.until(b"first")
    assert reading.to_the_end().endswith(b"\r\n\r\n5\r\nfirst\r\n")  # And no last chunk.
    again = ask(url_id, {"port": signals.port})
    with signals.heard("written"):
        again.until(b"first")
    again.until(b"0\r\n\r\n")


def test_a_timeout_cuts_the_connection(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    reading = ask(url(Timeout=1), {"port": signals.port, "how": "never"})
    with signals.heard("written"):
        reading.until(b"first")
    assert reading.to_the_end().endswith(b"\r\n\r\n5\r\nfirst\r\n")


def test_who_fails_before_anything_was_written_is_502(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    reading = ask(url(), {"port": signals.port, "how": "early"})
    whole = reading.until(b"Internal Server Error")
    assert whole.startswith(b"HTTP/1.1 502 ")


def test_a_function_runs_on_when_its_client_has_gone(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    reading = ask(url(), {"port": signals.port, "how": "tells"})
    with signals.heard("written"):
        reading.until(b"first")
        reading.socket.close()
    with signals.heard("done"):
        pass


def test_without_streaming_a_url_answers_with_the_whole(ask: Ask, signals: Signals, url: Callable[..., str]) -> None:
    python = {"Runtime": "python3.11", "Handler": "app.handler"}
    code = {"ZipFile": zipped({"app.py": "def handler(event, context): return {'statusCode': 201, 'body': 'x'}"})}
    whole = ask(url(mode="BUFFERED", Code=code, **python), {}).until(b"\r\n\r\nx")
    assert whole.startswith(b"HTTP/1.1 201 ")
    literal = ask(url(Code=code, **python), {}).until(b"}")
    assert literal.startswith(b"HTTP/1.1 200 ")
    assert literal.endswith(b'\r\n\r\n{"statusCode": 201, "body": "x"}')


def test_a_large_answer_arrives_whole_however_slowly_it_is_read(ask: Ask, url: Callable[..., str]) -> None:
    source = """
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const row = Buffer.alloc(250000, '0123456789');
  for (let i = 0; i < 20; i++) if (!stream.write(row)) await new Promise((resolve) => stream.once('drain', resolve));
  stream.end();
});
"""
    reading = ask(url(source), {})
    reading.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    whole = reading.until(b"\r\n0\r\n\r\n")
    body = whole.partition(b"\r\n\r\n")[2]
    digits = b""
    while not body.startswith(b"0\r\n"):
        size, _, rest = body.partition(b"\r\n")
        digits, body = digits + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    assert digits == b"0123456789" * 500_000


def test_parts_are_events_and_the_last_says_how_it_ended(lambda_: Any, signals: Signals, make: Make) -> None:
    name = make("", Runtime="nodejs20.x", Handler="index.handler", Code={"ZipFile": zipped({"index.js": NODE})})
    event = json.dumps({"port": signals.port, "how": "plain"})
    answer = lambda_.invoke_with_response_stream(FunctionName=name, Payload=event, LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    events = iter(answer["EventStream"])
    with signals.heard("written"):
        assert next(events) == {"PayloadChunk": {"Payload": b"first"}}
    assert next(events) == {"PayloadChunk": {"Payload": b"second"}}
    (complete,) = events
    log = base64.b64decode(complete["InvokeComplete"].pop("LogResult")).decode()
    assert complete == {"InvokeComplete": {}}
    assert log.startswith("START RequestId: ")
    assert "REPORT RequestId: " in log


def test_an_error_midway_is_told_in_the_last_event(lambda_: Any, signals: Signals, make: Make) -> None:
    name = make("", Runtime="nodejs20.x", Handler="index.handler", Code={"ZipFile": zipped({"index.js": NODE})})
    event = json.dumps({"port": signals.port, "how": "boom"})
    events = iter(lambda_.invoke_with_response_stream(FunctionName=name, Payload=event)["EventStream"])
    with signals.heard("written"):
        next(events)
    (complete,) = events
    assert complete["InvokeComplete"]["ErrorCode"] == "TypeError"
    assert json.loads(complete["InvokeComplete"]["ErrorDetails"])["errorMessage"] == "midway"


def test_a_function_that_does_not_stream_is_one_event(lambda_: Any, make: Make) -> None:
    name = make("def handler(event, context): return {'got': event['n']} if event['n'] else 1 / 0\n")
    events = list(lambda_.invoke_with_response_stream(FunctionName=name, Payload=b'{"n":1}')["EventStream"])
    assert events == [{"PayloadChunk": {"Payload": b'{"got": 1}'}}, {"InvokeComplete": {}}]
    (failed,) = lambda_.invoke_with_response_stream(FunctionName=name, Payload=b'{"n":0}')["EventStream"]
    assert failed["InvokeComplete"]["ErrorCode"] == "ZeroDivisionError"
    dry = lambda_.invoke_with_response_stream(FunctionName=name, InvocationType="DryRun")
    assert (dry["StatusCode"], list(dry["EventStream"])) == (204, [])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambda_.invoke_with_response_stream(FunctionName="nobody")
