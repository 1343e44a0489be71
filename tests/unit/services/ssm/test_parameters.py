from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from freehold.aws.call import Call, Json, OperationTable
from freehold.aws.errors import AwsError
from freehold.clock import SystemClock
from freehold.services.ssm import OPERATIONS, Ssm
from freehold.state.seal import Seal
from freehold.state.sqlite_store import SqliteStore

CALL = Call("us-east-1")


class World:
    def __init__(self, ssm: Ssm) -> None:
        self.ssm = ssm

    async def __call__(self, operation: str, **request: Any) -> Json:
        return await OPERATIONS[operation](self.ssm, CALL, request)

    async def put(self, name: str, value: str = "v", **more: Any) -> Json:
        return await self("PutParameter", **{"Name": name, "Value": value, "Type": "String", **more})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = SqliteStore(tmp_path / "control.db")
    yield World(Ssm(store, Seal(tmp_path / "key"), SystemClock(), OperationTable().bind))
    await store.close()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("aws-thing", "AccessDeniedException"),
        ("/aws/thing", "AccessDeniedException"),
        ("ssm-thing", "ValidationException"),
        ("a/b", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("a b", "ValidationException"),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "HierarchyLevelLimitExceededException"),
    ],
)
async def test_names_that_aws_refuses_are_refused(world: World, name: str, code: str) -> None:
    with pytest.raises(AwsError) as raised:
        await world.put(name)
    assert raised.value.code == code


async def test_the_tier_follows_the_size_and_never_goes_down(world: World) -> None:
    with pytest.raises(AwsError, match="maximum parameter value of 4096"):
        await world.put("/t", "x" * 4097)
    assert (await world.put("/t", "x" * 4097, Tier="Intelligent-Tiering"))["Tier"] == "Advanced"
    with pytest.raises(AwsError, match="can't downgrade"):
        await world.put("/t", "x", Tier="Standard", Overwrite=True)
    assert await world.put("/t", "x", Overwrite=True) == {"Version": 2, "Tier": "Advanced"}


async def test_the_hundred_and_first_version_pushes_out_the_first_unless_it_has_a_label(world: World) -> None:
    await world.put("/v", "1")
    for number in range(2, 102):
        await world.put("/v", str(number), Overwrite=True)
    with pytest.raises(AwsError, match="could not find version 1 "):
        await world("GetParameter", Name="/v:1")
    assert (await world("GetParameter", Name="/v:2"))["Parameter"]["Value"] == "2"
    await world("LabelParameterVersion", Name="/v", ParameterVersion=2, Labels=["keep"])
    with pytest.raises(AwsError, match="has a label associated"):
        await world.put("/v", "102", Overwrite=True)


async def test_a_label_is_on_one_version_only(world: World) -> None:
    await world.put("/l", "1")
    await world.put("/l", "2", Overwrite=True)
    answer = await world("LabelParameterVersion", Name="/l", ParameterVersion=1, Labels=["live", "1bad", "awsbad"])
    assert answer == {"InvalidLabels": ["1bad", "awsbad"], "ParameterVersion": 1}
    assert (await world("GetParameter", Name="/l:live"))["Parameter"]["Value"] == "1"
    await world("LabelParameterVersion", Name="/l", Labels=["live"])
    assert (await world("GetParameter", Name="/l:live"))["Parameter"]["Value"] == "2"
    history = (await world("GetParameterHistory", Name="/l"))["Parameters"]
    assert [each["Labels"] for each in history] == [[], ["live"]]
    assert (await world("UnlabelParameterVersion", Name="/l", ParameterVersion=2, Labels=["live", "no"])) == {
        "RemovedLabels": ["live"],
        "InvalidLabels": ["no"],
    }


async def test_a_secure_string_is_sealed_in_the_store_and_given_sealed_without_decryption(world: World) -> None:
    await world.put("/s", "hunter2", Type="SecureString")
    stored = await world.ssm.store.read("ssm.parameter", "us-east-1//s")
    assert stored is not None
    assert "hunter2" not in str(stored.document)
    assert (await world("GetParameter", Name="/s"))["Parameter"]["Value"] == stored.document["Value"]
    assert (await world("GetParameter", Name="/s", WithDecryption=True))["Parameter"]["Value"] == "hunter2"


async def test_values_are_held_to_their_pattern_and_the_type_stays(world: World) -> None:
    with pytest.raises(AwsError, match=r"allowedPattern: \^\\d\+\$"):
        await world.put("/p", "abc", AllowedPattern=r"^\d+$")
    await world.put("/p", "12", AllowedPattern=r"^\d+$")
    with pytest.raises(AwsError, match="ParameterPatternMismatchException"):
        await world.put("/p", "abc", Overwrite=True)
    with pytest.raises(AwsError, match="HierarchyTypeMismatchException"):
        await world.put("/p", "12", Type="SecureString", Overwrite=True)


async def test_filters_of_describe(world: World) -> None:
    await world.put("/a/b/c", Tags=[{"Key": "team", "Value": "x"}])
    await world.put("/a/d")
    await world.put("solo")

    async def names(**filters: Any) -> list[str]:
        answer = await world("DescribeParameters", ParameterFilters=[filters])
        return [each["Name"] for each in answer["Parameters"]]

    assert await names(Key="Path", Option="Recursive", Values=["/a"]) == ["/a/b/c", "/a/d"]
    assert await names(Key="Path", Values=["/a"]) == ["/a/d"]
    assert await names(Key="tag:team", Values=["x"]) == ["/a/b/c"]
    assert await names(Key="Name", Option="Contains", Values=["ol"]) == ["solo"]
    with pytest.raises(AwsError, match="InvalidFilterKey"):
        await names(Key="Colour", Values=["x"])
