"""A table as reads and writes need it: compiled from its stored document, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freehold.tables.keys import KeyType

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class KeySchema:
    hash_name: str
    hash_type: KeyType
    range_name: str | None = None
    range_type: KeyType | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hash_name,) if self.range_name is None else (self.hash_name, self.range_name)


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
    document: Json  # As stored. Never change it in place.


def compile_table(region: str, document: Json) -> Table:
    """`document`: {"Description": DynamoDB's TableDescription, "Space", "IndexSpaces": {name: space},
    "Stream": {"Number"} or None, "TimeToLive": {"AttributeName", "Space"} or None, ...}."""
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
    return Table(
        region=region,
        name=description["TableName"],
        space=document["Space"],
        schema=schema,
        indexes=indexes,
        stream=Stream(stream["Number"], description["StreamSpecification"]["StreamViewType"]) if stream else None,
        expiry=Expiry(expiry["AttributeName"], expiry["Space"]) if expiry else None,
        document=document,
    )


def _schema(elements: list[Json], types: Mapping[str, str]) -> KeySchema:
    by_role = {element["KeyType"]: element["AttributeName"] for element in elements}
    range_name = by_role.get("RANGE")
    return KeySchema(
        by_role["HASH"], types[by_role["HASH"]], range_name, types[range_name] if range_name is not None else None
    )


def _projected(projection: Json, schema: KeySchema, own: KeySchema) -> frozenset[str] | None:
    if projection.get("ProjectionType", "ALL") == "ALL":
        return None
    return frozenset((*schema.names, *own.names, *projection.get("NonKeyAttributes", ())))
