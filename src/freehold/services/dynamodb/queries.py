"""Query and Scan: the range of keys that is asked for, the page, and where the next one starts.

AWS: "Querying tables in DynamoDB", "Scanning tables in DynamoDB", "Paginating table query results in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from freehold.aws.call import Call
from freehold.aws.errors import AwsError
from freehold.aws.raw_requests import check_request
from freehold.services.dynamodb.arguments import check_mixture, check_used, read_names, read_values
from freehold.services.dynamodb.capacity import Used, read_units, tell
from freehold.services.dynamodb.legacy import Legacy, read_attributes_to_get, read_filter, read_key_conditions
from freehold.services.dynamodb.record import DETECTED, DynamoDB, Json, bad_value, find_table, invalid
from freehold.tables.expressions.key_conditions import KeyCondition
from freehold.tables.expressions.programs import (
    Condition,
    Projection,
    parse_condition,
    parse_key_conditions,
    parse_projection,
)
from freehold.tables.items import check_key, entry_key, row_key
from freehold.tables.keys import (
    Range,
    after,
    all_with,
    encode_part,
    encode_start,
    partition_prefix,
    segment_range,
    space_prefix,
)
from freehold.tables.reading import ItemPage, PageRequest, read_page
from freehold.tables.schema import Index, KeySchema, Table
from freehold.tables.values import Item, Value, check_value, item_size, text_size, value_size

_START_OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What Query and Scan have in common."""

    table: Table
    index: Index | None
    keeps: Callable[[Item], bool] | None
    shape: Callable[[Item], Item] | None
    counts_only: bool
    fetches: bool  # A local index's items are read whole from the table.

    @property
    def schema(self) -> KeySchema:
        return self.table.schema if self.index is None else self.index.schema

    @property
    def prefix(self) -> bytes:
        return space_prefix(self.table.space if self.index is None else self.index.space)


async def query(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "Query", request)
    _check_select(request, DETECTED)
    check_mixture(
        request,
        ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
        ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
    )
    legacy = read_filter(request, "QueryFilter")
    conditions, key_values, filter_, projection = _read_query(request)
    table = find_table(db, call, request)
    shape = _read_shape(request, table, filter_, legacy, projection, "QueryFilter")
    _check_filter_keys(shape.schema, filter_, legacy, "QueryFilter")
    span = _query_range(shape, conditions, key_values)
    descending = request.get("ScanIndexForward") is False
    start = request.get("ExclusiveStartKey")
    if start is not None:
        if shape.index is None and table.schema.range_name is None:
            raise invalid("The provided exclusive start key is invalid: ExclusiveStartKey: a partition has one item")
        span = _past(shape, span, start, descending, _START_OUTSIDE)
    answer = await _answer(db, request, shape, span, descending)
    if shape.index is None and table.schema.range_name is None:
        answer.pop("LastEvaluatedKey", None)
    return answer


async def scan(db: DynamoDB, call: Call, request: Json) -> Json:
    check_request("dynamodb", "Scan", request)
    _check_select(request, "")
    check_mixture(
        request,
        ("ProjectionExpression", "FilterExpression"),
        ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
    )
    legacy = read_filter(request, "ScanFilter")
    names, values = read_names(request), read_values(request)
    filter_ = _read_filter_expression(request, names)
    projection = _read_projection(request, names)
    check_used((filter_, projection), names, values)
    segment, total = _read_segment(request)
    table = find_table(db, call, request)
    shape = _read_shape(request, table, filter_, legacy, projection, "ScanFilter")
    span = segment_range(shape.prefix, segment, total)
    start = request.get("ExclusiveStartKey")
    if start is not None:
        span = _past(
            shape,
            span,
            start,
            False,
            f"The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
            f"correct Segment. TotalSegments: {total} Segment: {segment}",
        )
    return await _answer(db, request, shape, span, False)


