"""Lambda's contract with a runtime, over both transports: the frames of ours and AWS's HTTP Runtime API."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.engine.limits import PAYLOAD_BYTES
from freehold.runtimes.launch import Transport
from tests.engines import ARN, RunningEngine, jail, running_engine

PYTHON = """
import json, logging, os, sys, time
logging.getLogger().setLevel("INFO")
def handler(event, context):
    return {"event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn,
            "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis() > 0}
def talk(event, context):
    print("one"); logging.info("two\\nlines"); print("three", file=sys.stderr); print("four", end="")
def boom(event, context): raise ValueError("no")
def leave(event, context): sys.exit(event)
def sleep(event, context): time.sleep(event)
def large(event, context): return "x" * event
def environment(event, context): return dict(os.environ)
def client(event, context): return context.client_context.custom
def count(event, context):
    global n
    n = globals().get("n", 0) + 1
    return [n, os.getpid()]
"""
NODE = """
exports.handler = async (event, context) => ({ event, id: context.awsRequestId, arn: context.invokedFunctionArn,
  memory: context.memoryLimitInMB, left: context.getRemainingTimeInMillis() > 0 });
exports.talk = async () => { console.log('one', { a: 1 }); console.error('two\\nlines'); process.stdout.write('raw\\n'); };
exports.callback = (event, context, callback) => { setTimeout(() => callback(null, { by: 'callback' }), 1); };
exports.nothing = (event, context, callback) => {};
exports.boom = async () => { throw new TypeError('no'); };
exports.text = (event, context, callback) => callback('text');
exports.thrown = () => { setTimeout(() => { throw new Error('later'); }, 1); };
exports.rejected = async () => { Promise.reject(new Error('forgotten')); await new Promise((r) => setTimeout(r, 5000)); };
exports.leave = async (event) => process.exit(event);
exports.never = async () => new Promise(() => {});
exports.succeed = (event, context) => { setTimeout(() => {}, 60000); context.succeed('done'); };
exports.hold = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60000); callback(null, 'early'); };
exports.stream = awslambda.streamifyResponse(async (event, stream) => {
  const http = awslambda.HttpResponseStream.from(stream, { statusCode: 201 }); http.write('a'); http.write('b'); http.end(); });
