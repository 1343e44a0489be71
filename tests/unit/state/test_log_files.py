from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.state.log_files import FileLogs
from freehold.state.log_segments import GroupFiles
from freehold.state.logs import LogEvent, LogQuery

REGION, GROUP = "us-east-1", "/aws/lambda/hello"


class StoppedClock:
    def __init__(self) -> None:
        self.at_s = 1_700_000_000.0

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def logs(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[FileLogs]:
    made = FileLogs(tmp_path, clock, flush_after_s=3600)
    yield made
    made.close()


@pytest.fixture
def group(tmp_path: Path) -> GroupFiles:
    return GroupFiles(tmp_path, segment_bytes=200)


async def messages(logs: FileLogs, query: LogQuery | None = None) -> list[str]:
    return [event.message for event in (await logs.read(REGION, GROUP, query or LogQuery())).events]


async def test_a_reader_sees_what_was_appended_before_it_asked(logs: FileLogs) -> None:
    logs.append(REGION, GROUP, "a", [LogEvent(2, "two"), LogEvent(1, "one")])
    logs.append(REGION, GROUP, "b", [LogEvent(3, "three")])
    assert await messages(logs) == ["one", "two", "three"]
    assert [info.name for info in logs.groups(REGION)] == [GROUP]
    assert logs.groups("eu-west-1") == []


async def test_logs_are_there_after_a_restart(tmp_path: Path, clock: StoppedClock) -> None:
    first = FileLogs(tmp_path, clock)
    first.append(REGION, GROUP, "a", [LogEvent(1, "kept \u2603 \ud800")])
    first.close()
    second = FileLogs(tmp_path, clock)
    assert await messages(second) == ["kept \u2603 ?"]
    (stream,) = await second.streams(REGION, GROUP)
    assert (stream.name, stream.first_ms, stream.last_ms) == ("a", 1, 1)
    second.close()


async def test_a_line_torn_by_a_kill_is_cut_off_and_writing_goes_on(tmp_path: Path, clock: StoppedClock) -> None:
    first = FileLogs(tmp_path, clock)
    first.append(REGION, GROUP, "a", [LogEvent(1, "whole")])
    first.close()
    (segment,) = tmp_path.glob("*/*/*.log")
    segment.write_bytes(segment.read_bytes() + b'[2,2,1,"to')
    second = FileLogs(tmp_path, clock)
    second.append(REGION, GROUP, "a", [LogEvent(3, "after")])
    assert await messages(second) == ["whole", "after"]
    second.close()


async def test_a_deleted_stream_is_gone_also_after_a_restart(tmp_path: Path, clock: StoppedClock) -> None:
    first = FileLogs(tmp_path, clock)
    first.append(REGION, GROUP, "a", [LogEvent(1, "gone")])
    assert await first.delete_stream(REGION, GROUP, "a")
    assert not await first.delete_stream(REGION, GROUP, "a")
    first.append(REGION, GROUP, "a", [LogEvent(2, "of the new one")])
    first.close()
    second = FileLogs(tmp_path, clock)
    assert await messages(second) == ["of the new one"]
    second.close()


async def test_a_deleted_group_takes_its_unwritten_events_along(logs: FileLogs, tmp_path: Path) -> None:
    await logs.create_group(REGION, GROUP)
    logs.append(REGION, GROUP, "a", [LogEvent(1, "gone")])
    assert await logs.delete_group(REGION, GROUP)
    assert not logs.has_group(REGION, GROUP)
    assert list(tmp_path.glob("*/*")) == []


async def test_what_is_put_is_in_the_file_when_it_returns(logs: FileLogs, tmp_path: Path) -> None:
    await logs.create_group(REGION, GROUP)
    await logs.put(REGION, GROUP, "a", [LogEvent(1, "on disk")])
    (segment,) = tmp_path.glob("*/*/*.log")
    assert b"on disk" in segment.read_bytes()


async def test_retention_hides_old_events_at_once_and_removes_their_files(
    logs: FileLogs, clock: StoppedClock, tmp_path: Path
) -> None:
    now_ms = int(clock.at_s * 1000)
    logs.append(REGION, GROUP, "a", [LogEvent(now_ms - 90_000_000, "old"), LogEvent(now_ms, "new")])
    await logs.flush()
    logs.retain(REGION, GROUP, 86_400_000)
    assert await messages(logs) == ["new"]
    clock.at_s += 2 * 86_400
    logs.expire()
    assert not any(path.read_bytes() for path in tmp_path.glob("*/*/*.log"))


async def test_past_the_limit_the_oldest_unwritten_events_go_and_the_log_says_so(
    tmp_path: Path, clock: StoppedClock
) -> None:
    blocker = FileLogs(tmp_path, clock, flush_after_s=3600, pending_bytes=4000)
    with blocker._flush_lock:  # The disk does not keep up.
        for number in range(5):
            blocker.append(REGION, GROUP, "a", [LogEvent(number, "x" * 1000)])
    first, *rest = [text[:60] for text in await messages(blocker)][::-1]
    assert first.startswith("Freehold dropped 2 log events of this group")
    assert len(rest) == 3
    blocker.close()


async def test_a_follower_is_told_at_once_until_it_ends(logs: FileLogs) -> None:
    seen: list[tuple[str, str]] = []
    end = logs.follow(lambda region, group, stream, events: seen.extend((stream, e.message) for e in events))
    logs.append(REGION, GROUP, "a", [LogEvent(1, "one")])
    end()
    logs.append(REGION, GROUP, "a", [LogEvent(2, "two")])
    assert seen == [("a", "one")]


async def test_group_names_of_any_length_have_directories_of_their_own(logs: FileLogs) -> None:
    for name in ("/" * 512, "/" * 511, "..", "."):
        assert await logs.create_group(REGION, name)
    assert len(logs.groups(REGION)) == 4


def test_pages_forward_and_backward_meet_without_overlap_across_segments(group: GroupFiles) -> None:
    for number in range(40):
        # Every fifth event comes late: its segment is not the one of its time.
        at_ms = number * 10 - (95 if number % 5 == 4 else 0)
        group.append([("ab"[number % 2], at_ms, [LogEvent(max(at_ms, 0), f"m{number}")])])
    everything = group.read(LogQuery()).events
    assert [event.id for event in everything] == sorted(event.id for event in everything)
    assert len(everything) == 40
    paged, cursor = [], None
    while True:
        page = group.read(LogQuery(cursor=cursor, limit=7))
        paged += page.events
        if not page.has_more:
            break
        cursor = page.events[-1].id
    assert paged == everything
    backward = group.read(LogQuery(cursor=everything[20].id, newest_first=True, limit=5)).events
    assert backward == everything[15:20][::-1]
    only_b = group.read(LogQuery(streams=frozenset("b"), start_ms=100, end_ms=200)).events
    assert only_b == [e for e in everything if e.stream == "b" and 100 <= e.timestamp_ms < 200]


def test_full_segments_are_known_from_their_index_after_a_restart(group: GroupFiles, tmp_path: Path) -> None:
    for number in range(20):
        group.append([("a", number, [LogEvent(number, "x" * 60)])])
    assert len(list(tmp_path.glob("*.idx"))) >= 5
    again = GroupFiles(tmp_path, segment_bytes=200)
    assert again.read(LogQuery()).events == group.read(LogQuery()).events
    assert again.streams() == group.streams()