def _read_query(
    request: Json,
) -> tuple[tuple[KeyCondition, ...], Mapping[str, Value], Condition | None, Projection | None]:
    names, values = read_names(request), read_values(request)
    text = request.get("KeyConditionExpression")
    filter_ = _read_filter_expression(request, names)
    projection = _read_projection(request, names)
    if text is None:
        check_used((filter_, projection), names, values)
        if request.get("KeyConditions") is None:
            raise invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        conditions, key_values = read_key_conditions(request["KeyConditions"])
        return conditions, key_values, filter_, projection
    program = parse_key_conditions(text, names)
    check_used((program, filter_, projection), names, values)
    return program.conditions, values, filter_, projection


def _read_filter_expression(request: Json, names: Mapping[str, str]) -> Condition | None:
    text = request.get("FilterExpression")
    return parse_condition("FilterExpression", text, names) if text is not None else None


def _read_projection(request: Json, names: Mapping[str, str]) -> Projection | None:
    text = request.get("ProjectionExpression")
    return parse_projection(text, names) if text is not None else read_attributes_to_get(request)


def _read_segment(request: Json) -> tuple[int, int]:
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if segment is None and total is None:
        return 0, 1
    if total is None:
        raise invalid(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter "
            "is present"
        )
    if segment is None:
        raise invalid(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments "
            "is present"
        )
    if segment >= total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
    return segment, total


def _read_shape(
    request: Json,
    table: Table,
    filter_: Condition | None,
    legacy: Legacy | None,
    projection: Projection | None,
    filter_name: str,
) -> _Shape:
    index = _find_index(request, table)
    values = request.get("ExpressionAttributeValues") or {}
    keeps: Callable[[Item], bool] | None = None
    if filter_ is not None:
        keeps = lambda item: filter_.evaluate(item, values)  # noqa: E731 - each branch binds its own names.
    elif legacy is not None:
        keeps = lambda item: legacy.condition.evaluate(item, legacy.values)  # noqa: E731
    select = _read_select(request, index)
    fetches = _fetches(index, select, projection)
    shape: Callable[[Item], Item] | None = None if projection is None else projection.apply
    if index is not None and index.projected is not None and not fetches:
        names = index.projected
        inner, passes = shape, keeps
        shape = lambda item: _part(item, names) if inner is None else inner(_part(item, names))  # noqa: E731
        # A filter sees what the index has.
        keeps = None if passes is None else lambda item: passes(_part(item, names))
    return _Shape(table, index, keeps, shape, select == "COUNT", fetches)


def _find_index(request: Json, table: Table) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    index = table.indexes.get(name)
    if index is None:
        raise invalid(f"The table does not have the specified index: {name}")
    if not index.is_local:
        if request.get("ConsistentRead"):
            raise invalid("Consistent reads are not supported on global secondary indexes")
        for described in table.document["Description"].get("GlobalSecondaryIndexes", ()):
            if described["IndexName"] == name and described["IndexStatus"] == "CREATING":
                raise invalid(f"Cannot read from backfilling global secondary index: {name}")
    return index


def _check_select(request: Json, begin: str) -> None:
    """Select and what goes with it; `begin`: of what is said."""
    select = request.get("Select")
    if select is None:
        return
    given = [name for name in ("ProjectionExpression", "AttributesToGet") if request.get(name) is not None]
    if select == "SPECIFIC_ATTRIBUTES":
        if not given:
            raise invalid(
                f"{begin}Must specify the AttributesToGet or ProjectionExpression when choosing to get {select}"
            )
    elif given:
        wanted = "only the Count" if select == "COUNT" else select
        raise invalid(f"{begin}Cannot specify the {given[0]} when choosing to get {wanted}")
    if select == "ALL_PROJECTED_ATTRIBUTES" and request.get("IndexName") is None:
        raise invalid(f"{begin}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")


def _read_select(request: Json, index: Index | None) -> str | None:
    select: str | None = request.get("Select")
    if select == "ALL_ATTRIBUTES" and index is not None and not index.is_local and index.projected is not None:
        raise bad_value(
            f"Select type ALL_ATTRIBUTES is not supported for global secondary index {index.name} because its "
            "projection type is not ALL"
        )
    return select


