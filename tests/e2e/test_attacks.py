"""Clients that mean harm, at a server with deployed APIs: it goes on answering others, and its memory is bounded.

The server's waits and limits are short here by its configuration. Shapes of bytes are in tests/unit/http.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CommandLine, fetch, resources
from tests.live import LiveServer

_CONNECTIONS = 60
_HELD_MB = 8
_FUNCTION = """\
import json

def echo(event, context):
    if (event.get('body') or '').startswith('{"statusCode"'):
        return json.loads(event['body'])
    http = event.get('requestContext', {}).get('http', {})
    told = {'path': event.get('rawPath', event.get('path')), 'method': http.get('method', event.get('httpMethod')),
            'size': len(event.get('body') or ''), 'headers': event['headers']}
    return {'statusCode': 200, 'headers': {'content-type': 'application/json'}, 'body': json.dumps(told)}

def admin(event, context):
    return {'statusCode': 200, 'body': 'the crown jewels'}
"""
_SERVICE = """\
service: attacked
provider: {name: aws, runtime: python3.11}
functions:
  echo:
    handler: app.echo
    url: true
    events:
      - httpApi: '*'
      - http: ANY /{proxy+}
  admin:
    handler: app.admin
    events:
      - httpApi: {path: /admin, method: '*', authorizer: {type: aws_iam}}
      - http: {path: admin, method: any, authorizer: aws_iam}
