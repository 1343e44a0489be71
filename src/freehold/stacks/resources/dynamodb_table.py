"""AWS::DynamoDB::Table"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.resources.types import Created, Name, ResourceType, changed, pick, tag_changes, tag_list, without
from freehold.stacks.resources.wait import until

TYPE = "AWS::DynamoDB::Table"

# Set by operations of their own, after the table is there.
_LATER = ("TimeToLiveSpecification", "PointInTimeRecoverySpecification", "ImportSourceSpecification")
# Not here yet: KinesisStreamSpecification, ContributorInsightsSpecification, ResourcePolicy.
_SUPPORTED = frozenset(
    {
        *_LATER,
        *("AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema"),
        *("LocalSecondaryIndexes", "OnDemandThroughput", "ProvisionedThroughput", "SSESpecification"),
        *("StreamSpecification", "TableClass", "TableName", "Tags", "WarmThroughput"),
    }
)
# Of a table that an import makes: what ImportTable takes, and what is set when it is there.
_IMPORTED = (
    *("TableName", "AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput"),
    *("OnDemandThroughput", "SSESpecification", "GlobalSecondaryIndexes"),
)
_AFTER_IMPORT = ("StreamSpecification", "DeletionProtectionEnabled", "TableClass", "WarmThroughput")


async def create(aws: Aws, properties: Json) -> Created:
    request = without(properties, *_LATER)
    if "StreamSpecification" in request:
        request["StreamSpecification"] = _stream(request["StreamSpecification"])
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if request.get(name) == []:
            del request[name]
    if "GlobalSecondaryIndexes" in request:
        request["GlobalSecondaryIndexes"] = [_index(index) for index in request["GlobalSecondaryIndexes"]]
    if "SSESpecification" in request:
        request["SSESpecification"] = _encryption(request["SSESpecification"])
    name = properties["TableName"]
    if "ImportSourceSpecification" in properties:
        await _import(aws, name, request, properties["ImportSourceSpecification"])
    else:
        await aws("dynamodb", "CreateTable", request)
    await _until_active(aws, name)
    await _configure(aws, name, properties, {})
    return await _created(aws, name)


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    different = changed(properties, previous)
    request: Json = {
        name: properties[name]
        for name in (
            "BillingMode",
            "ProvisionedThroughput",
            "OnDemandThroughput",
            "WarmThroughput",
            "TableClass",
            "DeletionProtectionEnabled",
        )
        if name in different and name in properties
    }
    if "DeletionProtectionEnabled" in different and "DeletionProtectionEnabled" not in properties:
        request["DeletionProtectionEnabled"] = False
    if "BillingMode" in request and request["BillingMode"] == "PROVISIONED":
        request.update(pick(properties, "ProvisionedThroughput"))
    if "SSESpecification" in different:
        request["SSESpecification"] = _encryption(properties.get("SSESpecification") or {"SSEEnabled": False})
    if request:
        await aws("dynamodb", "UpdateTable", {"TableName": physical_id, **request})
        await _until_active(aws, physical_id)
    if "StreamSpecification" in different:
        await _change_stream(aws, physical_id, properties, previous)
    await _change_indexes(aws, physical_id, properties, previous)
    await _configure(aws, physical_id, properties, previous)
    created = await _created(aws, physical_id)
    await _tag(aws, created.attributes["Arn"], properties, previous)
    return created


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("dynamodb", "DeleteTable", {"TableName": physical_id})

    async def is_gone() -> bool:
        try:
            await aws("dynamodb", "DescribeTable", {"TableName": physical_id})
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                return True
            raise
        return False

    await until(is_gone)


async def _import(aws: Aws, name: str, request: Json, source: Json) -> None:
    if "LocalSecondaryIndexes" in request:
        raise AwsError("ValidationException", "A table that is imported can have no LocalSecondaryIndexes.")
    parameters = pick(request, *_IMPORTED)
    made = await aws("dynamodb", "ImportTable", {**source, "TableCreationParameters": parameters})
    arn = made["ImportTableDescription"]["ImportArn"]

    async def has_ended() -> bool:
        found = (await aws("dynamodb", "DescribeImport", {"ImportArn": arn}))["ImportTableDescription"]
        if found["ImportStatus"] == "FAILED":
            raise AwsError("ValidationException", f"The import failed: {found['FailureMessage']}")
        return bool(found["ImportStatus"] == "COMPLETED")

    await until(has_ended)
    later = pick(request, *_AFTER_IMPORT)
    if later:
        await aws("dynamodb", "UpdateTable", {"TableName": name, **later})
    if request.get("Tags"):
        await aws(
            "dynamodb",
            "TagResource",
            {"ResourceArn": made["ImportTableDescription"]["TableArn"], "Tags": request["Tags"]},
        )


def _stream(specification: Json) -> Json:
    return {"StreamEnabled": True, **pick(specification, "StreamViewType")}


def _encryption(specification: Json) -> Json:
    request = {"Enabled": specification.get("SSEEnabled", False)}
    return {**request, **pick(specification, "SSEType", "KMSMasterKeyId")}


def _index(index: Json) -> Json:
    if (index.get("ContributorInsightsSpecification") or {}).get("Enabled"):
        raise AwsError("ValidationException", "Freehold does not support contributor insights of indexes yet.")
    return without(index, "ContributorInsightsSpecification")


async def _change_stream(aws: Aws, name: str, properties: Json, previous: Json) -> None:
    # A stream's view cannot be changed: the old stream ends, a new one begins.
    if previous.get("StreamSpecification"):
        await aws("dynamodb", "UpdateTable", {"TableName": name, "StreamSpecification": {"StreamEnabled": False}})
        await _until_active(aws, name)
    if properties.get("StreamSpecification"):
        stream = _stream(properties["StreamSpecification"])
        await aws("dynamodb", "UpdateTable", {"TableName": name, "StreamSpecification": stream})
        await _until_active(aws, name)


async def _change_indexes(aws: Aws, name: str, properties: Json, previous: Json) -> None:
    """One index at a time, as DynamoDB wants it; an index whose keys or projection changed is made anew."""
    new = {index["IndexName"]: _index(index) for index in properties.get("GlobalSecondaryIndexes") or []}
    old = {index["IndexName"]: _index(index) for index in previous.get("GlobalSecondaryIndexes") or []}
    updates: list[Json] = []
    for index_name, index in old.items():
        kept = new.get(index_name)
        if kept is None or any(kept.get(part) != index.get(part) for part in ("KeySchema", "Projection")):
            updates.append({"Delete": {"IndexName": index_name}})
        elif kept != index:
            throughput = pick(kept, "ProvisionedThroughput", "OnDemandThroughput")
            updates.append({"Update": {"IndexName": index_name, **throughput}})
    gone = {update["Delete"]["IndexName"] for update in updates if "Delete" in update}
    updates += [{"Create": index} for index_name, index in new.items() if index_name not in old or index_name in gone]
    for update in updates:
        request: Json = {"TableName": name, "GlobalSecondaryIndexUpdates": [update]}
        if "Create" in update:
            request["AttributeDefinitions"] = properties["AttributeDefinitions"]
        await aws("dynamodb", "UpdateTable", request)
        await _until_active(aws, name)


async def _configure(aws: Aws, name: str, properties: Json, previous: Json) -> None:
    different = changed(properties, previous)
    table = {"TableName": name}
    if "TimeToLiveSpecification" in different:
        wanted = properties.get("TimeToLiveSpecification") or {}
        before = previous.get("TimeToLiveSpecification") or {}
        if wanted.get("Enabled", False) or before.get("Enabled", False):
            attribute = wanted.get("AttributeName") or before.get("AttributeName")
            specification = {"Enabled": wanted.get("Enabled", False), "AttributeName": attribute}
            await aws("dynamodb", "UpdateTimeToLive", {**table, "TimeToLiveSpecification": specification})
    if "PointInTimeRecoverySpecification" in different:
        recovery = properties.get("PointInTimeRecoverySpecification") or {"PointInTimeRecoveryEnabled": False}
        if recovery.get("PointInTimeRecoveryEnabled") or previous:
            request = {**table, "PointInTimeRecoverySpecification": recovery}
            await aws("dynamodb", "UpdateContinuousBackups", request)


async def _tag(aws: Aws, arn: str, properties: Json, previous: Json) -> None:
    gone, put = tag_changes(properties, previous)
    if gone:
        await aws("dynamodb", "UntagResource", {"ResourceArn": arn, "TagKeys": gone})
    if put:
        await aws("dynamodb", "TagResource", {"ResourceArn": arn, "Tags": tag_list(put)})


async def _until_active(aws: Aws, name: str) -> None:
    async def is_active() -> bool:
        table = (await aws("dynamodb", "DescribeTable", {"TableName": name}))["Table"]
        indexes = table.get("GlobalSecondaryIndexes") or []
        return table["TableStatus"] == "ACTIVE" and all(
            index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes
        )

    await until(is_active)


async def _created(aws: Aws, name: str) -> Created:
    table = (await aws("dynamodb", "DescribeTable", {"TableName": name}))["Table"]
    attributes = {"Arn": table["TableArn"]}
    if table.get("LatestStreamArn"):
        attributes["StreamArn"] = table["LatestStreamArn"]
    return Created(table["TableName"], attributes)


RESOURCE = ResourceType(TYPE, ("dynamodb",), create, delete, update, Name("TableName", 255), supported=_SUPPORTED)
