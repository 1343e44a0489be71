"""Every operation of DynamoDB and DynamoDB Streams as a person types it into the AWS CLI."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from freehold.services import dynamodb, dynamodbstreams
from tests.api.dynamodb.test_backups import until
from tests.e2e.conftest import Aws, cli_environment
from tests.live import LiveServer

# The CLI's own program, asked again and again: sixty starts of it would take minutes.
_PROGRAM = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver
for line in sys.stdin:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = create_clidriver().main(json.loads(line))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""
_TABLE = ("--table-name", "cli-music")
_KEY = {"artist": {"S": "Acme"}, "title": {"S": "Happy"}}


@pytest.fixture
def aws(server: LiveServer, tmp_path: Path) -> Iterator[Aws]:
    """As the fixture of the same name, in one process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=cli_environment(server, tmp_path),
        cwd=tmp_path,
        text=True,
    )

    def run(*words: str, fails: bool = False) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        status, out, err = json.loads(process.stdout.readline())
        assert (status != 0) is fails, out + err
        text = err if fails else out
        try:
            return json.loads(text)
        except ValueError:
            return text

    try:
        yield run
    finally:
        process.kill()
        process.communicate()


class Typed:
    """`typed("put-item", "--table-name", ...)`; notes which operations were asked for."""

    def __init__(self, aws: Aws, service: str) -> None:
        self.aws = aws
        self.service = service
        self.operations: set[str] = set()

    def __call__(self, command: str, *words: str | Any, fails: bool = False) -> Any:
        """What is no string is written as JSON."""
        self.operations.add(re.sub(r"(?:^|-)(\w)", lambda found: found[1].upper(), command))
        texts = [word if isinstance(word, str) else json.dumps(word) for word in words]
        return self.aws(self.service, command, *texts, fails=fails)


def test_every_operation_of_tables_is_typed(aws: Aws) -> None:
    typed = Typed(aws, "dynamodb")
    arn = make_table(typed)
    write_and_read(typed)
    ask_in_partiql(typed)
    settle(typed, arn)
    keep_and_restore(typed, aws, arn)
    read_the_stream(aws, arn)
    assert typed("delete-table", *_TABLE)["TableDescription"]["TableStatus"] == "DELETING"
    assert "ResourceNotFoundException" in typed("describe-table", *_TABLE, fails=True)
    assert typed.operations == set(dynamodb.OPERATIONS)


def make_table(typed: Typed) -> str:
    typed(
        "create-table", *_TABLE, "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=artist,AttributeType=S", "AttributeName=title,AttributeType=S",
        "--key-schema", "AttributeName=artist,KeyType=HASH", "AttributeName=title,KeyType=RANGE",
        "--stream-specification", "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
    )  # fmt: skip
    typed.aws("dynamodb", "wait", "table-exists", *_TABLE)
    assert "cli-music" in typed("list-tables")["TableNames"]
    updated = typed("update-table", *_TABLE, "--deletion-protection-enabled")
    assert updated["TableDescription"]["DeletionProtectionEnabled"] is True
    assert "protected against deletion" in typed("delete-table", *_TABLE, fails=True)
    typed("update-table", *_TABLE, "--no-deletion-protection-enabled")
    described = typed("describe-table", *_TABLE)["Table"]
    assert (described["TableStatus"], described["DeletionProtectionEnabled"]) == ("ACTIVE", False)
    return str(described["TableArn"])


