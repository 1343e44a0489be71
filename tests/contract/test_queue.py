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
    assert await queue.next_due_s("t") == 20.0


async def test_the_oldest_due_comes_first_and_no_more_than_asked(queue: Queue) -> None:
    for due_s in (3.0, 1.0, 2.0):
        await queue.put("t", str(due_s).encode(), due_s)
    assert [message.body for message in await queue.take("t", 9.0, 2)] == [b"1.0", b"2.0"]


async def test_a_retried_message_comes_again_with_its_new_body(queue: Queue) -> None:
    await queue.put("t", b"one", 1.0)
    (message,) = await queue.take("t", 1.0, 1)
    await queue.retry(message.id, b"two", 5.0)
    assert await queue.take("t", 4.0, 1) == []
    (again,) = await queue.take("t", 5.0, 1)
    assert (again.id, again.body) == (message.id, b"two")


async def test_an_acknowledged_message_is_gone(queue: Queue) -> None:
    await queue.put("t", b"one", 1.0)
    (message,) = await queue.take("t", 1.0, 1)
    await queue.ack(message.id)
    assert await queue.next_due_s("t") is None


async def test_what_was_taken_and_not_done_is_there_for_the_next_process(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "queue.db")
    await queue.put("t", b"one", 1.0)
    assert len(await queue.take("t", 1.0, 1)) == 1
    await queue.close()
    again = SqliteQueue(tmp_path / "queue.db")
    assert [message.body for message in await again.take("t", 1.0, 1)] == [b"one"]
    await again.close()
