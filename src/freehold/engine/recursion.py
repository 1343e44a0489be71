"""Functions that invoke themselves, through queues, topics, buckets or each other: counted, and stopped.

AWS: "Use Lambda recursive loop detection to prevent infinite loops"; X-Ray's "Tracing header". A trace header's
Lineage says how many invocations there have been in the chain of one request, and of each function how often it was
come back to: "Lineage=25:a87bd80c:1", of several functions "Lineage=40:a87bd80c:1|68fd508a:14". SDKs in functions send
the header on, and the services here keep it where AWS's do: SQS, SNS, S3 and Lambda itself. One decision to know: the
count is each function's own, so that a chain through many functions is no loop.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

from freehold.aws.errors import AwsError
from freehold.state.store import Change, Store

KIND = "lambda.recursion"
MARK = "Lineage="
MOST_INVOCATIONS = 16  # Of one function in a chain, "approximately", as AWS says; the next one is dropped.
_MOST_FUNCTIONS = 32  # That a header names: the first ones go, and a longer loop is found a round later or never.
_MESSAGE = (
    "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and "
    "stopped your function's invocation."
)

_Lineage = tuple[int, list[tuple[str, int]]]  # Invocations in the chain; by function, how often it came again.


def function_mark(account: str, function_key: str) -> str:
    """What a header calls a function ("region/name")."""
    return f"{zlib.crc32(f'{account}/{function_key}'.encode()):08x}"


def with_lineage(trace_id: str, mark: str) -> str:
    """The header that the function gets: one invocation more, of it."""
    if MARK not in trace_id:
        return f"{trace_id};{MARK}1:{mark}:0"
    count, passes = _parse(trace_id)
    found = dict(passes)
    found[mark] = found[mark] + 1 if mark in found else 0
    shown = "|".join(f"{each}:{times}" for each, times in list(found.items())[-_MOST_FUNCTIONS:])
    others = ";".join(part for part in trace_id.split(";") if not part.startswith(MARK))
    return f"{others};{MARK}{count + 1}:{shown}"


def chain_length(trace_id: str, function_arn: str) -> int:
    """How often a function has been invoked in this chain."""
    return _invocations(trace_id, arn_mark(function_arn))


def arn_mark(function_arn: str) -> str:
    """Of an ARN, qualified or not."""
    _, _, _, region, account, _, name, *_ = function_arn.split(":")
    return function_mark(account, f"{region}/{name}")


def _invocations(trace_id: str, mark: str) -> int:
    return dict(_parse(trace_id)[1]).get(mark, -1) + 1 if MARK in trace_id else 0


def _parse(trace_id: str) -> _Lineage:
    """What is no lineage counts as none: anybody may send a header."""
    text = next((part for part in trace_id.split(";") if part.startswith(MARK)), MARK).removeprefix(MARK)
    count, _, rest = text.partition(":")
    pairs = [part.partition(":") for part in rest.split("|")]
    if not _is_number(count) or not all(mark and _is_number(times) for mark, _, times in pairs):
        return 0, []
    return int(count), [(mark, int(times)) for mark, _, times in pairs[:_MOST_FUNCTIONS]]


def _is_number(text: str) -> bool:
    return len(text) <= 6 and text.isascii() and text.isdigit()


class LoopGuard:
    """Knows which functions are allowed to loop: documents "lambda.recursion" of services/lambda_."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._allowed: set[str] = set()
        self._unfollow: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._unfollow = self._store.follow((KIND,), self._on_changes)

    def stop(self) -> None:
        self._unfollow()

    def drops(self, trace_id: str, mark: str, function_key: str) -> bool:
        return _invocations(trace_id, mark) >= MOST_INVOCATIONS and function_key not in self._allowed

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            key = change.key.rstrip("/")
            if change.document is not None and change.document["RecursiveLoop"] == "Allow":
                self._allowed.add(key)
            else:
                self._allowed.discard(key)


def dropped() -> AwsError:
    return AwsError("RecursiveInvocationException", _MESSAGE, status=400, fields={"Type": "User"})
