"""On-demand backups and restores, point-in-time recovery, and what a deleted table leaves, by boto3."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.live import LiveServer

_number = itertools.count()
_LIMIT_S = 30.0
Json = dict[str, Any]


@pytest.fixture
def tables(server: LiveServer) -> Any:
    return server.client("dynamodb")


@pytest.fixture
def name(tables: Any) -> str:
    """Of a table with an index of either kind and three items."""
    name = f"kept-{next(_number)}"
    make_table(tables, name)
    return name


def make_table(tables: Any, name: str) -> None:
    projection = {"Projection": {"ProjectionType": "ALL"}}
    tables.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("p", "s", "g")],
        GlobalSecondaryIndexes=[
            {"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], **projection}
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "local",
                "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "g", "KeyType": "RANGE"}],
                **projection,
            }
        ],
        BillingMode="PAY_PER_REQUEST",
        Tags=[{"Key": "team", "Value": "a"}],
    )
    for number in range(3):
        tables.put_item(TableName=name, Item=item(number))


def item(number: int, **more: Json) -> Json:
    return {"p": {"S": "p"}, "s": {"S": f"s{number}"}, "g": {"S": f"g{number % 2}"}, **more}


def items_of(tables: Any, name: str, **more: str) -> list[Json]:
    found = tables.scan(TableName=name, **more)["Items"]
    return sorted(found, key=lambda each: str(each["s"]["S"]))


def until(holds: Callable[[], Any]) -> Any:
    """Asks again and again, with a limit; each question is a request to the server."""
    end = time.monotonic() + _LIMIT_S
    while not (found := holds()):
        assert time.monotonic() < end, "it never came to be"
    return found


def backed_up(tables: Any, name: str) -> str:
    details = tables.create_backup(TableName=name, BackupName="nightly")["BackupDetails"]
    arn: str = details["BackupArn"]
    assert (details["BackupStatus"], details["BackupType"]) == ("CREATING", "USER")
    until(lambda: status_of(tables, arn) == "AVAILABLE")
    return arn


def status_of(tables: Any, arn: str) -> str:
    details = tables.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
    return str(details["BackupStatus"])


def wait_active(tables: Any, name: str) -> Json:
    table: Json = until(
        lambda: (found := tables.describe_table(TableName=name)["Table"])["TableStatus"] == "ACTIVE" and found
    )
    return table


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**request)
    return str(error.value.response["Error"]["Code"])


def test_a_backup_holds_what_was_there_and_is_restored_with_its_indexes(tables: Any, name: str) -> None:
    arn = backed_up(tables, name)
    tables.put_item(TableName=name, Item=item(0, late={"BOOL": True}))
    tables.delete_item(TableName=name, Key={"p": {"S": "p"}, "s": {"S": "s1"}})

    answer = tables.restore_table_from_backup(TargetTableName=f"{name}-back", BackupArn=arn)["TableDescription"]
    assert answer["TableStatus"] == "CREATING"
    assert answer["RestoreSummary"]["RestoreInProgress"] is True
    table = wait_active(tables, f"{name}-back")
    assert items_of(tables, f"{name}-back") == [item(number) for number in range(3)]
    assert items_of(tables, f"{name}-back", IndexName="by-g") == [item(number) for number in range(3)]
    assert items_of(tables, f"{name}-back", IndexName="local") == [item(number) for number in range(3)]
    assert (table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"]) == (3, 3)
    assert table["RestoreSummary"]["SourceBackupArn"] == arn
    assert table["RestoreSummary"]["RestoreInProgress"] is False
    assert tables.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []


def test_a_restore_may_leave_out_indexes_and_change_the_billing(tables: Any, name: str) -> None:
    arn = backed_up(tables, name)
    tables.restore_table_from_backup(
        TargetTableName=f"{name}-less",
        BackupArn=arn,
        BillingModeOverride="PROVISIONED",
        ProvisionedThroughputOverride={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        GlobalSecondaryIndexOverride=[],
    )
    table = wait_active(tables, f"{name}-less")
    assert "GlobalSecondaryIndexes" not in table
    assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    assert items_of(tables, f"{name}-less", IndexName="local") == [item(number) for number in range(3)]


def test_a_backup_is_described_listed_and_deleted(tables: Any, name: str) -> None:
    first, second = backed_up(tables, name), backed_up(tables, name)
    described = tables.describe_backup(BackupArn=first)["BackupDescription"]
    assert described["SourceTableDetails"]["ItemCount"] == 3
    assert described["SourceTableDetails"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"][0]["IndexName"] == "by-g"
    page = tables.list_backups(TableName=name, Limit=1)
    assert [each["BackupArn"] for each in page["BackupSummaries"]] == [first]
    rest = tables.list_backups(TableName=name, ExclusiveStartBackupArn=page["LastEvaluatedBackupArn"])
    assert [each["BackupArn"] for each in rest["BackupSummaries"]] == [second]
    assert tables.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"] == []
    gone = tables.delete_backup(BackupArn=first)["BackupDescription"]
    assert gone["BackupDetails"]["BackupStatus"] == "DELETED"
    assert refused(tables.describe_backup, BackupArn=first) == "BackupNotFoundException"


def test_a_restore_is_refused_in_dynamodbs_words(tables: Any, name: str) -> None:
    arn = backed_up(tables, name)
    assert refused(tables.create_backup, TableName="nowhere", BackupName="nightly") == "TableNotFoundException"
    restore = tables.restore_table_from_backup
    assert refused(restore, TargetTableName=name, BackupArn=arn) == "TableAlreadyExistsException"
    assert refused(restore, TargetTableName="other", BackupArn=f"{arn}0") == "BackupNotFoundException"
    to_point = tables.restore_table_to_point_in_time
    request = {"SourceTableName": name, "TargetTableName": "other", "UseLatestRestorableTime": True}
    assert refused(to_point, **request) == "PointInTimeRecoveryUnavailableException"
    recovery = {"PointInTimeRecoveryEnabled": True}
    tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    past = {"SourceTableName": name, "TargetTableName": "other", "RestoreDateTime": 1000}
    assert refused(to_point, **past) == "InvalidRestoreTimeException"


def test_a_table_comes_back_as_it_was_at_a_moment(tables: Any, name: str) -> None:
    recovery = {"PointInTimeRecoveryEnabled": True}
    told = tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    told = told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert (told["PointInTimeRecoveryStatus"], told["RecoveryPeriodInDays"]) == ("ENABLED", 35)
    tables.put_item(TableName=name, Item=item(3))
    moment = next_millisecond()
    for value in ("1", "2"):
        tables.put_item(TableName=name, Item=item(0, version={"N": value}))
    tables.delete_item(TableName=name, Key={"p": {"S": "p"}, "s": {"S": "s1"}})
    tables.put_item(TableName=name, Item=item(9))
    tables.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=f"{name}-then", RestoreDateTime=moment)
    wait_active(tables, f"{name}-then")
    expected = [item(number) for number in range(4)]
    assert items_of(tables, f"{name}-then") == expected
    assert items_of(tables, f"{name}-then", IndexName="by-g") == expected
    tables.restore_table_to_point_in_time(
        SourceTableName=name, TargetTableName=f"{name}-now", UseLatestRestorableTime=True
    )
    wait_active(tables, f"{name}-now")
    assert items_of(tables, f"{name}-now") == items_of(tables, name)


def next_millisecond() -> float:
    """A moment after all that was answered and before all that is asked later."""
    now = time.time()
    end = int(now * 1000) / 1000 + 0.001
    while time.time() < end + 0.001:
        pass
    return end


def test_a_deleted_table_whose_past_was_kept_leaves_a_backup(tables: Any, name: str) -> None:
    recovery = {"PointInTimeRecoveryEnabled": True}
    tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    tables.delete_table(TableName=name)
    (backup,) = tables.list_backups(TableName=name, BackupType="SYSTEM")["BackupSummaries"]
    assert backup["BackupName"] == f"{name}$DeletedTableBackup"
    assert backup["BackupExpiryDateTime"] > backup["BackupCreationDateTime"]
    tables.restore_table_from_backup(TargetTableName=name, BackupArn=backup["BackupArn"])
    wait_active(tables, name)
    assert items_of(tables, name) == [item(number) for number in range(3)]
    assert items_of(tables, name, IndexName="by-g") == [item(number) for number in range(3)]


def test_backups_and_the_past_survive_a_kill_and_a_cut_off_restore_begins_anew(own_server: LiveServer) -> None:
    tables = own_server.client("dynamodb")
    make_table(tables, "music")
    recovery = {"PointInTimeRecoveryEnabled": True}
    tables.update_continuous_backups(TableName="music", PointInTimeRecoverySpecification=recovery)
    with_many = [item(number, pad={"S": "x" * 20_000}) for number in range(400)]
    for start in range(0, 400, 25):
        puts = [{"PutRequest": {"Item": each}} for each in with_many[start : start + 25]]
        tables.batch_write_item(RequestItems={"music": puts})
    arn = backed_up(tables, "music")
    moment = next_millisecond()
    tables.put_item(TableName="music", Item=item(0, late={"BOOL": True}))
    tables.restore_table_from_backup(TargetTableName="again", BackupArn=arn)
    tables.restore_table_to_point_in_time(SourceTableName="music", TargetTableName="then", RestoreDateTime=moment)
    own_server.kill()
    own_server.start()
    for name in ("again", "then"):
        assert wait_active(tables, name)["ItemCount"] == 400
        stored = {each["s"]["S"]: each for page in pages(tables, name) for each in page}
        assert stored == {each["s"]["S"]: each for each in with_many}


def pages(tables: Any, name: str) -> list[list[Json]]:
    return [page["Items"] for page in tables.get_paginator("scan").paginate(TableName=name)]
