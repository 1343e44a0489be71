"""GetExport: a stage's deployment as an OpenAPI 3.0 or Swagger 2.0 document, in JSON or YAML.

API Gateway API Reference, "GetExport"; Developer Guide, "Export a REST API from API Gateway".
"""

from __future__ import annotations

import orjson
import yaml

from freehold.aws.call import Call, Json
from freehold.services.apigateway.export_openapi import EXTENSIONS, export_api
from freehold.services.apigateway.record import (
    DEPLOYMENT,
    DOCUMENTATION_VERSION,
    STAGE,
    ApiGateway,
    bad_request,
    find,
)

_TYPES = ("oas30", "swagger")
_CONTENT_TYPE = "application/octet-stream"  # As recorded from AWS, whatever was accepted.


async def get_export(gateway: ApiGateway, call: Call, request: Json) -> Json:
    api_id, kind = request["restApiId"], request["exportType"]
    if kind not in _TYPES:
        raise bad_request(f"Export type must be one of: {', '.join(_TYPES)}")
    stage = await find(gateway, call, STAGE, api_id, request["stageName"])
    copy = (await find(gateway, call, DEPLOYMENT, api_id, stage["deploymentId"]))["copy"]
    wanted = _extensions(request.get("parameters") or {})
    ending = _ending(request.get("accepts") or "application/json")
    documentation = None
    if stage.get("documentationVersion"):
        documentation = await find(gateway, call, DOCUMENTATION_VERSION, api_id, stage["documentationVersion"])
    document = export_api(copy, stage["stageName"], call.region, kind == "swagger", wanted, documentation)
    if ending == "yaml":
        body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()
    else:
        body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    name = f"{kind}_{document['info']['version']}.{ending}"
    return {"body": body, "contentType": _CONTENT_TYPE, "contentDisposition": f'attachment; filename="{name}"'}


def _extensions(parameters: Json) -> frozenset[str]:
    wanted: set[str] = set()
    for name, value in parameters.items():
        if name != "extensions":
            raise bad_request(f"Invalid export parameter specified: {name}")
        for each in value.split(","):
            if each == "postman":
                raise bad_request("Freehold does not support the Postman extensions of GetExport yet.")
            if each not in EXTENSIONS:
                raise bad_request(f"Invalid extensions specified: {each}. Must be one of: {', '.join(EXTENSIONS)}")
            wanted |= EXTENSIONS[each]
    return frozenset(wanted)


def _ending(accepts: str) -> str:
    first = accepts.partition(",")[0].partition(";")[0].strip()
    if first == "application/yaml":
        return "yaml"
    if first in ("application/json", "*/*", "application/*"):
        return "json"
    raise bad_request("Export content type must be application/json or application/yaml")