def write_and_read(typed: Typed) -> None:
    typed("put-item", *_TABLE, "--item", {**_KEY, "year": {"N": "2020"}, "covers": {"SS": ["a", "b"]}})
    update = typed(
        "update-item", *_TABLE, "--key", _KEY, "--update-expression", "SET plays = :one", "--return-values", "ALL_NEW",
        "--expression-attribute-values", {":one": {"N": "1"}},
    )  # fmt: skip
    assert update["Attributes"] == {
        **_KEY,
        "year": {"N": "2020"},
        "covers": {"SS": ["a", "b"]},
        "plays": {"N": "1"},
    }
    assert typed("get-item", *_TABLE, "--key", _KEY, "--consistent-read")["Item"]["plays"] == {"N": "1"}
    failed = typed(
        "put-item", *_TABLE, "--item", _KEY, "--condition-expression", "attribute_not_exists(artist)", fails=True
    )
    assert "ConditionalCheckFailedException" in failed
    puts = [{"PutRequest": {"Item": {"artist": {"S": "Batch"}, "title": {"S": str(n)}}}} for n in range(5)]
    assert typed("batch-write-item", "--request-items", {"cli-music": puts})["UnprocessedItems"] == {}
    keys = [{"artist": {"S": "Batch"}, "title": {"S": str(n)}} for n in range(5)]
    found = typed("batch-get-item", "--request-items", {"cli-music": {"Keys": keys}})
    assert len(found["Responses"]["cli-music"]) == 5
    query = typed(
        "query", *_TABLE, "--key-condition-expression", "artist = :a", "--no-scan-index-forward",
        "--expression-attribute-values", {":a": {"S": "Batch"}}, "--page-size", "2",
    )  # fmt: skip
    assert [item["title"]["S"] for item in query["Items"]] == ["4", "3", "2", "1", "0"]
    page = typed("scan", *_TABLE, "--max-items", "4")
    rest = typed("scan", *_TABLE, "--starting-token", page["NextToken"])
    assert (len(page["Items"]), len(rest["Items"])) == (4, 2)
    assert typed("delete-item", *_TABLE, "--key", keys[0], "--return-values", "ALL_OLD")["Attributes"] == keys[0]
    moved = {"TableName": "cli-music", "Key": keys[1]}
    put = {"Put": {"TableName": "cli-music", "Item": {**keys[0], "back": {"BOOL": True}}}}
    typed("transact-write-items", "--transact-items", [{"Delete": moved}, put])
    both = [{"Get": moved}, {"Get": {"TableName": "cli-music", "Key": keys[0]}}]
    assert typed("transact-get-items", "--transact-items", both)["Responses"] == [
        {},
        {"Item": {**keys[0], "back": {"BOOL": True}}},
    ]


def ask_in_partiql(typed: Typed) -> None:
    select = "SELECT title FROM \"cli-music\" WHERE artist = 'Acme'"
    assert typed("execute-statement", "--statement", select)["Items"] == [{"title": {"S": "Happy"}}]
    insert = "INSERT INTO \"cli-music\" VALUE {'artist': ?, 'title': ?}"
    rows = [{"Statement": insert, "Parameters": [{"S": "PartiQL"}, {"S": str(n)}]} for n in range(2)]
    typed("execute-transaction", "--transact-statements", rows)
    answer = typed("batch-execute-statement", "--statements", rows)
    assert [each["Error"]["Code"] for each in answer["Responses"]] == ["DuplicateItem", "DuplicateItem"]


