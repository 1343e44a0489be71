"""Cold starts through an HTTP API, request to answer, beside the others; memory per environment; a burst from zero.

    .venv/bin/python -m benches.cold_starts [--functions 15] [--only NAME ...] [--burst 1000]

Each cold start is the first request to a function of its own, one after another, with a pause before each: what a
system prepares beside its work, it may prepare. Private memory: what an environment's processes share with nobody.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
import urllib.request
from pathlib import Path

from benches.systems import HANDLER, FreeholdServe, Function, Ministack, ServerlessOffline, System

_PAUSE_S = 0.1
_LIMIT_S = 60.0

_BOTO3 = """import boto3

table = boto3.resource("dynamodb", region_name="us-east-1").Table("items")


def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": table.name}
"""
_NODE = """exports.handler = async (event) => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message: 'Hello' }),
});
"""
_SLEEPER = """import time


def handler(event, context):
    time.sleep(1)
    return {"statusCode": 200, "body": "slept"}
"""


def kinds(count: int, with_snap_start: bool) -> dict[str, tuple[Function, ...]]:
    made = {
        "Python hello": tuple(Function(f"hello{number}", HANDLER) for number in range(count)),
        "boto3 resource": tuple(Function(f"resource{number}", _BOTO3) for number in range(count)),
        "Node hello": tuple(Function(f"node{number}", _NODE, "nodejs20.x") for number in range(count)),
    }
    if with_snap_start:
        made["boto3, SnapStart"] = tuple(
            Function(f"snap{number}", _BOTO3, "python3.12", snap_start=True) for number in range(count)
        )
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=15)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--burst", type=int, default=1000, help="0: none")
    parser.add_argument("--no-snap-start", action="store_true")
    options = parser.parse_args()
    print(f"{'':20} {'':18} {'p50':>9} {'p90':>9} {'slowest':>9}")
    for kind in (FreeholdServe, ServerlessOffline, Ministack):
        if not options.only or any(word in kind.name for word in options.only):
            own = kind is FreeholdServe
            _cold_starts(kind, kinds(options.functions, own and not options.no_snap_start))
    if options.burst and (not options.only or any(word in FreeholdServe.name for word in options.only)):
        _burst(options.burst)
    return 0


def _cold_starts(kind: type[System], wanted: dict[str, tuple[Function, ...]]) -> None:
    warm_up = Function("first", HANDLER)
    system = kind((warm_up, *(function for functions in wanted.values() for function in functions)))
    try:
        system.start()
        base = system.url.removesuffix(warm_up.name)
        for name, functions in wanted.items():
            # The first of a kind may find its runtime asleep, the others show what a cold start costs.
            times = sorted([_timed(base + function.name) for function in functions][1:])
            print(
                f"{kind.name:20} {name:18} {statistics.median(times):>6.1f} ms {times[len(times) * 9 // 10]:>6.1f} ms "
                f"{times[-1]:>6.1f} ms",
                flush=True,
            )
    finally:
        system.stop()


def _timed(url: str) -> float:
    """Milliseconds."""
    time.sleep(_PAUSE_S)
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=_LIMIT_S) as answer:
        answer.read()
        assert answer.status == 200
    return (time.perf_counter() - began) * 1000


def _burst(count: int) -> None:
    system = FreeholdServe((Function("first", HANDLER), Function("sleeper", _SLEEPER, memory_mb=128)))
    try:
        system.start()
        assert system.process is not None
        server = system.process.pid
        time.sleep(2)
        before = set(_tree(server))
        url = system.url.removesuffix("first") + "sleeper"
        took, errors, private = asyncio.run(_answer_all(url, count, server, before))
        print(f"burst of {count} to a function that sleeps 1 s: all answered in {took:.2f} s, {errors} errors, "
              f"{private:.2f} MB of private memory per environment")  # fmt: skip
        print("left after the stop: ", end="")
    finally:
        system.stop()
    print(len([pid for pid in before if Path(f"/proc/{pid}").exists()]), "processes")


async def _answer_all(url: str, count: int, server: int, before: set[int]) -> tuple[float, int, float]:
    host, _, path = url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    request = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    began = time.perf_counter()
    answers = await asyncio.gather(*(_ask(name, int(port), request) for _ in range(count)))
    took = time.perf_counter() - began
    made = [pid for pid in _tree(server) if pid not in before]
    private = sum(_private_kb(pid) for pid in made) / 1024 / count
    return took, sum(not answer.startswith(b"HTTP/1.1 200") for answer in answers), private


async def _ask(host: str, port: int, request: bytes) -> bytes:
    try:
        async with asyncio.timeout(_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(request)
                return await reader.read()
    except (OSError, TimeoutError):
        return b""


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                left += [int(child) for child in (task / "children").read_text().split()]
    return found


def _private_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(
        int(line.split()[1]) for line in text.splitlines() if line.startswith(("Private_Clean", "Private_Dirty"))
    )


if __name__ == "__main__":
    sys.exit(main())
