from __future__ import annotations

import string
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import RandomIds
from freehold.services.secretsmanager import OPERATIONS, SecretsManager
from freehold.services.secretsmanager.passwords import make_password
from freehold.state.seal import Seal
from freehold.state.sqlite_store import SqliteStore

CALL = Call("us-east-1")
DAY_S = 86_400


class SetClock:
    def __init__(self) -> None:
        self.s = 1_700_000_000.0

    def now_s(self) -> float:
        return self.s

    def monotonic_s(self) -> float:
        return self.s

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


class World:
    def __init__(self, service: SecretsManager, clock: SetClock) -> None:
        self.service = service
        self.clock = clock

    async def __call__(self, operation: str, **request: Any) -> Json:
        return await OPERATIONS[operation](self.service, CALL, request)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store, clock = SqliteStore(tmp_path / "control.db"), SetClock()
    yield World(SecretsManager(store, Seal(tmp_path / "key"), clock, RandomIds()), clock)
    await store.close()


async def test_a_new_value_moves_the_current_stage_and_leaves_the_previous_one(world: World) -> None:
    first = (await world("CreateSecret", Name="s", SecretString="1"))["VersionId"]
    second = (await world("PutSecretValue", SecretId="s", SecretString="2"))["VersionId"]
    third = (await world("UpdateSecret", SecretId="s", SecretString="3"))["VersionId"]
    stages = (await world("DescribeSecret", SecretId="s"))["VersionIdsToStages"]
    assert stages == {third: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}
    assert (await world("GetSecretValue", SecretId="s"))["SecretString"] == "3"
    assert (await world("GetSecretValue", SecretId="s", VersionStage="AWSPREVIOUS"))["SecretString"] == "2"
    assert (await world("GetSecretValue", SecretId="s", VersionId=first))["SecretString"] == "1"
    listed = await world("ListSecretVersionIds", SecretId="s", IncludeDeprecated=True)
    assert [each["VersionId"] for each in listed["Versions"]] == [first, second, third]


async def test_going_back_swaps_current_and_previous(world: World) -> None:
    first = (await world("CreateSecret", Name="s", SecretString="1"))["VersionId"]
    second = (await world("PutSecretValue", SecretId="s", SecretString="2"))["VersionId"]
    move = {"SecretId": "s", "VersionStage": "AWSCURRENT", "MoveToVersionId": first}
    with pytest.raises(AwsError, match="RemoveFromVersionId can't be empty"):
        await world("UpdateSecretVersionStage", **move)
    await world("UpdateSecretVersionStage", **move, RemoveFromVersionId=second)
    stages = (await world("DescribeSecret", SecretId="s"))["VersionIdsToStages"]
    assert stages == {first: ["AWSCURRENT"], second: ["AWSPREVIOUS"]}


async def test_a_pending_version_is_not_current(world: World) -> None:
    await world("CreateSecret", Name="s", SecretString="1")
    await world("PutSecretValue", SecretId="s", SecretString="2", VersionStages=["AWSPENDING"])
    assert (await world("GetSecretValue", SecretId="s"))["SecretString"] == "1"
    assert (await world("GetSecretValue", SecretId="s", VersionStage="AWSPENDING"))["SecretString"] == "2"


async def test_a_repeated_request_changes_nothing_and_a_token_serves_one_value(world: World) -> None:
    token = "a" * 32
    first = await world("CreateSecret", Name="s", SecretString="1", ClientRequestToken=token)
    assert await world("CreateSecret", Name="s", SecretString="1", ClientRequestToken=token) == first
    with pytest.raises(AwsError, match="ResourceExistsException"):
        await world("PutSecretValue", SecretId="s", SecretString="2", ClientRequestToken=token)
    with pytest.raises(AwsError, match="the secret s already exists"):
        await world("CreateSecret", Name="s", SecretString="1")


async def test_a_deleted_secret_can_be_restored_until_its_window_is_over(world: World) -> None:
    await world("CreateSecret", Name="s", SecretString="1")
    await world("DeleteSecret", SecretId="s", RecoveryWindowInDays=7)
    with pytest.raises(AwsError, match="marked for deletion"):
        await world("GetSecretValue", SecretId="s")
    with pytest.raises(AwsError, match="already scheduled for deletion"):
        await world("CreateSecret", Name="s")
    assert (await world("ListSecrets"))["SecretList"] == []
    assert len((await world("ListSecrets", IncludePlannedDeletion=True))["SecretList"]) == 1
    await world("RestoreSecret", SecretId="s")
    assert (await world("GetSecretValue", SecretId="s"))["SecretString"] == "1"
    await world("DeleteSecret", SecretId="s", RecoveryWindowInDays=7)
    world.clock.s += 7 * DAY_S
    with pytest.raises(AwsError, match="can't find the specified secret"):
        await world("RestoreSecret", SecretId="s")
    await world("CreateSecret", Name="s", SecretString="new")


async def test_a_secret_is_found_by_name_by_arn_and_by_arn_without_its_end(world: World) -> None:
    arn = (await world("CreateSecret", Name="a/b-c", SecretString="1"))["ARN"]
    for identifier in ("a/b-c", arn, arn[:-7]):
        assert (await world("GetSecretValue", SecretId=identifier))["ARN"] == arn
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        await world("GetSecretValue", SecretId=arn[:-1] + "!")


async def test_values_are_sealed_in_the_store(world: World) -> None:
    await world("CreateSecret", Name="s", SecretString="hunter2")
    stored = await world.service.store.read("secretsmanager.secret", "us-east-1/s")
    assert stored is not None
    assert "hunter2" not in str(stored.document)


async def test_a_batch_tells_what_it_did_not_find(world: World) -> None:
    await world("CreateSecret", Name="s", SecretString="1", Tags=[{"Key": "team", "Value": "x"}])
    answer = await world("BatchGetSecretValue", SecretIdList=["s", "none"])
    assert [each["SecretString"] for each in answer["SecretValues"]] == ["1"]
    assert [(each["SecretId"], each["ErrorCode"]) for each in answer["Errors"]] == [
        ("none", "ResourceNotFoundException")
    ]
    by_tag = await world("BatchGetSecretValue", Filters=[{"Key": "tag-key", "Values": ["team"]}])
    assert [each["Name"] for each in by_tag["SecretValues"]] == ["s"]


def test_a_password_has_one_of_each_type_and_nothing_excluded() -> None:
    for _ in range(50):
        password = make_password({"PasswordLength": 4})
        for letters in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
            assert set(password) & set(letters)
    only_digits = make_password(
        {"ExcludeLowercase": True, "ExcludeUppercase": True, "ExcludePunctuation": True, "ExcludeCharacters": "01"}
    )
    assert len(only_digits) == 32
    assert set(only_digits) <= set("23456789")
    with pytest.raises(AwsError, match="too short"):
        make_password({"PasswordLength": 3})
