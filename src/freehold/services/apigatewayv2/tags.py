"""Tags of APIs, stages and domain names, by ARN (`arn:aws:apigateway:us-east-1::/apis/a1b2c3d4e5/stages/dev`)."""

from __future__ import annotations

from urllib.parse import unquote

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    API,
    DOMAIN,
    STAGE,
    ApiGatewayV2,
    find,
    find_api,
    find_domain,
    key,
    not_found,
)
from freehold.state.store import Put


async def get_tags(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    _, _, document = await _tagged(gateway, call, request["ResourceArn"])
    return {"Tags": document.get("Tags", {})}


async def tag_resource(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    kind, document_key, document = await _tagged(gateway, call, request["ResourceArn"])
    tags = {**document.get("Tags", {}), **request.get("Tags", {})}
    await gateway.store.write(Put(kind, document_key, {**document, "Tags": tags}))
    return {}


async def untag_resource(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    kind, document_key, document = await _tagged(gateway, call, request["ResourceArn"])
    tags = {name: value for name, value in document.get("Tags", {}).items() if name not in request["TagKeys"]}
    await gateway.store.write(Put(kind, document_key, {**document, "Tags": tags}))
    return {}


async def _tagged(gateway: ApiGatewayV2, call: Call, arn_text: str) -> tuple[str, str, Json]:
    """(kind, key, document) of what the ARN names."""
    arn = parse_arn(unquote(arn_text))
    parts = arn.resource.strip("/").split("/") if arn else []
    if len(parts) == 2 and parts[0] == "apis":
        return API, key(call, parts[1]), await find_api(gateway, call, parts[1])
    if len(parts) == 4 and parts[0] == "apis" and parts[2] == "stages":
        stage = await find(gateway, call, STAGE, parts[1], parts[3])
        return STAGE, key(call, parts[1], parts[3]), stage
    if len(parts) == 2 and parts[0] == "domainnames":
        return DOMAIN, key(call, parts[1]), await find_domain(gateway, call, parts[1])
    raise not_found(f"Invalid resource ARN {arn_text}")
