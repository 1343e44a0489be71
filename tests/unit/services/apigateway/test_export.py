"""Exports of REST APIs: as recorded from AWS, and what an import makes of them is the same API.

Recorded: LocalStack's `test_apigateway_extended.snapshot.json` ("test_export_swagger_openapi",
"test_export_oas30_openapi", validated against AWS on 2024-04-15), of its imported `pets.json` and of the Pet Store that
API Gateway's console offers; here with fewer paths.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import yaml
from tests.clocks import SetClock
from tests.unit.gateway.memory_store import MemoryStore

from freehold.aws.call import Call, OperationTable
from freehold.aws.errors import AwsError
from freehold.clock import RandomIds
from freehold.services.apigateway import OPERATIONS, ApiGateway

Json = dict[str, Any]
_NOW_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z
_CALL = Call(region="us-east-1", account="000000000000")
_URI = "http://petstore.execute-api.us-east-1.amazonaws.com/petstore/pets"
_ORIGIN = {"method.response.header.Access-Control-Allow-Origin": "'*'"}

_PET_STORE = {
    "swagger": "2.0",
    "info": {"title": "PetStore", "description": "Your first API", "version": "1.0.0"},
    "schemes": ["https"],
    "paths": {
        "/": {
            "get": {
                "consumes": ["application/json"],
                "produces": ["text/html"],
                "responses": {"200": {"description": "200 response", "headers": {"Content-Type": {"type": "string"}}}},
                "x-amazon-apigateway-integration": {
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseParameters": {"method.response.header.Content-Type": "'text/html'"},
                            "responseTemplates": {"text/html": "<html>"},
                        }
                    },
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "passthroughBehavior": "when_no_match",
                    "type": "mock",
                },
            }
        },
        "/pets": {
            "get": {
                "produces": ["application/json"],
                "parameters": [
                    {"name": "type", "in": "query", "required": False, "type": "string"},
                    {"name": "page", "in": "query", "required": False, "type": "string"},
                ],
                "responses": {
                    "200": {
                        "description": "200 response",
                        "schema": {"$ref": "#/definitions/Pets"},
                        "headers": {"Access-Control-Allow-Origin": {"type": "string"}},
                    }
                },
                "x-amazon-apigateway-integration": {
                    "responses": {"default": {"statusCode": "200", "responseParameters": _ORIGIN}},
                    "uri": _URI,
                    "passthroughBehavior": "when_no_match",
                    "httpMethod": "GET",
                    "requestParameters": {
                        "integration.request.querystring.page": "method.request.querystring.page",
                        "integration.request.querystring.type": "method.request.querystring.type",
                    },
                    "type": "http",
                },
            },
            "post": {
                "operationId": "CreatePet",
                "consumes": ["application/json"],
                "produces": ["application/json"],
                "parameters": [
                    {"in": "body", "name": "NewPet", "required": True, "schema": {"$ref": "#/definitions/NewPet"}}
                ],
                "responses": {
                    "200": {"description": "200 response", "schema": {"$ref": "#/definitions/NewPetResponse"}}
                },
                "x-amazon-apigateway-integration": {
                    "responses": {"default": {"statusCode": "200", "responseParameters": _ORIGIN}},
                    "uri": _URI,
                    "passthroughBehavior": "when_no_match",
                    "httpMethod": "POST",
                    "type": "http",
                },
            },
        },
    },
    "definitions": {
        "NewPet": {
            "type": "object",
            "properties": {"type": {"$ref": "#/definitions/PetType"}, "price": {"type": "number"}},
        },
        "NewPetResponse": {
            "type": "object",
            "properties": {"pet": {"$ref": "#/definitions/Pet"}, "message": {"type": "string"}},
        },
        "Pet": {"type": "object", "properties": {"id": {"type": "integer"}, "type": {"type": "string"}}},
        "PetType": {"type": "string", "enum": ["dog", "cat"]},
        "Pets": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
    },
}

_FUNCTION = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:0:function:f/invocations"
)
_GUARDED = {
    "openapi": "3.0.1",
    "info": {"title": "guarded", "version": "2"},
    "paths": {
        "/items/{id}": {
            "x-amazon-apigateway-any-method": {
                "parameters": [
                    {"name": "X-Page", "in": "header", "required": True, "schema": {"type": "string"}},
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
                    "required": True,
                },
                "responses": {
                    "200": {
                        "description": "200 response",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}},
                    }
                },
                "security": [{"token": []}, {"api_key": []}],
                "x-amazon-apigateway-request-validator": "all",
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": _FUNCTION,
                    "timeoutInMillis": 5000,
                    "passthroughBehavior": "never",
                    "cacheKeyParameters": ["method.request.path.id"],
                    "cacheNamespace": "items",
                },
            },
            "get": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {},
                "security": [{"pool": ["items/read"]}],
            },
            "put": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {},
                "security": [{"sigv4": []}],
            },
            "delete": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {},
                "security": [{"asked": []}],
            },
        }
    },
    "components": {
        "schemas": {"Item": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
        "securitySchemes": {
            "token": {
                "type": "apiKey",
                "name": "X-Token",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "authorizerUri": _FUNCTION,
                    "authorizerResultTtlInSeconds": 60,
                    "identityValidationExpression": "^Bearer ",
                    "type": "token",
                },
            },
            "asked": {
                "type": "apiKey",
                "name": "Unused",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "authorizerUri": _FUNCTION,
                    "authorizerResultTtlInSeconds": 300,
                    "identitySource": "method.request.header.A,method.request.querystring.b",
                    "type": "request",
                },
            },
            "pool": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "cognito_user_pools",
                "x-amazon-apigateway-authorizer": {
                    "authorizerResultTtlInSeconds": 300,
                    "providerARNs": ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"],
                    "type": "cognito_user_pools",
                },
            },
            "sigv4": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        },
    },
    "x-amazon-apigateway-gateway-responses": {
        "UNAUTHORIZED": {"statusCode": "402", "responseTemplates": {"application/json": "{}"}}
    },
    "x-amazon-apigateway-request-validators": {"all": {"validateRequestParameters": True, "validateRequestBody": True}},
    "x-amazon-apigateway-binary-media-types": ["image/*"],
    "x-amazon-apigateway-api-key-source": "AUTHORIZER",
    "x-amazon-apigateway-policy": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}],
    },
}


class World:
    def __init__(self) -> None:
        self.gateway = ApiGateway(
            MemoryStore(), SetClock(_NOW_S), RandomIds(), lambda copy: None, lambda stage: None, OperationTable().bind
        )

    async def __call__(self, operation: str, **request: Any) -> Json:
        return await OPERATIONS[operation](self.gateway, _CALL, request)

    async def deployed(self, document: Json) -> str:
        api = (await self("ImportRestApi", body=orjson.dumps(document)))["id"]
        await self("CreateDeployment", restApiId=api, stageName="local")
        return str(api)

    async def export(self, api: str, kind: str, extensions: str = "", **more: Any) -> Json:
        parameters = {"extensions": extensions} if extensions else {}
        request = {"restApiId": api, "stageName": "local", "exportType": kind, "parameters": parameters}
        answer = await self("GetExport", **request, **more)
        found: Json = yaml.safe_load(answer["body"])
        return found


@pytest.fixture
async def world() -> World:
    return World()


async def test_a_swagger_export_is_as_aws_writes_it(world: World) -> None:
    api = await world.deployed(_PET_STORE)
    whole = {**_PET_STORE, "host": f"{api}.execute-api.us-east-1.amazonaws.com", "basePath": "/local"}
    assert await world.export(api, "swagger", "apigateway") == whole
    assert await world.export(api, "swagger") == _without_integrations(whole)


def _without_integrations(document: Any) -> Any:
    if isinstance(document, list):
        return [_without_integrations(each) for each in document]
    if not isinstance(document, dict):
        return document
    return {
        name: _without_integrations(each)
        for name, each in document.items()
        if name != "x-amazon-apigateway-integration"
    }


async def test_an_openapi_3_export_is_as_aws_writes_it(world: World) -> None:
    api = await world.deployed(_PET_STORE)
    found = await world.export(api, "oas30")
    assert found["openapi"] == "3.0.1"
    assert found["servers"] == [
        {
            "url": f"https://{api}.execute-api.us-east-1.amazonaws.com/{{basePath}}",
            "variables": {"basePath": {"default": "local"}},
        }
    ]
    assert found["paths"]["/"]["get"] == {
        "responses": {
            "200": {
                "description": "200 response",
                "headers": {"Content-Type": {"schema": {"type": "string"}}},
                "content": {},
            }
        }
    }
    assert found["paths"]["/pets"]["post"] == {
        "operationId": "CreatePet",
        "requestBody": {
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewPet"}}},
            "required": True,
        },
        "responses": {
            "200": {
                "description": "200 response",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewPetResponse"}}},
            }
        },
    }
    assert found["paths"]["/pets"]["get"]["parameters"][0] == {
        "name": "type",
        "in": "query",
        "schema": {"type": "string"},
    }
    assert found["components"]["schemas"]["Pets"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Pet"},
    }


async def test_an_api_without_models_has_empty_components(world: World) -> None:
    document = {"swagger": "2.0", "info": {"title": "bare"}, "paths": {"/{a}": {"get": {"responses": {}}}}}
    api = await world.deployed(document)
    found = await world.export(api, "oas30")
    assert found["components"] == {}
    assert found["info"]["version"] == "2026-01-01T00:00:00Z"
    assert found["paths"]["/{a}"]["get"]["parameters"][0]["required"] is True
    assert "definitions" not in await world.export(api, "swagger")


@pytest.mark.parametrize("kind", ["oas30", "swagger"])
@pytest.mark.parametrize("document", [_PET_STORE, _GUARDED], ids=["pets", "guarded"])
async def test_what_is_imported_from_an_export_is_exported_the_same(world: World, document: Json, kind: str) -> None:
    first = await world.deployed(document)
    exported = await world.export(first, kind, "apigateway")
    second = await world.deployed(exported)
    again = await world.export(second, kind, "apigateway")
    assert orjson.loads(orjson.dumps(again).replace(second.encode(), first.encode())) == exported


async def test_guards_are_told_with_what_they_are_made_of_where_that_is_asked_for(world: World) -> None:
    api = await world.deployed(_GUARDED)
    whole = await world.export(api, "oas30", "apigateway")
    assert {name: value for name, value in whole.items() if name != "servers"} == _GUARDED
    plain = await world.export(api, "oas30")
    assert plain["components"]["securitySchemes"]["token"] == {"type": "apiKey", "name": "X-Token", "in": "header"}
    assert not [name for name in plain if name.startswith("x-")]
    guards = await world.export(api, "oas30", "authorizers")
    assert guards["components"]["securitySchemes"] == _GUARDED["components"]["securitySchemes"]  # type: ignore[index]
    assert "x-amazon-apigateway-integration" not in guards["paths"]["/items/{id}"]["x-amazon-apigateway-any-method"]
    both = await world.export(api, "oas30", "integrations,authorizers")
    assert "x-amazon-apigateway-integration" in both["paths"]["/items/{id}"]["x-amazon-apigateway-any-method"]


async def test_a_clone_is_exported_as_the_api_that_it_was_made_from(world: World) -> None:
    for document in (_PET_STORE, _GUARDED):
        source = await world.deployed(document)
        made = await world("CreateRestApi", name="clone", cloneFrom=source)
        assert (made["name"], made["id"] == source) == ("clone", False)
        await world("CreateDeployment", restApiId=made["id"], stageName="local")
        exported = await world.export(source, "oas30", "apigateway")
        cloned = orjson.loads(
            orjson.dumps(await world.export(made["id"], "oas30", "apigateway")).replace(
                made["id"].encode(), source.encode()
            )
        )
        cloned["info"]["title"] = exported["info"]["title"]
        assert cloned == exported
        # Each goes its own way from here.
        await world("DeleteRestApi", restApiId=source)
        assert (await world("GetRestApi", restApiId=made["id"]))["name"] == "clone"
        assert len((await world("GetResources", restApiId=made["id"]))["items"]) > 1
    with pytest.raises(AwsError, match="Invalid API identifier"):
        await world("CreateRestApi", name="clone", cloneFrom="gone")


async def test_documentation_is_merged_into_the_places_that_it_is_about(world: World) -> None:
    api = await world.deployed(_PET_STORE)

    async def part(properties: Json, **location: str) -> None:
        text = orjson.dumps(properties).decode()
        await world("CreateDocumentationPart", restApiId=api, location=location, properties=text)

    await part({"info": {"description": "All about pets"}, "tags": [{"name": "pets"}]}, type="API")
    await part({"summary": "Any", "description": "Anything", "internal": "ours alone"}, type="METHOD")
    await part({"description": "Makes one"}, type="METHOD", path="/pets", method="POST")
    await part({"description": "A page"}, type="QUERY_PARAMETER", path="/pets", method="GET", name="page")
    await part({"description": "The new one"}, type="REQUEST_BODY", path="/pets", method="POST")
    await part({"description": "Done"}, type="RESPONSE", statusCode="200")
    await part({"description": "Who may"}, type="RESPONSE_HEADER", name="Access-Control-Allow-Origin", path="/pets")
    await part({"title": "A pet"}, type="MODEL", name="Pet")
    assert "x-amazon-apigateway-documentation" not in await world.export(api, "swagger")
    await world("CreateDocumentationVersion", restApiId=api, documentationVersion="v1", stageName="local")
    await part({"description": "After the version"}, type="RESOURCE", path="/pets")
    found = await world.export(api, "swagger")
    assert found["info"] == {"title": "PetStore", "version": "1.0.0", "description": "All about pets"}
    assert found["tags"] == [{"name": "pets"}]
    post, get = found["paths"]["/pets"]["post"], found["paths"]["/pets"]["get"]
    assert (post["summary"], post["description"]) == ("Any", "Makes one")
    assert "internal" not in post
    assert get["description"] == "Anything"
    assert [each.get("description") for each in get["parameters"]] == [None, "A page"]
    assert post["parameters"][0]["description"] == "The new one"
    assert get["responses"]["200"]["description"] == "Done"
    assert get["responses"]["200"]["headers"]["Access-Control-Allow-Origin"]["description"] == "Who may"
    assert found["definitions"]["Pet"]["title"] == "A pet"
    told = found["x-amazon-apigateway-documentation"]
    assert (told["version"], len(told["documentationParts"])) == ("v1", 8)
    oas30 = await world.export(api, "oas30")
    assert oas30["paths"]["/pets"]["post"]["requestBody"]["description"] == "The new one"

    again = await world.deployed(found)
    parts = (await world("GetDocumentationParts", restApiId=again, limit=100))["items"]
    assert {"type": "METHOD", "path": "/pets", "method": "POST"} in [each["location"] for each in parts]


async def test_an_import_of_documentation_fills_in_where_a_part_says_nothing(world: World) -> None:
    """Recorded: LocalStack's `test_apigateway_api.snapshot.json`, "test_import_documentation_parts"."""
    document = {
        "openapi": "3.0.0",
        "info": {"title": "doc", "version": "1"},
        "paths": {"/": {"get": {"responses": {"200": {"description": "200 response"}}}}},
        "x-amazon-apigateway-documentation": {
            "version": "1.0.3",
            "documentationParts": [
                {"location": {"type": "API"}, "properties": {"description": "API description"}},
                {"location": {"type": "METHOD", "method": "GET"}, "properties": {"description": "Method description."}},
                {"location": {"type": "MODEL", "name": "Empty"}, "properties": {"title": "Empty Schema"}},
                {
                    "location": {"type": "RESPONSE", "method": "GET", "statusCode": "200"},
                    "properties": {"description": "200 response"},
                },
            ],
        },
    }
    body = orjson.dumps(document)
    api = (await world("ImportRestApi", body=body))["id"]
    parts = (await world("GetDocumentationParts", restApiId=api))["items"]
    assert [part["location"] for part in sorted(parts, key=lambda part: str(part["location"]["type"]))] == [
        {"type": "API"},
        {"type": "METHOD", "path": "/", "method": "GET"},
        {"type": "MODEL", "name": "Empty"},
        {"type": "RESPONSE", "path": "/", "method": "GET", "statusCode": "200"},
    ]
    merged = await world("ImportDocumentationParts", restApiId=api, body=body, mode="merge")
    assert set(merged["ids"]) == {part["id"] for part in parts}
    replaced = await world("ImportDocumentationParts", restApiId=api, body=body, mode="overwrite")
    assert len(replaced["ids"]) == 4
    assert not set(replaced["ids"]) & {part["id"] for part in parts}
    assert len((await world("GetDocumentationParts", restApiId=api))["items"]) == 4
    without = (await world("ImportRestApi", body=body, parameters={"ignore": "documentation"}))["id"]
    assert (await world("GetDocumentationParts", restApiId=without))["items"] == []


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"exportType": "raml"}, "Export type must be one of: oas30, swagger"),
        ({"parameters": {"extensions": "postman"}}, "does not support the Postman extensions"),
        ({"parameters": {"extensions": "everything"}}, "Invalid extensions specified: everything"),
        ({"parameters": {"color": "red"}}, "Invalid export parameter specified: color"),
        ({"accepts": "text/html"}, "must be application/json or application/yaml"),
        ({"stageName": "gone"}, "Invalid stage identifier specified"),
    ],
)
async def test_what_is_not_exported_is_refused_by_name(world: World, request_: Json, said: str) -> None:
    api = await world.deployed(_PET_STORE)
    with pytest.raises(AwsError, match=said):
        await world("GetExport", **{"restApiId": api, "stageName": "local", "exportType": "oas30", **request_})