def settle(typed: Typed, arn: str) -> None:
    resource = ("--resource-arn", arn)
    typed("tag-resource", *resource, "--tags", "Key=team,Value=music", "Key=stage,Value=dev")
    typed("untag-resource", *resource, "--tag-keys", "stage")
    assert typed("list-tags-of-resource", *resource)["Tags"] == [{"Key": "team", "Value": "music"}]
    typed("update-time-to-live", *_TABLE, "--time-to-live-specification", "Enabled=true,AttributeName=until")
    told = typed("describe-time-to-live", *_TABLE)["TimeToLiveDescription"]
    assert (told["AttributeName"], told["TimeToLiveStatus"] in ("ENABLING", "ENABLED")) == ("until", True)
    recovery = "PointInTimeRecoveryEnabled=true"
    typed("update-continuous-backups", *_TABLE, "--point-in-time-recovery-specification", recovery)
    told = typed("describe-continuous-backups", *_TABLE)["ContinuousBackupsDescription"]
    assert told["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert typed("describe-limits")["AccountMaxReadCapacityUnits"] > 0
    assert typed("describe-endpoints")["Endpoints"][0]["Address"]


def keep_and_restore(typed: Typed, aws: Aws, arn: str) -> None:
    backup = typed("create-backup", *_TABLE, "--backup-name", "nightly")["BackupDetails"]["BackupArn"]
    named = ("--backup-arn", backup)
    until(lambda: typed("describe-backup", *named)["BackupDescription"]["BackupDetails"]["BackupStatus"] == "AVAILABLE")
    assert [each["BackupArn"] for each in typed("list-backups", *_TABLE)["BackupSummaries"]] == [backup]
    typed("restore-table-from-backup", *named, "--target-table-name", "cli-restored")
    typed(
        "restore-table-to-point-in-time", "--source-table-name", "cli-music", "--target-table-name", "cli-past",
        "--use-latest-restorable-time",
    )  # fmt: skip
    for name in ("cli-restored", "cli-past"):
        table = ("--table-name", name)
        until(lambda: typed("describe-table", *table)["Table"]["TableStatus"] == "ACTIVE")  # noqa: B023
        assert typed("scan", *table, "--select", "COUNT")["Count"] == 7
    typed("delete-backup", *named)
    assert typed("list-backups", *_TABLE)["BackupSummaries"] == []

    aws("s3", "mb", "s3://cli-tables")
    export = typed("export-table-to-point-in-time", "--table-arn", arn, "--s3-bucket", "cli-tables")
    exported = ("--export-arn", export["ExportDescription"]["ExportArn"])
    until(lambda: typed("describe-export", *exported)["ExportDescription"]["ExportStatus"] == "COMPLETED")
    (summary,) = typed("list-exports", "--table-arn", arn)["ExportSummaries"]
    prefix = f"AWSDynamoDB/{summary['ExportArn'].rpartition('/')[2]}/data/"
    made = typed(
        "import-table", "--input-format", "DYNAMODB_JSON", "--input-compression-type", "GZIP",
        "--s3-bucket-source", f"S3Bucket=cli-tables,S3KeyPrefix={prefix}",
        "--table-creation-parameters", {
            "TableName": "cli-imported",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in _KEY],
            "KeySchema": [
                {"AttributeName": "artist", "KeyType": "HASH"}, {"AttributeName": "title", "KeyType": "RANGE"}
            ],
        },
    )["ImportTableDescription"]  # fmt: skip
    told = until(lambda: ended(typed("describe-import", "--import-arn", made["ImportArn"])["ImportTableDescription"]))
    assert (told["ImportStatus"], told["ImportedItemCount"]) == ("COMPLETED", 7)
    listed = typed("list-imports", "--table-arn", made["TableArn"])["ImportSummaryList"]
    assert [each["ImportArn"] for each in listed] == [made["ImportArn"]]


def ended(description: Any) -> Any:
    return description if description["ImportStatus"] != "IN_PROGRESS" else None


def read_the_stream(aws: Aws, arn: str) -> None:
    typed = Typed(aws, "dynamodbstreams")
    (stream,) = typed("list-streams", "--table-name", "cli-music")["Streams"]
    assert stream["StreamArn"].startswith(f"{arn}/stream/")
    named = ("--stream-arn", stream["StreamArn"])
    (shard,) = typed("describe-stream", *named)["StreamDescription"]["Shards"]
    begin = ("--shard-id", shard["ShardId"], "--shard-iterator-type", "TRIM_HORIZON")
    iterator = typed("get-shard-iterator", *named, *begin)["ShardIterator"]
    records = typed("get-records", "--shard-iterator", iterator)["Records"]
    assert [record["eventName"] for record in records[:2]] == ["INSERT", "MODIFY"]
    assert records[1]["dynamodb"]["NewImage"]["plays"] == {"N": "1"}
    assert typed.operations == set(dynamodbstreams.OPERATIONS)
