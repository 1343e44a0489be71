"""ExportTableToPointInTime, DescribeExport, ListExports: a table as it was, as files in an S3 bucket.

One decision to know: the past is made in a scratch space first, as a restore makes it, and then written out; an export
that a stop cut off is made again from its beginning.
AWS: "DynamoDB data export to Amazon S3: how it works", "DynamoDB table export output format".
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.clock import now_ms
from freehold.services.dynamodb.backups import seconds
from freehold.services.dynamodb.record import DynamoDB, Json, invalid, table_name
from freehold.services.dynamodb.settings import earliest_restorable_s
from freehold.tables.history import Past, bare, copy_items
from freehold.tables.keys import Range, all_with, space_prefix
from freehold.tables.schema import Table

LISTED_S = 90 * 86400  # How long an export is listed after its end.
_LISTED = 25
_FILE_BYTES = 32 * 1024 * 1024  # Of one data file, before it is compressed.
_ROWS = 256


async def export_table_to_point_in_time(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ExportTableToPointInTime", request)
    _refuse_the_rest(request)
    table = db.catalog.find(call.region, table_name(request["TableArn"]))
    if table is None:
        raise AwsError("TableNotFoundException", f"Table not found: {request['TableArn']}")
    if table.history is None:
        raise AwsError(
            "PointInTimeRecoveryUnavailableException",
            f"Point in time recovery is not enabled for table '{table.name}'",
        )
    now = db.clock.now_s()
    moment_s = seconds(request.get("ExportTime"))
    moment_s = now if moment_s is None else moment_s
    if not int(earliest_restorable_s(table, db)) <= moment_s <= now:
        raise AwsError("InvalidExportTimeException", "The export time is outside of the point in time recovery window")
    earlier = await _earlier(db, table, request)
    if earlier is not None:
        return {"ExportDescription": earlier["Description"]}
    export_id = f"{now_ms(db.clock):014d}-{db.ids.hex(8)}"
    kept = ("S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseAlgorithm", "S3SseKmsKeyId")
    description = {
        "ExportArn": f"{table.document['Description']['TableArn']}/export/{export_id}",
        "ExportStatus": "IN_PROGRESS",
        "StartTime": now,
        "TableArn": table.document["Description"]["TableArn"],
        "TableId": table.document["Description"]["TableId"],
        "ExportTime": moment_s,
        "ClientToken": request.get("ClientToken") or db.ids.uuid(),
        **{name: request[name] for name in kept if name in request},
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "FULL_EXPORT",
    }
    key = f"export/{table.region}/{table.name}/{export_id}"
    document = {"Description": description, "Account": call.account, "Request": request}
    await db.catalog.store({key: document})
    db.catalog.in_background(_run(db, table, key, document))
    return {"ExportDescription": description}


async def describe_export(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DescribeExport", request)
    arn = parse_arn(request["ExportArn"])
    parts = arn.resource.split("/") if arn is not None else []
    if arn is None or len(parts) != 4 or parts[2] != "export":
        raise invalid(f"Invalid ExportArn: {request['ExportArn']}")
    key = f"export/{arn.region}/{parts[1]}/{parts[3]}"
    document = (await db.storage.documents(key)).get(key)
    if document is None:
        raise AwsError("ExportNotFoundException", f"Export not found: {request['ExportArn']}")
    return {"ExportDescription": document["Description"]}


async def list_exports(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ListExports", request)
    wanted, limit = request.get("TableArn"), request.get("MaxResults") or _LISTED
    found = [
        {name: document["Description"][name] for name in ("ExportArn", "ExportStatus", "ExportType")}
        for key, document in (await db.storage.documents(f"export/{call.region}/")).items()
        if wanted in (None, document["Description"]["TableArn"]) and key > (request.get("NextToken") or "")
    ]
    answer: Json = {"ExportSummaries": found[:limit]}
    if len(found) > limit:
        answer["NextToken"] = _key_of(found[limit - 1]["ExportArn"])
    return answer


async def resume_exports(db: DynamoDB) -> None:
    """At a start."""
    for key, document in (await db.storage.documents("export/")).items():
        if document["Description"]["ExportStatus"] != "IN_PROGRESS":
            continue
        _, region, name, _ = key.split("/")
        table = db.catalog.find(region, name)
        if table is None or table.history is None:
            await _fail(db, key, document, "TableNotFound", "The table is gone, or its past is no longer kept.")
        else:
            db.catalog.in_background(_run(db, table, key, document))


async def forget(db: DynamoDB) -> None:
    """What ended so long ago that it is no longer listed."""
    for prefix in ("export/", "import/"):
        for key, document in (await db.storage.documents(prefix)).items():
            if document["Description"].get("EndTime", db.clock.now_s()) < db.clock.now_s() - LISTED_S:
                await db.catalog.store({key: None})


def _refuse_the_rest(request: Json) -> None:
    if request.get("ExportFormat") == "ION":
        raise invalid("Freehold does not support exports in the format ION yet.")
    if request.get("ExportType") == "INCREMENTAL_EXPORT" or request.get("IncrementalExportSpecification"):
        raise invalid("Freehold does not support incremental exports yet.")
    if request.get("FilterSpecification"):
        raise invalid("Freehold does not support exports with a FilterSpecification yet.")


async def _earlier(db: DynamoDB, table: Table, request: Json) -> Json | None:
    """The export that the same token has begun. Raises ExportConflictException."""
    token = request.get("ClientToken")
    if token is None:
        return None
    for document in (await db.storage.documents(f"export/{table.region}/{table.name}/")).values():
        if document["Description"]["ClientToken"] == token:
            if document["Request"] != request:
                raise AwsError("ExportConflictException", "The client token was used with other parameters before")
            return document
    return None


async def _run(db: DynamoDB, table: Table, key: str, document: Json) -> None:
    description = document["Description"]
    aws = db.bind(Call(region=table.region, account=document["Account"]))
    assert table.history is not None
    past = Past(table.history, int(description["ExportTime"] * 1000))
    async with db.catalog.scratch() as space:
        tally = await copy_items(db.storage, table.space, bare(table, space), past)
        try:
            export = _Export(aws, description)
            await export.put("_started", b"")
            await _write_items(db, space, export)
            ended = {
                "ExportStatus": "COMPLETED",
                "EndTime": db.clock.now_s(),
                "ItemCount": tally.rows,
                "BilledSizeBytes": tally.size_bytes,
                "ExportManifest": export.name("manifest-summary.json"),
            }
            await export.put_manifests({**description, **ended})
        except AwsError as error:
            await _fail(db, key, document, f"S3{error.code}", error.message)
            return
    await db.catalog.store({key: {**document, "Description": {**description, **ended}}})


async def _fail(db: DynamoDB, key: str, document: Json, code: str, message: str) -> None:
    ended = {
        "ExportStatus": "FAILED",
        "EndTime": db.clock.now_s(),
        "FailureCode": code,
        "FailureMessage": message,
    }
    await db.catalog.store({key: {**document, "Description": {**document["Description"], **ended}}})


@dataclass(slots=True)
class _Export:
    """The files of one export; those with data are listed in the manifest."""

    aws: Aws
    description: Json
    files: list[Json] = field(default_factory=list)

    def name(self, file: str) -> str:
        prefix = self.description.get("S3Prefix")
        export_id = self.description["ExportArn"].rpartition("/")[2]
        return f"{prefix.strip('/')}/AWSDynamoDB/{export_id}/{file}" if prefix else f"AWSDynamoDB/{export_id}/{file}"

    async def put(self, file: str, body: bytes) -> str:
        """The object's ETag."""
        request: Json = {"Bucket": self.description["S3Bucket"], "Key": self.name(file), "Body": body}
        if "S3BucketOwner" in self.description:
            request["ExpectedBucketOwner"] = self.description["S3BucketOwner"]
        if "S3SseAlgorithm" in self.description:
            is_kms = self.description["S3SseAlgorithm"] == "KMS"
            request["ServerSideEncryption"] = "aws:kms" if is_kms else self.description["S3SseAlgorithm"]
        if "S3SseKmsKeyId" in self.description:
            request["SSEKMSKeyId"] = self.description["S3SseKmsKeyId"]
        return str((await self.aws("s3", "PutObject", request))["ETag"])

    async def put_data(self, lines: list[bytes]) -> None:
        body = await asyncio.to_thread(gzip.compress, b"".join(lines), 6, mtime=0)
        file = f"data/{len(self.files):06d}-{hashlib.md5(body, usedforsecurity=False).hexdigest()}.json.gz"
        etag = await self.put(file, body)
        self.files.append(
            {
                "itemCount": len(lines),
                "md5Checksum": _md5(body),
                "etag": etag.strip('"'),
                "dataFileS3Key": self.name(file),
            }
        )

    async def put_manifests(self, description: Json) -> None:
        listed = b"".join(orjson.dumps(file) + b"\n" for file in self.files)
        summary = {
            "version": "2020-06-30",
            "exportArn": description["ExportArn"],
            "startTime": _iso(description["StartTime"]),
            "endTime": _iso(description["EndTime"]),
            "tableArn": description["TableArn"],
            "tableId": description["TableId"],
            "exportTime": _iso(description["ExportTime"]),
            "s3Bucket": description["S3Bucket"],
            "s3Prefix": description.get("S3Prefix"),
            "s3SseAlgorithm": description.get("S3SseAlgorithm", "AES256"),
            "s3SseKmsKeyId": description.get("S3SseKmsKeyId"),
            "manifestFilesS3Key": self.name("manifest-files.json"),
            "billedSizeBytes": description["BilledSizeBytes"],
            "itemCount": description["ItemCount"],
            "outputFormat": description["ExportFormat"],
            "exportType": description["ExportType"],
        }
        for file, body in (("manifest-files", listed), ("manifest-summary", orjson.dumps(summary))):
            await self.put(f"{file}.md5", _md5(body).encode())
            await self.put(f"{file}.json", body)


async def _write_items(db: DynamoDB, space: int, export: _Export) -> None:
    span = all_with(space_prefix(space))
    lines: list[bytes] = []
    size = 0
    while True:
        page = await db.storage.read_range(span, _ROWS)
        for row in page.rows:
            lines.append(b'{"Item":' + row.body + b"}\n")
            size += len(lines[-1])
        if lines and (size >= _FILE_BYTES or page.is_last):
            await export.put_data(lines)
            lines, size = [], 0
        if page.is_last:
            return
        span = Range(page.keys[-1] + b"\x00", span.high)
        await asyncio.sleep(0)


def _md5(body: bytes) -> str:
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def _iso(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _key_of(export_arn: str) -> str:
    arn = parse_arn(export_arn)
    assert arn is not None
    _, name, _, export_id = arn.resource.split("/")
    return f"export/{arn.region}/{name}/{export_id}"
