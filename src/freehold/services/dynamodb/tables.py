"""CreateTable, DescribeTable, ListTables.

One decision to know: a table is in force when CreateTable has answered, though the answer says CREATING as AWS's does.
"""

from __future__ import annotations

from datetime import UTC, datetime

from freehold.aws.arn import Arn
from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.record import DynamoDB, Json, check_table_name, table_name
from freehold.services.dynamodb.schemas import ON_DEMAND_UNITS, check_new_table, refuse_unsupported
from freehold.services.dynamodb.tagging import read_tags
from freehold.tables.schema import Table

MAX_TABLES = 2500  # AWS's quota for one account and region.
_LISTED = 100

_OPTIONAL = ("OnDemandThroughput", "WarmThroughput")


async def create_table(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "CreateTable", request)
    name = table_name(request["TableName"])
    check_table_name("TableName", name)
    refuse_unsupported(request)
    check_new_table(request)
    tags = read_tags(request.get("Tags") or [])
    async with db.catalog.shaping():
        if db.catalog.find(call.region, name) is not None:
            raise AwsError("ResourceInUseException", f"Table already exists: {name}")
        document = new_table(db, call, name, request)
        document["Tags"] = tags
        description = document["Description"]
        streams = {}
        if description.get("StreamSpecification"):
            streams = start_stream(db, call, document)
        await db.catalog.put(call.region, document, documents=streams)
    answer = {**description, "TableStatus": "CREATING"}
    if "GlobalSecondaryIndexes" in answer:
        answer["GlobalSecondaryIndexes"] = [
            {**index, "IndexStatus": "CREATING"} for index in answer["GlobalSecondaryIndexes"]
        ]
    return {"TableDescription": answer}


def new_table(db: DynamoDB, call: Call, name: str, request: Json) -> Json:
    """The document of a checked CreateTable; raises LimitExceededException."""
    if len(db.catalog.names(call.region)) >= MAX_TABLES:
        raise AwsError(
            "LimitExceededException",
            f"Subscriber limit exceeded: There is a limit of {MAX_TABLES} tables per subscriber",
        )
    description = _describe_new(db, call, name, request)
    return {
        "Description": description,
        "Space": db.catalog.new_space(),
        "IndexSpaces": {index["IndexName"]: db.catalog.new_space() for index in _indexes(description)},
        "Tags": {},
    }


def check_is_ready(table: Table, doing: str = "created") -> None:
    """What changes a table waits until it is filled."""
    if not table.is_ready:
        raise AwsError(
            "ResourceInUseException",
            f"Attempt to change a resource which is still in use: Table is being {doing}: {table.name}",
        )


async def describe_table(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "DescribeTable", request)
    table = named_table(db, call, request)
    return {"Table": await describe(db, table)}


