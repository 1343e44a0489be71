"""Random DynamoDB requests, each from a seed: mostly right, some wrong, on a table of few keys so that they meet."""

from __future__ import annotations

from random import Random
from typing import Any

Json = dict[str, Any]
TABLE = "differential"
CREATE: Json = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "p", "AttributeType": "S"},
        {"AttributeName": "s", "AttributeType": "N"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
_NAMES = {"#n": "n", "#l": "l", "#m": "m", "#t": "t", "#g": "g", "#x": "missing"}
_PATHS = ("n", "#n", "l", "l[0]", "l[1]", "#m", "#m.a", "#m.b.c", "t", "#t", "q", "#x", "g")
_RETURNS = ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW")


def request(random: Random) -> tuple[str, Json]:
    """(operation, request)."""
    make = random.choices(
        (_put, _update, _delete, _get, _query, _scan, _batch_write, _batch_get, _transact),
        (20, 30, 6, 10, 18, 10, 3, 3, 6),
    )[0]
    return make(random)


def _key(random: Random) -> Json:
    key: Json = {"p": {"S": random.choice("abc")}, "s": {"N": random.choice(("1", "2", "2.0", "-3", "1e2"))}}
    if random.random() < 0.03:
        key.pop(random.choice("ps"))
    elif random.random() < 0.03:
        key["p"] = random.choice(({"S": ""}, {"N": "1"}))
    return key


def _number(random: Random) -> str:
    return random.choice(
        ("0", "1", "-1", "7", "3.50", "1E+3", "-0", "1e-130", "99999999999999999999999999999999999999")
    )


def _value(random: Random, depth: int = 0) -> Json:
    kind = random.choice(("S", "N", "B", "BOOL", "NULL", "SS", "NS", "L", "M") if depth < 2 else ("S", "N", "BOOL"))
    match kind:
        case "S":
            return {"S": random.choice(("", "x", "xy", "yz", "é"))}
        case "N":
            return {"N": _number(random)}
        case "B":
            return {"B": random.choice(("", "AA==", "AQID"))}
        case "BOOL":
            return {"BOOL": random.random() < 0.5}
        case "NULL":
            return {"NULL": True}
        case "SS":
            return {"SS": random.sample(("a", "b", "c", "x"), random.randint(0 if random.random() < 0.1 else 1, 3))}
        case "NS":
            return {"NS": random.sample(("1", "2", "3.0", "7"), random.randint(1, 3))}
        case "L":
            return {"L": [_value(random, depth + 1) for _ in range(random.randint(0, 3))]}
        case _:
            names = random.sample("abc", random.randint(0, 3))
            return {"M": {name: _value(random, depth + 1) for name in names}}


def _item(random: Random) -> Json:
    item = _key(random)
    for name in "nlmtgq":
        if random.random() < 0.6:
            item[name] = _likely(random, name)
    return item


def _likely(random: Random, name: str) -> Json:
    """Mostly of the type that expressions expect there."""
    if random.random() < 0.15 and name != "g":
        return _value(random)
    match name:
        case "n":
            return {"N": _number(random)}
        case "l":
            return {"L": [_value(random, 1) for _ in range(random.randint(0, 3))]}
        case "m":
            return {"M": {"a": _value(random, 1), "b": {"M": {"c": {"N": "1"}}}}}
        case "t":
            return {"SS": random.sample(("a", "b", "c", "x"), random.randint(1, 3))}
        case "g":
            return {"S": random.choice(("g1", "g2")) if random.random() < 0.95 else ""}
        case _:
            return {"S": random.choice(("", "x", "xyz"))}


class _Values:
    """Collects an expression's values; now and then one is left out or is never used."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.values: Json = {}

    def add(self, value: Json) -> str:
        name = f":v{len(self.values)}"
        self.values[name] = value
        return name


def _attach(random: Random, request: Json, values: _Values, *texts: str) -> Json:
    used = {name: target for name, target in _NAMES.items() if any(name in text for text in texts)}
    if random.random() < 0.02:
        used["#unused"] = "n"
    if used:
        request["ExpressionAttributeNames"] = used
    given = dict(values.values)
    if given and random.random() < 0.02:
        given.popitem()
    if given:
        request["ExpressionAttributeValues"] = given
    return request


def _condition(random: Random, values: _Values, depth: int = 0) -> str:
    if depth < 2 and random.random() < 0.3:
        joined = f" {random.choice(('AND', 'OR'))} ".join(_condition(random, values, depth + 1) for _ in range(2))
        return f"({joined})" if random.random() < 0.7 else f"NOT ({joined})"
    path = random.choice(_PATHS)
    match random.randrange(8):
        case 0:
            return f"attribute_exists({path})"
        case 1:
            return f"attribute_not_exists({path})"
        case 2:
            return f"attribute_type({path}, {values.add({'S': random.choice(('S', 'N', 'L', 'M', 'SS', 'X'))})})"
        case 3:
            return f"begins_with({path}, {values.add(random.choice(({'S': 'x'}, {'B': 'AQ=='}, {'N': '1'})))})"
        case 4:
            return f"contains({path}, {values.add(_value(random, 2))})"
        case 5:
            return f"{path} BETWEEN {values.add(_value(random, 2))} AND {values.add(_value(random, 2))}"
        case 6:
            listed = ", ".join(values.add(_value(random, 2)) for _ in range(random.randint(1, 3)))
            return f"{path} IN ({listed})"
        case _:
            left = f"size({path})" if random.random() < 0.3 else path
            other = values.add(_value(random, 1)) if random.random() < 0.8 else random.choice(_PATHS)
            return f"{left} {random.choice(('=', '<>', '<', '<=', '>', '>='))} {other}"


def _update_text(random: Random, values: _Values) -> str:
    """Always with a SET or an ADD: an update that only takes away makes no item on Amazon's service (ScyllaDB's suite
    has recorded it; ours does so), but it makes one on both others."""
    clauses = []
    paths = random.sample(_PATHS, 6)
    if random.random() < 0.7:
        sets = []
        for _ in range(random.randint(1, 2)):
            path = paths.pop()
            new = (
                lambda path=path: values.add(_value(random)),
                lambda path=path: f"{path} {random.choice('+-')} {values.add({'N': _number(random)})}",
                lambda path=path: f"if_not_exists({path}, {values.add(_value(random, 1))})",
                lambda path=path: f"list_append({path}, {values.add({'L': [_value(random, 2)]})})",
                lambda path=path: random.choice(_PATHS),
            )[random.randrange(5)]()
            sets.append(f"{path} = {new}")
        clauses.append("SET " + ", ".join(sets))
    if random.random() < 0.3:
        clauses.append("REMOVE " + paths.pop())
    if random.random() < 0.25:
        added = random.choice(({"N": _number(random)}, {"SS": ["a", "z"]}, {"NS": ["7"]}, {"S": "no"}))
        clauses.append(f"ADD {paths.pop()} {values.add(added)}")
    if random.random() < 0.15:
        clauses.append(
            f"DELETE {paths.pop()} {values.add(random.choice(({'SS': ['a', 'x']}, {'NS': ['7']}, {'N': '1'})))}"
        )
    if not any(clause.startswith(("SET", "ADD")) for clause in clauses):
        clauses.append(f"SET d = {values.add(_value(random))}")
    return " ".join(clauses)


def _put(random: Random) -> tuple[str, Json]:
    request: Json = {"TableName": TABLE, "Item": _item(random)}
    return "PutItem", _conditional(random, request, ("NONE", "ALL_OLD") if random.random() < 0.95 else _RETURNS)


def _delete(random: Random) -> tuple[str, Json]:
    return "DeleteItem", _conditional(random, {"TableName": TABLE, "Key": _key(random)}, ("NONE", "ALL_OLD"))


def _update(random: Random) -> tuple[str, Json]:
    values = _Values(random)
    text = _update_text(random, values)
    request: Json = {"TableName": TABLE, "Key": _key(random), "UpdateExpression": text}
    return "UpdateItem", _conditional(random, request, _RETURNS, values, text)


def _conditional(
    random: Random, request: Json, returns: tuple[str, ...], values: _Values | None = None, *texts: str
) -> Json:
    values = values or _Values(random)
    if random.random() < 0.4:
        request["ConditionExpression"] = condition = _condition(random, values)
        texts = (*texts, condition)
        if random.random() < 0.4:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if random.random() < 0.6:
        request["ReturnValues"] = random.choice(returns)
    return _attach(random, request, values, *texts)


def _projection(random: Random) -> str:
    return ", ".join(random.sample(_PATHS, random.randint(1, 3)))


def _get(random: Random) -> tuple[str, Json]:
    request: Json = {"TableName": TABLE, "Key": _key(random)}
    text = ""
    if random.random() < 0.5:
        text = request["ProjectionExpression"] = _projection(random)
    return "GetItem", _attach(random, request, _Values(random), text)


def _query(random: Random) -> tuple[str, Json]:
    values = _Values(random)
    request: Json = {"TableName": TABLE}
    if random.random() < 0.4:
        request["IndexName"] = "by-g"
        text = f"g = {values.add({'S': random.choice(('g1', 'g2'))})}"
    else:
        text = f"p = {values.add({'S': random.choice('abc')})}"
    if random.random() < 0.6:
        numbers = sorted((random.choice((-3, 1, 2, 100)) for _ in range(2)), reverse=random.random() < 0.05)
        first, second = (values.add({"N": str(number)}) for number in numbers)
        text += random.choice((f" AND s BETWEEN {first} AND {second}", f" AND s > {first}", f" AND s = {first}"))
        if second not in text:
            del values.values[second]
    request["KeyConditionExpression"] = text
    return "Query", _reading(random, request, values, text)


def _scan(random: Random) -> tuple[str, Json]:
    request: Json = {"TableName": TABLE}
    if random.random() < 0.2:
        request["IndexName"] = "by-g"
    return "Scan", _reading(random, request, _Values(random))


def _reading(random: Random, request: Json, values: _Values, *texts: str) -> Json:
    if random.random() < 0.5:
        request["FilterExpression"] = text = _condition(random, values)
        texts = (*texts, text)
    if random.random() < 0.3:
        request["ProjectionExpression"] = text = _projection(random)
        texts = (*texts, text)
    elif random.random() < 0.2:
        request["Select"] = random.choice(("COUNT", "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES"))
    if "KeyConditionExpression" in request:
        if random.random() < 0.3:
            request["ScanIndexForward"] = False
        if "IndexName" not in request and random.random() < 0.3:
            request["Limit"] = random.randint(1, 3)
    return _attach(random, request, values, *texts)


def _batch_write(random: Random) -> tuple[str, Json]:
    puts = [
        {"PutRequest": {"Item": _item(random)}} if random.random() < 0.7 else {"DeleteRequest": {"Key": _key(random)}}
        for _ in range(random.randint(1, 3))
    ]
    return "BatchWriteItem", {"RequestItems": {TABLE: puts}}


def _batch_get(random: Random) -> tuple[str, Json]:
    return "BatchGetItem", {"RequestItems": {TABLE: {"Keys": [_key(random) for _ in range(random.randint(1, 3))]}}}


def _transact(random: Random) -> tuple[str, Json]:
    parts = []
    for _ in range(random.randint(1, 3)):
        operation, request = random.choice((_put, _update, _delete))(random)
        request.pop("ReturnValues", None)
        parts.append({operation.removesuffix("Item"): request})
    return "TransactWriteItems", {"TransactItems": parts}
