"""One line per invocation with the function's output under it: HTTP requests and the engine's records, put together.

One decision to know: which request led to which invocation is told by a context variable, as the gateway invokes
in the task of the request. An invocation from elsewhere (a schedule, the Invoke API) has a line of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

import click

from freehold.cli import output
from freehold.engine.invocation import Invocation, InvocationRecord, InvocationResult, Invoker

# An invocation that failed before it began has no record; its request is shown after this long without one.
_RECORD_WAIT_S = 0.5


@dataclass(slots=True)
class Exchange:
    """One HTTP request on the API's port."""

    method: str
    path: str
    status: int | None = None  # None: not answered yet.
    duration_s: float = 0.0
    waiting: set[str] = field(default_factory=set)  # Request ids of invocations without a record so far.
    records: list[InvocationRecord] = field(default_factory=list)
    is_shown: bool = False


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class Activity:
    """`write` gets each finished piece of text; `label` gives what a function is called in it."""

    def __init__(self, write: Callable[[str], None], label: Callable[[str], str] = str) -> None:
        self._write = write
        self._label = label
        self._exchanges: dict[str, Exchange] = {}  # By the invocation's request id.

    def begin(self, method: str, path: str) -> Exchange:
        exchange = Exchange(method, path)
        _current.set(exchange)
        return exchange

    def end(self, exchange: Exchange, status: int, duration_s: float) -> None:
        exchange.status = status
        exchange.duration_s = duration_s
        if exchange.waiting:
            asyncio.get_running_loop().call_later(_RECORD_WAIT_S, self._show, exchange)
        else:
            self._show(exchange)

    def watch(self, invoker: Invoker) -> Invoker:
        """The same invoker, with each invocation noted on the request that it is for."""
        return _Watched(invoker, self)

    def on_record(self, record: InvocationRecord) -> None:
        """A listener of the engine."""
        exchange = self._exchanges.pop(record.request_id, None)
        if exchange is None or exchange.is_shown:
            head = f"{click.style('INVOKE', bold=True)} {self._label(record.function_name)} {_outcome(record)}"
            self._write("\n".join([head, *_output(record)]))
            return
        exchange.waiting.discard(record.request_id)
        exchange.records.append(record)
        if exchange.status is not None and not exchange.waiting:
            self._show(exchange)

    def note(self, request_id: str) -> None:
        exchange = _current.get()
        if exchange is not None:
            exchange.waiting.add(request_id)
            self._exchanges[request_id] = exchange

    def forget(self, request_id: str) -> None:
        exchange = self._exchanges.pop(request_id, None)
        if exchange is not None:
            exchange.waiting.discard(request_id)

    def _show(self, exchange: Exchange) -> None:
        if exchange.is_shown:
            return
        exchange.is_shown = True
        for request_id in exchange.waiting:
            self._exchanges.pop(request_id, None)
        status = exchange.status or 0
        head = f"{click.style(exchange.method, bold=True)} {exchange.path} {_colored(status)}"
        if exchange.records:
            self._write(self._lines(head, exchange.records))
        else:
            self._write(f"{head} {output.duration(exchange.duration_s)}")

    def _lines(self, head: str, records: list[InvocationRecord]) -> str:
        first, *others = records
        texts = [f"{head} {_outcome(first)} {click.style(self._label(first.function_name), dim=True)}", *_output(first)]
        for record in others:
            texts += [f"  {_outcome(record)} {self._label(record.function_name)}", *_output(record)]
        return "\n".join(texts)


class _Watched:
    """Meets `Invoker`."""

    def __init__(self, invoker: Invoker, activity: Activity) -> None:
        self._invoker = invoker
        self._activity = activity

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        self._activity.note(invocation.request_id)
        try:
            return await self._invoker.invoke(invocation)
        except BaseException:
            self._activity.forget(invocation.request_id)
            raise


def _outcome(record: InvocationRecord) -> str:
    """12 ms warm"""
    warmth = "warm" if record.init_ms is None else f"cold (init {record.init_ms:.0f} ms)"
    failure = f" {click.style(record.error_type or record.status, fg='red')}" if record.status else ""
    return f"{record.duration_ms:.0f} ms {warmth}{failure}"


def _output(record: InvocationRecord) -> list[str]:
    return [
        click.style("  | ", dim=True) + part for line in record.lines for part in line.rstrip().splitlines() or [""]
    ]


def _colored(status: int) -> str:
    color = "green" if status < 300 else "cyan" if status < 400 else "yellow" if status < 500 else "red"
    return click.style(str(status), fg=color)
