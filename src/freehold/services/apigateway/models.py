"""Models and request validators. API Gateway API Reference, "Model" and "RequestValidator"."""

from __future__ import annotations

import re

import orjson

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import (
    MODEL,
    VALIDATOR,
    ApiGateway,
    bad_request,
    conflict,
    find,
    find_api,
    key,
    page,
    parts,
    picked,
    put,
)
from freehold.state.store import Delete

_MODEL_MEMBERS = ("contentType", "description", "name", "schema")
_VALIDATOR_MEMBERS = ("name", "validateRequestBody", "validateRequestParameters")
# How a schema names another model of an API.
_REFERENCE = re.compile(r"^https://apigateway\.amazonaws\.com/restapis/[^/]+/models/[A-Za-z0-9]+$")
_SCHEMA_DRAFT = "http://json-schema.org/draft-04/schema#"


async def create_model(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id = request["restApiId"]
    await find_api(gateway, call, api_id)
    model = new_model(gateway, request)
    if await gateway.store.read(MODEL, key(call, api_id, model["name"])):
        raise conflict("Model name already exists for this REST API")
    await gateway.store.write(put(call, MODEL, api_id, model["name"], model))
    return model


def new_model(gateway: ApiGateway, request: Json) -> Json:
    """A checked document of a new model."""
    if not request["name"].isalnum():
        raise bad_request("Model name must be alphanumeric: " + request["name"])
    model = picked(request, _MODEL_MEMBERS, contentType="application/json", id=gateway.ids.short(6))
    _check_schema(model.get("schema") or "{}")
    return model


def _check_schema(text: str) -> None:
    """It must be JSON Schema, draft 4, whatever it calls itself. Whether other models that it names are there is asked
    when a method uses it."""
    import jsonschema_rs  # A server without models never needs it.

    def retrieve(uri: str) -> Json:
        if not _REFERENCE.match(uri):
            raise ValueError("Model reference must be in canonical form")
        return {}

    try:
        jsonschema_rs.Draft4Validator(orjson.loads(text), retriever=retrieve)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"Invalid model specified: the schema is not JSON: {error}") from None
    except ValueError as error:
        raise bad_request(f"Invalid model specified: {str(error).splitlines()[0]}") from None


def default_models(gateway: ApiGateway) -> list[Json]:
    """Every new API has them."""
    error = {
        "$schema": _SCHEMA_DRAFT,
        "title": "Error Schema",
        "type": "object",
        "properties": {"message": {"type": "string"}},
    }
    empty = {"$schema": _SCHEMA_DRAFT, "title": "Empty Schema", "type": "object"}
    described = (
        ("Empty", "This is a default empty schema model", empty),
        ("Error", "This is a default error schema model", error),
    )
    return [
        picked(
            {"name": name, "description": description, "schema": orjson.dumps(schema).decode()},
            _MODEL_MEMBERS,
            contentType="application/json",
            id=gateway.ids.short(6),
        )
        for name, description, schema in described
    ]


async def get_model(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if request.get("flatten"):
        raise bad_request("Freehold does not support flatten of GetModel yet.")
    return await find(gateway, call, MODEL, request["restApiId"], request["modelName"])


async def get_models(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    return page(await parts(gateway, call, MODEL, request["restApiId"]), request)


async def update_model(gateway: ApiGateway, call: Call, request: Json) -> Json:
    model = await find(gateway, call, MODEL, request["restApiId"], request["modelName"])
    fields: dict[str, patch.Field] = {"description": patch.text, "schema": patch.text}
    model = patch.apply_patch(model, request.get("patchOperations"), fields)
    new_model(gateway, model)
    await gateway.store.write(put(call, MODEL, request["restApiId"], model["name"], model))
    return model


async def delete_model(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find(gateway, call, MODEL, request["restApiId"], request["modelName"])
    await gateway.store.write(Delete(MODEL, key(call, request["restApiId"], request["modelName"])))
    return {}


async def create_request_validator(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    validator = new_validator(gateway, request)
    await gateway.store.write(put(call, VALIDATOR, request["restApiId"], validator["id"], validator))
    return validator


def new_validator(gateway: ApiGateway, request: Json) -> Json:
    return picked(
        request,
        _VALIDATOR_MEMBERS,
        id=gateway.ids.short(6),
        validateRequestBody=False,
        validateRequestParameters=False,
    )


async def get_request_validator(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await find(gateway, call, VALIDATOR, request["restApiId"], request["requestValidatorId"])


async def get_request_validators(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find_api(gateway, call, request["restApiId"])
    return page(await parts(gateway, call, VALIDATOR, request["restApiId"]), request)


async def update_request_validator(gateway: ApiGateway, call: Call, request: Json) -> Json:
    validator = await find(gateway, call, VALIDATOR, request["restApiId"], request["requestValidatorId"])
    fields: dict[str, patch.Field] = {
        "name": patch.text,
        "validateRequestBody": patch.boolean,
        "validateRequestParameters": patch.boolean,
    }
    validator = patch.apply_patch(validator, request.get("patchOperations"), fields)
    await gateway.store.write(put(call, VALIDATOR, request["restApiId"], validator["id"], validator))
    return validator


async def delete_request_validator(gateway: ApiGateway, call: Call, request: Json) -> Json:
    await find(gateway, call, VALIDATOR, request["restApiId"], request["requestValidatorId"])
    await gateway.store.write(Delete(VALIDATOR, key(call, request["restApiId"], request["requestValidatorId"])))
    return {}
