from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.engine import output
from freehold.engine.output import OutputReader, OutputSplitter
from freehold.state.logs import LogEvent


def _message(text: str, stamp_ms: int = 5) -> bytes:
    body = text.encode()
    return b"\xa5\x5a\x00\x03" + len(body).to_bytes(4, "big") + (stamp_ms * 1000).to_bytes(8, "big") + body


def _texts(events: list[LogEvent]) -> list[str]:
    return [event.message for event in events]


def test_lines_are_events_and_an_unfinished_one_waits() -> None:
    splitter = OutputSplitter()
    assert _texts(splitter.feed(b"one\ntw", 1)) == ["one"]
    assert _texts(splitter.feed(b"o\n\nthree", 1)) == ["two"]
    assert _texts(splitter.finish(1)) == ["three"]
    assert splitter.finish(1) == []


def test_a_message_is_one_event_with_its_own_time() -> None:
    events = OutputSplitter().feed(b"a\n" + _message("two\nlines\n", 77) + b"b\n", 1)
    assert events == [LogEvent(1, "a"), LogEvent(77, "two\nlines"), LogEvent(1, "b")]


def test_a_message_ends_a_line_that_has_no_end() -> None:
    assert _texts(OutputSplitter().feed(b"open" + _message("m") + b"c\n", 1)) == ["open", "m", "c"]


def test_bytes_that_only_look_like_a_message_are_text() -> None:
    events = OutputSplitter().feed(b"\xa5\x5a\x00\x03\xff\xff\xff\xffabcdefgh and on\n", 1)
    assert len(events) == 1
    assert events[0].message.endswith("abcdefgh and on")


def test_an_endless_line_is_cut() -> None:
    splitter = OutputSplitter()
    events = splitter.feed(b"x" * (output._MAX_LINE_BYTES + 5), 1)
    assert [len(event.message) for event in events] == [output._MAX_LINE_BYTES]


@given(
    st.lists(st.one_of(st.text("ab é", min_size=1).map(lambda t: t.encode() + b"\n"), st.text("ab\n").map(_message))),
    st.integers(1, 9),
)
def test_how_the_bytes_are_cut_changes_nothing(parts: list[bytes], step: int) -> None:
    data = b"".join(parts)
    whole = OutputSplitter()
    expected = whole.feed(data, 1) + whole.finish(1)
    cut = OutputSplitter()
    got: list[LogEvent] = []
    for at in range(0, len(data), step):
        got += cut.feed(data[at : at + step], 1)
    assert got + cut.finish(1) == expected


async def test_who_prints_too_fast_is_made_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_ALLOWANCE_BYTES", 10)
    monkeypatch.setattr(output, "_WINDOW_S", 60.0)
    read_end, write_end = os.pipe()
    taken: list[LogEvent] = []
    reader = OutputReader(asyncio.get_running_loop(), read_end, lambda: 1, taken.extend)
    os.write(write_end, b"0123456789\n")
    while not taken:
        await asyncio.sleep(0)
    os.write(write_end, b"waits\n")
    for _ in range(20):
        await asyncio.sleep(0)
    assert _texts(taken) == ["0123456789"]
    reader._refilled()
    while len(taken) < 2:
        await asyncio.sleep(0)
    reader.close()
    os.close(write_end)


async def test_nothing_is_read_when_nothing_was_printed() -> None:
    read_end, write_end = os.pipe()
    reader = OutputReader(asyncio.get_running_loop(), read_end, lambda: 1, lambda events: None)
    os.write(write_end, b"later")
    assert reader.drain(0) == []
    assert _texts(reader.drain(5)) == ["later"]
    os.write(write_end, b"half a line")
    reader._on_readable()
    assert _texts(reader.drain(0)) == ["half a line"]
    reader.close()
    os.close(write_end)