"""


@dataclass(frozen=True, slots=True)
class Attacked:
    server: LiveServer
    http_api: str  # Ids.
    rest_api: str

    @property
    def paths(self) -> dict[str, str]:
        """By kind of API: where its paths begin."""
        return {"http": f"/_aws/execute-api/{self.http_api}", "rest": f"/_aws/execute-api/{self.rest_api}/dev"}

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        connection.sendall(sent)
        return connection

    def ask(self, sent: bytes) -> bytes:
        """Everything that comes back until the server closes, or breaks the connection."""
        with self.connect(sent) as connection:
            return _rest_of(connection)

    def get(self, kind: str, path: str, extra: str = "") -> tuple[int, bytes]:
        """The status and body of a GET whose path is sent as it is."""
        head = f"GET {self.paths[kind]}{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{extra}\r\n"
        return _read(self.ask(head.encode("latin-1")))

    def serves_others(self) -> None:
        for kind, path in self.paths.items():
            answer = fetch(f"{self.server.endpoint}{path}/hello", "POST", {"a": "b"})
            assert (answer.status, answer.json["size"]) == (200, 10), kind

    @property
    def memory_mb(self) -> float:
        """The most that the server ever had."""
        status = Path(f"/proc/{self.server.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024


def _rest_of(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def _read(answer: bytes) -> tuple[int, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    directory = tmp_path_factory.mktemp("attacked")
    (directory / "app.py").write_text(_FUNCTION)
    (directory / "serverless.yml").write_text(_SERVICE)
    server = LiveServer(
        directory / "data",
        head_s=1.0,
        body_s=2.0,
        max_connections=_CONNECTIONS,
        max_held_bytes=_HELD_MB * 1024 * 1024,
    )
    server.start()
    try:
        CommandLine(directory)("deploy", "--endpoint-url", server.endpoint)
        found = resources(server, "attacked-dev")
        ids = [found[name]["PhysicalResourceId"] for name in ("HttpApi", "ApiGatewayRestApi")]
        world = Attacked(server, *ids)
        world.serves_others()
        yield world
    finally:
        server.stop()


def test_heads_that_never_end_keep_nobody_out(attacked: Attacked) -> None:
    """Slowloris: more connections than the server has, each with half a head. All are let go in time."""
    slow = [attacked.connect(b"GET / HTTP/1.1\r\nHost: a\r\nX-%d: " % number) for number in range(3 * _CONNECTIONS)]
    attacked.serves_others()
    for connection in slow:
        assert _rest_of(connection) == b""
        connection.close()
    attacked.serves_others()


def test_bodies_that_never_end_fill_no_memory_and_keep_nobody_out(attacked: Attacked) -> None:
    before = attacked.memory_mb
    path = attacked.paths["http"].encode()
    head = b"POST " + path + b"/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n"
    slow = [attacked.connect(head + b"a" * 1_000_000) for _ in range(40)]
    attacked.serves_others()
    answers = [_rest_of(connection) for connection in slow]
    for connection in slow:
        connection.close()
    # Those who made room for others were told; the last ones were let go when their time was over.
    refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503 ")]
    assert len(refused) >= 40 - _HELD_MB - 1
    assert [answer for answer in answers if answer and answer not in refused] == []
    # A body lies in the kernel's buffers, in the parser's and in ours; 40 of them would be far more.
    assert attacked.memory_mb - before < 3 * _HELD_MB
    attacked.serves_others()


def test_a_client_that_only_shut_its_sending_side_is_answered(attacked: Attacked) -> None:
    path = attacked.paths["http"].encode()
    with attacked.connect(b"GET " + path + b"/half HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert _read(_rest_of(connection))[0] == 200
    with attacked.connect(b"POST " + path + b"/half HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert _rest_of(connection) == b""


def test_clients_that_leave_in_the_middle_disturb_nobody(attacked: Attacked) -> None:
    path = attacked.paths["http"].encode()
    for sent in (b"GET", b"GET " + path + b"/x HTTP/1.1\r\nHost: a\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9"):
        for _ in range(20):
            connection = attacked.connect(sent)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # A reset, no goodbye.
            connection.close()
    attacked.serves_others()


@pytest.mark.parametrize("kind", ["http", "rest"])
def test_heads_larger_than_the_apis_limit_are_refused_and_no_function_sees_them(attacked: Attacked, kind: str) -> None:
    assert attacked.get(kind, "/x", f"X: {'a' * 9_000}\r\n")[0] == 200
    assert attacked.get(kind, "/x", f"X: {'a' * 11_000}\r\n")[0] == 431
    assert attacked.get(kind, "/x", "X: a\r\n" * 9_000)[0] == 431
    assert attacked.get(kind, f"/{'a' * 70_000}")[0] == 431


def test_an_endless_head_is_refused_while_it_comes(attacked: Attacked) -> None:
    before = attacked.memory_mb
    with attacked.connect(b"GET / HTTP/1.1\r\nHost: a\r\nX: ") as connection:
        with contextlib.suppress(ConnectionError):
            for _ in range(256):
                connection.sendall(b"a" * 65_536)
        # 16 MB of one header: it is read on for a moment, so that the client sees its answer, and forgotten.
        answer = _rest_of(connection)
        assert answer.startswith(b"HTTP/1.1 431 ") or not answer
    assert attacked.memory_mb - before < 8
    attacked.serves_others()


def test_a_body_in_tiny_chunks_takes_no_more_memory_than_it_has(attacked: Attacked) -> None:
    before = attacked.memory_mb
    path = attacked.paths["http"].encode()
    head = b"POST " + path + b"/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, body = _read(attacked.ask(head + b"2\r\nab\r\n" * 500_000 + b"0\r\n\r\n"))
    assert (status, json.loads(body)["size"]) == (200, 4 * 333_334)  # In base64: it has no content type.
    assert attacked.memory_mb - before < 40


def test_pipelined_requests_are_answered_in_their_order(attacked: Attacked) -> None:
    path = attacked.paths["http"].encode()
    one = b"GET " + path + b"/%d HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET " + path + b"/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    answer = attacked.ask(b"".join(one % number for number in range(300)) + last)
    assert re.findall(rb'"path": "/(\w+)"', answer) == [b"%d" % number for number in range(300)] + [b"last"]


def test_a_smuggled_request_reaches_no_function(attacked: Attacked) -> None:
    path = attacked.paths["http"].encode()
    behind = b"GET " + path + b"/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    post = b"POST " + path + b"/x HTTP/1.1\r\nHost: a\r\n"
    shapes = (
        post + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + behind,
        post + b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + behind,
        post + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(behind) + behind,
        post + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + behind,
    )
    for sent in shapes:
        answer = attacked.ask(sent)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1
    offer = post + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n" % len(behind) + behind
    answer = attacked.ask(offer)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert json.loads(_read(answer)[1])["path"] == "/x"


def test_trailers_are_no_headers_of_the_event(attacked: Attacked) -> None:
    path = attacked.paths["http"].encode()
    head = b"POST " + path + b"/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = attacked.ask(head + b"0\r\nX-User: root\r\n\r\n")
    assert "x-user" not in json.loads(_read(answer)[1])["headers"]


_HOSTILE: dict[str, dict[str, Any]] = {
    "CR and LF in a value": {"headers": {"x-a": "1\r\nset-cookie: stolen=1"}},
    "LF in a value": {"headers": {"x-a": "1\nset-cookie: stolen=1"}},
    "NUL in a value": {"headers": {"x-a": "1\0"}},
    "CR and LF in a name": {"headers": {"x-a\r\nset-cookie": "stolen=1"}},
    "a colon in a name": {"headers": {"set-cookie: stolen=1; x": "1"}},
    "CR and LF in a cookie": {"cookies": ["a=1\r\nset-cookie: stolen=1"]},
    "CR and LF in a list": {"multiValueHeaders": {"x-a": ["1\r\nset-cookie: stolen=1"]}},
    "an interim status": {"statusCode": 103},
    "another protocol": {"statusCode": 101, "headers": {"upgrade": "websocket", "connection": "upgrade"}},
    "a length": {"headers": {"content-length": "99999"}, "body": "short"},
    "a coding": {"headers": {"transfer-encoding": "chunked"}, "body": "short"},
}


@pytest.mark.parametrize("kind", ["http", "rest", "url"])
@pytest.mark.parametrize("shape", _HOSTILE)
def test_nothing_that_a_function_answers_forges_an_answer(attacked: Attacked, shape: str, kind: str) -> None:
    url = f"{attacked.server.endpoint}{attacked.paths.get(kind)}/x"
    if kind == "url":
        found = attacked.server.client("lambda").get_function_url_config(FunctionName="attacked-dev-echo")
        url = found["FunctionUrl"]
    answer = fetch(url, "POST", {"statusCode": 200, **_HOSTILE[shape]}, {"Content-Type": "application/json"})
    assert "stolen" not in answer.headers.get("set-cookie", "")
    if shape in ("a length", "a coding"):
        assert (answer.status, answer.body) == (200, b"short")
    else:
        # Refused as a malformed answer, or sent without what this kind of API does not know.
        assert answer.status in (200, 500, 502)


@pytest.mark.parametrize("kind", ["http", "rest"])
@pytest.mark.parametrize(
    "path",
    [
        "/admin", "/%61dmin", "/%61%64%6d%69%6e", "/admin?", "/admin/", "//admin", "/./admin", "/x/../admin",
        "/x/%2e%2e/admin", "/..%2fadmin", "/%2e%2e%2fadmin", "/admin%00", "/admin%2f", "/admin;x=1", "/ADMIN",
        "/admin%20", "/admin%0d%0a", "/%25%36%31dmin", "/admin%c0%af", "/\\admin",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_gets_past_its_authorizer(attacked: Attacked, kind: str, path: str) -> None:
    status, body = attacked.get(kind, path)
    assert b"jewels" not in body
    assert status in ((403,) if path in ("/admin", "/%61dmin", "/admin?") else (200, 400, 403, 404)), body


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "TRACE", "PROPFIND", "M-SEARCH"])
@pytest.mark.parametrize("kind", ["http", "rest"])
def test_no_method_gets_past_the_authorizer(attacked: Attacked, kind: str, method: str) -> None:
    override = "X-HTTP-Method-Override: GET\r\n"
    head = f"{method} {attacked.paths[kind]}/admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{override}\r\n"
    status, body = _read(attacked.ask(head.encode()))
    assert b"jewels" not in body
    assert status in (400, 403, 404)


def test_a_host_names_one_api_or_none(attacked: Attacked) -> None:
    api = attacked.http_api

    def status(host: str, target: str = "/x") -> int:
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        return _read(attacked.ask(head.encode("latin-1")))[0]

    name = f"{api}.execute-api.localhost"
    assert status(name) == 200
    assert status(name.upper()) == 200
    assert status("localhost", f"http://{name}/x") == 200
    assert status(f"{name}, evil") == 400
    assert status(f"{name}\r\nHost: evil") == 400
    assert status(f"user@{name}") == 400
    assert status(f"{name}/admin") == 400
    assert status("nosuchapi1.execute-api.localhost") == 404
    # The authority of an absolute target is the host, whatever Host says: it cannot choose another API.
    assert status(name, "http://nosuchapi1.execute-api.localhost/x") == 404
    assert status(name, "/admin") == 403


def test_paths_of_our_own_pages_and_services_stay_in_their_place(attacked: Attacked) -> None:
    for path in (
        "/_freehold/../../../etc/passwd", "/_freehold/%2e%2e/%2e%2e/etc/passwd", "/_freehold/code/../../control.db",
        "/_freehold/code/%00", "/_aws/lambda-url/", "/_aws/execute-api//", "/_aws/execute-api/%00/x",
        "/bucket/../../../etc/passwd", "/bucket/%2e%2e/%2e%2e/etc/passwd", "/%00", "/..", "/%2e%2e", "//",
        "/2015-03-31/functions/..%2f..%2fcontrol.db", "/restapis/%00", "/v2/apis/..%2f",
    ):  # fmt: skip
        answer = attacked.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        status, body = _read(answer)
        assert 400 <= status < 500, (path, answer)
        assert b"root:" not in body
        assert b"SQLite" not in body
    attacked.serves_others()


def test_it_stays_up_while_all_of_it_happens_at_once(attacked: Attacked) -> None:
    path = attacked.paths["http"].encode()
    attacks = (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST " + path + b"/x HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"a" * 800_000,
        b"\x16\x03\x01" + bytes(500),
        b"GET " + path + b"/x HTTP/1.1\r\nHost: a\r\n\r\n" * 50,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n" + b"a" * 100_000,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 300_000,
    )
    before = attacked.memory_mb

    def attack(number: int) -> None:
        with contextlib.suppress(OSError):
            attacked.ask(attacks[number % len(attacks)])

    with ThreadPoolExecutor(24) as pool:
        running = [pool.submit(attack, number) for number in range(150)]
        attacked.serves_others()
        for each in running:
            each.result(60)
    attacked.serves_others()
    assert attacked.memory_mb - before < 64
