from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from freehold.state.message_queues import Counts, MessageQueues, NewMessage, Received, Taking

TAKING = Taking("q", 100.0, 10, 130.0, 0.0, tuple(f"r{number}" for number in range(10)))


@pytest.fixture
async def queues(tmp_path: Path) -> AsyncIterator[MessageQueues]:
    queues = MessageQueues(tmp_path / "messages.db")
    yield queues
    await queues.close()


def new(text: str, sent_s: float = 50.0, group: str | None = None, same: str | None = None) -> NewMessage:
    return NewMessage(text, text.encode(), sent_s, sent_s, group, same)


def names(received: list[Received]) -> list[str]:
    return [message.message_id for message in received]


async def test_a_message_in_flight_comes_back_with_time_and_counts_its_receives(queues: MessageQueues) -> None:
    await queues.send("q", [new("a"), new("b")])
    assert names(await queues.receive(TAKING)) == ["a", "b"]
    assert await queues.receive(replace(TAKING, now_s=129.0)) == []
    assert await queues.count("q", 129.0) == Counts(visible=0, in_flight=2, delayed=0)
    assert await queues.next_visible_s("q", 129.0) == 130.0
    again = await queues.receive(replace(TAKING, now_s=130.0, visible_s=160.0))
    assert [(message.receives, message.first_received_s) for message in again] == [(2, 100.0), (2, 100.0)]


async def test_only_the_receipt_of_the_last_receive_deletes(queues: MessageQueues) -> None:
    await queues.send("q", [new("a")])
    (first,) = await queues.receive(TAKING)
    (second,) = await queues.receive(replace(TAKING, now_s=130.0, visible_s=160.0, receipts=("later",)))
    await queues.delete("q", first.number, first.receipt)
    assert (await queues.count("q", 131.0)).in_flight == 1
    await queues.delete("q", second.number, second.receipt)
    assert (await queues.count("q", 131.0)).in_flight == 0


async def test_the_same_deduplication_id_is_accepted_once_in_five_minutes(queues: MessageQueues) -> None:
    (first,) = await queues.send("q", [new("a", same="x")])
    (again,) = await queues.send("q", [new("b", sent_s=349.0, same="x")])
    assert again == first
    (later,) = await queues.send("q", [new("c", sent_s=351.0, same="x")])
    assert later.number > first.number


async def test_what_is_kept_too_long_is_gone_and_what_failed_too_often_is_moved(queues: MessageQueues) -> None:
    await queues.send("q", [new("old", sent_s=1.0), new("bad")])
    failing = replace(TAKING, oldest_s=10.0, visible_s=100.0, most_receives=1, failed_to="dead")
    assert names(await queues.receive(failing)) == ["bad"]
    assert await queues.receive(failing) == []
    (moved,) = await queues.receive(replace(TAKING, queue="dead"))
    assert (moved.message_id, moved.source, moved.receives) == ("bad", "q", 1)


async def test_what_is_sent_twice_under_a_name_is_there_once_also_when_it_was_deleted(queues: MessageQueues) -> None:
    named = replace(new("a"), once="a name")
    (first,) = await queues.send("q", [named])
    assert await queues.send("q", [named]) == [first]
    (received,) = await queues.receive(TAKING)
    await queues.delete("q", received.number, received.receipt)
    assert await queues.send("q", [named]) == [first]
    assert await queues.receive(TAKING) == []
    await queues.send("other", [named])  # The name is of one queue.
    assert names(await queues.receive(replace(TAKING, queue="other"))) == ["a"]
