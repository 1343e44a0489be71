"""What each API key has used of its usage plan's quota: counted in memory, written down beside the requests.

One decision to know: a request never waits for the disk. Counts that changed are written together a moment later, and
at a stop; a kill forgets at most FLUSH_S of them, and a restart gives nobody a new quota. AWS's own quotas are applied
"on a best-effort basis" as well (Developer Guide, "Usage plans and API keys for REST APIs").
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

from freehold.aws.call import Json
from freehold.aws.quota_periods import period_of
from freehold.clock import Clock
from freehold.state.store import Change, Put, Store

USAGE_KIND = "apigateway.usage"  # Written here, read by GetUsage.
EXTENSION_KIND = "apigateway.usageextension"  # Written by UpdateUsage, read here.
FLUSH_S = 1.0
DAYS_KEPT = 100  # GetUsage tells the last 90.
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Quota:
    limit: int
    period: str  # DAY, WEEK, MONTH.
    offset: int


class Meter:
    """Of one key in one plan."""

    __slots__ = (
        "_day_until_s",
        "_period_until_s",
        "_quota",
        "_today",
        "days",
        "extension",
        "extra",
        "extra_period",
        "used",
    )

    def __init__(self, document: Json) -> None:
        self.days: dict[str, int] = dict(document.get("days") or {})  # "2026-11-27" -> requests.
        self.extra: int = document.get("extra", 0)  # On top of the limit, in one period.
        self.extra_period: str = document.get("extraPeriod", "")  # Its first day.
        self.extension: str = document.get("extension", "")  # Of UpdateUsage, the last that was applied.
        self.used = 0  # In this period.
        self._quota: Quota | None = None
        self._today = ""
        self._day_until_s = 0.0
        self._period_until_s = 0.0

    def take(self, quota: Quota, now_s: float) -> bool:
        """One request; False when the quota is used up."""
        if now_s >= self._day_until_s or (quota is not self._quota and quota != self._quota):
            self._enter(quota, now_s)
        if self.used >= quota.limit + self.extra:
            return False
        self.used += 1
        self.days[self._today] += 1
        return True

    def extend(self, extension: Json) -> bool:
        """`remaining` of the period that begins at `period`. Whether it changed anything."""
        if extension["id"] == self.extension:
            return False
        self.extension = extension["id"]
        end, start = extension["end"], extension["period"]
        used = sum(count for day, count in self.days.items() if start <= day < end)
        self.extra = extension["remaining"] + used - extension["limit"]
        self.extra_period = start
        return True

    def document(self) -> Json:
        return {
            "days": dict(self.days),
            "extra": self.extra,
            "extraPeriod": self.extra_period,
            "extension": self.extension,
        }

    def _enter(self, quota: Quota, now_s: float) -> None:
        today = datetime.fromtimestamp(now_s, UTC).date()
        start, end = (day.isoformat() for day in period_of(quota.period, quota.offset, today))
        self._quota = quota
        self._today = today.isoformat()
        self._day_until_s = (now_s // _DAY_S + 1) * _DAY_S
        self.used = sum(count for day, count in self.days.items() if start <= day < end)
        if self.extra_period != start:
            self.extra = 0
        self.days.setdefault(self._today, 0)
        while len(self.days) > DAYS_KEPT:
            del self.days[min(self.days)]


class Meters:
    """By "region/plan/key", which is also the documents' key. As many as there are keys in plans."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._meters: dict[str, Meter] = {}
        self._extensions: dict[str, Json] = {}
        self._dirty: set[str] = set()
        self._flush: asyncio.Task[None] | None = None

    def take(self, name: str, quota: Quota, now_s: float) -> bool:
        meter = self._meters.get(name)
        if meter is None:
            meter = self._meters[name] = Meter({})
        if not meter.take(quota, now_s):
            return False
        self._changed(name)
        return True

    def follow(self, change: Change) -> None:
        """Of USAGE_KIND and EXTENSION_KIND. What is counted here is newer than what is written of it."""
        if change.kind == USAGE_KIND:
            if change.document is None:
                self._meters.pop(change.key, None)
                self._dirty.discard(change.key)
            elif change.key not in self._meters:
                self._meters[change.key] = Meter(change.document)
        elif change.document is not None:
            meter = self._meters.setdefault(change.key, Meter({}))
            if meter.extend(change.document):
                self._dirty.add(change.key)

    async def close(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            await asyncio.wait([self._flush])
            self._flush = None
        await self._write()

    def _changed(self, name: str) -> None:
        self._dirty.add(name)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._dirty:
            await self._clock.sleep(FLUSH_S)
            await self._write()
        self._flush = None

    async def _write(self) -> None:
        names, self._dirty = self._dirty, set()
        if not names:
            return
        try:
            await self._store.write(
                *(
                    Put(USAGE_KIND, name, self._meters[name].document())
                    for name in sorted(names)
                    if name in self._meters
                )
            )
        except BaseException:
            self._dirty |= names
            raise
