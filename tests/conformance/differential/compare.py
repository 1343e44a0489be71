"""The same random requests to our DynamoDB, to DynamoDB Local and to dynoxide; what differs, by kind, with an example.

    benches/setup && .venv/bin/python -m tests.conformance.differential.compare [--requests 6000] [--seed 1] [--words]

What counts is the outcome: an answer's content, numbers by their value, or an error's type; its words with --words.
Neither of the two is Amazon's service (DynamoDB Local keeps numbers as they were written and has words of its own), so
ours is wrong for sure only where they agree against it. Exit status 1 when they do in a way that README.md beside this
file gives no reason for: a line "| `kind` | why |".
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from benches.dynamodb_requests import ask
from benches.tables import DynamoDBLocal, Dynoxide, Freehold, Tables

from freehold.services.dynamodb.record import DETECTED
from tests.conformance.differential.requests import CREATE, Json, request

_README = Path(__file__).with_name("README.md")


@dataclass(slots=True)
class Difference:
    operation: str
    request: Json
    ours: Any
    theirs: Any
    third: Any
    count: int = 1
    alone: int = 0  # So often the other two agreed.


def answer(system: Tables, operation: str, document: Json, client: http.client.HTTPConnection) -> Any:
    """What an answer says, without what may differ: [error type, words, more], or the body in one order."""
    status, body = ask(system.port, operation, document, client)
    if status != 200:
        # Amazon's service begins so in more operations than both others, which are older.
        said = (body.get("message") or body.get("Message") or "").removeprefix(DETECTED)
        extra = {name: _plain(body[name]) for name in ("Item", "CancellationReasons") if body.get(name)}
        error = str(body.get("__type", "")).rpartition("#")[2]
        codes = {reason.get("Code") for reason in body.get("CancellationReasons") or []}
        if codes and codes <= {"ValidationError", "None"}:
            # Amazon documents this code; both others refuse such a transaction as a whole.
            error = "ValidationException"
        return [error, said, extra]
    found = _plain({name: value for name, value in (body or {}).items() if name != "ConsumedCapacity"})
    lists = found.get("Responses", {}).values() if operation == "BatchGetItem" else [found.get("Items", [])]
    if operation != "Query" or "IndexName" in document:  # In an index, items of one key are in no order.
        for items in lists:
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict) and set(value) == {"N"} and isinstance(value["N"], str):
        return {"N": str(Decimal(value["N"]).normalize() + 0)}
    if not isinstance(value, dict):
        return value
    made = {}
    for name, each in value.items():
        if name in ("SS", "NS", "BS") and isinstance(each, list):
            made[name] = sorted(str(Decimal(one).normalize()) if name == "NS" else one for one in each)
        else:
            made[name] = _plain(each)
    return made


def kind(operation: str, ours: Any, theirs: Any) -> str:
    return f"{operation}: {_gist(ours)} / {_gist(theirs)}"


def _is_same(one: Any, other: Any, words: bool) -> bool:
    if isinstance(one, list) and isinstance(other, list) and not words:
        return one[0] == other[0] and one[2].get("Item") == other[2].get("Item")
    return bool(one == other)


def _gist(found: Any) -> str:
    if not isinstance(found, list):
        return "an answer"
    words = re.sub(r"[:#]v?\w+|\[[^]]*\]|\{[^}]*\}|'[^']*'|\"[^\"]*\"|[\d.]+", "_", found[1])
    return f"{found[0]} {words[:90]}{' with more' if found[2] else ''}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shown", type=int, default=40)
    parser.add_argument("--words", action="store_true", help="Errors must be the same to the letter.")
    options = parser.parse_args()
    systems = [Freehold(), DynamoDBLocal(), Dynoxide()]
    missing = [system.name for system in systems if system.command() is None]
    if missing:
        print(f"not installed: {', '.join(missing)}; run benches/setup", file=sys.stderr)
        return 2
    try:
        for system in systems:
            system.start()
        return _report(_differences(systems, options), options)
    finally:
        for system in systems:
            system.stop()


def _differences(systems: list[Tables], options: argparse.Namespace) -> dict[str, Difference]:
    clients = [http.client.HTTPConnection("127.0.0.1", system.port, timeout=60) for system in systems]
    for system in systems:
        ask(system.port, "CreateTable", CREATE)
    found: dict[str, Difference] = {}
    for number in range(options.requests):
        operation, document = request(Random(f"{options.seed}/{number}"))
        ours, theirs, third = (
            answer(system, operation, document, client) for system, client in zip(systems, clients, strict=True)
        )
        if _is_same(ours, theirs, options.words) and _is_same(ours, third, options.words):
            continue
        agree = _is_same(theirs, third, options.words)
        name = kind(operation, ours, third if _is_same(ours, theirs, options.words) else theirs)
        known = found.get(name)
        if known is None or (agree and not known.alone):
            found[name] = Difference(operation, document, ours, theirs, third, known.count if known else 0)
        found[name].count += 1
        found[name].alone += agree
        # One wrote what another refused: all begin anew, so that one difference makes no others.
        _level(systems, clients)
    for client in clients:
        client.close()
    return found


def _level(systems: list[Tables], clients: list[http.client.HTTPConnection]) -> None:
    """All tables become empty."""
    for system, client in zip(systems, clients, strict=True):
        _, body = ask(system.port, "Scan", {"TableName": CREATE["TableName"]}, client)
        for item in body["Items"]:
            key = {"p": item["p"], "s": item["s"]}
            ask(system.port, "DeleteItem", {"TableName": CREATE["TableName"], "Key": key}, client)


def _report(found: dict[str, Difference], options: argparse.Namespace) -> int:
    explained = set(re.findall(r"^\| `([^`]+)` \|", _README.read_text(), re.MULTILINE)) if _README.exists() else set()
    alone = [name for name, each in found.items() if each.alone and name not in explained]
    order = sorted(found.items(), key=lambda pair: (-pair[1].alone, -pair[1].count))
    for name, each in order[: options.shown]:
        print(f"\n{each.count} x ({each.alone} x ours alone) {name}\n  {each.operation} {json.dumps(each.request)}")
        print(f"  ours:           {json.dumps(each.ours)}\n  DynamoDB Local: {json.dumps(each.theirs)}")
        print(f"  dynoxide:       {'as ours' if each.third == each.ours else json.dumps(each.third)}")
    counts = Counter({name: each.count for name, each in found.items()})
    print(f"\n{options.requests} requests, {counts.total()} answers differ in {len(found)} kinds; "
          f"in {len(alone)} of them ours was alone, without a reason in README.md")  # fmt: skip
    return 1 if alone else 0


if __name__ == "__main__":
    sys.exit(main())
