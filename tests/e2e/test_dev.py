"""`freehold dev` on a terminal: what it shows, how edits come into force, and that nothing is left when it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.conftest import Answer, CommandLine, fetch
from tests.e2e.terminal import Terminal, Watched, free_port, processes_in

_SERVERLESS = """\
service: live
provider:
  name: aws
  runtime: python3.11
functions:
  one:
    handler: one.handler
    events:
      - httpApi: GET /one
  two:
    handler: two.handler
    events:
      - httpApi: GET /two
  daily:
    handler: daily.handler
    events:
      - schedule: rate(1 day)
"""
_ONE = """\
CALLS = []
def handler(event, context):
    CALLS.append(1)
    print("one was called")
    return {"answer": "first", "calls": len(CALLS)}
"""
_TWO = """\
CALLS = []
def handler(event, context):
    CALLS.append(1)
    return {"answer": "two", "calls": len(CALLS)}
"""
_DAILY = """\
def handler(event, context):
    print("daily got a", event.get("detail-type", "plain event"))
"""
_SLOW = {
    "python": """\
import socket
def handler(event, context):
    socket.create_connection(("127.0.0.1", PORT)).recv(1)
""",
    "node": """\
exports.handler = () => new Promise((done) => require('net').connect(PORT, '127.0.0.1').on('close', done))
""",
}


@dataclass
class Dev:
    directory: Path
    terminal: Terminal
    url: str

    def get(self, path: str, method: str = "GET", document: Any = None) -> Answer:
        return fetch(self.url + path, method, document)

    def write(self, name: str, text: str) -> int:
        """Saves a file as editors do; the position in the output from which on its effects are seen."""
        before = len(self.terminal.text)
        (self.directory / name).write_text(text)
        return before


@contextmanager
def running(directory: Path, *arguments: str) -> Iterator[Dev]:
    port = free_port()
    with Terminal(directory, "dev", "--port", str(port), "--aws-port", "0", *arguments) as terminal:
        terminal.wait_for(r"Ctrl-C stops it")
        yield Dev(directory, terminal, f"http://localhost:{port}")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    directory.mkdir()
    files = {"serverless.yml": _SERVERLESS, "one.py": _ONE, "two.py": _TWO, "daily.py": _DAILY}
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


@pytest.fixture
def dev(app: Path) -> Iterator[Dev]:
    with running(app) as started:
        yield started


@pytest.fixture
def meeting() -> Iterator[socket.socket]:
    """Where a slow function calls in when it runs, and holds the line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


@pytest.mark.parametrize("language", ["python", "node"])
def test_the_examples_are_live_with_one_command(example: Callable[[str], CommandLine], language: str) -> None:
    with running(example(f"hello-{language}").directory) as dev:
        assert dev.get("/hello?name=Ada").json["message"] == "Hello, Ada!"
        dev.terminal.wait_for(r"^GET /hello 200 \d+ ms cold \(init \d+ ms\)")


def test_a_sam_app_is_live_and_follows_edits(example: Callable[[str], CommandLine]) -> None:
    with running(example("items-sam").directory) as dev:
        dev.terminal.wait_for(rf"GET +{dev.url}/items/\{{id\}} +GetItemsFunction")
        created = dev.get("/items", "POST", {"id": "1", "data": "first"})
        assert created.status == 201
        assert dev.get("/items/1").json == created.json
        app = dev.directory / "src" / "app.py"
        after = dev.write("src/app.py", app.read_text().replace("Item not found", "Nothing here"))
        dev.terminal.wait_for(r"^reloaded .*GetItemsFunction", after)
        assert "Nothing here" in dev.get("/items/none").body.decode()
        after = dev.write("src/app.py", "import nothing_of_that_name\n")
        dev.terminal.wait_for(r"^broken GetItemsFunction: .*nothing_of_that_name", after)
        assert "Nothing here" in dev.get("/items/none").body.decode()
        after = dev.write("template.yaml", "Resources: [")
        dev.terminal.wait_for(r"^Error: template\.yaml:\d+: ", after)
        assert "Warning" not in dev.terminal.text


