"""A table as reads and writes need it: compiled from its stored document, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freehold.tables.keys import KeyType

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeySchema:
    """A table's or local index's key has one attribute of each role at most, a global index's up to four."""

    hash_parts: tuple[tuple[str, KeyType], ...]  # (attribute, type) in the schema's order.
    range_parts: tuple[tuple[str, KeyType], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in (*self.hash_parts, *self.range_parts))

    @property
    def hash_name(self) -> str:
        return self.hash_parts[0][0]

    @property
    def range_name(self) -> str | None:
        return self.range_parts[0][0] if self.range_parts else None


@dataclass(frozen=True, slots=True)
class Index:
    name: str
    space: int
    schema: KeySchema
    is_local: bool
    projected: frozenset[str] | None  # The attributes that it has, keys included. None: all.


@dataclass(frozen=True, slots=True)
class Stream:
    number: int
    view_type: str  # KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES


@dataclass(frozen=True, slots=True)
class Expiry:
    attribute: str
    space: int  # Of the entries that say when which item expires.


@dataclass(frozen=True, slots=True)
class Table:
    region: str
    name: str
    space: int
    schema: KeySchema
    indexes: Mapping[str, Index]
    stream: Stream | None
    expiry: Expiry | None
    history: int | None  # The stream of what items were before each change: point-in-time recovery is on.
    is_ready: bool  # False while a backup, another table's past or an import fills it: nobody sees its items yet.
    document: Json  # As stored. Never change it in place.


def compile_table(region: str, document: Json) -> Table:
    """`document`: {"Description": DynamoDB's TableDescription, "Space", "IndexSpaces": {name: space},
    "Stream": {"Number"} or None, "TimeToLive": {"AttributeName", "Space"} or None,
    "PointInTimeRecovery": {"History", ...} or None, "Filling": where its items come from, while they do, ...}."""
    description = document["Description"]
    types = {each["AttributeName"]: each["AttributeType"] for each in description["AttributeDefinitions"]}
    schema = _schema(description["KeySchema"], types)
    indexes = {}
    for member, is_local in (("LocalSecondaryIndexes", True), ("GlobalSecondaryIndexes", False)):
        for index in description.get(member) or ():
            if index.get("IndexStatus") == "DELETING":
                continue
            own = _schema(index["KeySchema"], types)
            indexes[index["IndexName"]] = Index(
                name=index["IndexName"],
                space=document["IndexSpaces"][index["IndexName"]],
                schema=own,
                is_local=is_local,
                projected=_projected(index["Projection"], schema, own),
            )
    stream = document.get("Stream")
    expiry = document.get("TimeToLive")
    recovery = document.get("PointInTimeRecovery")
    return Table(
        region=region,
        name=description["TableName"],
        space=document["Space"],
        schema=schema,
        indexes=indexes,
        stream=Stream(stream["Number"], description["StreamSpecification"]["StreamViewType"]) if stream else None,
        expiry=Expiry(expiry["AttributeName"], expiry["Space"]) if expiry else None,
        history=recovery.get("History") if recovery else None,
        is_ready=not document.get("Filling"),
        document=document,
    )


def _schema(elements: list[Json], types: Mapping[str, str]) -> KeySchema:
    parts: dict[str, list[tuple[str, KeyType]]] = {"HASH": [], "RANGE": []}
    for element in elements:
        name = element["AttributeName"]
        parts[element["KeyType"]].append((name, types[name]))
    return KeySchema(tuple(parts["HASH"]), tuple(parts["RANGE"]))


def _projected(projection: Json, schema: KeySchema, own: KeySchema) -> frozenset[str] | None:
    if projection.get("ProjectionType", "ALL") == "ALL":
        return None
    return frozenset((*schema.names, *own.names, *projection.get("NonKeyAttributes", ())))