def _fetches(index: Index | None, select: str | None, projection: Projection | None) -> bool:
    """A local index gives what it does not have from the table; a global one refuses."""
    if index is None or index.projected is None:
        return False
    if select == "ALL_ATTRIBUTES":
        return True
    if projection is None:
        return False
    missing = [str(path[0]) for path in projection.paths if path[0] not in index.projected]
    if missing and not index.is_local:
        raise bad_value(f"Global secondary index {index.name} does not project {_listed(missing)}")
    return bool(missing)


def _check_filter_keys(schema: KeySchema, filter_: Condition | None, legacy: Legacy | None, member: str) -> None:
    program = filter_ if filter_ is not None else legacy.condition if legacy is not None else None
    if program is None:
        return
    said = "Filter Expression" if filter_ is not None else member
    for name in schema.names:
        if name in program.attributes:
            raise invalid(f"{said} can only contain non-primary key attributes: Primary key attribute: {name}")


def _query_range(shape: _Shape, conditions: tuple[KeyCondition, ...], values: Mapping[str, Value]) -> Range:
    schema = shape.schema
    if len(schema.names) > 2:
        return _composite_range(shape, conditions, values)
    if not 1 <= len(conditions) <= 2:
        raise invalid("Conditions can be of length 1 or 2 only")
    found = {condition.attribute: condition for condition in conditions}
    for name, _ in schema.hash_parts:
        if name not in found:
            raise invalid(f"Query condition missed key schema element: {name}")
    on_hash = [found.pop(name) for name, _ in schema.hash_parts]
    on_range = found.pop(schema.range_name, None) if schema.range_name is not None else None
    if found:
        if schema.range_name is None:
            raise invalid("Query key condition not supported")
        raise invalid(f"Query condition missed key schema element: {schema.range_name}")
    if any(condition.operator != "=" for condition in on_hash):
        raise invalid("Query key condition not supported")
    prefix = _prefix(shape, on_hash, values)
    return all_with(prefix) if on_range is None else _range_of(prefix, schema.range_parts[0], on_range, values)


def _composite_range(shape: _Shape, conditions: tuple[KeyCondition, ...], values: Mapping[str, Value]) -> Range:
    """Of an index with several attributes in a role: all of the HASH ones, then RANGE ones from the left, without a
    gap, of which only the last may be another comparison than equality. AWS: "Multi-attribute keys pattern"."""
    schema = shape.schema
    found = {condition.attribute: condition for condition in conditions}
    on_hash = []
    for name, _ in schema.hash_parts:
        condition = found.pop(name, None)
        if condition is None or condition.operator != "=":
            raise invalid(
                "Query key condition not supported: every HASH key attribute of the index needs an equality "
                f"condition: {name}"
            )
        on_hash.append(condition)
    prefix = _prefix(shape, on_hash, values)
    on_range = [(part, found.pop(part[0])) for part in schema.range_parts if part[0] in found]
    if found:
        raise invalid(f"Query key condition not supported: {next(iter(found))} is no key attribute of the index")
    for position, (part, condition) in enumerate(on_range):
        is_last = position == len(on_range) - 1
        if part != schema.range_parts[position] or (not is_last and condition.operator != "="):
            raise invalid(
                "Query key condition not supported: every RANGE key attribute of the index before the last one used "
                f"needs an equality condition: {schema.range_parts[position][0]}"
            )
        if is_last:
            return _range_of(prefix, part, condition, values)
        prefix += encode_part(part[1], _key_texts(*part, condition, values)[0])
    return all_with(prefix)


def _prefix(shape: _Shape, on_hash: list[KeyCondition], values: Mapping[str, Value]) -> bytes:
    """What all keys of the partition begin with."""
    encoded = b""
    for (name, key_type), condition in zip(shape.schema.hash_parts, on_hash, strict=True):
        encoded += encode_part(key_type, _key_texts(name, key_type, condition, values)[0])
    return partition_prefix(shape.prefix, encoded)


def _range_of(prefix: bytes, part: tuple[str, str], on_range: KeyCondition, values: Mapping[str, Value]) -> Range:
    name, key_type = part
    texts = _key_texts(name, key_type, on_range, values)
    if on_range.operator == "begins_with":
        if key_type == "N":
            raise bad_value("ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type")
        return all_with(prefix + encode_start(key_type, texts[0]))
    low = prefix + encode_part(key_type, texts[0])
    high = prefix + encode_part(key_type, texts[-1])
    whole = all_with(prefix)
    return {
        "=": Range(low, after(low)),
        "<": Range(whole.low, low),
        "<=": Range(whole.low, after(low)),
        ">": Range(after(low), whole.high),
        ">=": Range(low, whole.high),
        "BETWEEN": Range(low, after(high)),
    }[on_range.operator]