def test_a_code_that_no_mail_brings_is_a_line(example: Callable[[str], CommandLine]) -> None:
    with running(example("sign-in").directory) as dev:
        endpoint = json.loads((dev.directory / ".freehold/run/dev.json").read_text())["endpoint"]
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        cognito = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=endpoint, **keys)
        (pool,) = cognito.list_user_pools(MaxResults=1)["UserPools"]
        (app,) = cognito.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]
        cognito.sign_up(ClientId=app["ClientId"], Username="ann@example.com", Password="Correct-horse-1")
        dev.terminal.wait_for(r"No mail was sent: The SignUp code of \S+ <ann@example.com> is \d{6}")
        assert dev.get("/protected").status == 401


def test_the_routes_and_schedules_are_a_table_with_addresses_to_copy(dev: Dev) -> None:
    text = dev.terminal.text
    for line in (rf"GET +{dev.url}/one +one", rf"GET +{dev.url}/two +two", r"EVERY +rate\(1 day\) +daily"):
        dev.terminal.wait_for(line)
    assert f"live-dev is live at {dev.url}" in text


def test_each_invocation_is_one_line_with_what_the_function_printed_under_it(dev: Dev) -> None:
    dev.get("/one")
    dev.terminal.wait_for(r"^GET /one 200 \d+ ms cold \(init \d+ ms\) one\n  \| one was called\n")
    after = len(dev.terminal.text)
    dev.get("/one")
    dev.terminal.wait_for(r"^GET /one 200 \d+ ms warm one\n  \| one was called\n", after)
    dev.get("/none")
    dev.terminal.wait_for(r"^GET /none 404 ", after)
    dev.write("one.py", "def handler(event, context):\n    raise ValueError('no luck')\n")
    dev.terminal.wait_for("^reloaded one", after)
    assert dev.get("/one").status == 500
    dev.terminal.wait_for(r"^GET /one 500 \d+ ms \w+.*ValueError.* one\n(  \| .*\n)*  \| .*no luck", after)


def test_saved_code_answers_and_other_functions_stay_warm(dev: Dev) -> None:
    dev.get("/one")
    dev.get("/two")
    for number in range(3):
        saved = time.monotonic()
        dev.write("one.py", _ONE.replace("first", f"new {number}"))
        while dev.get("/one").json["answer"] != f"new {number}":
            assert time.monotonic() - saved < 10
    assert dev.get("/two").json["calls"] == 2
    dev.terminal.wait_for(r"^reloaded one \(one\.py, \d+ ms\)")
    assert "reloaded one, two" not in dev.terminal.text


def test_code_that_does_not_start_shows_where_and_the_last_good_version_keeps_serving(dev: Dev) -> None:
    dev.get("/one")
    after = dev.write("one.py", "def handler(event, context):\n    return {\n")
    dev.terminal.wait_for(r"^broken one: one\.py:2: .*'\{' was never closed", after)
    dev.terminal.wait_for(r"^The last good version keeps serving", after)
    assert dev.get("/one").json == {"answer": "first", "calls": 2}
    after = dev.write("one.py", _ONE.replace("first", "healed"))
    dev.terminal.wait_for(r"^reloaded one", after)
    assert dev.get("/one").json["answer"] == "healed"


def test_going_back_from_a_broken_edit_says_that_it_is_healed(dev: Dev) -> None:
    after = dev.write("one.py", "import nothing_of_that_name\n")
    dev.terminal.wait_for(r"^broken one: .*nothing_of_that_name", after)
    after = dev.write("one.py", _ONE)
    dev.terminal.wait_for(r"^healed one", after)
    assert dev.get("/one").json["answer"] == "first"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (_SERVERLESS.replace("functions:", "functions: ["), r"serverless\.yml:7: "),
        (_SERVERLESS.replace("handler: one.handler", "handler: gone.handler"), r"gone\.handler"),
        (_SERVERLESS.replace("rate(1 day)", "${self:custom.none}"), r"custom\.none"),
    ],
    ids=["yaml", "handler", "variable"],
)
def test_a_broken_serverless_yml_shows_its_error_and_the_last_good_version_keeps_serving(
    dev: Dev, broken: str, words: str
) -> None:
    dev.get("/one")
    after = dev.write("serverless.yml", broken)
    dev.terminal.wait_for(rf"^Error: .*{words}", after)
    dev.terminal.wait_for(r"^The last good version keeps serving", after)
    assert dev.get("/one").json["calls"] == 2
    after = dev.write("serverless.yml", _SERVERLESS.replace("GET /two", "GET /second"))
    dev.terminal.wait_for(rf"GET +{dev.url}/second +two", after)
    assert dev.get("/second").json["answer"] == "two"
    assert dev.get("/two").status == 404


