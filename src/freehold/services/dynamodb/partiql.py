"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction.

AWS: those pages of the API reference, "Running batch operations with PartiQL", "Performing transactions with PartiQL".
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

import orjson

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.capacity import sum_by_table
from freehold.services.dynamodb.items import delete_item, get_item, put_item, update_item
from freehold.services.dynamodb.partiql_requests import get_request, select_request, write_request
from freehold.services.dynamodb.partiql_syntax import Statement, read_statement
from freehold.services.dynamodb.queries import query, scan
from freehold.services.dynamodb.record import DynamoDB, Json, find_table, invalid
from freehold.services.dynamodb.transactions import transact_get_items, transact_write_items

_ERROR_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ResourceNotFoundException": "ResourceNotFound",
    "ThrottlingException": "ThrottlingError",
    "InternalServerError": "InternalServerError",
}


async def execute_statement(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "ExecuteStatement", request)
    statement = _read(request)
    if statement.kind == "SELECT":
        return await _select(db, call, statement, request)
    if statement.kind == "EXISTS":
        raise invalid("EXISTS can be used in a transaction only.")
    answer = await _write(db, call, statement, request)
    return {"Items": [answer.pop("Attributes")] if answer.get("Attributes") else [], **answer}


async def batch_execute_statement(db: DynamoDB, call: Call, request: Json) -> Json:
    """Each on its own: an error of one is told in its place."""
    check_request("dynamodb", "BatchExecuteStatement", request)
    statements: list[tuple[Json, Statement | AwsError]] = []
    for each in request["Statements"]:
        try:
            statements.append((each, _read(each)))
        except AwsError as error:
            statements.append((each, error))
    kinds = {read.kind == "SELECT" for _, read in statements if isinstance(read, Statement)}
    if len(kinds) > 1:
        raise invalid("Batch statements must be all reads or all writes")
    wanted = request.get("ReturnConsumedCapacity")
    responses: list[Json] = []
    costs: list[Json] = []
    for each, read in statements:
        try:
            if isinstance(read, AwsError):
                raise read
            response = await _run_one(db, call, read, {**each, "ReturnConsumedCapacity": wanted})
            if told := response.pop("ConsumedCapacity", None):
                costs.append(told)
            responses.append(response)
        except AwsError as error:
            code = _ERROR_CODES.get(error.code, "ValidationError")
            responses.append({"Error": {"Code": code, "Message": error.message, **error.fields}})
    answer: Json = {"Responses": responses}
    if costs:
        answer["ConsumedCapacity"] = sum_by_table(costs)
    return answer


async def execute_transaction(db: DynamoDB, call: Call, request: Json) -> Json:
    """All or nothing, as a transaction of items with their words for why not."""
    check_request("dynamodb", "ExecuteTransaction", request)
    statements = [_read(each) for each in request["TransactStatements"]]
    told = {"ReturnConsumedCapacity": request["ReturnConsumedCapacity"]} if "ReturnConsumedCapacity" in request else {}
    if all(statement.kind == "SELECT" for statement in statements):
        gets = [{"Get": _get(db, call, statement)} for statement in statements]
        return await transact_get_items(db, call, {"TransactItems": gets, **told})
    if any(statement.kind == "SELECT" for statement in statements):
        raise invalid("Transaction statements must be all reads or all writes")
    items = []
    for statement, each in zip(statements, request["TransactStatements"], strict=True):
        kind, write = write_request(statement, find_table(db, call, {"TableName": statement.table}))
        if on_failure := each.get("ReturnValuesOnConditionCheckFailure"):
            write["ReturnValuesOnConditionCheckFailure"] = on_failure
        items.append({kind: write})
    if request.get("ClientRequestToken"):
        told["ClientRequestToken"] = request["ClientRequestToken"]
    answer = await transact_write_items(db, call, {"TransactItems": items, **told})
    return {"Responses": [{} for _ in items], **answer}


async def _select(db: DynamoDB, call: Call, statement: Statement, request: Json) -> Json:
    is_query, asked = select_request(statement, find_table(db, call, {"TableName": statement.table}))
    for member in ("ConsistentRead", "Limit", "ReturnConsumedCapacity"):
        if request.get(member) is not None:
            asked[member] = request[member]
    if request.get("NextToken"):
        asked["ExclusiveStartKey"] = _read_token(request["NextToken"])
    found = await (query if is_query else scan)(db, call, asked)
    answer: Json = {"Items": found["Items"]}
    if last := found.get("LastEvaluatedKey"):
        answer |= {"LastEvaluatedKey": last, "NextToken": urlsafe_b64encode(orjson.dumps(last)).decode()}
    if "ConsumedCapacity" in found:
        answer["ConsumedCapacity"] = found["ConsumedCapacity"]
    return answer


async def _write(db: DynamoDB, call: Call, statement: Statement, request: Json) -> Json:
    kind, write = write_request(statement, find_table(db, call, {"TableName": statement.table}))
    for member in ("ReturnConsumedCapacity", "ReturnValuesOnConditionCheckFailure"):
        if request.get(member) is not None:
            write[member] = request[member]
    if statement.returning != "NONE":
        write["ReturnValues"] = statement.returning
    operation = {"Put": put_item, "Update": update_item, "Delete": delete_item}[kind]
    try:
        return await operation(db, call, write)
    except AwsError as error:
        if kind == "Put" and error.code == "ConditionalCheckFailedException":
            raise AwsError("DuplicateItemException", "Duplicate primary key exists in table") from None
        raise


async def _run_one(db: DynamoDB, call: Call, statement: Statement, each: Json) -> Json:
    if statement.kind == "EXISTS":
        raise invalid("EXISTS can be used in a transaction only.")
    if statement.kind == "SELECT":
        asked = _get(db, call, statement)
        for member in ("ConsistentRead", "ReturnConsumedCapacity"):
            if each.get(member) is not None:
                asked[member] = each[member]
        return {"TableName": statement.table, **(await get_item(db, call, asked))}
    answer = await _write(db, call, statement, each)
    if attributes := answer.pop("Attributes", None):
        answer["Item"] = attributes
    return {"TableName": statement.table, **answer}


def _get(db: DynamoDB, call: Call, statement: Statement) -> Json:
    asked = get_request(statement, find_table(db, call, {"TableName": statement.table}))
    if asked is None:
        raise invalid(
            "Select statements within a batch or a transaction must specify the primary key in the where clause."
        )
    return asked


def _read(request: Json) -> Statement:
    return read_statement(request["Statement"], request.get("Parameters") or ())


def _read_token(token: str) -> Json:
    try:
        key = orjson.loads(urlsafe_b64decode(token))
    except (ValueError, Base64Error):
        key = None
    if not isinstance(key, dict):
        raise invalid("Invalid NextToken")
    return key
