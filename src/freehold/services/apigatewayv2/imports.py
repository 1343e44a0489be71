"""ImportApi and ReimportApi: an OpenAPI document becomes an API in one write, or nothing does."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.apis import answer, check_cors, new_api
from freehold.services.apigatewayv2.authorizers import new_authorizer
from freehold.services.apigatewayv2.integrations import new_integration
from freehold.services.apigatewayv2.openapi import Imported, read_openapi
from freehold.services.apigatewayv2.record import (
    API,
    AUTHORIZER,
    INTEGRATION,
    ROUTE,
    ApiGatewayV2,
    bad_request,
    delete_parts,
    find_api,
    key,
    put,
)
from freehold.services.apigatewayv2.routes import new_route
from freehold.state.store import Put, Write

_FROM_DOCUMENT = ("CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "Name", "Tags", "Version")


async def import_api(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    imported = read_openapi(request["Body"], request.get("Basepath", "ignore"))
    api = new_api(gateway, imported.api)
    writes = _parts(gateway, call, api["ApiId"], imported)
    await gateway.store.write(Put(API, key(call, api["ApiId"]), api), *writes)
    return answer(call, api)


async def reimport_api(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    """Everything that the document describes is replaced; stages and deployments stay."""
    old = await find_api(gateway, call, request["ApiId"])
    imported = read_openapi(request["Body"], request.get("Basepath", "ignore"))
    check_cors(imported.api.get("CorsConfiguration"))
    kept = {name: value for name, value in old.items() if name not in _FROM_DOCUMENT}
    api = {**kept, "DisableExecuteApiEndpoint": False, "Tags": {}, **imported.api}
    gone = await delete_parts(gateway, call, api["ApiId"], kinds=(ROUTE, INTEGRATION, AUTHORIZER))
    writes = _parts(gateway, call, api["ApiId"], imported)
    await gateway.store.write(*gone, Put(API, key(call, api["ApiId"]), api), *writes)
    return answer(call, api)


def _parts(gateway: ApiGatewayV2, call: Call, api_id: str, imported: Imported) -> list[Write]:
    writes: list[Write] = []
    authorizer_ids = {}
    for name, wanted in imported.authorizers.items():
        if wanted["AuthorizerType"] == "AWS_IAM":
            continue  # A scheme of the document; no resource of the API.
        authorizer = new_authorizer(gateway, wanted)
        authorizer_ids[name] = authorizer["AuthorizerId"]
        writes.append(put(call, AUTHORIZER, api_id, authorizer["AuthorizerId"], authorizer))
    seen = set()
    for each in imported.routes:
        wanted = dict(each.route)
        if wanted["RouteKey"] in seen:
            raise bad_request(f"The OpenAPI document has the route {wanted['RouteKey']} twice")
        seen.add(wanted["RouteKey"])
        if each.authorizer in authorizer_ids:
            wanted["AuthorizerId"] = authorizer_ids[each.authorizer]
        if each.integration is not None:
            integration = new_integration(gateway, each.integration)
            wanted["Target"] = f"integrations/{integration['IntegrationId']}"
            writes.append(put(call, INTEGRATION, api_id, integration["IntegrationId"], integration))
        route = new_route(gateway, wanted)
        writes.append(put(call, ROUTE, api_id, route["RouteId"], route))
    return writes