async def test_an_export_has_the_name_and_the_type_that_was_accepted(world: World) -> None:
    api = await world.deployed(_PET_STORE)
    for accepts, name in (("application/json", "oas30_1.0.0.json"), ("application/yaml", "oas30_1.0.0.yaml")):
        answer = await world("GetExport", restApiId=api, stageName="local", exportType="oas30", accepts=accepts)
        assert answer["contentDisposition"] == f'attachment; filename="{name}"'
        assert yaml.safe_load(answer["body"])["openapi"] == "3.0.1"
        assert (answer["body"][:1] == b"{") is accepts.endswith("json")


@pytest.mark.parametrize(
    ("location", "properties", "said"),
    [
        ({"type": "API", "path": "/"}, "{}", "Invalid location for type API: path"),
        ({"type": "METHOD", "name": "x"}, "{}", "Invalid location for type METHOD: name"),
        ({"type": "MODEL"}, "{}", "Invalid location for type MODEL: name is missing"),
        ({"type": "API"}, "[]", "properties: they must be a JSON object"),
        ({"type": "API"}, "no JSON", "properties: they must be a JSON object"),
    ],
)
async def test_a_part_about_nowhere_is_refused(world: World, location: Json, properties: str, said: str) -> None:
    api = (await world("CreateRestApi", name="a"))["id"]
    with pytest.raises(AwsError, match=said):
        await world("CreateDocumentationPart", restApiId=api, location=location, properties=properties)


async def test_one_place_has_one_part_and_a_version_in_use_stays(world: World) -> None:
    api = await world.deployed(_PET_STORE)
    one = {"restApiId": api, "location": {"type": "API"}, "properties": "{}"}
    await world("CreateDocumentationPart", **one)
    with pytest.raises(AwsError, match="already exists for the specified location"):
        await world("CreateDocumentationPart", **one)
    version = {"restApiId": api, "documentationVersion": "v1"}
    await world("CreateDocumentationVersion", **version, stageName="local")
    with pytest.raises(AwsError, match="Documentation version already exists"):
        await world("CreateDocumentationVersion", **version)
    with pytest.raises(AwsError, match="used by the stage local"):
        await world("DeleteDocumentationVersion", **version)
    operations = [{"op": "remove", "path": "/documentationVersion"}]
    await world("UpdateStage", restApiId=api, stageName="local", patchOperations=operations)
    await world("DeleteDocumentationVersion", **version)
    with pytest.raises(AwsError, match="Invalid Documentation version identifier specified"):
        await world("GetDocumentationVersion", **version)
