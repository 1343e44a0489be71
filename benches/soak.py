"""Steady load while processes of execution environments are killed at random: what is lost, and what is left behind.

    nice .venv/bin/python -m benches.soak [--seconds 600] [--rate 40] [--kill-every 2]

An answer may fail only where a kill fell into its invocation, one answer a kill; events accepted for asynchronous
invocation all reach their destination. At the end the functions are deleted, and processes, descriptors, mounts and
control groups must be what they were before. Exit status 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import os
import random
import signal
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from benches.cold_starts import _tree
from benches.systems import FreeholdServe

_WORKERS = 8
_ROLE = "arn:aws:iam::000000000000:role/soak"
_ANSWER_LIMIT_S = 30.0
_EVENTS_LIMIT_S = 240.0  # Two retries of AWS's delays, one minute and two.
_QUIET_LIMIT_S = 30.0
_LATE_S = 0.5  # A kill is noted before it is done, and an answer after it arrived.
_EVENT_EVERY = 20  # Of the requests, one is an asynchronous event.

_PYTHON = """import time


def handler(event, context):
    time.sleep(event.get("sleep_s", 0))
    return {"number": event["number"]}
"""
_NODE = """exports.handler = async (event) => {
  await new Promise((resolve) => setTimeout(resolve, 1000 * event.sleep_s));
  return { number: event.number };
};
"""
_FUNCTIONS = {"soak-python": ("python3.11", _PYTHON), "soak-node": ("nodejs20.x", _NODE)}


@dataclass(frozen=True, slots=True)
class Failure:
    began_s: float
    ended_s: float
    words: str
    is_kill: bool  # The answer says that the runtime was killed.


@dataclass(slots=True)
class Account:
    """What the workers saw, all of them together."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answered: int = 0
    failures: list[Failure] = field(default_factory=list)
    accepted: set[int] = field(default_factory=set)
    arrived: list[int] = field(default_factory=list)
    kills_s: list[float] = field(default_factory=list)
    number: int = 0

    def next_number(self) -> int:
        with self.lock:
            self.number += 1
            return self.number


@dataclass(frozen=True, slots=True)
class Footprint:
    processes: int
    descriptors: int
    mounts: int
    cgroups: int
    resident_mb: int

    @classmethod
    def of(cls, server: int) -> Footprint:
        status = Path(f"/proc/{server}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return cls(
            len(_tree(server)),
            len(os.listdir(f"/proc/{server}/fd")),
            len(Path("/proc/self/mountinfo").read_text().splitlines()),
            _cgroups(),
            int(resident.split()[1]) // 1024,
        )

    def left_over(self, before: Footprint) -> list[str]:
        """What there is more of. A descriptor or two are clients' connections that are being closed."""
        found = []
        for name, slack in (("processes", 0), ("descriptors", 2), ("mounts", 0), ("cgroups", 0)):
            more = getattr(self, name) - getattr(before, name)
            if more > slack:
                found.append(f"{more} {name}")
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=40.0, help="invocations a second, all workers together")
    parser.add_argument("--kill-every", type=float, default=2.0, help="mean seconds between two kills")
    options = parser.parse_args()
    system = FreeholdServe()
    try:
        system.start()
        assert system.process is not None
        broken = _soak(system, system.process.pid, options.seconds, options.rate, options.kill_every)
        everything = _tree(system.process.pid)
    finally:
        system.stop()
    left = [pid for pid in everything if Path(f"/proc/{pid}").exists()]
    print(f"left after the stop: {len(left)} processes")
    if left:
        broken.append(f"{len(left)} processes after the stop")
    print("kept" if not broken else f"BROKEN: {'; '.join(broken)}")
    return 1 if broken else 0


