"""What a resource type is to the execution: how it is named, made, changed and deleted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from freehold.aws.call import Aws, Json
from freehold.stacks.schema import load_schema


@dataclass(frozen=True, slots=True)
class Created:
    physical_id: str  # What `Ref` gives.
    attributes: Json = field(default_factory=dict)  # What `Fn::GetAtt` gives.


@dataclass(frozen=True, slots=True)
class Name:
    """The property that names the resource; CloudFormation makes one up where the template does not."""

    property: str
    limit: int
    lower: bool = False
    letters_only: bool = False  # Nothing but letters and digits.


Create = Callable[[Aws, Json], Awaitable[Created]]
Update = Callable[[Aws, str, Json, Json], Awaitable[Created]]  # physical id, properties, previous properties
Delete = Callable[[Aws, str, Json], Awaitable[None]]  # physical id, properties; "not found" is no failure.


@dataclass(frozen=True, slots=True)
class ResourceType:
    type: str
    services: tuple[str, ...]  # botocore's names of the services that it acts through.
    create: Create
    delete: Delete
    update: Update | None = None  # None: every change makes a new physical resource.
    name: Name | None = None
    more_attributes: frozenset[str] = frozenset()  # Beside those that the published schema has.
    more_replaced_by: frozenset[str] = frozenset()
    supported: frozenset[str] = frozenset()  # Empty: every property of the schema. A template with others is refused.

    @property
    def attributes(self) -> frozenset[str]:
        return load_schema(self.type).attributes | self.more_attributes

    def has_attribute(self, name: str) -> bool:
        return name in self.attributes

    def is_replaced(self, properties: Json, previous: Json) -> list[str]:
        """The changed properties that make a new physical resource; empty: it can be changed in place."""
        if self.update is None:
            return changed(properties, previous)
        names = load_schema(self.type).replaced_by | self.more_replaced_by
        return sorted(name for name in names if _at(properties, name) != _at(previous, name))


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a stack a resource stands, for the few types that must know."""

    aws: Aws
    stack_id: str
    stack_name: str
    logical_id: str
    type: str
    request_id: str
    root_id: str
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PlacedType:
    """As ResourceType, for custom resources and nested stacks, which act for the stack they stand in."""

    type: str
    services: tuple[str, ...]
    create: Callable[[Place, Json], Awaitable[Created]]
    update: Callable[[Place, str, Json, Json], Awaitable[Created]]
    delete: Callable[[Place, str, Json], Awaitable[None]]
    any_attribute: bool = False
    attributes: frozenset[str] = frozenset()
    name: Name | None = None

    def has_attribute(self, name: str) -> bool:
        return self.any_attribute or name in self.attributes or name.startswith("Outputs.")

    def is_replaced(self, properties: Json, previous: Json) -> list[str]:
        return ["ServiceToken"] if properties.get("ServiceToken") != previous.get("ServiceToken") else []


def changed(properties: Json, previous: Json) -> list[str]:
    """Names of the properties that differ."""
    return sorted(name for name in {*properties, *previous} if properties.get(name) != previous.get(name))


def pick(properties: Json, *names: str) -> Json:
    return {name: properties[name] for name in names if name in properties}


def without(properties: Json, *names: str) -> Json:
    return {name: value for name, value in properties.items() if name not in names}


def camel(properties: Json) -> Json:
    """Members spelled as API Gateway's REST API spells them (`HttpMethod` as `httpMethod`), one level deep."""
    return {name[:1].lower() + name[1:]: value for name, value in properties.items()}


def camel_deep(value: Any) -> Any:
    """As `camel`, at every level; not for values whose keys are the user's."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: camel_deep(item) for name, item in value.items()}
    return [camel_deep(item) for item in value] if isinstance(value, list) else value


def tag_map(tags: Any) -> dict[str, str]:
    """`[{Key, Value}]` as a mapping."""
    if isinstance(tags, dict):
        return tags
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def json_text(value: Any) -> str:
    """A policy or document as text; text stays itself."""
    return value if isinstance(value, str) else json.dumps(value)


def tag_changes(properties: Json, previous: Json) -> tuple[list[str], dict[str, str]]:
    """Keys of tags that go, and tags that come or change."""
    new, old = tag_map(properties.get("Tags")), tag_map(previous.get("Tags"))
    return [key for key in old if key not in new], {key: value for key, value in new.items() if old.get(key) != value}


def tag_list(tags: dict[str, str]) -> list[Json]:
    """A mapping as `[{Key, Value}]`."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def attribute_text(value: Any) -> str:
    """As SNS and SQS take the values of attributes."""
    return str(value).lower() if isinstance(value, bool) else json_text(value)


def attribute_changes(new: dict[str, str], old: dict[str, str], defaults: dict[str, str]) -> dict[str, str]:
    """Attributes that come or change, and what those go back to that the template no longer has."""
    changes = {name: value for name, value in new.items() if old.get(name) != value}
    return changes | {name: defaults.get(name, "") for name in old if name not in new}


async def retag(
    aws: Aws, service: str, arn: str, properties: Json, previous: Json, names: tuple[str, str, str]
) -> None:
    """Brings tags to what the properties say. `names`: the members for the ARN, the tags and the keys."""
    arn_member, tags_member, keys_member = names
    gone, put = tag_changes(properties, previous)
    if gone:
        await aws(service, "UntagResource", {arn_member: arn, keys_member: gone})
    if put:
        await aws(service, "TagResource", {arn_member: arn, tags_member: put})


def _at(properties: Any, dotted: str) -> Any:
    for step in dotted.split("."):
        properties = properties.get(step) if isinstance(properties, dict) else None
    return properties
