"""The systems that the benches compare: each is started, answers GET at `url`, and is stopped with all its children."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools" / "bench"
_START_LIMIT_S = 60.0

HANDLER = """import json


def handler(event, context):
    name = (event.get("queryStringParameters") or {}).get("name", "Guest")
    body = json.dumps({"message": f"Hello, {name}!"})
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
"""

_SERVERLESS = """service: bench
frameworkVersion: '3'
provider:
  name: aws
functions:
"""
_SERVERLESS_FUNCTION = """  {name}:
    handler: {handler}
    runtime: {runtime}
    memorySize: {memory_mb}
    timeout: 10
    events:
      - httpApi: GET /{name}
"""


@dataclass(frozen=True, slots=True)
class Function:
    """What a system serves as GET /`name`."""

    name: str
    source: str  # Of its only file.
    runtime: str = "python3.11"
    memory_mb: int = 1769
    snap_start: bool = False  # Then its published version is served, by systems that have them.

    @property
    def file(self) -> str:
        return f"{self.name}.{'py' if self.runtime.startswith('python') else 'js'}"

    @property
    def handler(self) -> str:
        return f"{self.name}.handler"


HELLO = (Function("hello", HANDLER),)

_UVICORN_APP = """import json
from urllib.parse import parse_qs


async def app(scope, receive, send):
    await receive()
    query = parse_qs(scope["query_string"].decode())
    body = json.dumps({"message": f"Hello, {query.get('name', ['Guest'])[0]}!"}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, limit_s: float = _START_LIMIT_S) -> float:
    """Seconds until it answered 200."""
    began = time.perf_counter()
    while time.perf_counter() - began < limit_s:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return time.perf_counter() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.005)
    raise TimeoutError(f"{url} did not answer 200 within {limit_s:.0f} s")


class System(ABC):
    """`start` returns the seconds from the command to the first 200."""

    name: str
    url: str

    def __init__(self, functions: tuple[Function, ...] = HELLO) -> None:
        self.functions = functions
        self.work = Path(tempfile.mkdtemp(prefix="freehold-bench-"))
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> float: ...

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    def spawn(self, command: list[str], environment: Mapping[str, str] | None = None) -> None:
        self.log = (self.work / "log").open("wb")
        # Bytecode is kept, as where people run it.
        left_out = ("AWS_", "FREEHOLD_", "PYTHONDONTWRITEBYTECODE")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        self.process = subprocess.Popen(
            command,
            cwd=self.work,
            env={**clean, **credentials, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


class BareUvicorn(System):
    """The limit: the same handler body as an ASGI app, without any platform around it."""

    name = "bare uvicorn app"

    def start(self) -> float:
        (self.work / "bare.py").write_text(_UVICORN_APP)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/hello"
        self.spawn([str(TOOLS / "venv/bin/uvicorn"), "bare:app", "--port", str(port), "--no-access-log"])
        return wait_for(self.url)


class FreeholdDev(System):
    """`freehold dev` in the app's folder."""

    name = "freehold dev"

    def __init__(self, functions: tuple[Function, ...] = HELLO, app: Path | None = None, path: str = "/hello") -> None:
        super().__init__(functions)
        self.app, self.path = app, path

    def start(self) -> float:
        if self.app:
            shutil.copytree(self.app, self.work, dirs_exist_ok=True)
        else:
            write_service(self.work, self.functions)
        port, aws_port = free_port(), free_port()
        self.url = f"http://localhost:{port}{self.path}"
        self.endpoint = f"http://127.0.0.1:{aws_port}"
        command = [sys.executable, "-m", "freehold", "dev", ".", "--port", str(port), "--aws-port", str(aws_port)]
        self.spawn(command)
        return wait_for(self.url)


class FreeholdServe(System):
    """`freehold serve` with the function deployed by boto3, as production runs it."""

    name = "freehold serve"

    def start(self) -> float:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        command = [
            sys.executable,
            "-m",
            "freehold",
            "serve",
            "--port",
            str(port),
            "--data-dir",
            str(self.work / "data"),
        ]
        self.spawn(command)
        began = wait_for(f"{self.endpoint}/_freehold/health")
        api = deploy_with_boto3(self.endpoint, self.functions)
        self.url = f"{self.endpoint}/_aws/execute-api/{api}/{self.functions[0].name}"
        return began + wait_for(self.url)


class ServerlessOffline(System):
    """serverless-offline under osls, the maintained fork of the Serverless Framework 3."""

    name = "serverless-offline"

    def start(self) -> float:
        write_service(self.work, self.functions, "plugins:\n  - serverless-offline\n")
        (self.work / "node_modules").symlink_to(TOOLS / "node_modules")
        port, lambda_port, ws_port = free_port(), free_port(), free_port()
        self.url = f"http://localhost:{port}/{self.functions[0].name}"
        ports = ["--httpPort", str(port), "--lambdaPort", str(lambda_port), "--websocketPort", str(ws_port)]
        self.spawn([str(TOOLS / "node_modules/.bin/osls"), "offline", *ports])
        return wait_for(self.url)


class Ministack(System):
    """ministack with its local executor, the function deployed by boto3."""

    name = "ministack"

    def start(self) -> float:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.spawn([str(TOOLS / "venv/bin/ministack")], {"GATEWAY_PORT": str(port), "LAMBDA_EXECUTOR": "local"})
        began = wait_for(f"{self.endpoint}/_ministack/health")
        api = deploy_with_boto3(self.endpoint, self.functions)
        self.url = f"{self.endpoint}/_aws/execute-api/{api}/$default/{self.functions[0].name}"
        return began + wait_for(self.url)


def write_service(directory: Path, functions: tuple[Function, ...], more: str = "") -> None:
    service = _SERVERLESS
    for function in functions:
        (directory / function.file).write_text(function.source)
        service += _SERVERLESS_FUNCTION.format(
            name=function.name, handler=function.handler, runtime=function.runtime, memory_mb=function.memory_mb
        )
    (directory / "serverless.yml").write_text(service + more)


def deploy_with_boto3(endpoint: str, functions: tuple[Function, ...] = HELLO) -> str:
    """The id of an HTTP API that serves each function as GET /name."""
    import boto3

    def client(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=endpoint, **keys)

    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    gateway, lambda_ = client("apigatewayv2"), client("lambda")
    api = str(gateway.create_api(Name="bench", ProtocolType="HTTP")["ApiId"])
    for function in functions:
        arn = _create_function(lambda_, function, role)
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
        )["IntegrationId"]
        gateway.create_route(ApiId=api, RouteKey=f"GET /{function.name}", Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


def _create_function(lambda_: Any, function: Function, role: str) -> str:
    """Its ARN, of the published version when it has SnapStart."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(function.file, function.source)
    more = {"SnapStart": {"ApplyOn": "PublishedVersions"}, "Publish": True} if function.snap_start else {}
    made = lambda_.create_function(
        FunctionName=function.name,
        Runtime=function.runtime,
        Role=role,
        Handler=function.handler,
        Code={"ZipFile": buffer.getvalue()},
        MemorySize=function.memory_mb,
        Timeout=10,
        **more,
    )
    qualifier = {"Qualifier": made["Version"]} if function.snap_start else {}
    lambda_.get_waiter("function_active_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 1}, **qualifier)
    lambda_.add_permission(
        FunctionName=function.name, StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", **qualifier,
    )  # fmt: skip
    return str(made["FunctionArn"])
