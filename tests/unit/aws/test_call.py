"""The table of operations: services that are built by their first call."""

from __future__ import annotations

import asyncio

import pytest

from freehold.aws.call import Call, Json, OperationTable, Service
from freehold.aws.errors import AwsError


async def _double(record: int, call: Call, request: Json) -> Json:
    return {"Answer": record * int(request["Number"])}


class _Building:
    def __init__(self, fails: int = 0) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()
        self._fails = fails

    async def __call__(self) -> Service:
        self.begun += 1
        await self.may_end.wait()
        if self.begun <= self._fails:
            raise OSError("no room")
        return Service("doubling", {"Double": _double}, 2)


async def test_a_service_is_built_once_by_the_first_of_its_calls() -> None:
    operations, building = OperationTable(), _Building()
    operations.add_later("doubling", building)
    assert operations.has("doubling")
    assert operations.service("doubling") is None
    aws = operations.bind(Call(region="us-east-1"))
    calls = [asyncio.ensure_future(aws("doubling", "Double", {"Number": number})) for number in range(3)]
    await asyncio.sleep(0)
    building.may_end.set()
    assert [answer["Answer"] for answer in await asyncio.gather(*calls)] == [0, 2, 4]
    assert building.begun == 1
    assert operations.service("doubling") is not None


async def test_what_could_not_be_built_is_built_by_the_next_call() -> None:
    operations, building = OperationTable(), _Building(fails=1)
    building.may_end.set()
    operations.add_later("doubling", building)
    aws = operations.bind(Call(region="us-east-1"))
    with pytest.raises(OSError, match="no room"):
        await aws("doubling", "Double", {"Number": 1})
    assert (await aws("doubling", "Double", {"Number": 1}))["Answer"] == 2


async def test_unknown_names_are_said() -> None:
    operations, building = OperationTable(), _Building()
    building.may_end.set()
    operations.add_later("doubling", building)
    aws = operations.bind(Call(region="us-east-1"))
    with pytest.raises(AwsError, match="does not support doubling:Halve yet"):
        await aws("doubling", "Halve", {})
    with pytest.raises(AwsError, match="does not have the service halving yet"):
        await aws("halving", "Halve", {})


async def test_all_are_built_when_asked() -> None:
    operations, building = OperationTable(), _Building()
    building.may_end.set()
    operations.add_later("doubling", building)
    await operations.load_all()
    assert operations.find("doubling", "Double") == (_double, 2)
