"""Thousands of open WebSocket connections: what they weigh, and how soon a broadcast has reached them all.

.venv/bin/python -m benches.websockets [--connections 5000] [--rounds 5] [--posters 32]
A broadcast is what it is on AWS: one PostToConnection for each connection, by a backend that signs its requests (their
making and signing is not measured) and keeps `--posters` connections with one request each on its way. It ends when the
last client has its message. Beside the time, the CPU seconds of the server's process are shown: on a busy machine they
say more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import boto3
import uvloop
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benches.systems import FreeholdServe

_GOAL_MB, _GOAL_S = 300, 1.0
_TEXT = b'{"action":"news","text":"' + b"x" * 100 + b'"}'
_OPENING = 100  # Handshakes on their way at once.
_LIMIT_S = 120.0


class Listener(asyncio.Protocol):
    """One client. It takes what it is sent and answers nothing: the messages are short, a frame's head is two bytes."""

    def __init__(self, path: str, host: str, all: Crowd) -> None:
        key = b64encode(os.urandom(16)).decode()
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._all = all
        self._read = b""
        self.ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.transport.write(self._hello.encode())

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self._all.got(len(data))
            return
        self._read += data
        head, end, behind = self._read.partition(b"\r\n\r\n")
        if end and not behind and b" 101 " in head:
            # No route takes it: the answer tells the connection's id.
            self.transport.write(b"\x81\x82\0\0\0\0{}")
        elif b'"connectionId":"' in behind and behind.endswith(b"}"):
            self.ready.set_result(behind.partition(b'"connectionId":"')[2].partition(b'"')[0].decode())
        elif end and b" 101 " not in head:
            self.ready.set_exception(ConnectionError(head.decode("latin-1")))


class Crowd:
    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.ids: list[str] = []
        self._missing = 0
        self.all_got = asyncio.Event()

    async def join(self, host: str, port: int, path: str, count: int) -> None:
        loop = asyncio.get_running_loop()
        for begin in range(0, count, _OPENING):
            made = [
                loop.create_connection(lambda: Listener(path, f"{host}:{port}", self), host, port)
                for _ in range(min(_OPENING, count - begin))
            ]
            new: list[Any] = [listener for _, listener in await asyncio.gather(*made)]
            self.ids += await asyncio.gather(*(listener.ready for listener in new))
            self.listeners += new

    def expect(self, size_bytes: int) -> None:
        self._missing = size_bytes
        self.all_got.clear()

    def got(self, size_bytes: int) -> None:
        self._missing -= size_bytes
        if self._missing <= 0:
            self.all_got.set()


class Poster(asyncio.Protocol):
    """One of the backend's connections: the next request goes when the last one is answered."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._read = b""
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._errors = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def go(self) -> None:
        if self._requests:
            self._transport.write(self._requests.pop())
        elif not self.done.done():
            self.done.set_result(self._errors)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, behind = self._read.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(behind) >= length:
            self._errors += not head.startswith(b"HTTP/1.1 200 ")
            self._read = b""
            self.go()


def _post(host: str, port: int, path: str, connection_id: str, credentials: Credentials) -> bytes:
    below = f"{path}/@connections/{connection_id.replace('=', '%3D')}"
    request = AWSRequest("POST", f"http://{host}:{port}{below}", data=_TEXT)
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return (
        f"POST {below} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}Content-Length: {len(_TEXT)}\r\n\r\n".encode()
        + _TEXT
    )


async def _broadcast(crowd: Crowd, host: str, port: int, posters: int, requests: list[bytes]) -> tuple[float, int]:
    """Seconds until the last client had it, and the number of posts that failed."""
    loop = asyncio.get_running_loop()
    shares = [requests[number::posters] for number in range(posters)]
    made = [await loop.create_connection(lambda share=share: Poster(share), host, port) for share in shares]  # type: ignore[misc]
    crowd.expect(len(requests) * (len(_TEXT) + 2 if len(_TEXT) < 126 else len(_TEXT) + 4))
    began = time.perf_counter()
    for _, poster in made:
        poster.go()
    errors = sum(await asyncio.gather(*(poster.done for _, poster in made)))
    async with asyncio.timeout(_LIMIT_S):
        if not errors:
            await crowd.all_got.wait()
    took = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return took, errors


def _client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def _new_api(endpoint: str) -> str:
    v2 = _client(endpoint, "apigatewayv2")
    api = v2.create_api(Name="crowd", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    v2.create_stage(ApiId=api["ApiId"], StageName="dev", AutoDeploy=True)
    return str(api["ApiId"])


def _new_backend(endpoint: str) -> Credentials:
    """A user that may post to connections."""
    iam = _client(endpoint, "iam")
    iam.create_user(UserName="backend")
    statement = {"Effect": "Allow", "Action": "execute-api:ManageConnections", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_user_policy(UserName="backend", PolicyName="post", PolicyDocument=policy)
    key = iam.create_access_key(UserName="backend")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _measure(server: FreeholdServe, connections: int, rounds: int, posters: int) -> int:
    assert server.process is not None
    pid = server.process.pid
    host, port = server.endpoint.removeprefix("http://").split(":")
    path = f"/_aws/execute-api/{_new_api(server.endpoint)}/dev"
    credentials = _new_backend(server.endpoint)
    before_mb = _memory_mb(pid)
    crowd = Crowd()
    began, cpu_s = time.perf_counter(), _cpu_s(pid)
    await crowd.join(host, int(port), path, connections)
    print(f"| {connections} handshakes | {time.perf_counter() - began:.2f} s | {_cpu_s(pid) - cpu_s:.2f} s | |")
    took, costs, errors = [], [], 0
    for _ in range(rounds):
        requests = [_post(host, int(port), path, each, credentials) for each in crowd.ids]
        cpu_s = _cpu_s(pid)
        seconds, failed = await _broadcast(crowd, host, int(port), posters, requests)
        took.append(seconds)
        costs.append(_cpu_s(pid) - cpu_s)
        errors += failed
    after_mb = _memory_mb(pid)
    kb = (after_mb - before_mb) * 1024 / connections
    middle, cost = statistics.median(took), statistics.median(costs)
    print(f"| broadcast, median of {rounds} | {middle:.2f} s | {cost:.2f} s | {_GOAL_S} s |")
    print(f"| broadcast, quickest | {min(took):.2f} s | {min(costs):.2f} s | |")
    print(f"| memory with {connections} connections | {after_mb:.0f} MB, {kb:.1f} KB each | | {_GOAL_MB} MB |")
    return errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posters", type=int, default=32)
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = FreeholdServe()
    try:
        server.start()
        print("| | wall | CPU of the server | goal |\n| --- | --- | --- | --- |")
        errors = uvloop.run(_measure(server, given.connections, given.rounds, given.posters))
        print(f"load average {os.getloadavg()[0]:.1f}, {errors} posts failed")
    finally:
        server.stop()
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
