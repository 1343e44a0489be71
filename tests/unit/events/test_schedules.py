from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import SetClock

from freehold.clock import RandomIds
from freehold.events.schedules import RULE, Schedules
from freehold.state.sqlite_store import SqliteStore
from freehold.state.store import Delete, Put

KEY = "us-east-1/default/r"


class World:
    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.clock = SetClock(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
        self.events: list[dict[str, Any]] = []
        self.restart()

    def restart(self) -> None:
        self.schedules = Schedules(self.store, self.clock, RandomIds(), self._deliver)
        self.schedules.follow()

    async def rule(self, expression: str, state: str = "ENABLED") -> None:
        rule = {"Name": "r", "Arn": "arn:rule", "ScheduleExpression": expression, "State": state, "Targets": []}
        await self.store.write(Put(RULE, KEY, rule))
        await self.schedules.tick()

    async def pass_time(self, seconds: float) -> list[str]:
        """The scheduled times that fired."""
        self.clock.at_s += seconds
        before = len(self.events)
        await self.schedules.tick()
        return [event["time"] for event in self.events[before:]]

    async def _deliver(self, region: str, rule: dict[str, Any], event: dict[str, Any]) -> None:
        self.events.append(event)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path / "control.db")
    yield World(store)
    await store.close()


async def test_a_rate_fires_once_an_interval(world: World) -> None:
    await world.rule("rate(1 minute)")
    assert await world.pass_time(59) == []
    assert await world.pass_time(1) == ["2024-01-01T00:01:00Z"]
    assert await world.pass_time(0) == []
    assert await world.pass_time(60) == ["2024-01-01T00:02:00Z"]


async def test_the_event_is_the_one_of_scheduled_rules(world: World) -> None:
    await world.rule("cron(30 0 * * ? *)")
    await world.pass_time(1800)
    (event,) = world.events
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2024-01-01T00:30:00Z",
        "region": "us-east-1",
        "resources": ["arn:rule"],
        "detail": {},
    }


async def test_a_restart_neither_loses_nor_repeats_a_time(world: World) -> None:
    await world.rule("rate(5 minutes)")
    assert len(await world.pass_time(300)) == 1
    world.restart()
    assert await world.pass_time(0) == []
    world.clock.at_s += 310  # Ten seconds late: the server was down when it was due.
    world.restart()
    assert await world.pass_time(0) == ["2024-01-01T00:10:00Z"]


async def test_of_the_times_missed_only_a_recent_one_is_made_up_for(world: World) -> None:
    await world.rule("rate(1 minute)")
    assert await world.pass_time(3 * 3600) == ["2024-01-01T03:00:00Z"]
    await world.rule("cron(0 4 * * ? *)")
    assert await world.pass_time(2 * 3600) == []


async def test_a_clock_that_is_set_back_fires_nothing_twice(world: World) -> None:
    await world.rule("rate(1 minute)")
    await world.pass_time(60)
    assert await world.pass_time(-60) == []
    assert await world.pass_time(60) == []
    assert await world.pass_time(60) == ["2024-01-01T00:02:00Z"]


async def test_a_disabled_or_deleted_rule_is_silent_and_counts_anew_when_enabled(world: World) -> None:
    await world.rule("rate(1 minute)")
    await world.rule("rate(1 minute)", "DISABLED")
    assert await world.pass_time(90) == []
    await world.rule("rate(1 minute)")
    assert await world.pass_time(59) == []
    assert len(await world.pass_time(1)) == 1
    await world.store.write(Delete(RULE, KEY))
    assert await world.pass_time(600) == []
    assert await world.schedules.keys() == []


async def test_firing_by_hand_changes_no_due_time(world: World) -> None:
    await world.rule("rate(1 hour)")
    await world.schedules.fire(KEY)
    assert len(world.events) == 1
    assert await world.pass_time(3600) == ["2024-01-01T01:00:00Z"]
    with pytest.raises(KeyError):
        await world.schedules.fire("us-east-1/default/none")
