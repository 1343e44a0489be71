"""TagResource, UntagResource, ListTagsOfResource."""

from __future__ import annotations

import re

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.record import DynamoDB, Json, bad_value, invalid
from freehold.tables.schema import Table

MAX_TAGS = 50

_TEXT = re.compile(r"[\w\s+\-=.:/@]*")


async def tag_resource(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "TagResource", request)
    if not request["Tags"]:
        raise invalid("Atleast one Tag needs to be provided as Input.")
    async with db.catalog.shaping():
        table = _tagged(db, call, request)
        tags = {**table.document.get("Tags", {}), **read_tags(request["Tags"])}
        _check_count(tags)
        await db.catalog.put(call.region, {**table.document, "Tags": tags})
    return {}


async def untag_resource(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "UntagResource", request)
    if not request["TagKeys"]:
        raise invalid("Atleast one Tag Key needs to be provided as Input.")
    async with db.catalog.shaping():
        table = _tagged(db, call, request)
        tags = {key: value for key, value in table.document.get("Tags", {}).items() if key not in request["TagKeys"]}
        await db.catalog.put(call.region, {**table.document, "Tags": tags})
    return {}


async def list_tags_of_resource(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ListTagsOfResource", request)
    # Fifty at most, and one page: ScyllaDB's suite, which was run against Amazon's service, reads no other.
    table = _tagged(db, call, request)
    return {"Tags": [{"Key": key, "Value": value} for key, value in table.document.get("Tags", {}).items()]}


def read_tags(tags: list[Json]) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags:
        if tag["Key"] in found:
            raise bad_value(f"Duplicate tag key: {tag['Key']}")
        if tag["Key"].lower().startswith("aws:"):
            raise invalid("One or more tags have an invalid key: keys that begin with aws: are reserved for AWS")
        if not _TEXT.fullmatch(tag["Key"]) or not _TEXT.fullmatch(tag["Value"]):
            raise invalid(
                "One or more tags have an invalid key or value: "
                "letters, numbers, spaces and + - = . _ : / @ are allowed"
            )
        found[tag["Key"]] = tag["Value"]
    _check_count(found)
    return found


def _check_count(tags: dict[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise invalid(f"Too many tags: at most {MAX_TAGS} may be on a table")


def _tagged(db: DynamoDB, call: Call, request: Json) -> Table:
    text = request["ResourceArn"]
    arn = parse_arn(text)
    if arn is None:
        raise bad_value(f"Invalid resource arn provided: ARNs must start with 'arn:'. Provided resource arn: {text}")
    if arn.resource.count("/") > 1:
        raise bad_value(
            f"Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {text}"
        )
    if arn.service != "dynamodb" or not arn.resource.startswith("table/"):
        raise invalid(f"Invalid TableArn: Invalid ResourceArn provided as input {text}")
    if arn.account != call.account:
        raise AwsError(
            "AccessDeniedException",
            f"User is not authorized to perform: dynamodb:TagResource on resource: {text}",
        )
    table = db.catalog.find(arn.region, arn.resource.split("/")[1])
    if table is None:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: ResourcArn: {text} not found")
    return table
