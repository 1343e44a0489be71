"""A PartiQL statement as the request of an ordinary operation, which then checks and runs it.

AWS: "PartiQL select statements for DynamoDB" and its siblings for insert, update and delete.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from freehold.services.dynamodb.partiql_syntax import Statement, Term
from freehold.services.dynamodb.record import Json, invalid
from freehold.tables.schema import KeySchema, Table

_PLACEHOLDER = re.compile(r"[#:]p\d+")
_RANGE_OPERATORS = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})


def get_request(statement: Statement, table: Table) -> Json | None:
    """GetItem's, where the statement names one item by its whole key and asks nothing else."""
    key, rest = _key(statement, table.schema)
    if statement.index is not None or key is None or rest:
        return None
    request: Json = {"TableName": statement.table, "Key": key}
    if statement.projection:
        request["ProjectionExpression"] = ", ".join(statement.projection)
    return _with_placeholders(request, statement)


def select_request(statement: Statement, table: Table) -> tuple[bool, Json]:
    """(is a Query, its request or Scan's): a Query where the partition key is compared for equality."""
    schema = table.schema
    if statement.index is not None:
        index = table.indexes.get(statement.index)
        if index is None:
            raise invalid("The table does not have the specified index")
        schema = index.schema
    on_key, rest = _split(statement.terms, schema)
    request: Json = {"TableName": statement.table}
    if statement.index is not None:
        request["IndexName"] = statement.index
    if statement.projection:
        request["ProjectionExpression"] = ", ".join(statement.projection)
    names_key = {name for name, attribute in statement.names.items() if attribute in schema.names}
    # A Query's filter may not speak of the key: what says more of it than a Query can ask for is a Scan.
    is_query = bool(on_key) and not any(names_key & set(_PLACEHOLDER.findall(term.text)) for term in rest)
    if is_query:
        request["KeyConditionExpression"] = " AND ".join(term.text for term in on_key)
    else:
        rest = statement.terms
    if rest:
        request["FilterExpression"] = " AND ".join(term.text for term in rest)
    if statement.order:
        if not is_query:
            raise invalid("Must have WHERE clause in the statement when using ORDER BY clause.")
        for name, descending in statement.order:
            if name not in schema.names:
                raise invalid(f"Variable reference {name} in ORDER BY clause must be part of the primary key")
            request["ScanIndexForward"] = not descending
    return is_query, _with_placeholders(request, statement)


def write_request(statement: Statement, table: Table) -> tuple[str, Json]:
    """(Put, Update, Delete or ConditionCheck, its request)."""
    schema = table.schema
    if statement.kind == "INSERT":
        condition = "attribute_not_exists(#key)"
        return "Put", {
            "TableName": statement.table,
            "Item": statement.item,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#key": schema.hash_name},
        }
    key, rest = _key(statement, schema)
    if key is None or statement.index is not None:
        raise invalid("Where clause does not contain a mandatory equality on all key attributes")
    request: Json = {"TableName": statement.table, "Key": key}
    conditions = [term.text for term in rest]
    if statement.kind == "UPDATE":
        request["UpdateExpression"] = " ".join(
            f"{kind} {', '.join(actions)}" for kind, actions in statement.changes.items()
        )
    if statement.kind != "DELETE":
        conditions.insert(0, "attribute_exists(#key)")
    if conditions:
        request["ConditionExpression"] = " AND ".join(conditions)
    request = _with_placeholders(request, statement)
    if statement.kind != "DELETE":
        request.setdefault("ExpressionAttributeNames", {})["#key"] = schema.hash_name
    return {"UPDATE": "Update", "DELETE": "Delete"}.get(statement.kind, "ConditionCheck"), request


def _key(statement: Statement, schema: KeySchema) -> tuple[Json | None, Sequence[Term]]:
    """The primary key that the top terms give, and the other terms."""
    key: Json = {}
    rest = []
    for term in statement.terms:
        name = term.attribute
        if name in schema.names and term.operator == "=" and name not in key:
            key[name] = statement.values[term.values[0]]
        else:
            rest.append(term)
    return (key if len(key) == len(schema.names) else None), rest


def _split(terms: Sequence[Term], schema: KeySchema) -> tuple[list[Term], list[Term]]:
    """What a key condition can say, and the rest; no key condition without the whole partition key."""
    names = {name for name, _ in schema.hash_parts}
    on_key: list[Term] = []
    rest: list[Term] = []
    seen: set[str] = set()
    for term in terms:
        name = term.attribute
        is_hash = name in names and term.operator == "="
        is_range = name is not None and name == schema.range_name and term.operator in _RANGE_OPERATORS
        if name is not None and name not in seen and (is_hash or is_range):
            on_key.append(term)
            seen.add(name)
        else:
            rest.append(term)
    return (on_key, rest) if names <= seen else ([], list(terms))


def _with_placeholders(request: Json, statement: Statement) -> Json:
    """Those that its expressions use: the ones of the key are in it by value."""
    used = {
        placeholder
        for member, text in request.items()
        if member.endswith("Expression")
        for placeholder in _PLACEHOLDER.findall(text)
    }
    names = {name: value for name, value in statement.names.items() if name in used}
    values = {name: value for name, value in statement.values.items() if name in used}
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = values
    return request
