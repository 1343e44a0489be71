"""Request validation of REST APIs: required parameters, and the body against the model of its content type.

API Gateway Developer Guide, "Request validation for REST APIs in API Gateway". Models are JSON Schema, draft 4. A body
of a type that has no model passes; an empty body is held against its model as `{}` (recorded).
Patterns are the deployer's and bodies the caller's: a match that backtracks too long ends, and the body is invalid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.payloads.parts import query_pairs
from freehold.gateway.schema_errors import describe

if TYPE_CHECKING:
    from jsonschema_rs import Draft4Validator

_JSON = "application/json"
_BACKTRACK_LIMIT = 100_000
_PLACES = ("header", "path", "querystring", "multivalueheader", "multivaluequerystring")


@dataclass(frozen=True, slots=True)
class Validation:
    required: tuple[tuple[str, str], ...]  # (place, name): ("header", "X-Token").
    models: Mapping[str, Draft4Validator]  # By content type in lower case; "$default" for the others.

    def check(self, exchange: Exchange) -> None:
        """Raises Refused."""
        if self.required:
            missing = self._missing(exchange)
            if missing:
                raise Refused("BAD_REQUEST_PARAMETERS", f"Missing required request parameters: [{', '.join(missing)}]")
        if self.models:
            self._check_body(exchange)

    def _missing(self, exchange: Exchange) -> list[str]:
        """Blank counts as missing."""
        request = exchange.request
        query = dict(query_pairs(request.query)) if request.query else {}
        missing = []
        for place, name in self.required:
            if place.endswith("header"):
                value = request.lower.get(name.lower())
            elif place == "path":
                value = exchange.parameters.get(name)
            else:
                value = query.get(name)
            if value is None or not value.strip():
                missing.append(name)
        return missing

    def _check_body(self, exchange: Exchange) -> None:
        request = exchange.request
        content_type = request.lower.get("content-type", _JSON).partition(";")[0].strip().lower()
        model = self.models.get(content_type) or self.models.get("$default")
        if model is None:
            return
        try:
            # Also a limit on depth: what orjson reads is at most 1,024 levels deep.
            document = orjson.loads(request.body) if request.body.strip() else {}
        except orjson.JSONDecodeError:
            raise Refused("BAD_REQUEST_BODY", "Invalid request body", detail="[Invalid JSON]") from None
        if not model.is_valid(document):
            raise Refused("BAD_REQUEST_BODY", "Invalid request body", detail=describe(model.iter_errors(document)))


def validate(exchange: Exchange) -> None:
    route = exchange.route
    if route is not None and route.validation is not None:
        route.validation.check(exchange)


def compile_validation(
    method: Json, validators: Mapping[str, Json], models: Mapping[str, Json], what: str
) -> Validation | None:
    """`validators` by id, `models` by name: documents. None: nothing is checked. Raises AwsError."""
    validator = validators.get(method.get("requestValidatorId") or "")
    if validator is None:
        return None
    required: tuple[tuple[str, str], ...] = ()
    if validator.get("validateRequestParameters"):
        # In the order of their full names (recorded).
        names = sorted(name for name, wanted in (method.get("requestParameters") or {}).items() if wanted)
        required = tuple(_place(name, what) for name in names)
    compiled = {}
    if validator.get("validateRequestBody"):
        for content_type, name in (method.get("requestModels") or {}).items():
            compiled[content_type.lower()] = _compile_model(name, models, what)
    return Validation(required, compiled) if required or compiled else None


def _place(parameter: str, what: str) -> tuple[str, str]:
    place, _, name = parameter.removeprefix("method.request.").partition(".")
    if place not in _PLACES or not name:
        raise AwsError("BadRequestException", f"Invalid request parameter {parameter} of {what}", status=400)
    return place, name


def _compile_model(name: str, models: Mapping[str, Json], what: str) -> Draft4Validator:
    import jsonschema_rs  # A server without validators never needs it.

    def retrieve(uri: str) -> Any:
        """Another model of the API; nothing is ever fetched."""
        _, slash, other = uri.partition("/models/")
        return _schema(other if slash else uri, models, what)

    try:
        return jsonschema_rs.Draft4Validator(
            _schema(name, models, what),
            retriever=retrieve,
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACK_LIMIT),
        )
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise AwsError("BadRequestException", f"Invalid model {name} of {what}: {reason}", status=400) from None


def _schema(name: str, models: Mapping[str, Json], what: str) -> Any:
    if name not in models:
        raise AwsError("BadRequestException", f"{what} needs a model {name} that does not exist", status=400)
    return orjson.loads(models[name].get("schema") or "{}")
