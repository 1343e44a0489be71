"""Models of WebSocket APIs: JSON Schema, draft 4, that messages are held to. API Gateway V2 API Reference, "Models"."""

from __future__ import annotations

import json

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    MODEL,
    ApiGatewayV2,
    bad_request,
    changed,
    conflict,
    find,
    key,
    page,
    parts,
    picked,
    put,
    require_socket_api,
)
from freehold.state.store import Delete

_MEMBERS = ("ContentType", "Description", "Name", "Schema")


async def create_model(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await require_socket_api(gateway, call, request["ApiId"])
    model = picked(request, _MEMBERS, ContentType="application/json", ModelId=gateway.ids.short(6))
    await _check(gateway, call, request["ApiId"], model)
    await gateway.store.write(put(call, MODEL, request["ApiId"], model["ModelId"], model))
    return model


async def get_model(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find(gateway, call, MODEL, request["ApiId"], request["ModelId"])


async def get_model_template(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    """A mapping template that hands a body of the model on, as the console offers it."""
    await get_model(gateway, call, request)
    return {"Value": "#set($inputRoot = $input.path('$'))\n$input.json('$')"}


async def get_models(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await require_socket_api(gateway, call, request["ApiId"])
    return page(await parts(gateway, call, MODEL, request["ApiId"]), request)


async def update_model(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    model = changed(await get_model(gateway, call, request), request, _MEMBERS)
    await _check(gateway, call, request["ApiId"], model)
    await gateway.store.write(put(call, MODEL, request["ApiId"], request["ModelId"], model))
    return model


async def delete_model(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    await get_model(gateway, call, request)
    await gateway.store.write(Delete(MODEL, key(call, request["ApiId"], request["ModelId"])))
    return {}


async def _check(gateway: ApiGatewayV2, call: Call, api_id: str, model: Json) -> None:
    if not model["Name"].isalnum():
        raise bad_request("Model name must be alphanumeric")
    try:
        is_schema = isinstance(json.loads(model["Schema"]), dict)
    except ValueError:
        is_schema = False
    if not is_schema:
        raise bad_request("Invalid model schema specified")
    for other in await parts(gateway, call, MODEL, api_id):
        if other["Name"] == model["Name"] and other["ModelId"] != model["ModelId"]:
            raise conflict(f"Model {model['Name']} already exists")
