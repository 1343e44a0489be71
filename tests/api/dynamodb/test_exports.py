"""Exports to S3 and imports from it, by boto3."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.dynamodb.test_backups import Json, item, items_of, make_table, refused, until, wait_active
from tests.live import LiveServer

_number = itertools.count()


@pytest.fixture
def tables(server: LiveServer) -> Any:
    return server.client("dynamodb")


@pytest.fixture
def s3(server: LiveServer) -> Any:
    return server.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"table-files-{next(_number)}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def table(tables: Any) -> Json:
    """With its past kept and three items."""
    name = f"exported-{next(_number)}"
    make_table(tables, name)
    recovery = {"PointInTimeRecoveryEnabled": True}
    tables.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    described: Json = tables.describe_table(TableName=name)["Table"]
    return described


def ended_export(tables: Any, arn: str) -> Json:
    found: Json = until(
        lambda: (
            (each := tables.describe_export(ExportArn=arn)["ExportDescription"])["ExportStatus"] != "IN_PROGRESS"
            and each
        )
    )
    return found


def ended_import(tables: Any, arn: str) -> Json:
    found: Json = until(
        lambda: (
            (each := tables.describe_import(ImportArn=arn)["ImportTableDescription"])["ImportStatus"] != "IN_PROGRESS"
            and each
        )
    )
    return found


def read(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def parameters(name: str) -> Json:
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in ("p", "s", "g")],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    }


def test_what_was_exported_comes_back_by_an_import(tables: Any, s3: Any, bucket: str, table: Json) -> None:
    asked = {"TableArn": table["TableArn"], "S3Bucket": bucket, "S3Prefix": "nightly", "ClientToken": "one"}
    export = tables.export_table_to_point_in_time(**asked)["ExportDescription"]
    assert tables.export_table_to_point_in_time(**asked)["ExportDescription"]["ExportArn"] == export["ExportArn"]
    export = ended_export(tables, export["ExportArn"])
    assert (export["ExportStatus"], export["ItemCount"]) == ("COMPLETED", 3)
    summary = json.loads(read(s3, bucket, export["ExportManifest"]))
    assert (summary["itemCount"], summary["outputFormat"]) == (3, "DYNAMODB_JSON")
    (file,) = map(json.loads, read(s3, bucket, summary["manifestFilesS3Key"]).splitlines())
    lines = gzip.decompress(read(s3, bucket, file["dataFileS3Key"])).splitlines()
    assert sorted(json.loads(line)["Item"]["s"]["S"] for line in lines) == ["s0", "s1", "s2"]

    name = f"{table['TableName']}-again"
    source = {"S3Bucket": bucket, "S3KeyPrefix": file["dataFileS3Key"].rpartition("/")[0]}
    made = tables.import_table(
        S3BucketSource=source,
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters=parameters(name),
    )["ImportTableDescription"]
    assert made["ImportStatus"] == "IN_PROGRESS"
    ended = ended_import(tables, made["ImportArn"])
    assert (ended["ImportStatus"], ended["ImportedItemCount"], ended["ErrorCount"]) == ("COMPLETED", 3, 0)
    wait_active(tables, name)
    assert items_of(tables, name) == [item(number) for number in range(3)]
    assert items_of(tables, name, IndexName="by-g") == [item(number) for number in range(3)]
    assert [each["ImportArn"] for each in tables.list_imports(TableArn=made["TableArn"])["ImportSummaryList"]] == [
        made["ImportArn"]
    ]
    assert [each["ExportArn"] for each in tables.list_exports(TableArn=table["TableArn"])["ExportSummaries"]] == [
        export["ExportArn"]
    ]


def test_a_csv_file_is_imported_and_what_is_no_item_is_counted_and_logged(
    server: LiveServer, tables: Any, s3: Any, bucket: str
) -> None:
    rows = 'p,s,g,note\np,s0,g0,"a, ""b""\nand more"\np,s1,g1,\n,s2,g0,no key\np,s3\n'
    s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=rows.encode())
    name = f"imported-{next(_number)}"
    made = tables.import_table(
        S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": "in/"},
        InputFormat="CSV",
        TableCreationParameters=parameters(name),
    )["ImportTableDescription"]
    ended = ended_import(tables, made["ImportArn"])
    assert (ended["ImportStatus"], ended["FailureCode"]) == ("FAILED", "ItemValidationError")
    assert (ended["ImportedItemCount"], ended["ErrorCount"]) == (2, 2)
    assert ended["ProcessedItemCount"] == 4
    wait_active(tables, name)
    assert items_of(tables, name) == [
        item(0, note={"S": 'a, "b"\nand more'}),
        item(1, note={"S": ""}),
    ]
    logs = server.client("logs")
    events = logs.get_log_events(
        logGroupName="/aws-dynamodb/imports", logStreamName=made["ImportArn"].rpartition("/")[2]
    )["events"]
    assert [event["message"].partition(":")[0] for event in events] == ["in/rows.csv, line 5", "in/rows.csv, line 6"]


def test_a_bucket_that_is_not_there_fails_the_export_and_the_import(tables: Any, table: Json) -> None:
    asked = {"TableArn": table["TableArn"], "S3Bucket": "no-such-bucket-here"}
    export = tables.export_table_to_point_in_time(**asked)["ExportDescription"]
    ended = ended_export(tables, export["ExportArn"])
    assert (ended["ExportStatus"], ended["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    made = tables.import_table(
        S3BucketSource={"S3Bucket": "no-such-bucket-here"},
        InputFormat="DYNAMODB_JSON",
        TableCreationParameters=parameters(f"{table['TableName']}-never"),
    )["ImportTableDescription"]
    ended = ended_import(tables, made["ImportArn"])
    assert (ended["ImportStatus"], ended["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        tables.describe_table(TableName=f"{table['TableName']}-never")
    with pytest.raises(ClientError, match="TableNotFoundException"):
        tables.export_table_to_point_in_time(**{**asked, "TableArn": f"{table['TableArn']}-never"})


def test_items_that_share_a_line_are_all_imported(tables: Any, s3: Any, bucket: str) -> None:
    lines = [json.dumps({"Item": item(number)}) for number in range(6)]
    body = f"{lines[0]}\n{lines[1]} {lines[2]}{lines[3]}\n{lines[4]}{lines[5]}{{\n"
    s3.put_object(Bucket=bucket, Key="shared/lines.json", Body=body.encode())
    name = f"imported-{next(_number)}"
    made = tables.import_table(
        S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": "shared/"},
        InputFormat="DYNAMODB_JSON",
        TableCreationParameters=parameters(name),
    )["ImportTableDescription"]
    ended = ended_import(tables, made["ImportArn"])
    assert (ended["ImportedItemCount"], ended["ErrorCount"], ended["ProcessedItemCount"]) == (6, 1, 7)
    wait_active(tables, name)
    assert items_of(tables, name) == [item(number) for number in range(6)]


def test_what_exports_and_imports_cannot_do_yet_is_refused_by_name(tables: Any, bucket: str, table: Json) -> None:
    export, asked = tables.export_table_to_point_in_time, {"TableArn": table["TableArn"], "S3Bucket": bucket}
    assert refused(export, **asked, ExportFormat="ION") == "ValidationException"
    assert refused(export, **asked, ExportType="INCREMENTAL_EXPORT") == "ValidationException"
    asked = {"S3BucketSource": {"S3Bucket": bucket}, "TableCreationParameters": parameters("never")}
    assert refused(tables.import_table, **asked, InputFormat="ION") == "ValidationException"
    zipped = {"InputCompressionType": "ZSTD", "InputFormat": "CSV"}
    assert refused(tables.import_table, **asked, **zipped) == "ValidationException"


@pytest.mark.parametrize(
    "more",
    [
        {"ResourcePolicy": "{}"},
        {"GlobalTableSourceArn": "arn:aws:dynamodb:eu-west-1:000000000000:table/other"},
        {"GlobalTableSettingsReplicationMode": "ENABLED"},
    ],
    ids=str,
)
def test_what_a_table_cannot_have_yet_is_refused_and_not_left_out(tables: Any, more: Json) -> None:
    assert refused(tables.create_table, **parameters("never"), **more) == "ValidationException"
