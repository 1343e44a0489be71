"""What a write changes, as pure functions: an item's key, its row, the index entries and the stream record.

AWS: "Naming rules and data types", "Constraints in Amazon DynamoDB", "Using Global Secondary Indexes".
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson

from freehold.aws.errors import AwsError
from freehold.tables.keys import KeyType, encode_part, partition_prefix, space_prefix
from freehold.tables.schema import Index, KeySchema, Stream, Table
from freehold.tables.storage import Row, RowChange, StreamRecord
from freehold.tables.values import Item, Value, check_value, item_size, type_of

MAX_HASH_BYTES = 2048
MAX_RANGE_BYTES = 1024

_INVALID = "One or more parameter values were invalid: "


class UnfitKey(AwsError):
    """A key that does not go with the table: a transaction tells it as one item's reason, not as its own error."""


def check_key(schema: KeySchema, key: object) -> Item:
    """A request's Key: exactly the key attributes, each of its type and not empty; canonical afterwards."""
    if type(key) is not dict:
        raise AwsError("SerializationException", "Unexpected field type")
    for value in key.values():
        check_value(value)
    parts = _parts(schema)
    if len(key) != len(parts):
        raise _mismatch()
    for name, key_type, is_hash in parts:
        value = key.get(name)
        if value is None or key_type not in value:
            raise _mismatch()
        _check_part(name, key_type, value[key_type], is_hash=is_hash)
    return key


def check_item_keys(table: Table, item: Item) -> None:
    """Of an item to be stored: its own key is there, and what an index takes for a key is fit for one."""
    schema = table.schema
    for name, key_type, is_hash in _parts(schema):
        value = item.get(name)
        if value is None:
            raise _invalid(f"{_INVALID}Missing the key {name} in the item")
        if key_type not in value:
            raise _invalid(f"{_INVALID}Type mismatch for key {name} expected: {key_type} actual: {type_of(value)}")
        _check_part(name, key_type, value[key_type], is_hash=is_hash)
    if table.indexes:
        check_index_keys(table, item)


def check_index_keys(table: Table, item: Item, *, is_update: bool = False) -> None:
    for index in table.indexes.values():
        for name, key_type, is_hash in _parts(index.schema):
            value = item.get(name)
            if value is None:
                continue
            if key_type not in value:
                raise _invalid(
                    f"{_INVALID}Type mismatch for Index Key {name} Expected: {key_type} Actual: {type_of(value)} "
                    f"IndexName: {index.name}"
                )
            if value[key_type] == "":
                begin = (
                    "The update expression attempted to update a secondary index key to a value that is not supported."
                    if is_update
                    else "A value specified for a secondary index key is not supported."
                )
                place = "" if is_update else f" IndexName: {index.name}, IndexKey: {name}"
                raise _invalid(
                    f"One or more parameter values are not valid. {begin} The AttributeValue for a key attribute "
                    f"cannot contain an empty {_WORDS[key_type]} value.{place}"
                )
            _check_part(name, key_type, value[key_type], is_hash=is_hash)


def key_of(schema: KeySchema, item: Item) -> Item:
    return {name: item[name] for name in schema.names}


def row_key(table: Table, key: Item) -> bytes:
    """Of a checked key, or of a checked item."""
    ((name, key_type),) = table.schema.hash_parts
    encoded = partition_prefix(space_prefix(table.space), encode_part(key_type, key[name][key_type]))
    for name, key_type in table.schema.range_parts:
        encoded += encode_part(key_type, key[name][key_type])
    return encoded


def entry_key(index: Index, item: Item, key: bytes) -> bytes | None:
    """Where the index has the item whose row is `key`; None when the item is not in the index: an attribute is
    missing, or is one that no key can be, stored before there was the index."""
    partition = _encode(index.schema.hash_parts, item, MAX_HASH_BYTES)
    if partition is None:
        return None
    place = _encode(index.schema.range_parts, item, MAX_RANGE_BYTES)
    if place is None:
        return None
    return partition_prefix(space_prefix(index.space), partition) + place + key[4:]


def expiry_key(table: Table, item: Item, key: bytes) -> bytes | None:
    """Where the table's expiries have the item: by its second, then its key. None: it does not expire."""
    assert table.expiry is not None
    value = item.get(table.expiry.attribute)
    if value is None or "N" not in value:
        return None
    second = int(Decimal(value["N"]))
    if not 0 <= second < 1 << 40:
        return None
    return space_prefix(table.expiry.space) + second.to_bytes(5, "big") + key[4:]


def entries_of(table: Table, item: Item, key: bytes) -> dict[tuple[int, bytes], None]:
    """(space, key) of all that leads to the item beside its row."""
    found: dict[tuple[int, bytes], None] = {}
    for index in table.indexes.values():
        entry = entry_key(index, item, key)
        if entry is not None:
            found[index.space, entry] = None
    if table.expiry is not None:
        entry = expiry_key(table, item, key)
        if entry is not None:
            found[table.expiry.space, entry] = None
    return found


def read_item(row: Row | None) -> Item | None:
    return orjson.loads(row.body) if row is not None else None


