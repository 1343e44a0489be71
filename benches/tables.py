"""DynamoDB's Get, Put, Update and Query: ours beside DynamoDB Local, dynalite and dynoxide, all on disk, in one run.

    benches/setup && .venv/bin/python -m benches.tables [--seconds 5] [--only NAME ...]

Raw HTTP without a checked signature, items of 1 KB, 1,000 keys. p50 at one connection, throughput at 16. Ours syncs
each write before it answers; the others do not. DynamoDB Local needs a JRE. What is not installed is left out, by name.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop

from benches.systems import TOOLS, System, free_port

_SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
_DATA = "x" * 950
_KEYS = 1000
_PARTITION = 10  # Items that a Query reads.
_START_LIMIT_S = 60.0
_MANY = 16
Json = dict[str, Any]


class Tables(System):
    """A server that speaks DynamoDB at `port`."""

    def command(self) -> list[str] | None:
        """None: it is not installed."""
        raise NotImplementedError

    def start(self) -> float:
        self.port = free_port()
        command = self.command()
        assert command is not None
        began = time.perf_counter()
        self.spawn(command)
        asyncio.run(_wait_for(self.port))
        return time.perf_counter() - began


class Freehold(Tables):
    name = "freehold"

    def command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "freehold",
            "serve",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.work / "data"),
        ]


class DynamoDBLocal(Tables):
    name = "DynamoDB Local"

    def command(self) -> list[str] | None:
        jar = next((TOOLS / "node_modules" / "amplify-dynamodb-simulator").rglob("DynamoDBLocal.jar"), None)
        java = shutil.which("java")
        if jar is None or java is None:
            return None
        natives = next(jar.parent.glob("*_lib"), jar.parent)
        return [
            java, f"-Djava.library.path={natives}", "-jar", str(jar), "-port", str(self.port),
            "-dbPath", str(self.work), "-sharedDb",
        ]  # fmt: skip


class Dynalite(Tables):
    name = "dynalite"

    def command(self) -> list[str] | None:
        program = TOOLS / "node_modules" / "dynalite" / "cli.js"
        if not program.is_file():
            return None
        table_delays = ["--createTableMs", "0", "--deleteTableMs", "0"]
        return ["node", str(program), "--port", str(self.port), "--path", str(self.work / "db"), *table_delays]


class Dynoxide(Tables):
    name = "dynoxide"

    def command(self) -> list[str] | None:
        program = TOOLS / "node_modules" / "@dynoxide" / "linux-x64" / "dynoxide"
        if not program.is_file():
            return None
        return [str(program), "serve", "--port", str(self.port), "--db-path", str(self.work / "dynoxide.db")]


SYSTEMS: tuple[type[Tables], ...] = (Freehold, DynamoDBLocal, Dynalite, Dynoxide)


@dataclass(slots=True)
class Load:
    """One kind of request, sent again as soon as it is answered, over some connections."""

    requests: list[bytes]
    end: float
    open: int
    done: asyncio.Future[None]
    latencies_s: list[float] = field(default_factory=list)
    errors: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load, number: int) -> None:
        self.load = load
        self.number = number * 61  # Connections do not ask for the same keys at the same time.
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it.
        self.send()

    def send(self) -> None:
        self.number += 1
        self.began = time.perf_counter()
        self.transport.write(self.load.requests[self.number % len(self.load.requests)])

    def data_received(self, data: bytes) -> None:
        self.held += data
        if not _is_whole(self.held):
            return
        now = time.perf_counter()
        self.load.latencies_s.append(now - self.began)
        self.load.errors += not self.held.startswith(b"HTTP/1.1 200")
        self.held = b""
        if now < self.load.end:
            self.send()
            return
        self.transport.close()
        self.load.open -= 1
        if not self.load.open:
            self.load.done.set_result(None)


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    lower = head.lower()
    place = lower.find(b"content-length:")
    if place < 0:
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(lower[place + 15 :].split(b"\r\n", 1)[0])


def _request(port: int, operation: str, document: Json) -> bytes:
    body = json.dumps(document).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nAuthorization: {_SCOPE}\r\nX-Amz-Date: 20260101T000000Z\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _ask(port: int, operation: str, document: Json) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(port, operation, document))
    answer = b""
    while not _is_whole(answer):
        more = await reader.read(65536)
        if not more:
            break
        answer += more
    writer.close()
    return answer


async def _wait_for(port: int) -> None:
    end = time.perf_counter() + _START_LIMIT_S
    while True:
        try:
            if (await _ask(port, "ListTables", {})).startswith(b"HTTP/1.1 200"):
                return
        except OSError:
            pass
        if time.perf_counter() > end:
            raise TimeoutError(f"nothing answered on port {port} within {_START_LIMIT_S:.0f} s")
        await asyncio.sleep(0.05)


def _item(number: int) -> Json:
    keys = {"p": {"S": f"p{number // _PARTITION:06d}"}, "c": {"N": str(number % _PARTITION)}}
    return {**keys, "data": {"S": _DATA}, "n": {"N": "12"}}


def _key(number: int) -> Json:
    item = _item(number)
    return {"p": item["p"], "c": item["c"]}


def _documents(kind: str) -> list[Json]:
    numbers = range(_KEYS)
    match kind:
        case "GetItem":
            return [{"TableName": "bench", "Key": _key(number)} for number in numbers]
        case "PutItem":
            return [{"TableName": "bench", "Item": _item(number)} for number in numbers]
        case "UpdateItem":
            change = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
            return [{"TableName": "bench", "Key": _key(number), **change} for number in numbers]
        case _:
            return [
                {
                    "TableName": "bench",
                    "KeyConditionExpression": "p = :p",
                    "ExpressionAttributeValues": {":p": _item(number)["p"]},
                }
                for number in numbers
            ]


async def _fill(port: int) -> None:
    table = {
        "TableName": "bench",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "c", "AttributeType": "N"},
        ],
    }
    answer = await _ask(port, "CreateTable", table)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    end = time.perf_counter() + _START_LIMIT_S
    while time.perf_counter() < end:
        if b'"ACTIVE"' in await _ask(port, "DescribeTable", {"TableName": "bench"}):
            break
        await asyncio.sleep(0.05)
    for number in range(_KEYS):
        await _ask(port, "PutItem", {"TableName": "bench", "Item": _item(number)})


async def _load(port: int, kind: str, connections: int, seconds: float) -> tuple[float, float, int]:
    """(p50 in ms, answers a second, errors)."""
    loop = asyncio.get_running_loop()
    requests = [_request(port, kind, document) for document in _documents(kind)]
    began = time.perf_counter()
    load = Load(requests, began + seconds, connections, loop.create_future())
    for number in range(connections):
        await loop.create_connection(lambda number=number: _Connection(load, number), "127.0.0.1", port)  # type: ignore[misc]
    await load.done
    took = time.perf_counter() - began
    latencies = sorted(load.latencies_s)
    return latencies[len(latencies) // 2] * 1e3, len(latencies) / took, load.errors


async def _measure(port: int, seconds: float) -> dict[str, tuple[float, float]]:
    await _fill(port)
    found = {}
    for kind in ("GetItem", "Query", "PutItem", "UpdateItem"):
        await _load(port, kind, _MANY, min(seconds, 2.0))  # Warm: a JIT needs it.
        p50, _, wrong = await _load(port, kind, 1, seconds)
        _, rate, also_wrong = await _load(port, kind, _MANY, seconds)
        if wrong + also_wrong:
            print(f"  {kind}: {wrong + also_wrong} answers were errors")
        found[kind] = (p50, rate)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    results: dict[str, dict[str, tuple[float, float]]] = {}
    for kind in SYSTEMS:
        if options.only and kind.name not in options.only:
            continue
        system = kind()
        system.port = 0
        try:
            if system.command() is None:
                print(f"{system.name}: not installed (benches/setup)")
                continue
            system.start()
            results[system.name] = uvloop.run(_measure(system.port, options.seconds))
        finally:
            system.stop()
        for operation, (p50, rate) in results[system.name].items():
            ours = results.get("freehold", results[system.name])[operation]
            print(
                f"{system.name:15} {operation:11} p50 {p50:6.2f} ms  {rate:8.0f}/s   "
                f"ours: p50 x{ours[0] / p50:.2f}, throughput x{ours[1] / rate:.2f}"
            )


if __name__ == "__main__":
    main()
