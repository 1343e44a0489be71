"""Requests that are wrong by themselves, in DynamoDB's words, and the parameters that expressions have replaced.

AWS: "Expressions in DynamoDB", "Legacy conditional parameters"; the words are those that moto's tests and ScyllaDB's
found at Amazon's service.
"""

from __future__ import annotations

import pytest
from tests.unit.tables.world import Json, World

from freehold.services.dynamodb.record import DETECTED

_KEY = {"id": {"S": "a"}}
_NAMES = {"#n": "n"}


@pytest.fixture(autouse=True)
async def _table(world: World) -> None:
    await world.create(
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("id", "group")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "groups",
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    await world.put(**_KEY, n={"N": "1"}, s={"SS": ["x"]}, group={"S": "g"})


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ("", "Invalid UpdateExpression: The expression can not be empty;"),
        (
            "SET a = :v SET b = :v",
            'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
        ),
        (
            "SET a = :v, a.b = :v",
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these "
            "paths; path one: [a], path two: [a, b]",
        ),
        ("SET a =", 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "="'),
        ("SET a = b", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"),
        ("SET size = :v", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: size"),
        (
            "SET a = :w",
            "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute "
            "value: :w",
        ),
        (
            "SET #m = :v",
            "Invalid UpdateExpression: An expression attribute name used in the document path is not defined; "
            "attribute name: #m",
        ),
        ("SET a = nothing(:v)", "Invalid UpdateExpression: Invalid function name; function: nothing"),
    ],
)
async def test_an_update_is_refused_for_what_it_says(world: World, update: str, words: str) -> None:
    request: Json = {"TableName": "things", "Key": _KEY, "UpdateExpression": update}
    values = {":v": {"N": "1"}}
    assert await world.refused("UpdateItem", **request, ExpressionAttributeValues=values) == (
        "ValidationException",
        DETECTED + words,
    )
    # A transaction says the same without its beginning.
    update_item = {"Update": {**request, "ExpressionAttributeValues": values}}
    assert await world.refused("TransactWriteItems", TransactItems=[update_item]) == ("ValidationException", words)


@pytest.mark.parametrize(
    ("operation", "request_", "begin"),
    [
        ("PutItem", {"Item": _KEY, "ConditionExpression": "attribute_exists(id)"}, DETECTED),
        ("DeleteItem", {"Key": _KEY, "ConditionExpression": "attribute_exists(id)"}, DETECTED),
        ("UpdateItem", {"Key": _KEY, "UpdateExpression": "REMOVE x"}, DETECTED),
        ("GetItem", {"Key": _KEY, "ProjectionExpression": "x"}, ""),
        ("Scan", {"FilterExpression": "attribute_exists(x)"}, ""),
        (
            "Query",
            {"KeyConditionExpression": "id = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}},
            "",
        ),
    ],
)
async def test_a_name_that_no_expression_uses_is_refused(
    world: World, operation: str, request_: Json, begin: str
) -> None:
    request = {"TableName": "things", **request_, "ExpressionAttributeNames": _NAMES}
    words = f"{begin}Value provided in ExpressionAttributeNames unused in expressions: keys: {{#n}}"
    assert await world.refused(operation, **request) == ("ValidationException", words)


@pytest.mark.parametrize(("operation", "begin"), [("Query", DETECTED), ("Scan", "")])
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        ),
        (
            {"Select": "COUNT", "ProjectionExpression": "n"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "n"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
    ],
)
async def test_select_goes_with_what_it_selects(
    world: World, operation: str, begin: str, request_: Json, words: str
) -> None:
    keys: Json = {}
    if operation == "Query":
        keys = {"KeyConditionExpression": "id = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}
    assert await world.refused(operation, TableName="things", **keys, **request_) == (
        "ValidationException",
        begin + words,
    )


@pytest.mark.parametrize("operation", ["Query", "Scan"])
async def test_select_is_one_of_four(world: World, operation: str) -> None:
    assert await world.refused(operation, TableName="things", Select="count") == (
        "ValidationException",
        "1 validation error detected: Value 'count' at 'select' failed to satisfy constraint: Member must satisfy enum "
        "value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
    )


async def item(world: World) -> Json:
    found: Json = (await world("GetItem", TableName="things", Key=_KEY))["Item"]
    return {name: value for name, value in found.items() if name not in ("id", "group")}


async def test_attribute_updates_put_add_and_delete(world: World) -> None:
    async def update(**updates: Json) -> Json:
        answer = await world(
            "UpdateItem", TableName="things", Key=_KEY, AttributeUpdates=updates, ReturnValues="UPDATED_NEW"
        )
        return answer.get("Attributes", {})  # type: ignore[no-any-return]

    assert await update(m={"Value": {"S": "put"}}, n={"Action": "ADD", "Value": {"N": "2"}}) == {
        "m": {"S": "put"},
        "n": {"N": "3"},
    }
    await update(s={"Action": "ADD", "Value": {"SS": ["y", "z"]}}, m={"Action": "DELETE"})
    await update(s={"Action": "DELETE", "Value": {"SS": ["x"]}}, l={"Action": "PUT", "Value": {"L": [{"N": "1"}]}})
    await update(l={"Action": "ADD", "Value": {"L": [{"N": "2"}]}})
    found = await item(world)
    assert sorted(found.pop("s")["SS"]) == ["y", "z"]
    assert found == {"n": {"N": "3"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        ({"n": {"Value": {"N": "1"}}}, True),
        ({"n": {"Value": {"N": "2"}}}, False),
        ({"n": {"Exists": True, "Value": {"N": "1"}}}, True),
        ({"n": {"Exists": False}}, False),
        ({"no": {"Exists": False}}, True),
        ({"n": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "1"}]}}, True),
        ({"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "2"}, {"N": "3"}]}}, False),
        ({"n": {"ComparisonOperator": "IN", "AttributeValueList": [{"N": "2"}, {"N": "1"}]}}, True),
        ({"s": {"ComparisonOperator": "CONTAINS", "AttributeValueList": [{"S": "x"}]}}, True),
        ({"s": {"ComparisonOperator": "NOT_CONTAINS", "AttributeValueList": [{"S": "x"}]}}, False),
        ({"group": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"S": "g"}]}}, True),
        ({"n": {"ComparisonOperator": "NULL"}}, False),
        ({"n": {"ComparisonOperator": "NOT_NULL"}}, True),
        ({"n": {"ComparisonOperator": "NE", "AttributeValueList": [{"N": "1"}]}}, False),
    ],
)
async def test_expected_is_a_condition(world: World, expected: Json, holds: bool) -> None:
    put = {"TableName": "things", "Item": _KEY, "Expected": expected}
    if holds:
        await world("PutItem", **put)
        assert await item(world) == {}
    else:
        assert (await world.refused("PutItem", **put))[0] == "ConditionalCheckFailedException"
        assert (await item(world))["n"] == {"N": "1"}


