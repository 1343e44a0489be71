"""What DynamoDB's operations may touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from freehold.aws.arn import parse_arn
from freehold.aws.call import Bind, Call
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.services.dynamodb.idempotency import Tokens
from freehold.tables.catalog import Catalog
from freehold.tables.schema import Table
from freehold.tables.storage import TableStorage

Json = dict[str, Any]

# How Amazon's service has begun, since 2026, what it says of a request that is wrong by itself, before its table is
# looked at: of PutItem, UpdateItem, DeleteItem and of Query's Select; not of other operations, nor in a transaction.
# Seen in moto's tests that were run against it.
DETECTED = "1 validation error detected: "


@dataclass(frozen=True, slots=True)
class DynamoDB:
    catalog: Catalog
    storage: TableStorage
    tokens: Tokens
    clock: Clock
    ids: Ids
    bind: Bind


def table_name(request_name: str) -> str:
    """A request may name a table by its ARN."""
    if request_name.startswith("arn:"):
        arn = parse_arn(request_name)
        if arn is not None and arn.service == "dynamodb" and arn.resource.startswith("table/"):
            return arn.resource.split("/")[1]
    return request_name


def find_table(db: DynamoDB, call: Call, request: Json) -> Table:
    """For operations on items. Raises ResourceNotFoundException."""
    table = db.catalog.find(call.region, request["TableName"])
    if table is not None and table.is_ready:
        return table
    name = table_name(request["TableName"])
    check_table_name("TableName", name)
    return db.catalog.get(call.region, name)


def check_table_name(member: str, name: str) -> None:
    if not 3 <= len(name) <= 255:
        raise invalid(f"{member} must be at least 3 characters long and at most 255 characters long")
    if not all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at '{member[0].lower()}{member[1:]}' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        )


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def bad_value(message: str) -> AwsError:
    return AwsError("ValidationException", f"One or more parameter values were invalid: {message}")
