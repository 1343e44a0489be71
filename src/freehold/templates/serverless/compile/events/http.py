"""`http` events: a REST API. The parts are in compile/rest_api; this is their order."""

from __future__ import annotations

import hashlib
import json

from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import REGION, SUFFIX, Compilation, join, resource
from freehold.templates.serverless.compile.rest_api.authorizers import compile_authorizers, read_authorizer
from freehold.templates.serverless.compile.rest_api.endpoints import read_endpoints, rest_api_id
from freehold.templates.serverless.compile.rest_api.methods import compile_methods, compile_permissions
from freehold.templates.serverless.compile.rest_api.resources import compile_api, compile_paths
from freehold.templates.serverless.compile.rest_api.usage import compile_usage
from freehold.templates.serverless.compile.rest_api.validation import compile_validators


def compile_events(compilation: Compilation) -> None:
    endpoints = read_endpoints(compilation)
    if not endpoints:
        return
    for endpoint in endpoints:
        endpoint.authorizer = read_authorizer(compilation, endpoint)
    compile_api(compilation)
    paths = compile_paths(compilation, endpoints)
    methods = compile_methods(compilation, endpoints, paths)
    compile_validators(compilation, endpoints, paths)
    compile_authorizers(compilation, endpoints)
    deployment = _compile_deployment(compilation, methods)
    compile_usage(compilation, deployment)
    compile_permissions(compilation, endpoints)
    _compile_log_group(compilation)


def _compile_deployment(compilation: Compilation, methods: list[str]) -> str:
    """A deployment is a snapshot of the API: it gets a new id, and is made anew, when serverless.yml changes."""
    service = compilation.service
    api = compilation.provider.get("apiGateway") or {}
    text = json.dumps(service.configuration, sort_keys=True, default=str)
    logical_id = f"ApiGatewayDeployment{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    compilation.resources[logical_id] = resource(
        "AWS::ApiGateway::Deployment",
        {
            "RestApiId": rest_api_id(compilation),
            "StageName": api.get("stage") or service.stage,
            "Description": api.get("description") or None,
        },
        DependsOn=methods,
    )
    url = join(
        "https://", rest_api_id(compilation), ".execute-api.", REGION, ".", SUFFIX, f"/{compilation.service.stage}"
    )
    compilation.outputs["ServiceEndpoint"] = {"Description": "URL of the service endpoint", "Value": url}
    return logical_id


def _compile_log_group(compilation: Compilation) -> None:
    """The framework also makes a role through which API Gateway writes logs: nothing needs one here, it is left out."""
    logs = (compilation.provider.get("logs") or {}).get("restApi")
    if logs and (not isinstance(logs, dict) or logs.get("accessLogging") is not False):
        service = compilation.service
        compilation.resources[names.REST_API_LOG_GROUP] = compilation.log_group(
            f"/aws/api-gateway/{service.name}-{service.stage}"
        )