@pytest.mark.parametrize(("operator", "holds"), [("AND", False), ("OR", True)])
async def test_the_conditional_operator_joins_what_is_expected(world: World, operator: str, holds: bool) -> None:
    expected = {"n": {"Value": {"N": "1"}}, "no": {"Exists": True, "Value": {"N": "1"}}}
    delete = {"TableName": "things", "Key": _KEY, "Expected": expected, "ConditionalOperator": operator}
    if holds:
        await world("DeleteItem", **delete)
    else:
        assert (await world.refused("DeleteItem", **delete))[0] == "ConditionalCheckFailedException"


async def test_old_queries_and_scans_filter_and_choose(world: World) -> None:
    equal = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}
    above = {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "0"}]}
    query = {"TableName": "things", "KeyConditions": {"id": equal}, "AttributesToGet": ["n"]}
    assert (await world("Query", **query))["Items"] == [{"n": {"N": "1"}}]
    assert (await world("Query", **query, QueryFilter={"n": above}))["Count"] == 1
    none = {"n": {**above, "ComparisonOperator": "LT"}}
    assert (await world("Query", **query, QueryFilter=none))["Count"] == 0
    either = {"ConditionalOperator": "OR"}
    no = {"ComparisonOperator": "NOT_NULL"}
    assert (await world("Query", **query, QueryFilter={**none, "group": no}, **either))["Count"] == 1
    scan = {"TableName": "things", "AttributesToGet": ["group"]}
    assert (await world("Scan", **scan, ScanFilter={"n": above}))["Items"] == [{"group": {"S": "g"}}]
    assert (await world("Scan", **scan, ScanFilter={**none, "no": no}, **either))["Count"] == 0
    got = await world("GetItem", TableName="things", Key=_KEY, AttributesToGet=["n", "no"])
    assert got["Item"] == {"n": {"N": "1"}}
    batch = {"things": {"Keys": [_KEY], "AttributesToGet": ["group"]}}
    assert (await world("BatchGetItem", RequestItems=batch))["Responses"]["things"] == [{"group": {"S": "g"}}]


@pytest.mark.parametrize(
    ("operation", "request_", "old", "new"),
    [
        (
            "PutItem",
            {"Item": _KEY, "Expected": {"n": {"Exists": False}}, "ConditionExpression": "attribute_exists(id)"},
            "Expected",
            "ConditionExpression",
        ),
        (
            "UpdateItem",
            {"Key": _KEY, "AttributeUpdates": {}, "UpdateExpression": "REMOVE x"},
            "AttributeUpdates",
            "UpdateExpression",
        ),
        (
            "Scan",
            {"ScanFilter": {}, "FilterExpression": "attribute_exists(id)"},
            "ScanFilter",
            "FilterExpression",
        ),
    ],
)
async def test_old_and_new_parameters_do_not_mix(
    world: World, operation: str, request_: Json, old: str, new: str
) -> None:
    code, message = await world.refused(operation, TableName="things", **request_)
    assert code == "ValidationException"
    assert message.endswith(
        "Can not use both expression and non-expression parameters in the same request: Non-expression "
        f"parameters: {{{old}}} Expression parameters: {{{new}}}"
    )
