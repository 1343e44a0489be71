"""A table of 1 million items of 1 KB: the server's memory, a Query's time beside that on 1,000, starts
after kill -9 of both.

    .venv/bin/python -m benches.large_table [--items 1000000] [--seconds 3]

Loads by BatchWriteItem over 8 connections, then asks by wrk. Memory is the server's resident set, at its peak too.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benches import load
from benches.dynamodb_requests import PARTITION, ask, create_table, item, key, lua_script
from benches.tables import Freehold

_SMALL = 1000
_BATCH = 25
_CONNECTIONS = 8
_ROUNDS = 5
_STARTS = 5


def fill(port: int, first: int, end: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for start in range(first, end, _BATCH):
        puts = [{"PutRequest": {"Item": item(number)}} for number in range(start, min(start + _BATCH, end))]
        status, answer = ask(port, "BatchWriteItem", {"RequestItems": {"bench": puts}}, client)
        assert status == 200, answer
        assert not answer["UnprocessedItems"], answer
    client.close()


def fill_all(port: int, first: int, end: int) -> None:
    share = -(-(end - first) // _CONNECTIONS // _BATCH) * _BATCH
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(lambda start: fill(port, start, min(start + share, end)), range(first, end, share)))


def query_p50_ms(system: Freehold, operation: str, items: int, seconds: float) -> float:
    """Of partitions anywhere in the table."""
    chance = random.Random(1)
    partitions = [chance.randrange(items // PARTITION) * PARTITION for _ in range(min(10_000, items // PARTITION))]
    documents = [
        {"TableName": "bench", "Key": key(number)}
        if operation == "GetItem"
        else {
            "TableName": "bench",
            "KeyConditionExpression": "p = :p",
            "ExpressionAttributeValues": {":p": key(number)["p"]},
        }
        for number in partitions
    ]
    script = system.work / "large.lua"
    script.write_text(lua_script(system.port, operation, documents))
    found = load.run(f"http://127.0.0.1:{system.port}/", 1, seconds, script)
    assert not found.errors
    return found.p50_ms


def memory_mb(system: Freehold, member: str) -> float:
    assert system.process is not None
    for line in Path(f"/proc/{system.process.pid}/status").read_text().splitlines():
        if line.startswith(member):
            return int(line.split()[1]) / 1024
    raise KeyError(member)


def cpu_s(system: Freehold) -> float:
    """What the server itself has computed since it was started."""
    assert system.process is not None
    fields = Path(f"/proc/{system.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def restart_s(system: Freehold) -> float:
    """From the command to the first answer, after kill -9."""
    assert system.process is not None
    os.killpg(system.process.pid, signal.SIGKILL)
    system.process.wait()
    return system.start()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    small, large = Freehold(), Freehold()
    try:
        empty_s = small.start()
        print(f"first start, no data: {empty_s:.2f} s, {memory_mb(small, 'VmRSS'):.0f} MB")
        create_table(small.port)
        fill_all(small.port, 0, _SMALL)
        large.start()
        create_table(large.port)
        began = time.perf_counter()
        fill_all(large.port, 0, options.items)
        took = time.perf_counter() - began
        print(f"{options.items} items in {took:.0f} s: {options.items / took:.0f}/s")
        for operation in ("GetItem", "Query"):
            ratios = []
            for _ in range(_ROUNDS):
                before = query_p50_ms(small, operation, _SMALL, options.seconds)
                after = query_p50_ms(large, operation, options.items, options.seconds)
                ratios.append(after / before)
                print(f"{operation}: {before:.3f} ms of {_SMALL}, {after:.3f} ms of {options.items}: x{ratios[-1]:.2f}")
            print(f"{operation}: x{sorted(ratios)[_ROUNDS // 2]:.2f}")
        print(f"memory: {memory_mb(large, 'VmRSS'):.0f} MB now, {memory_mb(large, 'VmHWM'):.0f} MB at its peak")
        data = sum(file.stat().st_size for file in (large.work / "data").glob("tables.db*"))
        starts = [(restart_s(system), cpu_s(system)) for _ in range(_STARTS) for system in (small, large)]
        for name, taken in ((f"{_SMALL} items", starts[::2]), (f"{data / 1e9:.2f} GB", starts[1::2])):
            seconds, computed = sorted(each[0] for each in taken), sorted(each[1] for each in taken)
            print(
                f"start after kill -9 with {name}: {seconds[_STARTS // 2]:.2f} s ({seconds[0]:.2f}-{seconds[-1]:.2f}), "
                f"of them {computed[_STARTS // 2]:.2f} s of computing"
            )
        assert ask(large.port, "GetItem", {"TableName": "bench", "Key": key(options.items - 1)})[1]["Item"]
    finally:
        small.stop()
        large.stop()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
