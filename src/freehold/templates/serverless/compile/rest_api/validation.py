"""Request validation: required parameters and JSON Schema models. Serverless Framework documentation, "Request Schema
Validators"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, ref, resource
from freehold.templates.serverless.compile.rest_api.endpoints import Endpoint, rest_api_id
from freehold.templates.serverless.compile.rest_api.methods import is_required, method_id
from freehold.templates.serverless.compile.rest_api.resources import Paths


def compile_validators(compilation: Compilation, endpoints: list[Endpoint], paths: Paths) -> None:
    for endpoint in endpoints:
        logical_id = method_id(endpoint, paths)
        properties = compilation.resources[logical_id]["Properties"]
        schemas = endpoint.request.get("schemas") or {}
        if not schemas and not any(is_required(value) for value in endpoint.parameters.values()):
            continue
        properties["RequestValidatorId"] = ref(_validator(compilation))
        for content_type, schema in schemas.items():
            model = _model(compilation, logical_id, content_type, schema)
            properties.setdefault("RequestModels", {})[content_type] = ref(model)


def _validator(compilation: Compilation) -> str:
    service = compilation.service
    logical_id = f"ApiGateway{names.alphanumeric(service.name)}RequestValidator"
    compilation.resources[logical_id] = resource(
        "AWS::ApiGateway::RequestValidator",
        {
            "RestApiId": rest_api_id(compilation),
            "ValidateRequestBody": True,
            "ValidateRequestParameters": True,
            "Name": f"{service.name}-{service.stage} | Validate request body and querystring parameters",
        },
    )
    return logical_id


def _model(compilation: Compilation, method: str, content_type: str, schema: Any) -> str:
    """A schema is written in place, or is the name of one of provider.apiGateway.request.schemas."""
    shared = ((compilation.provider.get("apiGateway") or {}).get("request") or {}).get("schemas") or {}
    if isinstance(schema, str) and schema in shared:
        logical_id = f"ApiGateway{names.upper_first(names.camel_case(schema))}Model"
        content_type, settings = "application/json", _settings(shared[schema])
    else:
        logical_id = f"{method}{names.start_case(content_type)}Model"
        settings = _settings(schema)
    compilation.resources[logical_id] = resource(
        "AWS::ApiGateway::Model",
        {
            "RestApiId": rest_api_id(compilation),
            "ContentType": content_type,
            "Schema": settings["schema"],
            "Name": settings.get("name"),
            "Description": settings.get("description"),
        },
    )
    return logical_id


def _settings(schema: Any) -> Json:
    return schema if isinstance(schema, dict) and schema.get("schema") else {"schema": schema}