def test_code_saved_while_serverless_yml_was_broken_is_in_force_when_that_is_mended(dev: Dev) -> None:
    dev.get("/two")
    after = dev.write("serverless.yml", _SERVERLESS + "  broken: [")
    dev.terminal.wait_for("^The last good version keeps serving", after)
    after = dev.write("one.py", _ONE.replace("first", "second"))
    dev.terminal.wait_for("^The last good version keeps serving", after)
    after = dev.write("serverless.yml", _SERVERLESS)
    dev.terminal.wait_for("^reloaded one ", after)
    assert dev.get("/one").json["answer"] == "second"
    assert dev.get("/two").json["calls"] == 2


def test_an_app_that_is_broken_at_the_start_is_one_sentence_and_no_server(app: Path) -> None:
    (app / "serverless.yml").write_text(_SERVERLESS.replace("one.handler", "gone.handler"))
    printed = CommandLine(app)("dev", "--port", "0", "--aws-port", "0", status=1)
    assert printed.startswith('Error: serverless.yml:7: The function "one" has the handler gone.handler')
    assert len(printed.splitlines()) == 1
    assert processes_in(app) == []


def test_a_function_and_its_route_are_added_while_it_runs(dev: Dev) -> None:
    dev.get("/one")
    (dev.directory / "three.py").write_text(_TWO.replace("two", "three"))
    three = "  three:\n    handler: three.handler\n    events:\n      - httpApi: GET /three\n"
    after = dev.write("serverless.yml", _SERVERLESS + three)
    dev.terminal.wait_for(rf"GET +{dev.url}/three +three", after)
    assert dev.get("/three").json == {"answer": "three", "calls": 1}
    assert dev.get("/one").json["calls"] == 2


def test_a_schedule_is_fired_by_its_key_and_from_another_terminal(dev: Dev) -> None:
    dev.terminal.press("s")
    dev.terminal.wait_for(r"^INVOKE daily .*\n  \| daily got a Scheduled Event")
    printed = CommandLine(dev.directory)("invoke", "daily")
    assert "null" in printed
    dev.terminal.wait_for(r"^INVOKE daily .*\n  \| daily got a plain event")


def test_data_stays_between_two_runs(tmp_path: Path) -> None:
    (tmp_path / "serverless.yml").write_text(
        "service: kept\nprovider: {name: aws, runtime: python3.11}\nfunctions:\n  count:\n    handler: count.handler\n"
        "    events: [{httpApi: GET /count}]\nresources:\n  Resources:\n    Table:\n      Type: AWS::DynamoDB::Table\n"
        "      Properties:\n        TableName: counts\n        BillingMode: PAY_PER_REQUEST\n"
        "        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]\n"
        "        KeySchema: [{AttributeName: id, KeyType: HASH}]\n"
    )
    (tmp_path / "count.py").write_text(
        "import boto3\ndef handler(event, context):\n"
        "    table = boto3.resource('dynamodb').Table('counts')\n"
        "    new = table.update_item(Key={'id': 'x'}, UpdateExpression='ADD n :one',\n"
        "        ExpressionAttributeValues={':one': 1}, ReturnValues='ALL_NEW')\n"
        "    return {'count': int(new['Attributes']['n'])}\n"
    )
    for count in (1, 2):
        with running(tmp_path) as dev:
            assert dev.get("/count").json == {"count": count}
            dev.terminal.press("\x03")
            assert dev.terminal.wait() == 0
    assert (tmp_path / ".freehold" / ".gitignore").read_text() == "*\n"


