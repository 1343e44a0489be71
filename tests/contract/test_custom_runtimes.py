"""Programs that know nothing of Freehold run unmodified: AWS's own clients, compiled runtimes, web servers."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import awslambdaric
import pytest

from tests.engines import RunningEngine, running_engine

BOOTSTRAPS = Path(__file__).parent / "bootstraps"


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    async with running_engine(tmp_path) as engine:
        yield engine


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bootstrap in C."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("compiled") / "bootstrap"
    subprocess.run(["cc", "-O1", "-Wall", "-o", program, BOOTSTRAPS / "bootstrap.c"], check=True)
    return program.read_bytes()


async def test_awss_own_python_client_runs_as_a_custom_runtime(running: RunningEngine) -> None:
    packages = Path(awslambdaric.__file__).parent.parent
    source = """
def handler(event, context):
    if event == "boom":
        raise ValueError("no")
    return {"event": event, "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis() > 0}
"""
    running.add(
        "f", {"bootstrap": f"#!/bin/sh\nexec {sys.executable} -m awslambdaric app.handler\n", "app.py": source},
        "provided.al2023", Environment={"Variables": {"PYTHONPATH": str(packages)}}, MemorySize=512,
    )  # fmt: skip
    for event in ({"n": 1}, "ü"):
        answer = json.loads((await running.invoke("f", event)).payload)
        assert (answer["event"], answer["left"]) == (event, True)
        assert answer["arn"].endswith(":function:f")
    failed = await running.invoke("f", "boom")
    assert failed.function_error == "Unhandled"
    document = json.loads(failed.payload)
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "no")
    assert sum(1 for line in running.logs.lines if line.startswith("INIT_START")) == 1


async def test_awss_own_python_client_tells_a_failed_init(running: RunningEngine) -> None:
    packages = Path(awslambdaric.__file__).parent.parent
    running.add(
        "f", {"bootstrap": f"#!/bin/sh\nexec {sys.executable} -m awslambdaric app.handler\n", "app.py": "import nope"},
        "provided.al2023", Environment={"Variables": {"PYTHONPATH": str(packages)}},
    )  # fmt: skip
    document = json.loads((await running.invoke("f")).payload)
    assert document["errorType"] == "Runtime.ImportModuleError"


async def test_a_compiled_runtime_answers_fails_and_ends(running: RunningEngine, compiled: bytes) -> None:
    running.add("f", {"bootstrap": ""}, "provided.al2023")
    _put(running, "f", compiled)
    assert json.loads((await running.invoke("f", {"n": 1})).payload) == {"compiled": {"n": 1}}
    failed = await running.invoke("f", {"fail": True})
    assert failed.payload == b'{"errorType":"Compiled","errorMessage":"as asked"}'
    assert running.records[-1].error_type == "Function.Compiled"
    ended = json.loads((await running.invoke("f", {"exit": True})).payload)
    assert ended["errorType"] == "Runtime.ExitError"
    assert ended["errorMessage"].endswith("Error: Runtime exited with error: exit status 9")
    assert json.loads((await running.invoke("f", 2)).payload) == {"compiled": 2}


async def test_a_web_server_behind_an_adapter_answers(running: RunningEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = f"{sys.executable} -m http.server {port} --bind 127.0.0.1 --directory pages"
    running.add(
        "f",
        {
            "bootstrap": f"#!/bin/sh\nexec {sys.executable} adapter.py {server}\n",
            "adapter.py": (BOOTSTRAPS / "adapter.py").read_text(),
            "pages/index.html": "<p>hello</p>" * 1000,
        },
        "provided.al2023", Environment={"Variables": {"PORT": str(port)}},
    )  # fmt: skip
    result = await running.invoke("f", {"method": "GET", "path": "/"})
    head, _, body = result.payload.partition(bytes(8))
    assert json.loads(head) == {"statusCode": 200, "headers": {"content-type": "text/html"}}
    assert body == b"<p>hello</p>" * 1000
    assert result.content_type == "application/vnd.awslambda.http-integration-response"
    missing = await running.invoke("f", {"method": "GET", "path": "/nope"})
    assert json.loads(missing.payload.partition(bytes(8))[0])["statusCode"] == 404


async def test_a_bootstrap_that_is_not_executable_is_told(running: RunningEngine) -> None:
    running.add("f", {"bootstrap": "#!/bin/sh\n"}, "provided.al2023")
    (place,) = running.directory.glob("f-*/bootstrap")
    place.chmod(0o644)
    document = json.loads((await running.invoke("f")).payload)
    assert document["errorType"] == "Runtime.InvalidEntrypoint"
    assert document["errorMessage"].endswith("permission denied")


async def test_a_bootstrap_that_ends_at_once_is_told_with_its_status(running: RunningEngine) -> None:
    running.add("f", {"bootstrap": "#!/bin/sh\nexit 5\n"}, "provided.al2023")
    document = json.loads((await running.invoke("f")).payload)
    assert document["errorType"] == "Runtime.ExitError"
    assert document["errorMessage"].endswith("Error: Runtime exited with error: exit status 5")


async def test_a_runtime_that_answers_twice_is_refused_the_second_time(running: RunningEngine) -> None:
    bootstrap = f"""#!{sys.executable}
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = api.getresponse()
    answer.read()
    return answer
while True:
    id = call("GET", "next").headers["Lambda-Runtime-Aws-Request-Id"]
    first = call("POST", id + "/response", b"1").status
    second = call("POST", id + "/response", b"2").status
    print("statuses", first, second, flush=True)
"""
    running.add("f", {"bootstrap": bootstrap}, "provided.al2023")
    assert (await running.invoke("f")).payload == b"1"
    assert (await running.invoke("f")).payload == b"1"
    async with asyncio.timeout(10):
        while running.logs.lines.count("statuses 202 403") < 1:
            await asyncio.sleep(0.005)


def _put(running: RunningEngine, name: str, program: bytes) -> None:
    (place,) = running.directory.glob(f"{name}-*/bootstrap")
    place.write_bytes(program)
    place.chmod(0o755)
