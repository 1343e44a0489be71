"""Every property of every AWS::ApiGateway type reaches an operation, on creation and on a change: none is lost.

Each value of a schema is made so that it is found again in what is asked of API Gateway.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from tests.unit.stacks.cloud import CALL

from freehold.aws.call import Call, Json
from freehold.stacks.resources import RESOURCE_TYPES, ResourceType, find_type
from freehold.stacks.schema import Schema, load_schema

_TYPES = sorted(name for name in RESOURCE_TYPES if name.startswith("AWS::ApiGateway::"))
_LOST = {
    # Text that stands for a boolean.
    ("AWS::ApiGateway::Method", "RequestParameters.*"),
    ("AWS::ApiGateway::Method", "MethodResponses.ResponseParameters.*"),
    # How a document is put together with an API that is there; a new one has nothing yet.
    ("AWS::ApiGateway::RestApi", "Mode"),
    # What a new API is made from; it goes its own way from then on.
    ("AWS::ApiGateway::RestApi", "CloneFrom"),
    # Refused by name when the domain name is made, so none with it is ever changed.
    ("AWS::ApiGateway::DomainName", "EndpointAccessMode"),
    ("AWS::ApiGateway::DomainName", "MutualTlsAuthentication.TruststoreUri"),
    ("AWS::ApiGateway::DomainName", "MutualTlsAuthentication.TruststoreVersion"),
    ("AWS::ApiGateway::DomainName", "OwnershipVerificationCertificateArn"),
    ("AWS::ApiGateway::DomainName", "RoutingMode"),
}


@dataclass(slots=True)
class Recorder:
    """Answers everything with the same, and keeps what it was asked."""

    call: Call = CALL
    asked: list[Json] = field(default_factory=list)

    async def __call__(self, service: str, operation: str, request: Json) -> Json:
        self.asked.append({"service": service, "operation": operation, **request})
        if service == "s3":
            return {"Body": b"{}"}
        return {"id": "x", "name": "x", "value": "x", "stageName": "x", "deploymentId": "x", "items": [], "tags": {}}

    def has(self, value: Any) -> bool:
        return str(value) in orjson.dumps(self.asked, default=lambda data: data.decode()).decode()


class Values:
    """Makes values that are told apart, and remembers where each belongs."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._numbers = itertools.count(70_001)
        self.places: dict[str, str] = {}  # Value as text -> "EndpointConfiguration.Types".

    def properties(self, left_out: frozenset[str]) -> Json:
        return {
            name: self._make(shape, name) for name, shape in self._schema.properties.items() if name not in left_out
        }

    def _make(self, shape: Json, place: str) -> Any:
        if "ref" in shape:
            shape = {"type": "object", **self._schema.definitions[shape["ref"]]}
        kind = shape.get("type")
        if kind == "array":
            return [self._make(shape["items"], place)]
        if kind == "object" and "properties" in shape:
            return {name: self._make(each, f"{place}.{name}") for name, each in shape["properties"].items()}
        if kind == "object":
            return {self._text(place): self._make(shape.get("values", {"type": "string"}), f"{place}.*")}
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            number = next(self._numbers)
            self.places[str(number)] = place
            return number
        return {"made": self._text(place)} if kind == "json" else self._text(place)

    def _text(self, place: str) -> str:
        text = f"made{next(self._numbers)}"
        self.places[text] = place
        return text


def _cases() -> Iterator[Any]:
    for name in _TYPES:
        if name == "AWS::ApiGateway::RestApi":
            for left_out in (
                ("Body", "BodyS3Location", "Parameters"),
                ("BodyS3Location", "CloneFrom"),
                ("Body", "CloneFrom"),
            ):
                yield pytest.param(name, frozenset(left_out), id=f"{name} without {' and '.join(left_out)}")
        else:
            yield pytest.param(name, frozenset(), id=name)


@pytest.mark.parametrize(("name", "left_out"), list(_cases()))
async def test_no_property_is_lost_on_the_way_to_an_operation(name: str, left_out: frozenset[str]) -> None:
    kind = find_type(name)
    assert isinstance(kind, ResourceType)
    values = Values(load_schema(name))
    properties = values.properties(left_out)
    aws = Recorder()
    await kind.create(aws, properties)
    lost = {place for text, place in values.places.items() if not aws.has(text)}
    assert {place for place in lost if (name, place) not in _LOST} == set()


@pytest.mark.parametrize(("name", "left_out"), list(_cases()))
async def test_no_change_is_lost_on_the_way_to_an_operation(name: str, left_out: frozenset[str]) -> None:
    kind = find_type(name)
    assert isinstance(kind, ResourceType)
    if kind.update is None:
        return  # Every change makes a new resource.
    values = Values(load_schema(name))
    previous = values.properties(left_out)
    values.places.clear()
    properties = values.properties(left_out)
    replaced = set(kind.is_replaced(properties, previous))
    aws = Recorder()
    await kind.update(aws, "x", properties, previous)
    lost = {
        place for text, place in values.places.items() if not aws.has(text) and place.partition(".")[0] not in replaced
    }
    assert {place for place in lost if (name, place) not in _LOST} == set()
