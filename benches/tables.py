"""DynamoDB's Get, Query, Put and Update: ours beside DynamoDB Local, dynalite and dynoxide, all on disk, taking turns.

    benches/setup && .venv/bin/python -m benches.tables [--seconds 3] [--rounds 3] [--only NAME ...]

Raw HTTP by wrk, without a checked signature, items of 1 KB, 1,000 of them. p50 at one connection, throughput at 16; of
each the median of the rounds, and the median of each round's ratio to DynamoDB Local. Ours syncs each write before it
answers; dynalite and dynoxide do not, DynamoDB Local does. It needs a JRE. What is not installed is left out, by name.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benches import load
from benches.dynamodb_requests import Json, ask, create_table, item, key, lua_script
from benches.systems import TOOLS, System, free_port

_KEYS = 1000
_START_LIMIT_S = 60.0
_MANY = 16
_LIMIT = "DynamoDB Local"
OPERATIONS = ("GetItem", "Query", "PutItem", "UpdateItem")


class Tables(System):
    """A server that speaks DynamoDB at `port`."""

    port = 0

    def command(self) -> list[str] | None:
        """None: it is not installed."""
        raise NotImplementedError

    def start(self) -> float:
        self.port = self.port or free_port()
        command = self.command()
        assert command is not None
        began = time.perf_counter()
        self.spawn(command)
        _wait_for(self.port)
        return time.perf_counter() - began


class Freehold(Tables):
    name = "freehold"

    def command(self) -> list[str]:
        serve = [sys.executable, "-m", "freehold", "serve"]
        return [*serve, "--port", str(self.port), "--data-dir", str(self.work / "data")]


class DynamoDBLocal(Tables):
    name = _LIMIT

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


@dataclass(frozen=True, slots=True)
class Result:
    """Of one system, one operation, one round."""

    p50_ms: float
    requests_per_s: float
    cpu_us: float  # Of the server's processes, for one request at 16 connections.


def measure(system: Tables, operation: str, seconds: float) -> Result:
    url, script = f"http://127.0.0.1:{system.port}/", system.work / f"{operation}.lua"
    script.write_text(lua_script(system.port, operation, _documents(operation)))
    one = load.run(url, 1, seconds, script)
    before = _cpu_s(system)
    many = load.run(url, _MANY, seconds, script)
    spent = _cpu_s(system) - before
    if one.errors + many.errors:
        print(f"  {system.name} {operation}: {one.errors + many.errors} answers were errors")
    return Result(one.p50_ms, many.requests_per_s, spent / (many.requests_per_s * seconds) * 1e6)


def _documents(operation: str) -> list[Json]:
    numbers = range(_KEYS)
    table = {"TableName": "bench"}
    match operation:
        case "GetItem":
            return [{**table, "Key": key(number * 61 % _KEYS)} for number in numbers]
        case "PutItem":
            return [{**table, "Item": item(number * 61 % _KEYS)} for number in numbers]
        case "UpdateItem":
            change = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
            return [{**table, "Key": key(number * 61 % _KEYS), **change} for number in numbers]
        case _:
            condition = {"KeyConditionExpression": "p = :p"}
            return [
                {**table, **condition, "ExpressionAttributeValues": {":p": key(number * 61 % _KEYS)["p"]}}
                for number in numbers
            ]


def _wait_for(port: int) -> None:
    end = time.perf_counter() + _START_LIMIT_S
    while True:
        try:
            if ask(port, "ListTables", {})[0] == 200:
                return
        except OSError:
            pass
        if time.perf_counter() > end:
            raise TimeoutError(f"nothing answered on port {port} within {_START_LIMIT_S:.0f} s")
        time.sleep(0.005)


def _cpu_s(system: Tables) -> float:
    """Of the whole process group."""
    assert system.process is not None
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == system.process.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _fill(port: int) -> None:
    create_table(port)
    for number in range(_KEYS):
        status, answer = ask(port, "PutItem", {"TableName": "bench", "Item": item(number)})
        assert status == 200, answer


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm", type=float, default=5.0, help="seconds of each load before any is measured")
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    running: list[Tables] = []
    try:
        for kind in SYSTEMS:
            if options.only and kind.name not in options.only:
                continue
            system = kind()
            if system.command() is None:
                print(f"{system.name}: not installed (benches/setup)")
                continue
            running.append(system)
            system.start()
            _fill(system.port)
        for system in running:  # A JIT needs it.
            for operation in OPERATIONS:
                measure(system, operation, options.warm)
        for operation in OPERATIONS:
            rounds = [
                {system.name: measure(system, operation, options.seconds) for system in running}
                for _ in range(options.rounds)
            ]
            _tell(operation, rounds)
    finally:
        for system in running:
            system.stop()


def _tell(operation: str, rounds: list[dict[str, Result]]) -> None:
    print(f"{operation}; load average {os.getloadavg()[0]:.1f}")
    for name in rounds[0]:
        found = [results[name] for results in rounds]
        line = (
            f"| {name} | {median(each.p50_ms for each in found):.2f} ms "
            f"| {median(each.requests_per_s for each in found):.0f}/s "
            f"| {median(each.cpu_us for each in found):.0f} µs |"
        )
        if _LIMIT in rounds[0]:
            limits = [results[_LIMIT] for results in rounds]
            slower = median(each.p50_ms / limit.p50_ms for each, limit in zip(found, limits, strict=True))
            faster = median(
                each.requests_per_s / limit.requests_per_s for each, limit in zip(found, limits, strict=True)
            )
            line += f" p50 x{slower:.2f} | throughput x{faster:.2f} |"
        print(line, flush=True)


if __name__ == "__main__":
    main()