def test_node_code_is_reloaded_and_a_syntax_error_tells_its_line(example: Callable[[str], CommandLine]) -> None:
    with running(example("hello-node").directory) as dev:
        assert dev.get("/hello").status == 200
        good = (dev.directory / "handler.js").read_text()
        after = dev.write("handler.js", good.replace("Hello, ", "Good day, "))
        dev.terminal.wait_for("^reloaded hello ", after)
        assert dev.get("/hello?name=Ada").json["message"] == "Good day, Ada!"
        after = dev.write("handler.js", "exports.handler = async () => {\n  return {\n")
        dev.terminal.wait_for(r"^broken hello: handler\.js:\d+: .*SyntaxError", after)
        assert dev.get("/hello?name=Ada").json["message"] == "Good day, Ada!"
        after = dev.write("handler.js", good)
        dev.terminal.wait_for("^reloaded hello ", after)
        assert dev.get("/hello?name=Ada").json["message"] == "Hello, Ada!"


def test_a_second_dev_in_the_folder_is_refused_and_local_invocations_go_to_the_first(dev: Dev) -> None:
    run = CommandLine(dev.directory)
    printed = run("dev", "--port", "0", "--aws-port", "0", status=1)
    assert printed.startswith(f"Error: In {dev.directory} runs `freehold dev` (process {dev.terminal.pid}) already.")
    assert len(printed.splitlines()) == 1
    assert '"answer": "first"' in run("serverless", "invoke", "local", "-f", "one")


def test_a_request_that_runs_while_its_code_is_replaced_is_answered_by_the_old_code(
    app: Path, meeting: socket.socket
) -> None:
    port = meeting.getsockname()[1]
    slow = f"import socket\ndef handler(event, context):\n    socket.create_connection(('127.0.0.1', {port})).recv(1)\n"
    (app / "one.py").write_text(slow + "    return {'answer': 'old'}\n")
    with running(app) as dev, ThreadPoolExecutor() as pool:
        request = pool.submit(dev.get, "/one")
        line, _ = meeting.accept()
        after = dev.write("one.py", _ONE)
        dev.terminal.wait_for("^reloaded one ", after)
        assert dev.get("/one").json["answer"] == "first"
        line.close()
        assert request.result(20).json == {"answer": "old"}


def test_a_port_in_use_is_said_in_one_sentence(app: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        printed = CommandLine(app)("dev", "--port", str(port), "--aws-port", "0", status=1)
    assert printed.strip() == f"Error: Port {port} is in use. Choose another with --port."
    assert processes_in(app) == []


@pytest.mark.parametrize("ending", ["Ctrl-C", "q", "SIGTERM", "closed terminal", "kill -9"])
@pytest.mark.parametrize("language", ["python", "node"])
def test_no_process_is_left_behind_even_while_a_function_runs(
    app: Path, meeting: socket.socket, ending: str, language: str
) -> None:
    slow = _SLOW[language].replace("PORT", str(meeting.getsockname()[1]))
    if language == "node":
        (app / "serverless.yml").write_text(_SERVERLESS.replace("python3.11", "nodejs20.x"))
    for name in ("one", "two", "daily"):
        (app / name).with_suffix(".py" if language == "python" else ".js").write_text(slow)
    endings = {
        "Ctrl-C": lambda terminal: terminal.press("\x03"),
        "q": lambda terminal: terminal.press("q"),
        "SIGTERM": lambda terminal: terminal.send(signal.SIGTERM),
        "closed terminal": lambda terminal: terminal.hang_up(),
        "kill -9": lambda terminal: terminal.send(signal.SIGKILL),
    }
    with running(app) as dev:
        request = threading.Thread(target=_call_in_vain, args=(dev.url,))
        request.start()
        line, _ = meeting.accept()
        below = Watched(dev.terminal.pid)
        began = time.monotonic()
        endings[ending](dev.terminal)
        status = dev.terminal.wait()
        below.wait_until_gone()
        assert time.monotonic() - began < 15
        assert status == (-signal.SIGKILL if ending == "kill -9" else 0)
        line.settimeout(5)
        assert line.recv(1) == b""
        line.close()
        request.join()
    assert processes_in(app) == []


def _call_in_vain(url: str) -> None:
    """Whoever is asked when it ends answers an error, or not at all."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        fetch(url + "/one")
