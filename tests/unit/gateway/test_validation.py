"""Request validation of REST APIs, from the control plane to the answer."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.world import FUNCTION, World, event_of, header, invoke_uri

from freehold.aws.errors import AwsError
from freehold.gateway.exchange import Refused
from freehold.gateway.validation import compile_validation
from freehold.http.messages import Request

ITEM = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["name", "price"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "price": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
    },
}
JSON = ("Content-Type", "application/json")


async def deploy(
    world: World, schema: Any = ITEM, *, path: str = "/items", body: bool = True, parameters: bool = True, **method: Any
) -> str:
    api_id = await world.rest_api("GET /open", deploy=False)
    text = orjson.dumps(schema).decode()
    await world.rest("CreateModel", restApiId=api_id, name="Item", contentType="application/json", schema=text)
    flags = {"validateRequestBody": body, "validateRequestParameters": parameters}
    validator = await world.rest("CreateRequestValidator", restApiId=api_id, name="v", **flags)
    options = {"requestModels": {"application/json": "Item"}, "requestValidatorId": validator["id"], **method}
    await world.rest_method(api_id, f"POST {path}", **options)
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return f"/_aws/execute-api/{api_id}/dev"


@pytest.mark.parametrize(
    ("body", "headers", "is_valid"),
    [
        (b'{"name":"a","price":1}', [JSON], True),
        (b'{"name":"a","price":1}', [("content-type", "Application/JSON; charset=utf-8")], True),
        (b'{"name":"a","price":0}', [JSON], False),  # Draft 4: exclusiveMinimum is a flag.
        (b'{"name":"a"}', [JSON], False),
        (b'{"name":"a"}', [], False),  # No type is application/json.
        (b"not json", [JSON], False),
        (b"", [JSON], False),  # Stands for {}.
        (b'{"name":"a"}', [("Content-Type", "text/plain")], True),  # No model for this type.
        (b"[" * 5000 + b"]" * 5000, [JSON], False),
    ],
)
async def test_a_body_is_held_against_the_model_of_its_type(
    world: World, body: bytes, headers: list[tuple[str, str]], is_valid: bool
) -> None:
    base = await deploy(world)
    response = await world.send("POST", f"{base}/items", headers, body)
    if is_valid:
        assert response.status == 200
        return
    assert (response.status, response.body) == (400, b'{"message": "Invalid request body"}')
    assert header(response, "x-amzn-errortype") == "BadRequestException"
    assert world.functions.invocations == []


async def test_a_default_model_is_for_every_other_type(world: World) -> None:
    base = await deploy(world, requestModels={"$default": "Item"})
    assert (await world.send("POST", f"{base}/items", [("Content-Type", "text/plain")], b"{}")).status == 400


async def test_required_parameters_are_told_by_name_and_blank_counts_as_missing(world: World) -> None:
    wanted = {
        "method.request.querystring.page": True,
        "method.request.header.X-Token": True,
        "method.request.querystring.size": False,
        "method.request.path.id": True,
    }
    base = await deploy(world, path="/items/{id}", body=False, requestParameters=wanted)
    for query, headers, missing in (
        ("", [], "X-Token, page"),
        ("?page=%20", [("x-token", "t")], "page"),
        ("?page=1", [("X-Token", " ")], "X-Token"),
    ):
        response = await world.send("POST", f"{base}/items/7{query}", headers)
        body = f'{{"message": "Missing required request parameters: [{missing}]"}}'.encode()
        assert (response.status, response.body) == (400, body)
    assert world.functions.invocations == []
    assert (await world.send("POST", f"{base}/items/7?page=1", [("x-token", "t")])).status == 200


async def test_parameters_are_checked_before_the_body(world: World) -> None:
    base = await deploy(world, requestParameters={"method.request.querystring.page": True})
    response = await world.send("POST", f"{base}/items", [JSON], b"{}")
    assert b"Missing required request parameters: [page]" in response.body


async def test_a_validator_that_checks_nothing_lets_pass(world: World) -> None:
    required = {"method.request.querystring.page": True}
    base = await deploy(world, body=False, parameters=False, requestParameters=required)
    assert (await world.send("POST", f"{base}/items", [JSON], b"{}")).status == 200


async def test_validation_comes_after_the_authorizer(world: World) -> None:
    base = await deploy(world)
    api_id = base.split("/")[3]
    authorizer = await world.rest(
        "CreateAuthorizer",
        restApiId=api_id,
        name="a",
        type="TOKEN",
        authorizerUri=invoke_uri(FUNCTION),
        identitySource="method.request.header.Authorization",
    )
    patches = [
        {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
        {"op": "replace", "path": "/authorizerId", "value": authorizer["id"]},
    ]
    resource = await world.rest_resource(api_id, "/items")
    await world.rest("UpdateMethod", restApiId=api_id, resourceId=resource, httpMethod="POST", patchOperations=patches)
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    assert (await world.send("POST", f"{base}/items", [JSON], b"{}")).status == 401


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", '[object has missing required properties (["name","price"])]'),
        (
            b'{"name":1,"price":-1}',
            '[instance type (integer) does not match any allowed primitive type (allowed: ["string"]), '
            "numeric instance is not strictly greater than the required minimum 0]",
        ),
        (b'{"name":"","price":1}', '[string "" is too short (length: 0, required minimum: 1)]'),
    ],
)
async def test_a_gateway_response_tells_what_was_wrong(world: World, body: bytes, told: str) -> None:
    base = await deploy(world)
    api_id = base.split("/")[3]
    await world.rest(
        "PutGatewayResponse",
        restApiId=api_id,
        responseType="BAD_REQUEST_BODY",
        statusCode="422",
        responseTemplates={"application/json": '{"errors":"$context.error.validationErrorString"}'},
    )
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    response = await world.send("POST", f"{base}/items", [JSON], body)
    assert (response.status, orjson.loads(response.body)) == (422, {"errors": told})


async def test_models_may_name_each_other_and_themselves(world: World) -> None:
    api_id = await world.rest_api("GET /open", deploy=False)
    uri = f"https://apigateway.amazonaws.com/restapis/{api_id}/models"
    tree = {"type": "object", "properties": {"item": {"$ref": f"{uri}/Item"}, "below": {"$ref": f"{uri}/Tree"}}}
    for name, schema in (("Item", ITEM), ("Tree", tree)):
        await world.rest(
            "CreateModel",
            restApiId=api_id,
            name=name,
            contentType="application/json",
            schema=orjson.dumps(schema).decode(),
        )
    validator = await world.rest("CreateRequestValidator", restApiId=api_id, name="v", validateRequestBody=True)
    await world.rest_method(
        api_id, "POST /tree", requestModels={"application/json": "Tree"}, requestValidatorId=validator["id"]
    )
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    url = f"/_aws/execute-api/{api_id}/dev/tree"
    good = b'{"below":{"below":{"item":{"name":"a","price":1}}}}'
    assert (await world.send("POST", url, [JSON], good)).status == 200
    assert (await world.send("POST", url, [JSON], good.replace(b"1", b"0"))).status == 400


@pytest.mark.parametrize(
    ("models", "schema", "what"),
    [
        ({"application/json": "Nope"}, ITEM, "POST /items needs a model Nope that does not exist"),
        ({"application/json": "Item"}, {"type": "nonsense"}, "Invalid model specified"),
        ({"application/json": "Item"}, {"$ref": "https://example.com/schema"}, "canonical form"),
        ({"application/json": "Item"}, {"pattern": "("}, "Invalid model specified"),
    ],
)
async def test_a_model_that_cannot_be_used_is_refused(world: World, models: Any, schema: Any, what: str) -> None:
    with pytest.raises(AwsError, match=what):
        await deploy(world, schema, requestModels=models)


async def test_a_pattern_that_would_backtrack_for_ever_ends_and_refuses(world: World) -> None:
    base = await deploy(world, {"properties": {"name": {"pattern": "^(a|a)*\\1$(?=b)"}}})
    began = time.process_time()
    body = orjson.dumps({"name": "a" * 5000})
    assert (await world.send("POST", f"{base}/items", [JSON], body)).status == 400
    assert time.process_time() - began < 2


async def test_an_openapi_documents_schemas_validate(world: World) -> None:
    """Models that name each other by the document's own references, and a schema that is written in place."""
    operation = {
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-integration": {"httpMethod": "POST", "type": "aws_proxy", "uri": invoke_uri(FUNCTION)},
        "parameters": [{"name": "page", "in": "query", "required": True, "schema": {"type": "string"}}],
    }
    basket = {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}

    def with_body(schema: Any) -> Any:
        return {**operation, "requestBody": {"content": {"application/json": {"schema": schema}}}}

    document = {
        "openapi": "3.0.1",
        "info": {"title": "shop", "version": "1"},
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "paths": {
            "/basket": {"post": with_body({"$ref": "#/components/schemas/Basket"})},
            "/inline": {"post": with_body({"type": "object", "required": ["a"]})},
        },
        "components": {"schemas": {"Item": ITEM, "Basket": basket}},
    }
    api = await world.rest("ImportRestApi", body=orjson.dumps(document))
    await world.rest("CreateDeployment", restApiId=api["id"], stageName="dev")
    base = f"/_aws/execute-api/{api['id']}/dev"
    for path, body, status in (
        ("/basket?page=1", b'[{"name":"a","price":1}]', 200),
        ("/basket?page=1", b'[{"name":"a"}]', 400),
        ("/basket", b"[]", 400),
        ("/inline?page=1", b'{"a":1}', 200),
        ("/inline?page=1", b"{}", 400),
    ):
        assert (await world.send("POST", base + path, [JSON], body)).status == status, (path, body)
    assert event_of(await world.get(f"{base}/nope"))["message"] == "Missing Authentication Token"


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.binary(max_size=200) | _JSON_VALUES.map(orjson.dumps))
def test_any_body_is_valid_or_refused(body: bytes) -> None:
    """Nothing that a caller sends raises anything else."""
    validation = compile_validation(
        {"requestValidatorId": "v", "requestModels": {"application/json": "Item"}},
        {"v": {"validateRequestBody": True}},
        {"Item": {"schema": orjson.dumps(ITEM).decode()}},
        "POST /items",
    )
    assert validation is not None
    exchange: Any = type("Exchange", (), {"request": Request("POST", "/", "", [], body), "parameters": {}})()
    try:
        validation.check(exchange)
    except Refused:
        pass
    else:
        document = orjson.loads(body)
        assert isinstance(document["name"], str)
        assert document["price"] > 0
