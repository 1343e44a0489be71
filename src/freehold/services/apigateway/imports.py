"""ImportRestApi and PutRestApi: an OpenAPI document becomes an API in one write, or nothing does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from freehold.aws.call import Call, Json
from freehold.services.apigateway.authorizers import new_authorizer
from freehold.services.apigateway.documentation import imported_parts
from freehold.services.apigateway.gateway_responses import new_gateway_response
from freehold.services.apigateway.methods import new_integration, new_integration_response, new_method
from freehold.services.apigateway.models import default_models, new_model, new_validator
from freehold.services.apigateway.openapi import Imported, ImportedMethod, link_models, read_openapi
from freehold.services.apigateway.record import (
    API,
    AUTHORIZER,
    DOCUMENTATION_PART,
    GATEWAY_RESPONSE,
    IMPORTED,
    MODEL,
    RESOURCE,
    VALIDATOR,
    ApiGateway,
    bad_request,
    delete_parts,
    find_api,
    key,
    parts,
    put,
)
from freehold.services.apigateway.resources import new_resource
from freehold.services.apigateway.rest_apis import answer_of, new_api, root_resource
from freehold.state.store import Put, Write

# ImportRestApi: "ignore=documentation". On the wire they are the query, so the operations' own members are among them.
_PARAMETERS = {"basepath", "endpointConfigurationTypes", "ignore", "mode", "failonwarnings"}


@dataclass(slots=True)
class _Tree:
    """The resources as they will be; those that are there keep their ids."""

    gateway: ApiGateway
    by_path: dict[str, Json]
    old_ids: dict[str, str] = field(default_factory=dict)  # Path -> id that it had before.

    def ensure(self, path: str) -> Json:
        """The resource of the path, with those above it."""
        path = path.rstrip("/") or "/"
        if path in self.by_path:
            return self.by_path[path]
        above, _, part = path.rpartition("/")
        parent = self.ensure(above or "/")
        siblings = [each for each in self.by_path.values() if each.get("parentId") == parent["id"]]
        resource = new_resource(self.gateway, parent, part, siblings)
        resource["id"] = self.old_ids.get(path, resource["id"])
        self.by_path[path] = resource
        return resource

    def put_method(self, path: str, method: Json) -> None:
        resource = self.ensure(path)
        methods = {**resource.get("resourceMethods", {}), method["httpMethod"]: method}
        self.by_path[resource["path"]] = {**resource, "resourceMethods": methods}


async def import_rest_api(gateway: ApiGateway, call: Call, request: Json) -> Json:
    imported = _read(request)
    api = new_api(gateway, imported.api)
    tree = _Tree(gateway, {"/": root_resource(api)})
    models = {model["name"]: model for model in default_models(gateway)}
    writes = _parts(gateway, call, api["id"], imported, tree, {}, models, [])
    await gateway.store.write(Put(API, key(call, api["id"]), api), *writes)
    return answer_of(api)


def _read(request: Json) -> Imported:
    """Of ImportRestApi or PutRestApi. Raises BadRequestException for parameters that mean nothing."""
    parameters = request.get("parameters") or {}
    unknown = set(parameters) - _PARAMETERS
    if unknown:
        raise bad_request(f"Invalid import parameter specified: {', '.join(sorted(unknown))}")
    imported = read_openapi(request["body"], parameters.get("basepath", "ignore"))
    if parameters.get("ignore") == "documentation":
        imported = replace(imported, documentation=[])
    if parameters.get("endpointConfigurationTypes"):
        types = parameters["endpointConfigurationTypes"].split(",")
        return replace(imported, api={**imported.api, "endpointConfiguration": {"types": types}})
    return imported


async def put_rest_api(gateway: ApiGateway, call: Call, request: Json) -> Json:
    """`overwrite` replaces what the API describes; `merge`, the default, adds to it. Stages and deployments stay."""
    api_id = request["restApiId"]
    api = await find_api(gateway, call, api_id)
    mode = request.get("mode", "merge")
    if mode not in ("merge", "overwrite"):
        raise bad_request("mode must be merge or overwrite")
    imported = _read(request)
    api = {**api, **{name: value for name, value in imported.api.items() if value}}
    resources = await parts(gateway, call, RESOURCE, api_id)
    writes: list[Write] = []
    if mode == "overwrite":
        old_ids = {each["path"]: each["id"] for each in resources}
        tree = _Tree(gateway, {"/": root_resource(api)}, old_ids)
        writes += await delete_parts(gateway, call, api_id, IMPORTED)
        authorizers: dict[str, str] = {}
        documentation: list[Json] = []
        models: dict[str, Json] = {model["name"]: model for model in default_models(gateway)}
    else:
        tree = _Tree(gateway, {each["path"]: each for each in resources})
        authorizers = {each["name"]: each["id"] for each in await parts(gateway, call, AUTHORIZER, api_id)}
        documentation = await parts(gateway, call, DOCUMENTATION_PART, api_id)
        models = {}
    writes += _parts(gateway, call, api_id, imported, tree, authorizers, models, documentation)
    await gateway.store.write(Put(API, key(call, api_id), api), *writes)
    return answer_of(api)


def _parts(
    gateway: ApiGateway,
    call: Call,
    api_id: str,
    imported: Imported,
    tree: _Tree,
    authorizers: dict[str, str],
    models: dict[str, Json],
    documentation: list[Json],
) -> list[Write]:
    """`authorizers` (name -> id) and parts of the documentation are those that stay; one of the same name or place
    keeps its id."""
    writes: list[Write] = []
    ids = dict(authorizers)
    for wanted in imported.authorizers:
        authorizer = new_authorizer(gateway, wanted)
        authorizer["id"] = ids.setdefault(authorizer["name"], authorizer["id"])
        writes.append(put(call, AUTHORIZER, api_id, authorizer["id"], authorizer))
    validators: dict[str, str] = {}
    for wanted in imported.validators:
        validator = new_validator(gateway, wanted)
        validators[validator["name"]] = validator["id"]
        writes.append(put(call, VALIDATOR, api_id, validator["id"], validator))
    for wanted in imported.models:
        linked = {**wanted, "schema": link_models(wanted["schema"], api_id)}
        models[wanted["name"]] = new_model(gateway, linked)
    writes += [put(call, MODEL, api_id, name, model) for name, model in models.items()]
    for wanted in imported.gateway_responses:
        response = new_gateway_response(wanted)
        writes.append(put(call, GATEWAY_RESPONSE, api_id, response["responseType"], response))
    made = imported_parts(gateway, imported.documentation, documentation)
    writes += [put(call, DOCUMENTATION_PART, api_id, part["id"], part) for part in made]
    for path in imported.paths:
        tree.ensure(path)
    for each in imported.methods:
        tree.put_method(each.path, _method(each, tree.ensure(each.path)["id"], ids, validators))
    writes += [put(call, RESOURCE, api_id, resource["id"], resource) for resource in tree.by_path.values()]
    return writes


def _method(
    imported: ImportedMethod, resource_id: str, authorizers: dict[str, str], validators: dict[str, str]
) -> Json:
    wanted = dict(imported.method)
    if imported.authorizer:
        wanted["authorizerId"] = authorizers[imported.authorizer]
    if imported.validator:
        if imported.validator not in validators:
            raise bad_request(f"Unknown request validator {imported.validator} of {imported.path}")
        wanted["requestValidatorId"] = validators[imported.validator]
    method = new_method(wanted)
    if imported.method_responses:
        method["methodResponses"] = {each["statusCode"]: each for each in imported.method_responses}
    if imported.integration is not None:
        integration = new_integration(imported.integration, resource_id)
        if imported.integration_responses:
            integration["integrationResponses"] = {
                each["statusCode"]: new_integration_response(each) for each in imported.integration_responses
            }
        method["methodIntegration"] = integration
    return method