async def list_tables(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ListTables", request)
    limit = request.get("Limit") or _LISTED
    start = request.get("ExclusiveStartTableName") or ""
    names = [name for name in db.catalog.names(call.region) if name > start]
    answer: Json = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return answer


def named_table(
    db: DynamoDB, call: Call, request: Json, words: str = "Requested resource not found: Table: {} not found"
) -> Table:
    """For operations on tables, which say the name when there is none."""
    name = table_name(request["TableName"])
    check_table_name("TableName", name)
    table = db.catalog.find(call.region, name)
    if table is None:
        raise AwsError("ResourceNotFoundException", words.format(name))
    return table


async def describe(db: DynamoDB, table: Table) -> Json:
    """With the numbers of now: AWS brings them up to date every six hours or so."""
    tally = await db.storage.tally(table.space)
    description: Json = {**table.document["Description"], "ItemCount": tally.rows, "TableSizeBytes": tally.size_bytes}
    mode = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    description["WarmThroughput"] = _warm_throughput(description, mode)
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if member in description:
            described = []
            for index in description[member]:
                inner = await db.storage.tally(table.document["IndexSpaces"][index["IndexName"]])
                described.append({**index, "ItemCount": inner.rows, "IndexSizeBytes": inner.size_bytes})
                if member == "GlobalSecondaryIndexes":
                    described[-1]["WarmThroughput"] = _warm_throughput(index, mode)
            description[member] = described
    return description


def _warm_throughput(described: Json, mode: str) -> Json:
    """Of a table or a global index: what was asked for, else what its mode begins with."""
    units = described["ProvisionedThroughput"]
    least = (
        ON_DEMAND_UNITS
        if mode == "PAY_PER_REQUEST"
        else {name: units[f"{name.removesuffix('UnitsPerSecond')}CapacityUnits"] for name in ON_DEMAND_UNITS}
    )
    return {**least, **described.get("WarmThroughput", {}), "Status": "ACTIVE"}


def start_stream(db: DynamoDB, call: Call, document: Json) -> Json:
    """Gives the table a new stream; the stream's own document, by key."""
    description = document["Description"]
    label = datetime.fromtimestamp(db.clock.now_s(), UTC).isoformat(timespec="milliseconds")[:-6]
    arn = f"{description['TableArn']}/stream/{label}"
    key = f"stream/{call.region}/{description['TableName']}/{label}"
    document["Stream"] = {"Number": db.catalog.new_space(), "Key": key, "CreatedS": db.clock.now_s()}
    description["LatestStreamLabel"] = label
    description["LatestStreamArn"] = arn
    return {key: _stream_document(document, None)}


def stop_stream(db: DynamoDB, document: Json) -> Json:
    """What it had stays readable for a day: only its end is noted."""
    stream = document.get("Stream")
    return {} if stream is None else {stream["Key"]: _stream_document(document, db.clock.now_s())}


def _stream_document(document: Json, disabled_s: float | None) -> Json:
    """What the Streams API knows of a stream; it outlives its table."""
    description, stream = document["Description"], document["Stream"]
    return {
        "Number": stream["Number"],
        "StreamArn": description["LatestStreamArn"],
        "StreamLabel": description["LatestStreamLabel"],
        "StreamViewType": description["StreamSpecification"]["StreamViewType"],
        "TableName": description["TableName"],
        "KeySchema": description["KeySchema"],
        "CreatedS": stream["CreatedS"],
        "DisabledS": disabled_s,
    }


def describe_throughput(throughput: Json | None) -> Json:
    return {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": throughput["ReadCapacityUnits"] if throughput else 0,
        "WriteCapacityUnits": throughput["WriteCapacityUnits"] if throughput else 0,
    }


def describe_global(table_arn: str, index: Json) -> Json:
    described = {
        "IndexName": index["IndexName"],
        "KeySchema": index["KeySchema"],
        "Projection": index["Projection"],
        "IndexStatus": "ACTIVE",
        "ProvisionedThroughput": describe_throughput(index.get("ProvisionedThroughput")),
        "IndexSizeBytes": 0,
        "ItemCount": 0,
        "IndexArn": f"{table_arn}/index/{index['IndexName']}",
    }
    return described | {name: index[name] for name in _OPTIONAL if index.get(name) is not None}


def describe_encryption(specification: Json, call: Call) -> Json:
    """SSEDescription: what is set is told; the data directory's encryption is the disk's."""
    if not specification.get("Enabled"):
        return {}
    default = Arn("kms", call.region, call.account, "alias/aws/dynamodb")
    return {
        "Status": "ENABLED",
        "SSEType": specification.get("SSEType") or "KMS",
        "KMSMasterKeyArn": specification.get("KMSMasterKeyId") or str(default),
    }


def _indexes(description: Json) -> list[Json]:
    return [*description.get("LocalSecondaryIndexes", ()), *description.get("GlobalSecondaryIndexes", ())]


def _describe_new(db: DynamoDB, call: Call, name: str, request: Json) -> Json:
    now = db.clock.now_s()
    arn = str(Arn("dynamodb", call.region, call.account, f"table/{name}"))
    description: Json = {
        "AttributeDefinitions": request["AttributeDefinitions"],
        "TableName": name,
        "KeySchema": request["KeySchema"],
        "TableStatus": "ACTIVE",
        "CreationDateTime": now,
        "ProvisionedThroughput": describe_throughput(request.get("ProvisionedThroughput")),
        "TableSizeBytes": 0,
        "ItemCount": 0,
        "TableArn": arn,
        "TableId": db.ids.uuid(),
        "DeletionProtectionEnabled": bool(request.get("DeletionProtectionEnabled")),
    }
    if request.get("BillingMode") == "PAY_PER_REQUEST":
        description["BillingModeSummary"] = {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": now}
    if request.get("LocalSecondaryIndexes"):
        description["LocalSecondaryIndexes"] = [
            {
                "IndexName": index["IndexName"],
                "KeySchema": index["KeySchema"],
                "Projection": index["Projection"],
                "IndexSizeBytes": 0,
                "ItemCount": 0,
                "IndexArn": f"{arn}/index/{index['IndexName']}",
            }
            for index in request["LocalSecondaryIndexes"]
        ]
    if request.get("GlobalSecondaryIndexes"):
        description["GlobalSecondaryIndexes"] = [
            describe_global(arn, index) for index in request["GlobalSecondaryIndexes"]
        ]
    stream = request.get("StreamSpecification")
    if stream is not None and stream["StreamEnabled"]:
        description["StreamSpecification"] = stream
    if request.get("SSESpecification"):
        encryption = describe_encryption(request["SSESpecification"], call)
        if encryption:
            description["SSEDescription"] = encryption
    if request.get("TableClass"):
        description["TableClassSummary"] = {"TableClass": request["TableClass"]}
    return description | {member: request[member] for member in _OPTIONAL if request.get(member) is not None}