def _key_texts(name: str, key_type: str, condition: KeyCondition, values: Mapping[str, Value]) -> list[str]:
    texts = []
    for placeholder in condition.values:
        value = values[placeholder]
        if key_type not in value:
            raise bad_value("Condition parameter type does not match schema type")
        if value[key_type] == "" and condition.operator != "begins_with":
            word = {"S": "string", "B": "binary"}.get(key_type, "number")
            raise invalid(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "
                f"an empty {word} value. Key: {name}"
            )
        texts.append(value[key_type])
    return texts


def _past(shape: _Shape, span: Range, start: Json, descending: bool, outside: str) -> Range:
    """The rest of the range behind ExclusiveStartKey."""
    table, index = shape.table, shape.index
    names = set(table.schema.names) | set(index.schema.names if index is not None else ())
    try:
        for value in start.values():
            check_value(value)
    except AwsError as error:
        if error.code != "ValidationException":
            raise
        raise invalid(f"The provided starting key is invalid: {error.message}") from None
    if set(start) != names:
        if index is None:
            raise invalid("The provided starting key is invalid: The provided key element does not match the schema")
        raise invalid("The provided starting key is invalid")
    try:
        key = row_key(table, check_key(table.schema, {name: start[name] for name in table.schema.names}))
        if index is not None:
            check_key(index.schema, {name: start[name] for name in index.schema.names})
    except AwsError as error:
        raise invalid(f"The provided starting key is invalid: {error.message}") from None
    found = key if index is None else entry_key(index, start, key)
    assert found is not None
    if not span.low <= found < span.high:
        raise invalid(outside)
    return Range(span.low, found) if descending else Range(found + b"\x00", span.high)


async def _answer(db: DynamoDB, request: Json, shape: _Shape, span: Range, descending: bool) -> Json:
    index = shape.index
    size_of: Callable[[Item], int] | None = None
    if index is not None and index.projected is not None:
        names = index.projected
        size_of = lambda item: _part_size(item, names)  # noqa: E731
    page = await read_page(
        db.storage,
        PageRequest(
            span=span,
            is_index=index is not None,
            descending=descending,
            limit=request.get("Limit"),
            keeps=shape.keeps,
            shape=shape.shape,
            size_of=size_of,
            counts_only=shape.counts_only,
        ),
    )
    answer: Json = {"Count": page.count, "ScannedCount": page.scanned}
    if not shape.counts_only:
        answer["Items"] = page.items
    if page.last is not None:
        answer["LastEvaluatedKey"] = _last_key(shape, page.last)
    if "ReturnConsumedCapacity" in request:
        told = tell(request, shape.table.name, _used(request, shape, page))
        if told is not None:
            answer["ConsumedCapacity"] = told
    return answer


def _used(request: Json, shape: _Shape, page: ItemPage) -> Used:
    consistent = bool(request.get("ConsistentRead"))
    units = read_units(page.size_bytes, consistent=consistent)
    index = shape.index
    if index is None:
        return Used(table=units)
    used = Used()
    (used.local if index.is_local else used.other)[index.name] = units
    if shape.fetches:
        for item in page.items:
            used.add_read(item_size(item), consistent=consistent)
    return used


def _last_key(shape: _Shape, item: Item) -> Item:
    names = dict.fromkeys(shape.table.schema.names)
    if shape.index is not None:
        names = dict.fromkeys((*shape.index.schema.names, *names))
    return {name: item[name] for name in names}


def _part(item: Item, names: frozenset[str]) -> Item:
    return {name: value for name, value in item.items() if name in names}


def _part_size(item: Item, names: frozenset[str]) -> int:
    return sum(text_size(name) + value_size(value) for name, value in item.items() if name in names)


def _listed(names: list[str]) -> str:
    return f"[{', '.join(names)}]"
