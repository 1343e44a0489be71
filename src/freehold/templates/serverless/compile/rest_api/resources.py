"""The API itself and a resource for each path segment."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, ref, resource, tag_list
from freehold.templates.serverless.compile.rest_api.endpoints import Endpoint, rest_api_id
from freehold.templates.serverless.compile.roles import document


def compile_api(compilation: Compilation) -> None:
    provider = compilation.provider
    api: Json = provider.get("apiGateway") or {}
    if api.get("restApiId"):
        return
    kind = str(provider.get("endpointType") or "EDGE").upper()
    vpc = provider.get("vpcEndpointIds")
    if vpc and kind != "PRIVATE":
        raise compilation.wrong("provider.vpcEndpointIds needs endpointType: PRIVATE.", "provider", "vpcEndpointIds")
    endpoint = api.get("endpoint") or {}
    policy = api.get("resourcePolicy")
    compilation.resources[names.REST_API] = resource(
        "AWS::ApiGateway::RestApi",
        {
            "Name": _name(compilation, api),
            "BinaryMediaTypes": api.get("binaryMediaTypes") or None,
            "DisableExecuteApiEndpoint": api.get("disableDefaultEndpoint"),
            "EndpointConfiguration": {"Types": [kind], **({"VpcEndpointIds": vpc} if vpc else {})},
            "SecurityPolicy": endpoint.get("securityPolicy"),
            "EndpointAccessMode": str(endpoint["accessMode"]).upper() if endpoint.get("accessMode") else None,
            "Tags": tag_list(provider["tags"]) if provider.get("tags") else None,
            # An empty policy takes an earlier one away.
            "Policy": document(policy) if policy else "",
            "ApiKeySourceType": str(api["apiKeySourceType"]).upper() if api.get("apiKeySourceType") else None,
            "MinimumCompressionSize": api.get("minimumCompressionSize"),
            "Description": api.get("description") or None,
        },
    )


def _name(compilation: Compilation, api: Json) -> str:
    service = compilation.service
    if compilation.provider.get("apiName"):
        return str(compilation.provider["apiName"])
    if api.get("shouldStartNameWithService"):
        return f"{service.name}-{service.stage}"
    return f"{service.stage}-{service.name}"


class Paths:
    """The resource of each path, made when it is first asked for."""

    def __init__(self, compilation: Compilation) -> None:
        self._compilation = compilation
        api: Json = compilation.provider.get("apiGateway") or {}
        root = api.get("restApiRootResourceId") or get_att(names.REST_API, "RootResourceId")
        self._ids: dict[str, Any] = {"": root}
        # Resources of another stack's API, which this service adds to.
        shared = api.get("restApiResources") or {}
        if isinstance(shared, list):
            shared = {each["path"]: each["resourceId"] for each in shared}
        for path, resource_id in shared.items():
            self._ids[path.strip("/")] = resource_id

    def id(self, path: str) -> Any:
        if path not in self._ids:
            parent, _, part = path.rpartition("/")
            logical_id = names.rest_resource(path)
            parent_id = self.id(parent)
            self._ids[path] = ref(logical_id)
            self._compilation.resources[logical_id] = resource(
                "AWS::ApiGateway::Resource",
                {"ParentId": parent_id, "PathPart": part, "RestApiId": rest_api_id(self._compilation)},
            )
        return self._ids[path]

    def name(self, path: str) -> str:
        return names.path(path)


def compile_paths(compilation: Compilation, endpoints: list[Endpoint]) -> Paths:
    paths = Paths(compilation)
    for endpoint in endpoints:
        paths.id(endpoint.path)
    return paths
