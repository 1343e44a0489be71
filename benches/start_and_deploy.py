"""`freehold dev` from command to first 200, its idle memory, and from saving to the new answer; `freehold deploy` of
the article's apps, and again with one changed handler.

    .venv/bin/python -m benches.start_and_deploy [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from benches.systems import ROOT, FreeholdDev, FreeholdServe, ServerlessOffline, System


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name, make in (
        ("freehold dev examples/hello-python", lambda: FreeholdDev(app=ROOT / "examples" / "hello-python")),
        ("freehold dev examples/hello-node", lambda: FreeholdDev(app=ROOT / "examples" / "hello-node")),
        ("serverless-offline, a Python hello", ServerlessOffline),
    ):
        _dev(name, make, options.rounds)
    _reload("hello-python", "handler.py", "Hello", options.rounds)
    _deploy("items-serverless", "handlers/items.js", "//", options.rounds)
    _deploy("items-sam", "src/app.py", "#", options.rounds)
    return 0


def _dev(name: str, make: object, rounds: int) -> None:
    starts, memory = [], 0.0
    for _ in range(rounds):
        system: System = make()  # type: ignore[operator]
        try:
            starts.append(system.start())
            assert system.process is not None
            memory = _idle_memory_mb(system.process.pid)
        finally:
            system.stop()
    print(
        f"{name}: first 200 after {statistics.median(starts):.2f} s (median of {rounds}), "
        f"idle memory {memory:.0f} MB in all processes",
        flush=True,
    )


def _reload(example: str, handler_name: str, word: str, rounds: int) -> None:
    """From writing the file to the first answer of the new code."""
    dev = FreeholdDev(app=ROOT / "examples" / example)
    waits = []
    try:
        dev.start()
        handler = dev.work / handler_name
        for number in range(rounds):
            handler.write_text(handler.read_text().replace(word, new := f"Greetings {number}"))
            word = new
            saved = time.perf_counter()
            while word not in urllib.request.urlopen(dev.url).read().decode():
                time.sleep(0.01)
            waits.append(time.perf_counter() - saved)
    finally:
        dev.stop()
    print(f"freehold dev, from saving to the new answer: {statistics.median(waits):.2f} s (of {rounds})", flush=True)


def _deploy(example: str, handler_name: str, comment: str, rounds: int) -> None:
    first, second, nothing = [], [], []
    for _ in range(rounds):
        server = FreeholdServe()
        server.start()
        app = server.work / "app"
        shutil.copytree(ROOT / "examples" / example, app, ignore=shutil.ignore_patterns("node_modules", ".*"))
        try:
            first.append(_timed_deploy(app, server.endpoint))
            handler = app / handler_name
            handler.write_text(f"{handler.read_text()}\n{comment} changed\n")
            second.append(_timed_deploy(app, server.endpoint))
            nothing.append(_timed_deploy(app, server.endpoint))
        finally:
            server.stop()
    for name, times in (("first", first), ("one handler changed", second), ("nothing changed", nothing)):
        print(f"freehold deploy examples/{example}, {name}: {statistics.median(times):.2f} s (of {rounds})", flush=True)


def _timed_deploy(app: Path, endpoint: str) -> float:
    began = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "freehold",
        "deploy",
        str(app),
        "--stack-name",
        "bench",
        "--endpoint-url",
        endpoint,
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _idle_memory_mb(root: int) -> float:
    """When it has come to rest: processes get ready for what may come some time after the first answer."""
    last = _memory_mb(root)
    for _ in range(10):
        time.sleep(2)
        now = _memory_mb(root)
        if abs(now - last) < 1:
            break
        last = now
    return now


def _memory_mb(root: int) -> float:
    """Proportional set size of a process and all its descendants, so that shared pages count once."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total, waiting = 0.0, [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total


if __name__ == "__main__":
    os.environ.pop("AWS_ENDPOINT_URL", None)
    sys.exit(main())
