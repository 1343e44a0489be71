"""A streamed answer between who writes and who reads it."""

from __future__ import annotations

import asyncio

import pytest
from tests.clocks import SetClock
from tests.engines import ARN

from freehold.engine.answer_stream import CAPPED_BYTES_PER_S, FULL_BYTES, UNCAPPED_BYTES, AnswerStream
from freehold.engine.functions import FunctionVersion, compile_version
from freehold.engine.invocation import Invocation, InvocationResult
from freehold.engine.limits import PAYLOAD_BYTES, STREAM_BYTES
from freehold.engine.link import Work
from freehold.engine.running import Running, answer_caller, take_part

MB = 1024 * 1024


class HeldLink:
    """Meets `Link`."""

    def __init__(self) -> None:
        self.moves: list[str] = []

    def send(self, work: Work) -> None: ...

    def redirect(self, events: object) -> None: ...

    def hold(self) -> None:
        self.moves.append("hold")

    def go_on(self) -> None:
        self.moves.append("go on")

    def close(self) -> None: ...


@pytest.fixture
def link() -> HeldLink:
    return HeldLink()


def new_stream(link: HeldLink, clock: SetClock | None = None) -> AnswerStream:
    return AnswerStream(clock or SetClock(), "text/plain", link.hold, link.go_on)


async def test_parts_are_read_as_they_come_and_in_order(link: HeldLink) -> None:
    stream = new_stream(link)
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    assert not first.done()
    stream.write(b"a")
    assert await first == b"a"
    stream.write(b"b")
    stream.write(b"c")
    stream.end(b"", b"tail")
    assert [part async for part in stream] == [b"b", b"c"]
    assert (stream.failure, stream.log_tail, link.moves) == (b"", b"tail", [])


async def test_what_came_before_a_failure_is_still_read(link: HeldLink) -> None:
    stream = new_stream(link)
    stream.write(b"a")
    stream.end(b"{}")
    assert [part async for part in stream] == [b"a"]
    assert stream.failure == b"{}"


async def test_a_reader_that_is_slow_holds_the_runtime_up_until_it_has_read_on(link: HeldLink) -> None:
    stream = new_stream(link)
    for _ in range(9):
        stream.write(bytes(FULL_BYTES // 8))
    assert link.moves == ["hold"]
    for _ in range(6):
        await anext(stream)
    assert link.moves == ["hold"]
    await anext(stream)
    assert link.moves == ["hold", "go on"]


async def test_once_nobody_reads_the_runtime_writes_on_and_nothing_is_kept(link: HeldLink) -> None:
    stream = new_stream(link)
    for _ in range(9):
        stream.write(bytes(FULL_BYTES // 8))
    await stream.aclose()
    assert link.moves == ["hold", "go on"]
    stream.write(bytes(10 * FULL_BYTES))
    assert link.moves == ["hold", "go on"]
    assert [part async for part in stream] == []


async def test_the_end_of_the_answer_lets_the_runtime_go_on(link: HeldLink) -> None:
    stream = new_stream(link)
    stream.write(bytes(2 * FULL_BYTES))
    stream.end()
    assert link.moves == ["hold", "go on"]
    assert len(await anext(stream)) == 2 * FULL_BYTES
    assert link.moves == ["hold", "go on"]


async def test_the_first_six_megabytes_are_as_quick_as_they_come_and_the_rest_at_two_a_second(link: HeldLink) -> None:
    clock = SetClock()
    stream = new_stream(link, clock)
    for _ in range(10):
        stream.write(bytes(MB))
    stream.end()
    began_s = clock.at_s
    for _ in range(UNCAPPED_BYTES // MB):
        await anext(stream)
    assert clock.at_s == began_s
    rest = [part async for part in stream]
    assert len(rest) == 4
    # Each waits for the one before it: the first of them for none.
    assert clock.at_s - began_s == 3 * MB / CAPPED_BYTES_PER_S


async def running(streams: bool, log_tail: bool = False) -> Running:
    answer: asyncio.Future[InvocationResult] = asyncio.get_running_loop().create_future()
    invocation = Invocation(f"{ARN}f", b"{}", "id", log_tail=log_tail, streams=streams)
    return Running(invocation, answer, 0.0, 0, None, [])


def function() -> FunctionVersion:
    configuration = {
        "FunctionArn": f"{ARN}f",
        "Runtime": "nodejs20.x",
        "Handler": "a.b",
        "Timeout": 3,
        "MemorySize": 128,
    }
    return compile_version(
        "us-east-1/f/$LATEST", {"configuration": configuration, "code": {"directory": "/nowhere"}, "layers": []}
    )


async def test_a_caller_that_takes_parts_is_told_of_the_first_and_reads_the_rest(link: HeldLink) -> None:
    run = await running(streams=True, log_tail=True)
    assert take_part(run, function(), b"a", "text/plain", SetClock(), link)
    result = run.answer.result()
    assert (result.payload, result.content_type, result.executed_version) == (b"", "text/plain", "$LATEST")
    assert take_part(run, function(), b"b", "text/plain", SetClock(), link)
    answer_caller(run, function(), b"{}", "error", 1.0, ["END"], "text/plain")
    assert result.stream is not None
    assert [part async for part in result.stream] == [b"a", b"b"]
    assert result.stream.failure == b"{}"
    assert result.stream.log_tail.endswith(b"END\n")


async def test_a_caller_that_has_gone_holds_nobody_up(link: HeldLink) -> None:
    run = await running(streams=True)
    run.answer.cancel()
    for _ in range(10):
        assert take_part(run, function(), bytes(FULL_BYTES), "text/plain", SetClock(), link)
    assert link.moves == []
    answer_caller(run, function(), b"", "", 1.0, [], "text/plain")


@pytest.mark.parametrize(("streams", "limit"), [(True, STREAM_BYTES), (False, PAYLOAD_BYTES)])
async def test_an_answer_has_the_limit_of_its_caller(link: HeldLink, streams: bool, limit: int) -> None:
    run = await running(streams=streams)
    part, sent = bytes(64 * 1024), 0
    while sent + len(part) <= limit:
        assert take_part(run, function(), part, "text/plain", SetClock(), link)
        if sent == 0 and streams:
            assert run.stream is not None
            run.stream.leave()
        sent += len(part)
    assert take_part(run, function(), bytes(limit - sent), "text/plain", SetClock(), link)
    assert not take_part(run, function(), b"x", "text/plain", SetClock(), link)