"""
TRANSPORTS: list[Transport] = ["frames", "http"]


@pytest.fixture(
    params=[("frames", False), ("http", False), ("frames", True), ("http", True)],
    ids=["frames", "http", "frames, jailed", "http, jailed"],
)
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningEngine]:
    transport, jailed = request.param
    async with running_engine(tmp_path, transport, sandbox=await jail(tmp_path) if jailed else None) as engine:
        yield engine


async def test_python_gets_the_event_and_its_context(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON})
    result = await running.invoke("f", {"a": "ü"})
    answer = json.loads(result.payload)
    assert answer == {
        "event": {"a": "ü"},
        "id": running.records[0].request_id,
        "arn": ARN + "f",
        "memory": "128",
        "left": True,
    }
    assert result.function_error is None
    assert result.init_ms is not None
    assert (await running.invoke("f", {})).init_ms is None


async def test_an_environment_is_reused_and_keeps_its_memory(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.count")
    first, second = [json.loads((await running.invoke("f")).payload) for _ in range(2)]
    assert (first[0], second[0]) == (1, 2)
    assert first[1] == second[1]


async def test_lines_and_messages_keep_their_order_and_stay_whole(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.talk")
    await running.invoke("f")
    lines = running.logs.lines
    start = next(i for i, line in enumerate(lines) if line.startswith("START RequestId: "))
    printed = lines[start + 1 :]
    assert printed[0] == "one"
    assert printed[1].startswith("[INFO]\t")
    assert printed[1].endswith("\ttwo\nlines")
    assert printed[2:4] == ["three", "four"]
    assert printed[4].startswith("END RequestId: ")
    assert printed[5].startswith("REPORT RequestId: ")
    assert "Init Duration: " in printed[5]


async def test_an_exception_becomes_the_error_document(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.boom")
    result = await running.invoke("f")
    document = json.loads(result.payload)
    assert result.function_error == "Unhandled"
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no")
    assert "in boom" in document["stackTrace"][0]
    assert (await running.invoke("f")).init_ms is None  # A raised exception costs no environment.


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "Runtime exited without providing a reason"), (3, "Runtime exited with error: exit status 3")],
)
async def test_an_exit_is_told_as_aws_tells_it(running: RunningEngine, code: int, words: str) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.leave")
    result = await running.invoke("f", code)
    request_id = running.records[0].request_id
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: {words}",
    }
    assert (await running.invoke("f", code)).init_ms is not None  # A new environment.


async def test_a_timeout_ends_the_environment(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.sleep", Timeout=1)
    result = await running.invoke("f", 60)
    record = running.records[0]
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {record.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert (record.status, result.duration_ms) == ("timeout", 1000.0)
    assert any(line.endswith(f"{record.request_id} Task timed out after 1.00 seconds") for line in running.logs.lines)
    assert (await running.invoke("f", 0)).init_ms is not None


async def test_an_answer_over_the_limit_is_refused_and_one_below_passes(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.large")
    result = await running.invoke("f", 7_000_000)
    assert json.loads(result.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert len((await running.invoke("f", 6_000_000)).payload) == 6_000_002


@pytest.mark.parametrize(
    ("handler", "source", "error_type", "message"),
    [
        ("app.nope", PYTHON, "Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'"),
        ("nope.handler", PYTHON, "Runtime.ImportModuleError", "Unable to import module 'nope'"),
        ("app.handler", "def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("app.handler", "1 / 0", "ZeroDivisionError", "division by zero"),
    ],
)
async def test_an_init_that_fails_is_tried_again_and_told(
    running: RunningEngine, handler: str, source: str, error_type: str, message: str
) -> None:
    running.add("f", {"app.py": source}, handler=handler)
    result = await running.invoke("f")
    document = json.loads(result.payload)
    assert (document["errorType"], result.function_error) == (error_type, "Unhandled")
    assert document["errorMessage"].startswith(message)
    reports = [line for line in running.logs.lines if line.startswith("INIT_REPORT")]
    assert len(reports) == 2
    assert running.logs.lines[-1].startswith("REPORT RequestId: ")


async def test_only_documented_variables_are_seen(running: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    running.add("f", {"app.py": PYTHON}, handler="app.environment", Environment={"Variables": {"MINE": "1"}})
    seen = json.loads((await running.invoke("f")).payload)
    assert seen["MINE"] == "1"
    assert seen["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert seen["TZ"] == ":UTC"
    assert "SECRET_OF_THE_HOST" not in seen
    assert not {"HOME", "USER", "VIRTUAL_ENV"} & set(seen)


async def test_the_client_context_arrives(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.client")
    result = await running.invoke("f", context=b'{"custom": {"k": "v"}}')
    assert json.loads(result.payload) == {"k": "v"}


async def test_the_log_tail_is_the_invocations_own_log(running: RunningEngine) -> None:
    running.add("f", {"app.py": PYTHON}, handler="app.talk")
    await running.invoke("f")
    tail = (await running.invoke("f", log_tail=True)).log_tail.decode()
    assert tail.startswith("START RequestId: ")
    assert "one\n" in tail
    assert "REPORT RequestId: " in tail
    assert tail.count("START") == 1


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


@needs_node
@pytest.mark.parametrize(
    ("export", "answer"),
    [("callback", {"by": "callback"}), ("nothing", None), ("never", None), ("succeed", "done"), ("hold", "early")],
)
async def test_node_answers_in_each_of_its_ways(running: RunningEngine, export: str, answer: object) -> None:
    running.add("f", {"src/a/app.js": NODE}, "nodejs20.x", f"src/a/app.{export}")
    assert json.loads((await running.invoke("f")).payload) == answer
    assert json.loads((await running.invoke("f")).payload) == answer


@needs_node
async def test_node_gets_the_event_and_its_context(running: RunningEngine) -> None:
    running.add("f", {"app.js": NODE}, "nodejs20.x")
    answer = json.loads((await running.invoke("f", {"a": 1})).payload)
    record = running.records[0]
    assert answer == {"event": {"a": 1}, "id": record.request_id, "arn": ARN + "f", "memory": "128", "left": True}


@needs_node
async def test_node_prefixes_its_log_lines(running: RunningEngine) -> None:
    running.add("f", {"app.js": NODE}, "nodejs20.x", "app.talk")
    await running.invoke("f")
    record = running.records[0]
    assert [line.split("\t", 1)[1] if "\t" in line else line for line in record.lines] == [
        f"{record.request_id}\tINFO\tone {{ a: 1 }}",
        f"{record.request_id}\tERROR\ttwo\nlines",
        "raw",
    ]


@needs_node
@pytest.mark.parametrize(
    ("export", "error_type", "message"),
    [
        ("boom", "TypeError", "no"),
        ("text", "string", "text"),
        ("thrown", "Error", "later"),
        ("rejected", "Runtime.UnhandledPromiseRejection", "Error: forgotten"),
    ],
)
async def test_node_errors_become_the_error_document(
    running: RunningEngine, export: str, error_type: str, message: str
) -> None:
    running.add("f", {"app.js": NODE}, "nodejs20.x", f"app.{export}")
    result = await running.invoke("f")
    document = json.loads(result.payload)
    assert (document["errorType"], document["errorMessage"]) == (error_type, message)
    assert isinstance(document["trace"], list)
    assert result.function_error == "Unhandled"


@needs_node
async def test_a_node_process_that_ended_itself_gets_no_other_invocation(running: RunningEngine) -> None:
    running.add("f", {"app.js": NODE}, "nodejs20.x", "app.thrown")
    results = [await running.invoke("f") for _ in range(2)]
    assert [json.loads(result.payload)["errorMessage"] for result in results] == ["later", "later"]


@needs_node
async def test_node_loads_es_modules_with_top_level_await(running: RunningEngine) -> None:
    source = "const x = await Promise.resolve(5); export const handler = async () => x;"
    running.add("f", {"index.mjs": source}, "nodejs20.x", "index.handler")
    running.add("g", {"index.js": source, "package.json": '{"type": "module"}'}, "nodejs20.x", "index.handler")
    assert (await running.invoke("f")).payload == b"5"
    assert (await running.invoke("g")).payload == b"5"


@needs_node
@pytest.mark.parametrize(
    ("handler", "source", "error_type"),
    [
        ("app.nope", NODE, "Runtime.HandlerNotFound"),
        ("nope.handler", NODE, "Runtime.ImportModuleError"),
        ("app.handler", "exports.handler = (", "Runtime.UserCodeSyntaxError"),
        ("app", NODE, "Runtime.MalformedHandlerName"),
    ],
)
async def test_node_inits_that_fail_are_told(
    running: RunningEngine, handler: str, source: str, error_type: str
) -> None:
    running.add("f", {"app.js": source}, "nodejs20.x", handler)
    assert json.loads((await running.invoke("f")).payload)["errorType"] == error_type


@needs_node
async def test_a_streamed_answer_is_whole(running: RunningEngine) -> None:
    running.add("f", {"app.js": NODE}, "nodejs20.x", "app.stream")
    result = await running.invoke("f")
    assert result.payload == b'{"statusCode":201}' + bytes(8) + b"ab"
    assert result.content_type == "application/vnd.awslambda.http-integration-response"


STREAMS = """
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const stream = (handler) => awslambda.streamifyResponse(handler);
exports.empty = stream(async (event, out) => { awslambda.HttpResponseStream.from(out, { statusCode: 204 }).end(); });
exports.written = stream(async (event, out) => { out.write({ a: 1 }); out.write(''); out.write('é', 'latin1'); out.end('!'); });
exports.late = stream(async (event, out) => { setTimeout(() => out.end('late'), 10); });
exports.piped = stream(async (event, out) => pipeline(Readable.from(['a', 'b', 'c']), out));
exports.large = stream(async (event, out) => pipeline(Readable.from([Buffer.alloc(event, 120)]), out));
exports.broken = stream(async (event, out) => pipeline(Readable.from((function* () { yield 'a'; throw new RangeError('source'); })()), out));
exports.sync = stream((event, out) => { out.end('x'); });
exports.open = stream(async (event, out) => { out.write('x'); });
exports.type = stream(async (event, out) => { out.write('x'); out.setContentType('text/x'); });
exports.die = stream(async (event, out) => { out.write('x'); setTimeout(() => { throw new Error('late'); }, 1); await new Promise(() => {}); });
"""


@needs_node
@pytest.mark.parametrize(
    ("handler", "payload"),
    [
        ("empty", b'{"statusCode":204}' + bytes(8)),
        ("written", b'{"a":1}\xe9!'),
        ("late", b"late"),
        ("piped", b"abc"),
    ],
)
async def test_a_stream_is_the_same_in_parts_and_whole(running: RunningEngine, handler: str, payload: bytes) -> None:
    running.add("f", {"app.js": STREAMS}, "nodejs20.x", f"app.{handler}")
    assert (await running.invoke("f")).payload == payload
    result = await running.invoke("f", streams=True)
    parts = [] if result.stream is None else [part async for part in result.stream]
    assert (b"".join(parts) or result.payload) == payload
    assert (result.stream is None) == (handler == "empty")


@needs_node
@pytest.mark.parametrize(
    ("handler", "read", "error_type"),
    [
        ("broken", b"a", "RangeError"),
        ("sync", b"x", "string"),
        ("type", b"x", "InvalidStreamingOperation"),
        ("die", b"x", "Error"),
    ],
)
async def test_a_stream_that_fails_says_so_after_what_was_written(
    running: RunningEngine, handler: str, read: bytes, error_type: str
) -> None:
    running.add("f", {"app.js": STREAMS}, "nodejs20.x", f"app.{handler}")
    for _ in range(2):
        result = await running.invoke("f", streams=True)
        parts = [] if result.stream is None else [part async for part in result.stream]
        assert b"".join(parts) == read
        failure = result.payload if result.stream is None else result.stream.failure
        assert json.loads(failure)["errorType"] == error_type


@needs_node
async def test_a_stream_that_nobody_ends_is_an_error(running: RunningEngine) -> None:
    running.add("f", {"app.js": STREAMS}, "nodejs20.x", "app.open", Timeout=1)
    result = await running.invoke("f", streams=True)
    assert result.stream is not None
    assert [part async for part in result.stream] == [b"x"]
    # Over HTTP the upload keeps the event loop from being empty, as on AWS.
    assert json.loads(result.stream.failure)["errorType"] in ("Runtime.NodeJsExit", "Sandbox.Timedout")


@needs_node
async def test_a_stream_is_only_as_large_as_its_caller_takes(running: RunningEngine) -> None:
    running.add("f", {"app.js": STREAMS}, "nodejs20.x", "app.large")
    assert len((await running.invoke("f", PAYLOAD_BYTES)).payload) == PAYLOAD_BYTES
    document = json.loads((await running.invoke("f", PAYLOAD_BYTES + 1)).payload)
    assert document["errorType"] == "Function.ResponseSizeTooLarge"
    result = await running.invoke("f", PAYLOAD_BYTES + 1, streams=True)
    assert result.stream is not None
    assert sum([len(part) async for part in result.stream]) == PAYLOAD_BYTES + 1
    assert result.stream.failure == b""


BOOTSTRAP = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  headers="$(mktemp)"
  event="$(curl -sS -D "$headers" "$api/next")"
  id="$(tr -d '\\r' < "$headers" | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')"
  rm "$headers"
  echo "shell saw $event"
  curl -sS -X POST "$api/$id/response" -d "{\\"echo\\": $event, \\"handler\\": \\"$_HANDLER\\"}" > /dev/null
done
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="the shell bootstrap needs curl")
async def test_a_custom_runtime_in_shell_runs(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"bootstrap": BOOTSTRAP}, "provided.al2023", "my.handler")
        for number in range(2):
            result = await running.invoke("f", {"n": number})
            assert json.loads(result.payload) == {"echo": {"n": number}, "handler": "my.handler"}
            # It is free for the next event when its shell has asked for one.
            (pool,) = running.engine._pools.values()
            while not pool.idle:
                await asyncio.sleep(0)
        assert 'shell saw {"n": 1}' in running.logs.lines
        assert sum(1 for line in running.logs.lines if line.startswith("INIT_START")) == 1


async def test_a_bootstrap_that_is_missing_or_cannot_run_is_told(tmp_path: Path) -> None:
    async with running_engine(tmp_path) as running:
        running.add("f", {"other": ""}, "provided.al2023", "x")
        document = json.loads((await running.invoke("f")).payload)
        assert document["errorType"] == "Runtime.InvalidEntrypoint"
        assert "Couldn't find valid bootstrap" in document["errorMessage"]


async def test_python_functions_find_boto3_led_to_the_endpoint(tmp_path: Path) -> None:
    source = "import boto3\ndef handler(e, c): return boto3.client('s3').meta.endpoint_url"
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": source})
        assert json.loads((await running.invoke("f")).payload) == "http://127.0.0.1:1"


_OWN_BOTOCORE = """
class URLLib3Session:
    def send(self, request): return [request.url, request.headers.get("Host")]
