"""ImportTable, DescribeImport, ListImports: a new table from files in an S3 bucket.

One decision to know: as a restored table, an imported one shows nothing before it is whole, and an import that a stop
cut off begins anew. AWS: "DynamoDB data import from Amazon S3: how it works", "Amazon S3 import formats".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from freehold.aws.arn import parse_arn
from freehold.aws.call import Aws, Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.clock import now_ms
from freehold.services.dynamodb.import_files import Malformed, read_items
from freehold.services.dynamodb.record import DynamoDB, Json, check_table_name, invalid, table_name
from freehold.services.dynamodb.restores import being_filled, empty_again, filled
from freehold.services.dynamodb.schemas import check_new_table
from freehold.services.dynamodb.tables import new_table
from freehold.tables.items import change_row, check_item_keys, read_item, row_key
from freehold.tables.schema import Table
from freehold.tables.storage import Changes, Row
from freehold.tables.values import MAX_ITEM_BYTES, Item, check_item

# How an import ends that left items out. Seen in moto's tests that were run against Amazon's service.
_LEFT_OUT = {
    "ImportStatus": "FAILED",
    "FailureCode": "ItemValidationError",
    "FailureMessage": "Some of the items failed validation checks and were not imported. Please check CloudWatch error "
    "logs for more details.",
}
LOG_GROUP = "/aws-dynamodb/imports"
_LISTED = 25
_AT_ONCE = 50  # Items in one write.
_LOGGED = 100  # Refused items that are named in the log.


async def import_table(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ImportTable", request)
    if request["InputFormat"] == "ION":
        raise invalid("Freehold does not support imports in the format ION yet.")
    if request.get("InputCompressionType") == "ZSTD":
        raise invalid("Freehold does not support imports compressed with ZSTD yet.")
    wanted = request["TableCreationParameters"]
    if wanted.get("VectorIndexes"):
        raise invalid("Freehold does not support vector indexes yet.")
    name = table_name(wanted["TableName"])
    check_table_name("TableName", name)
    check_new_table(wanted)
    async with db.catalog.shaping():
        earlier = await _earlier(db, call, request)
        if earlier is not None:
            return {"ImportTableDescription": earlier["Description"]}
        if db.catalog.find(call.region, name) is not None:
            raise AwsError("ResourceInUseException", f"Table already exists: {name}")
        document = new_table(db, call, name, wanted)
        key, made = _new_import(db, call, request, document["Description"])
        await db.catalog.store({key: made})
        table = await db.catalog.put(call.region, being_filled(document, {"Import": key}))
    db.catalog.in_background(_run(db, table, key, made))
    return {"ImportTableDescription": made["Description"]}


async def describe_import(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DescribeImport", request)
    arn = parse_arn(request["ImportArn"])
    parts = arn.resource.split("/") if arn is not None else []
    if arn is None or len(parts) != 4 or parts[2] != "import":
        raise invalid(f"Invalid ImportArn: {request['ImportArn']}")
    key = f"import/{arn.region}/{parts[1]}/{parts[3]}"
    document = (await db.storage.documents(key)).get(key)
    if document is None:
        raise AwsError("ImportNotFoundException", f"Import not found: {request['ImportArn']}")
    return {"ImportTableDescription": document["Description"]}


async def list_imports(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ListImports", request)
    wanted, limit = request.get("TableArn"), request.get("PageSize") or _LISTED
    found = {
        key: document["Description"]
        for key, document in (await db.storage.documents(f"import/{call.region}/")).items()
        if wanted in (None, document["Description"]["TableArn"]) and key > (request.get("NextToken") or "")
    }
    kept = ("ImportArn", "ImportStatus", "TableArn", "S3BucketSource", "InputFormat", "StartTime", "EndTime")
    shown = list(found)[:limit]
    answer: Json = {
        "ImportSummaryList": [{name: found[key][name] for name in kept if name in found[key]} for key in shown]
    }
    if len(found) > limit:
        answer["NextToken"] = shown[-1]
    return answer


async def resume_imports(db: DynamoDB) -> None:
    """At a start."""
    for table in db.catalog.tables():
        key = (table.document.get("Filling") or {}).get("Import")
        if key is not None:
            document = (await db.storage.documents(key))[key]
            db.catalog.in_background(_run(db, await empty_again(db, table), key, document))


@dataclass(slots=True)
class _Progress:
    processed: int = 0
    imported: int = 0
    size_bytes: int = 0
    errors: int = 0
    messages: list[str] = field(default_factory=list)

    def refuse(self, where: str, reason: str) -> None:
        self.errors += 1
        if len(self.messages) < _LOGGED:
            self.messages.append(f"{where}: {reason}")


async def _run(db: DynamoDB, table: Table, key: str, document: Json) -> None:
    """Until the table is ACTIVE, with all of the files or, where they cannot be read, with what came before; a table
    for which nothing could be read goes."""
    description, progress = document["Description"], _Progress()
    aws = db.bind(Call(region=table.region, account=document["Account"]))
    ended: Json = {"ImportStatus": "COMPLETED"}
    try:
        await _import(db, aws, table, document["Request"], progress)
        if progress.errors:
            ended = _LEFT_OUT.copy()
    except AwsError as error:
        ended = {"ImportStatus": "FAILED", "FailureCode": f"S3{error.code}", "FailureMessage": error.message}
    if progress.messages:
        await _log(db, aws, description["ImportArn"].rpartition("/")[2], progress.messages)
    ended |= {
        "EndTime": db.clock.now_s(),
        "ErrorCount": progress.errors,
        "ProcessedItemCount": progress.processed,
        "ImportedItemCount": progress.imported,
        "ProcessedSizeBytes": progress.size_bytes,
    }
    async with db.catalog.shaping():
        done = {key: {**document, "Description": {**description, **ended}}}
        if ended["ImportStatus"] == "FAILED" and not progress.processed:
            await db.catalog.delete(table, done)
        else:
            await db.catalog.put(table.region, filled(table), documents=done)


async def _import(db: DynamoDB, aws: Aws, table: Table, request: Json, progress: _Progress) -> None:
    types = {
        each["AttributeName"]: each["AttributeType"] for each in table.document["Description"]["AttributeDefinitions"]
    }
    waiting: dict[bytes, tuple[Item, int]] = {}  # Of one key the later item stays.
    async for name, body in _objects(aws, request["S3BucketSource"]):
        async for place, read in read_items(body, request, types):
            progress.processed += 1
            if isinstance(read, Malformed):
                progress.refuse(f"{name}, line {place}", str(read))
                continue
            item, line_bytes = read
            progress.size_bytes += line_bytes
            try:
                size = check_item(item)
                check_item_keys(table, item)
                if size > MAX_ITEM_BYTES:
                    raise invalid("Item size has exceeded the maximum allowed size")
            except AwsError as error:
                progress.refuse(f"{name}, line {place}", error.message)
                continue
            progress.imported += 1
            waiting[row_key(table, item)] = (item, size)
            if len(waiting) == _AT_ONCE:
                await _put(db, table, waiting)
                waiting = {}
    await _put(db, table, waiting)


async def _put(db: DynamoDB, table: Table, items: dict[bytes, tuple[Item, int]]) -> None:
    def decide(rows: Sequence[Row | None]) -> tuple[Changes, None]:
        given = zip(items.items(), rows, strict=True)
        return Changes([change_row(table, key, row, read_item(row), *new) for (key, new), row in given]), None

    if items:
        await db.storage.write(list(items), decide)


async def _objects(aws: Aws, source: Json) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    where = {"Bucket": source["S3Bucket"]}
    if source.get("S3BucketOwner"):
        where["ExpectedBucketOwner"] = source["S3BucketOwner"]
    request = {**where, "Prefix": source.get("S3KeyPrefix") or ""}
    while True:
        page = await aws("s3", "ListObjectsV2", request)
        for found in page.get("Contents") or ():
            if found["Size"]:
                body = (await aws("s3", "GetObject", {**where, "Key": found["Key"]}))["Body"]
                yield found["Key"], _whole(body) if isinstance(body, bytes) else body
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _log(db: DynamoDB, aws: Aws, stream: str, messages: list[str]) -> None:
    for operation, request in (
        ("CreateLogGroup", {"logGroupName": LOG_GROUP}),
        ("CreateLogStream", {"logGroupName": LOG_GROUP, "logStreamName": stream}),
    ):
        try:
            await aws("logs", operation, request)
        except AwsError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise
    now = now_ms(db.clock)
    events = [{"timestamp": now, "message": message} for message in messages]
    await aws("logs", "PutLogEvents", {"logGroupName": LOG_GROUP, "logStreamName": stream, "logEvents": events})


async def _earlier(db: DynamoDB, call: Call, request: Json) -> Json | None:
    """The import that the same token has begun. Raises ImportConflictException."""
    token = request.get("ClientToken")
    if token is None:
        return None
    for document in (await db.storage.documents(f"import/{call.region}/")).values():
        if document["Description"]["ClientToken"] == token:
            if document["Request"] != request:
                raise AwsError("ImportConflictException", "The client token was used with other parameters before")
            return document
    return None


def _new_import(db: DynamoDB, call: Call, request: Json, table: Json) -> tuple[str, Json]:
    import_id = f"{now_ms(db.clock):014d}-{db.ids.hex(8)}"
    kept = ("S3BucketSource", "InputFormat", "InputFormatOptions", "TableCreationParameters")
    description = {
        "ImportArn": f"{table['TableArn']}/import/{import_id}",
        "ImportStatus": "IN_PROGRESS",
        "TableArn": table["TableArn"],
        "TableId": table["TableId"],
        "ClientToken": request.get("ClientToken") or db.ids.uuid(),
        **{name: request[name] for name in kept if name in request},
        "InputCompressionType": request.get("InputCompressionType") or "NONE",
        "StartTime": db.clock.now_s(),
        "ErrorCount": 0,
        "ProcessedItemCount": 0,
        "ImportedItemCount": 0,
        "ProcessedSizeBytes": 0,
    }
    arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{LOG_GROUP}:*"
    description["CloudWatchLogGroupArn"] = arn
    key = f"import/{call.region}/{table['TableName']}/{import_id}"
    return key, {"Description": description, "Account": call.account, "Request": request}
