"""What every backend of tables does: each test runs over all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from freehold.aws.errors import AwsError
from freehold.tables.keys import Range, all_with, space_prefix
from freehold.tables.sqlite import SqliteTables
from freehold.tables.storage import (
    Changes,
    Decide,
    Document,
    Row,
    RowChange,
    StorageBusy,
    StreamRecord,
    TableStorage,
    Tally,
)

Open = Callable[[Path], SqliteTables]
BACKENDS: dict[str, Open] = {"sqlite": lambda folder: SqliteTables(folder / "tables.db")}
_SPACE, _INDEX, _STREAM = 1, 2, 3
_ALL = all_with(space_prefix(_SPACE))


@pytest.fixture(params=sorted(BACKENDS))
def opened(request: pytest.FixtureRequest) -> Open:
    return BACKENDS[request.param]


@pytest_asyncio.fixture
async def storage(opened: Open, tmp_path: Path) -> AsyncIterator[TableStorage]:
    made = opened(tmp_path)
    yield made
    await made.close()


def key(name: str) -> bytes:
    return space_prefix(_SPACE) + name.encode()


def entry(name: str) -> bytes:
    return space_prefix(_INDEX) + name.encode()


def body_of(row: Row | None) -> bytes | None:
    return row.body if row is not None else None


def change(name: str, body: bytes | None, row: Row | None, *, group: str = "", was: str = "") -> RowChange:
    """`group`: under which the index has the row from now on; `was`: no longer."""
    return RowChange(
        space=_SPACE,
        key=key(name),
        body=body,
        size_bytes=len(body or b""),
        size_before=row.size_bytes if row is not None else None,
        entries=((_INDEX, entry(group)),) if group else (),
        lost_entries=((_INDEX, entry(was)),) if was else (),
    )


def putting(name: str, body: bytes | None, *, group: str = "", was: str = "") -> Decide[bytes | None]:
    """The result: what was there before."""

    def decide(rows: Sequence[Row | None]) -> tuple[Changes, bytes | None]:
        return Changes((change(name, body, rows[0], group=group, was=was),)), body_of(rows[0])

    return decide


async def put(storage: TableStorage, name: str, body: bytes | None, *, group: str = "", was: str = "") -> bytes | None:
    return await storage.write([key(name)], putting(name, body, group=group, was=was))


async def read(storage: TableStorage, *names: str) -> list[bytes | None]:
    return [body_of(row) for row in await storage.read([key(name) for name in names])]


async def test_a_write_is_seen_by_the_next_read(storage: TableStorage) -> None:
    assert await put(storage, "a", b"1") is None
    assert await put(storage, "a", b"2") == b"1"
    assert await read(storage, "a", "b") == [b"2", None]
    assert await put(storage, "a", None) == b"2"
    assert await read(storage, "a") == [None]


async def test_a_decision_that_raises_changes_nothing_and_holds_back_no_other(storage: TableStorage) -> None:
    def refuse(rows: Sequence[Row | None]) -> tuple[Changes, None]:
        raise AwsError("ConditionalCheckFailedException", "no")

    def fail(rows: Sequence[Row | None]) -> tuple[Changes, None]:
        raise ZeroDivisionError

    done = await asyncio.gather(
        put(storage, "a", b"1"),
        storage.write([key("a")], refuse),
        storage.write([key("a")], fail),
        put(storage, "b", b"1"),
        return_exceptions=True,
    )
    assert [type(each) for each in done] == [type(None), AwsError, ZeroDivisionError, type(None)]
    assert await read(storage, "a", "b") == [b"1", b"1"]


async def test_each_of_many_writes_sees_those_before_it(storage: TableStorage) -> None:
    def add(rows: Sequence[Row | None]) -> tuple[Changes, int]:
        count = int(body_of(rows[0]) or b"0") + 1
        return Changes((change("n", str(count).encode(), rows[0]),)), count

    counts = await asyncio.gather(*(storage.write([key("n")], add) for _ in range(600)))
    assert sorted(counts) == list(range(1, 601))
    assert await read(storage, "n") == [b"600"]


async def test_all_rows_of_a_decision_change_or_none(storage: TableStorage) -> None:
    def move(rows: Sequence[Row | None]) -> tuple[Changes, None]:
        assert rows[0] is not None
        return Changes((change("a", None, rows[0]), change("b", rows[0].body, rows[1]))), None

    await put(storage, "a", b"1")
    await storage.write([key("a"), key("b")], move)
    assert await read(storage, "a", "b") == [None, b"1"]
    with pytest.raises(AssertionError):
        await storage.write([key("a"), key("b")], move)
    assert await read(storage, "a", "b") == [None, b"1"]


async def test_a_range_is_in_the_order_of_its_keys_either_way_and_by_pages(storage: TableStorage) -> None:
    for name in ("b", "d", "a", "c"):
        await put(storage, name, name.encode())
    page = await storage.read_range(_ALL, 3)
    assert ([row.body for row in page.rows], page.is_last) == ([b"a", b"b", b"c"], False)
    rest = await storage.read_range(Range(page.keys[-1] + b"\x00", _ALL.high), 3)
    assert ([row.body for row in rest.rows], rest.is_last) == ([b"d"], True)
    back = await storage.read_range(Range(_ALL.low, key("d")), 2, descending=True)
    assert ([row.body for row in back.rows], back.is_last) == ([b"c", b"b"], False)
    assert (await storage.read_range(Range(_ALL.high, _ALL.low), 3)).rows == []


async def test_index_entries_lead_to_their_rows_and_go_with_them(storage: TableStorage) -> None:
    span = all_with(space_prefix(_INDEX))
    await put(storage, "a", b"1", group="g2")
    await put(storage, "b", b"2", group="g1")
    page = await storage.read_range(span, 9, index=True)
    assert (page.keys, [row.key for row in page.rows]) == ([entry("g1"), entry("g2")], [key("b"), key("a")])
    await put(storage, "a", b"11", group="g0", was="g2")
    page = await storage.read_range(span, 9, index=True)
    assert (page.keys, [row.body for row in page.rows]) == ([entry("g0"), entry("g1")], [b"11", b"2"])
    await put(storage, "b", None, was="g1")
    page = await storage.read_range(span, 9, index=True)
    assert page.keys == [entry("g0")]
    assert await storage.tally(_SPACE) == Tally(1, 2)
    assert (await storage.tally(_INDEX)).rows == 1


async def test_stream_records_are_numbered_in_order_and_trimmed_by_age(storage: TableStorage) -> None:
    def record(created_ms: int) -> Decide[None]:
        return lambda rows: (Changes(records=(StreamRecord(_STREAM, created_ms, str(created_ms).encode()),)), None)

    for created_ms in (10, 20, 30):
        await storage.write((), record(created_ms))
    found = await storage.read_records(_STREAM, 0, 9)
    assert [each.body for each in found] == [b"10", b"20", b"30"]
    assert [each.sequence for each in found] == sorted({each.sequence for each in found})
    assert await storage.record_bounds(_STREAM) == (found[0].sequence, found[-1].sequence)
    assert [each.body for each in await storage.read_records(_STREAM, found[0].sequence, 1)] == [b"20"]
    assert await storage.trim_records(_STREAM, 25, 9) == 2
    assert [each.body for each in await storage.read_records(_STREAM, 0, 9)] == [b"30"]
    assert await storage.record_bounds(_STREAM + 1) == (0, 0)


async def test_a_snapshot_stays_as_it_was(storage: TableStorage) -> None:
    await put(storage, "a", b"1")
    async with storage.snapshot() as snapshot:
        await put(storage, "a", b"2")
        await put(storage, "b", b"2")
        assert [row.body for row in (await snapshot.read_range(_ALL, 9)).rows] == [b"1"]
    assert await read(storage, "a", "b") == [b"2", b"2"]


async def test_documents_are_kept_by_their_keys(storage: TableStorage) -> None:
    async def store(*documents: tuple[str, Document | None]) -> None:
        await storage.write((), lambda rows: (Changes(documents=documents), None))

    await store(("table/b", {"n": 2}), ("table/a", {"n": 1}), ("other", {}))
    assert list((await storage.documents("table/")).items()) == [("table/a", {"n": 1}), ("table/b", {"n": 2})]
    await store(("table/a", None), ("table/b", {"n": 3}))
    assert await storage.documents("table/") == {"table/b": {"n": 3}}


async def test_a_space_is_cleared_bit_by_bit_and_no_other_with_it(storage: TableStorage) -> None:
    for number in range(5):
        await put(storage, str(number), b"x", group=f"g{number}")
    await storage.write([], lambda rows: (Changes((RowChange(9, space_prefix(9) + b"k", b"kept", 4, None),)), None))
    turns = 0
    while not await storage.clear(_INDEX, 2):
        turns += 1
    assert turns >= 2
    while not await storage.clear(_SPACE, 2):
        pass
    assert (await storage.read_range(_ALL, 9)).rows == []
    assert await storage.tally(_SPACE) == Tally()
    assert [body_of(row) for row in await storage.read([space_prefix(9) + b"k"])] == [b"kept"]


async def test_what_was_written_is_there_after_it_was_opened_again_and_numbers_go_on(
    opened: Open, tmp_path: Path
) -> None:
    first = opened(tmp_path)
    await put(first, "a", b"1", group="g")
    await first.write((), lambda rows: (Changes(records=(StreamRecord(_STREAM, 1, b"r"),)), None))
    (one,) = await first.read_records(_STREAM, 0, 9)
    await first.close()
    with pytest.raises(StorageBusy):
        await put(first, "b", b"late")
    again = opened(tmp_path)
    assert await read(again, "a", "b") == [b"1", None]
    assert (await again.read_range(all_with(space_prefix(_INDEX)), 9, index=True)).keys == [entry("g")]
    await again.write((), lambda rows: (Changes(records=(StreamRecord(_STREAM, 1, b"r2"),)), None))
    assert [each.sequence > one.sequence for each in await again.read_records(_STREAM, one.sequence, 9)] == [True]
    await again.close()