def change_row(
    table: Table, key: bytes, row: Row | None, before: Item | None, after: Item | None, size_bytes: int
) -> RowChange:
    """From the row as it is to `after`, whose keys are checked and whose size is given. None: the item goes."""
    old = row.size_bytes if row is not None else None
    if not table.indexes and table.expiry is None:
        return RowChange(table.space, key, orjson.dumps(after) if after is not None else None, size_bytes, old)
    had = entries_of(table, before, key) if before is not None else {}
    has = entries_of(table, after, key) if after is not None else {}
    return RowChange(
        space=table.space,
        key=key,
        body=orjson.dumps(after) if after is not None else None,
        size_bytes=size_bytes,
        size_before=old,
        entries=tuple(entry for entry in has if entry not in had),
        lost_entries=tuple(entry for entry in had if entry not in has),
        kept_spaces=tuple(entry[0] for entry in has if entry in had),
    )


def change_records(
    table: Table,
    key: bytes,
    row: Row | None,
    before: Item | None,
    after: Item | None,
    now_ms: int,
    *,
    is_expired: bool = False,
) -> Sequence[StreamRecord]:
    """What the table's stream and its history are told of the change; nothing when nothing changed."""
    if before == after:
        return ()
    told = () if table.stream is None else (_stream_record(table, table.stream, before, after, now_ms, is_expired),)
    if table.history is None:
        return told
    return (*told, history_record(table.history, key, row, now_ms))


def history_record(history: int, key: bytes, row: Row | None, now_ms: int) -> StreamRecord:
    """What the row was before a change: its key without the space, its size, its body; neither when it was not."""
    body = len(key[4:]).to_bytes(2, "big") + key[4:]
    if row is not None:
        body += row.size_bytes.to_bytes(4, "big") + row.body
    return StreamRecord(history, now_ms, body)


def read_history(body: bytes) -> tuple[bytes, int, bytes | None]:
    """(key without the space, size, body) of what `history_record` wrote."""
    end = 2 + int.from_bytes(body[:2], "big")
    if len(body) == end:
        return body[2:], 0, None
    return body[2:end], int.from_bytes(body[end : end + 4], "big"), body[end + 4 :]


def _stream_record(
    table: Table, stream: Stream, before: Item | None, after: Item | None, now_ms: int, is_expired: bool
) -> StreamRecord:
    """One record as GetRecords tells it, without what it adds.

    AWS: "Change data capture for DynamoDB Streams", StreamRecord in the API reference.
    """
    some = after if after is not None else before
    assert some is not None
    keys = key_of(table.schema, some)
    told: dict[str, Any] = {
        "ApproximateCreationDateTime": now_ms // 1000,
        "Keys": keys,
        "StreamViewType": stream.view_type,
    }
    size = item_size(keys)
    if after is not None and stream.view_type in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        told["NewImage"] = after
        size += item_size(after)
    if before is not None and stream.view_type in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        told["OldImage"] = before
        size += item_size(before)
    told["SizeBytes"] = size
    record: dict[str, Any] = {
        "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
        "dynamodb": told,
    }
    if is_expired:
        record["userIdentity"] = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    return StreamRecord(stream.number, now_ms, orjson.dumps(record))


_WORDS = {"S": "string", "B": "binary", "N": "number"}


def _parts(schema: KeySchema) -> tuple[tuple[str, KeyType, bool], ...]:
    """(attribute, type, is of the partition key)."""
    return (
        *((name, key_type, True) for name, key_type in schema.hash_parts),
        *((name, key_type, False) for name, key_type in schema.range_parts),
    )


def _encode(parts: tuple[tuple[str, KeyType], ...], item: Item, limit: int) -> bytes | None:
    """None when a part is missing or is no key."""
    encoded = b""
    for name, key_type in parts:
        value = item.get(name)
        if value is None or not _is_key(value, key_type, limit):
            return None
        encoded += encode_part(key_type, value[key_type])
    return encoded


def _is_key(value: Value, key_type: KeyType, limit: int) -> bool:
    content = value.get(key_type)
    return content is not None and content != "" and not _is_too_long(key_type, content, limit)


def _is_too_long(key_type: KeyType, content: str, limit: int) -> bool:
    # A letter has up to four bytes.
    if key_type == "N" or len(content) * 4 <= limit:
        return False
    return (len(content.encode()) if key_type == "S" else len(b64decode(content))) > limit


def _check_part(name: str, key_type: KeyType, content: str, *, is_hash: bool) -> None:
    if content == "":
        # Not one item's reason: a transaction fails as a whole.
        raise AwsError(
            "ValidationException",
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {_WORDS[key_type]} value. Key: {name}",
        )
    if _is_too_long(key_type, content, MAX_HASH_BYTES if is_hash else MAX_RANGE_BYTES):
        raise _invalid(
            f"{_INVALID}Size of hashkey has exceeded the maximum size limit of{MAX_HASH_BYTES} bytes"
            if is_hash
            else f"{_INVALID}Aggregated size of all range keys has exceeded the size limit of {MAX_RANGE_BYTES} bytes"
        )


def _mismatch() -> AwsError:
    return _invalid("The provided key element does not match the schema")


def _invalid(message: str) -> AwsError:
    return UnfitKey("ValidationException", message)
