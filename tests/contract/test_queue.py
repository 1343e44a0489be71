"""What is expected of a queue, over every implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.state.queue import Queue
from freehold.state.sqlite_queue import SqliteQueue


@pytest.fixture(params=[SqliteQueue])
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Queue]:
    made = request.param(tmp_path / "queue.db")
    yield made
    await made.close()


async def test_a_message_is_taken_when_it_is_due_and_by_one_only(queue: Queue) -> None:
    await queue.put("t", b"later", 20.0)
    first = await queue.put("t", b"now", 10.0)
    await queue.put("other", b"not ours", 1.0)
    taken = await queue.take("t", 15.0, 10)
    assert [(message.id, message.body) for message in taken] == [(first, b"now")]
    assert await queue.take("t", 15.0, 10) == []
    assert await queue.next_due_s("t", 15.0) == 20.0


async def test_the_oldest_due_comes_first_and_no_more_than_there_are_places(queue: Queue) -> None:
    for due_s in (3.0, 1.0, 2.0):
        await queue.put("t", str(due_s).encode(), due_s)
    assert [message.body for message in await queue.take("t", 9.0, 4)] == [b"1.0", b"2.0"]
    assert await queue.take("t", 9.0, 4) == []


async def test_a_lane_takes_half_of_the_places_and_leaves_one_to_whoever_comes(queue: Queue) -> None:
    for _ in range(20):
        await queue.put("t", b"slow", 1.0, lane="slow")
    slow = await queue.take("t", 9.0, 8)
    assert len(slow) == 4
    assert await queue.take("t", 9.0, 8) == []
    assert await queue.next_due_s("t", 9.0) is None  # What waits for a place is not waited for by the clock.
    for lane in ("a", "b", "c"):
        for _ in range(5):
            await queue.put("t", lane.encode(), 2.0, lane)
    taken = await queue.take("t", 9.0, 8)
    assert sorted(message.lane for message in taken) == ["a", "b", "c"]
    await queue.ack(slow[0].id)
    assert [message.lane for message in await queue.take("t", 9.0, 8)] == ["a"]
    for message in (*slow[1:], *taken):
        await queue.ack(message.id)
    shared = ["a", *(message.lane for message in await queue.take("t", 9.0, 8))]
    assert len(shared) == 7
    assert sorted(shared.count(lane) for lane in ("a", "b", "c", "slow")) == [1, 2, 2, 2]


async def test_lanes_come_in_turn_and_none_waits_for_anothers_backlog(queue: Queue) -> None:
    for number in range(2000):
        await queue.put("t", b"backlog", float(number), lane="greedy")
    await queue.put("t", b"one", 5000.0, lane="modest")
    assert b"one" in [message.body for message in await queue.take("t", 9000.0, 4)]


async def test_a_new_body_is_what_the_next_process_finds(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db")
    await queue.put("t", b"before", 1.0)
    (message,) = await queue.take("t", 1.0, 2)
    await queue.keep(message.id, b"after")
    assert await queue.take("t", 1.0, 2) == []  # It stays taken.
    await queue.close()
    again = SqliteQueue(tmp_path / "queue.db")
    assert [message.body for message in await again.take("t", 1.0, 2)] == [b"after"]
    await again.close()


async def test_lanes_are_found_again_by_the_next_process(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db")
    await queue.put("t", b"a", 1.0, lane="a")
    await queue.put("t", b"b", 7.0, lane="b")
    await queue.close()
    again = SqliteQueue(tmp_path / "queue.db")
    assert [(message.lane, message.body) for message in await again.take("t", 2.0, 8)] == [("a", b"a")]
    assert await again.next_due_s("t", 2.0) == 7.0
    await again.close()


async def test_a_retried_message_comes_again_with_its_new_body(queue: Queue) -> None:
    await queue.put("t", b"one", 1.0)
    (message,) = await queue.take("t", 1.0, 2)
    await queue.retry(message.id, b"two", 5.0)
    assert await queue.take("t", 4.0, 1) == []
    (again,) = await queue.take("t", 5.0, 1)
    assert (again.id, again.body) == (message.id, b"two")


async def test_what_is_put_twice_under_a_name_is_there_once_also_when_it_is_done(queue: Queue) -> None:
    first = await queue.put("t", b"one", 1.0, once="a name")
    assert await queue.put("t", b"one", 1.0, once="a name") == first
    await queue.put("t", b"two", 2.0, once="another")
    taken = await queue.take("t", 3.0, 9)
    assert [message.body for message in taken] == [b"one", b"two"]
    await queue.ack(first)
    await queue.put("t", b"one", 1.0, once="a name")
    assert await queue.take("t", 3.0, 9) == []


async def test_an_acknowledged_message_is_gone(queue: Queue) -> None:
    await queue.put("t", b"one", 1.0)
    (message,) = await queue.take("t", 1.0, 2)
    await queue.ack(message.id)
    assert await queue.next_due_s("t", 0.0) is None


async def test_what_was_taken_and_not_done_is_there_for_the_next_process(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db")
    await queue.put("t", b"one", 1.0)
    assert len(await queue.take("t", 1.0, 1)) == 1
    await queue.close()
    again = SqliteQueue(tmp_path / "queue.db")
    assert [message.body for message in await again.take("t", 1.0, 1)] == [b"one"]
    await again.close()