def _soak(system: FreeholdServe, server: int, seconds: float, rate: float, kill_every_s: float) -> list[str]:
    """The promises that were broken."""
    for name in _FUNCTIONS:
        # What the runtimes start from is up from here on, and no environment's.
        _make(system.endpoint, name)
        _client(system.endpoint, "lambda").invoke(FunctionName=name, Payload=b'{"number": 0, "sleep_s": 0}')
    _remove(system.endpoint)
    before, own = _quiet(server, None), set(_tree(server))
    queue = _make_all(system.endpoint)
    account, stop = Account(), threading.Event()
    host = system.endpoint.removeprefix("http://")
    threads = [
        *(threading.Thread(target=_worker, args=(host, account, stop, rate / _WORKERS, n)) for n in range(_WORKERS)),
        threading.Thread(target=_killer, args=(server, own, account, stop, kill_every_s)),
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    _collect(system.endpoint, queue, account)
    _remove(system.endpoint)
    after = _quiet(server, before)
    return _report(account, seconds, before, after)


def _report(account: Account, seconds: float, before: Footprint, after: Footprint) -> list[str]:
    lost = unexplained(account.failures, account.kills_s)
    missing = account.accepted - set(account.arrived)
    twice = len(account.arrived) - len(set(account.arrived))
    print(f"{seconds:.0f} s, {len(account.kills_s)} kills, {account.answered} invocations answered, "
          f"{len(account.failures) - len(lost)} failed by a kill in them, {len(lost)} lost otherwise")  # fmt: skip
    print(f"{len(account.accepted)} events accepted, {len(missing)} lost, {twice} told twice")
    print(f"before: {before}\nafter:  {after}")
    broken = after.left_over(before)
    for failure in lost[:5]:
        print(f"lost: {failure.words}")
    if lost:
        broken.append(f"{len(lost)} invocations lost")
    if missing or twice:
        broken.append(f"{len(missing)} events lost, {twice} told twice")
    return broken


def unexplained(failures: list[Failure], kills_s: list[float]) -> list[Failure]:
    """Those that no kill of their own explains."""
    left, found = sorted(kills_s), []
    for failure in sorted(failures, key=lambda one: one.ended_s):
        kill_s = next((one for one in left if failure.began_s - _LATE_S <= one <= failure.ended_s + _LATE_S), None)
        if kill_s is None or not failure.is_kill:
            found.append(failure)
        else:
            left.remove(kill_s)
    return found


def _worker(host: str, account: Account, stop: threading.Event, rate: float, seed: int) -> None:
    choose = random.Random(seed)
    connection = http.client.HTTPConnection(host, timeout=_ANSWER_LIMIT_S)
    due_s = time.monotonic()
    while not stop.is_set():
        due_s = max(due_s + choose.expovariate(rate), time.monotonic() - 1)
        stop.wait(max(0.0, due_s - time.monotonic()))
        number = account.next_number()
        event = {"number": number, "sleep_s": choose.choice((0, 0.01, 0.05, 0.2))}
        is_event = number % _EVENT_EVERY == 0
        name = "soak-events" if is_event else choose.choice(sorted(_FUNCTIONS))
        began_s = time.monotonic()
        words, is_kill = _ask(connection, name, event, is_event)
        with account.lock:
            if words:
                account.failures.append(Failure(began_s, time.monotonic(), words, is_kill))
            elif is_event:
                account.accepted.add(number)
            else:
                account.answered += 1
    connection.close()


def _ask(connection: http.client.HTTPConnection, name: str, event: dict[str, Any], is_event: bool) -> tuple[str, bool]:
    """What is wrong with the answer, empty: nothing; and whether it says that the runtime was killed."""
    headers = {"X-Amz-Invocation-Type": "Event"} if is_event else {}
    try:
        connection.request("POST", f"/2015-03-31/functions/{name}/invocations", json.dumps(event), headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return f"{name}: {error!r}", False
    if is_event:
        return ("" if answer.status == 202 else f"{name}: {answer.status} {body!r}"), False
    if answer.status == 200 and json.loads(body) == {"number": event["number"]}:
        return "", False
    return f"{name}: {answer.status} {body!r}", b"signal: killed" in body or b"Runtime.ExitError" in body


def _killer(server: int, own: set[int], account: Account, stop: threading.Event, every_s: float) -> None:
    choose = random.Random(0)
    while not stop.wait(choose.expovariate(1 / every_s)):
        victims = [pid for pid in _tree(server) if pid not in own]
        if victims:
            account.kills_s.append(time.monotonic())
            with contextlib.suppress(ProcessLookupError):
                os.kill(choose.choice(victims), signal.SIGKILL)


def _collect(endpoint: str, queue: str, account: Account) -> None:
    """Takes what the events' destination was told, until all were or it takes too long."""
    sqs = _client(endpoint, "sqs")
    limit_s = time.monotonic() + _EVENTS_LIMIT_S
    quiet = 0
    while time.monotonic() < limit_s and (account.accepted - set(account.arrived) or quiet < 2):
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        quiet = 0 if messages else quiet + 1
        for message in messages:
            account.arrived.append(json.loads(message["Body"])["requestPayload"]["number"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def _make_all(endpoint: str) -> str:
    """The functions, and the queue that the events' outcomes go to."""
    sqs = _client(endpoint, "sqs")
    queue: str = sqs.create_queue(QueueName="soak")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for name in (*_FUNCTIONS, "soak-events"):
        _make(endpoint, name)
    outcomes = {"OnSuccess": {"Destination": arn}, "OnFailure": {"Destination": arn}}
    _client(endpoint, "lambda").put_function_event_invoke_config(FunctionName="soak-events", DestinationConfig=outcomes)
    return queue


def _make(endpoint: str, name: str) -> None:
    runtime, source = _FUNCTIONS.get(name, _FUNCTIONS["soak-python"])
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py" if runtime.startswith("python") else "app.js", source)
    _client(endpoint, "lambda").create_function(
        FunctionName=name, Runtime=runtime, Role=_ROLE, Handler="app.handler", Timeout=10, MemorySize=256,
        Code={"ZipFile": data.getvalue()},
    )  # fmt: skip


def _remove(endpoint: str) -> None:
    client = _client(endpoint, "lambda")
    for name in (*_FUNCTIONS, "soak-events"):
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_function(FunctionName=name)


def _quiet(server: int, before: Footprint | None) -> Footprint:
    """Once nothing changes any more, or is as before."""
    limit_s, last, same = time.monotonic() + _QUIET_LIMIT_S, Footprint.of(server), 0
    is_done: Callable[[Footprint], bool] = lambda one: same >= 20 if before is None else not one.left_over(before)  # noqa: E731
    while time.monotonic() < limit_s and not is_done(last):
        time.sleep(0.1)
        now = Footprint.of(server)
        same = same + 1 if (now.processes, now.descriptors) == (last.processes, last.descriptors) else 0
        last = now
    return last


def _cgroups() -> int:
    """Of all Freehold servers of this machine."""
    return sum(1 for folder in Path("/sys/fs/cgroup").glob("**/freehold/*/*") if folder.is_dir())


def _client(endpoint: str, service: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    return boto3.client(service, endpoint_url=endpoint, **keys)


if __name__ == "__main__":
    sys.exit(main())