"""
_SENDS = """
from types import SimpleNamespace as Request
import os
from botocore.httpsession import URLLib3Session
def handler(event, context):
    key = os.environ["AWS_ACCESS_KEY_ID"] if event["ours"] else "AKIAOTHERS"
    signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261128/us-east-1/x/aws4_request"}
    url = event["url"].replace("KEY", key)
    return URLLib3Session().send(Request(url=url, headers={} if "KEY" in event["url"] else signed))
"""


@pytest.mark.parametrize(
    ("url", "ours", "sent"),
    [
        ("https://dynamodb.us-east-1.amazonaws.com", True, ["http://127.0.0.1:1/", "dynamodb.us-east-1.amazonaws.com"]),
        ("https://a.s3.amazonaws.com/k?x=1", True, ["http://127.0.0.1:1/k?x=1", "a.s3.amazonaws.com"]),
        (
            "https://a.s3.amazonaws.com/k?X-Amz-Credential=KEY%2F20261128",
            True,
            ["http://127.0.0.1:1/k?X-Amz-Credential=KEY%2F20261128", "a.s3.amazonaws.com"],
        ),
        ("https://dynamodb.us-east-1.amazonaws.com/", False, ["https://dynamodb.us-east-1.amazonaws.com/", None]),
        ("https://amazonaws.com.example/", True, ["https://amazonaws.com.example/", None]),
    ],
)
async def test_python_requests_to_aws_by_name_are_led_to_the_endpoint(
    tmp_path: Path, url: str, ours: bool, sent: list[str | None]
) -> None:
    files = {
        "app.py": _SENDS,
        "boto3/__init__.py": "",
        "botocore/__init__.py": "",
        "botocore/httpsession.py": _OWN_BOTOCORE,
    }
    async with running_engine(tmp_path) as running:
        running.add("f", files)
        answer = json.loads((await running.invoke("f", {"url": url, "ours": ours})).payload)
        assert [answer[0].split("Credential=")[0], answer[1]] == [str(sent[0]).split("Credential=")[0], sent[1]]


async def test_a_package_with_its_own_boto3_gets_that_one(tmp_path: Path) -> None:
    files = {"app.py": "import boto3\ndef handler(e, c): return boto3.mine", "boto3/__init__.py": "mine = 'own'"}
    async with running_engine(tmp_path) as running:
        running.add("warm", {"app.py": "import boto3\ndef handler(e, c): pass"})
        await running.invoke("warm")
        running.add("f", files)
        assert json.loads((await running.invoke("f")).payload) == "own"


async def test_nothing_is_left_when_the_engine_has_stopped(tmp_path: Path) -> None:
    source = (
        "import os, subprocess\np = subprocess.Popen(['sleep', '600'])\ndef handler(e, c): return [os.getpid(), p.pid]"
    )
    async with running_engine(tmp_path) as running:
        running.add("f", {"app.py": source})
        pids = json.loads((await running.invoke("f")).payload)
        assert all(Path(f"/proc/{pid}").exists() for pid in pids) or not Path("/proc").exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
