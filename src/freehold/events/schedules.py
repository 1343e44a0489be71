"""The timer of scheduled rules: one task for all of them, due times computed from what is on disk.

Source: Amazon EventBridge User Guide, "Creating a scheduled rule (legacy)" and the scheduled event document.
One decision to know: the last due time of a rule is written before its event is delivered. So neither a restart nor a
clock that is set back fires twice; a time that passed while no server ran is fired late, if by no more than `_GRACE`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from freehold.aws.call import DEFAULT_ACCOUNT, Json
from freehold.aws.schedule_expressions import Schedule, parse_schedule
from freehold.clock import Clock, Ids
from freehold.state.store import Change, Conflict, Delete, Document, Put, Store

RULE = "events.rule"
STATE = "events.schedule"  # Key: the rule's. {"expression", "anchorMs", "lastMs"}.
_GRACE = timedelta(minutes=5)
_LONGEST_WAIT_S = 20.0  # A clock that is set forward is noticed within this.

Deliver = Callable[[str, Document, Json], Awaitable[None]]
"""(region, rule, event): hands it to the rule's targets; raises only what is worth another try."""


@dataclass(slots=True)
class _Entry:
    rule: Document
    schedule: Schedule
    due: datetime | None


class Schedules:
    """`start` follows the store's rules and begins to fire them; `stop` ends it."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, deliver: Deliver, account: str = DEFAULT_ACCOUNT) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._deliver = deliver
        self._account = account
        self._entries: dict[str, _Entry] = {}
        self._changed: dict[str, Document | None] = {}  # Seen by the listener, not yet taken in.
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unfollow: Callable[[], None] = lambda: None

    async def start(self) -> None:
        self.follow()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        self._unfollow()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def follow(self) -> None:
        self._unfollow = self._store.follow([RULE], self._on_changes)

    async def tick(self) -> datetime | None:
        """Fires what is due now. When the next one is due."""
        await self._take_in()
        now = self._now()
        for key in [key for key, entry in self._entries.items() if entry.due is not None and entry.due <= now]:
            await self._fire_due(key, self._entries[key], now)
        return min((entry.due for entry in self._entries.values() if entry.due is not None), default=None)

    async def fire(self, rule_key: str) -> None:
        """By hand, now; when the rule is due next does not change. KeyError for what is no enabled scheduled rule."""
        await self._take_in()
        await self._send(rule_key, self._entries[rule_key].rule, self._now())

    async def keys(self) -> list[str]:
        """Of the enabled scheduled rules: "region/default/name"."""
        await self._take_in()
        return sorted(self._entries)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            due = await self.tick()
            wait_s = _LONGEST_WAIT_S
            if due is not None:
                wait_s = min(max((due - self._now()).total_seconds(), 0.0), _LONGEST_WAIT_S)
            await self._wait(wait_s)

    async def _wait(self, seconds: float) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        wake = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleep, wake), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self._changed[change.key] = change.document
        self._wake.set()

    async def _take_in(self) -> None:
        while self._changed:
            key = next(iter(self._changed))
            rule = self._changed.pop(key)
            expression = rule.get("ScheduleExpression") if rule else None
            if rule is None or not expression or rule["State"] == "DISABLED":
                if self._entries.pop(key, None) is not None or await self._store.read(STATE, key) is not None:
                    # A rule that is enabled again counts from then.
                    await self._store.write(Delete(STATE, key))
                continue
            schedule = parse_schedule(expression)
            state = await self._state(key, expression)
            self._entries[key] = _Entry(rule, schedule, self._next(schedule, state))

    async def _state(self, key: str, expression: str) -> Document:
        stored = await self._store.read(STATE, key)
        if stored is not None and stored.document["expression"] == expression:
            return stored.document
        at_ms = _ms(self._now())
        state = {"expression": expression, "anchorMs": at_ms, "lastMs": at_ms}
        await self._store.write(Put(STATE, key, state))
        return state

    def _next(self, schedule: Schedule, state: Document) -> datetime | None:
        """The first time after the last one; what was missed by more than the grace is passed over."""
        anchor = _time(state["anchorMs"])
        after = max(_time(state["lastMs"]), self._now() - _GRACE)
        due = schedule.next_time(after, anchor)
        # Of several missed times the latest is fired.
        while due is not None and due <= self._now():
            later = schedule.next_time(due, anchor)
            if later is None or later > self._now():
                break
            due = later
        return due

    async def _fire_due(self, key: str, entry: _Entry, now: datetime) -> None:
        assert entry.due is not None
        stored = await self._store.read(STATE, key)
        if stored is None:
            return  # Deleted or disabled meanwhile: the listener has it.
        due = self._next(entry.schedule, stored.document)
        if due is None or due > now:
            entry.due = due
            return
        state = {**stored.document, "lastMs": _ms(due)}
        try:
            await self._store.write(Put(STATE, key, state, if_revision=stored.revision))
        except Conflict:
            return
        entry.due = self._next(entry.schedule, state)
        await self._send(key, entry.rule, due)

    async def _send(self, key: str, rule: Document, at: datetime) -> None:
        region = key.split("/", 1)[0]
        await self._deliver(region, rule, scheduled_event(self._ids.uuid(), self._account, region, rule["Arn"], at))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_s(), UTC)


def scheduled_event(event_id: str, account: str, region: str, rule_arn: str, at: datetime) -> Json:
    """What a scheduled rule's targets receive."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [rule_arn],
        "detail": {},
    }


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
