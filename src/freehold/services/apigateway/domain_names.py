"""Custom domain names and base path mappings, as API Gateway's older API tells them: what is kept is apigatewayv2's.

API Gateway API Reference, "DomainName", "BasePathMapping"; Developer Guide, "Custom domain name for public REST APIs".
"""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Call, Json
from freehold.services.apigateway import patch
from freehold.services.apigateway.record import ApiGateway, bad_request, not_found, page

_NONE = "(none)"  # The base path "", where it stands in an address.
_PAGE = "500"
_NOT_YET = (
    "certificateBody",
    "certificateChain",
    "certificateName",
    "certificatePrivateKey",
    "domainNameId",
    "endpointAccessMode",
    "mutualTlsAuthentication",
    "ownershipVerificationCertificateArn",
    "policy",
    "regionalCertificateName",
)
_PATCHABLE: dict[str, patch.Field] = {
    "certificateArn": patch.text,
    "regionalCertificateArn": patch.text,
    "securityPolicy": patch.text,
    "endpointConfiguration": lambda document, member, rest, op, value: _patch_type(document, rest, value),
}
_PATCHABLE_MAPPING: dict[str, patch.Field] = {"basePath": patch.text, "restapiId": patch.text, "stage": patch.text}


async def create_domain_name(gateway: ApiGateway, call: Call, request: Json) -> Json:
    _refuse(request)
    types = (request.get("endpointConfiguration") or {}).get("types") or ["EDGE"]
    wanted: Json = {
        "DomainName": request["domainName"],
        "DomainNameConfigurations": [_configuration(request, types)],
        "Tags": request.get("tags") or {},
    }
    if "routingMode" in request:
        wanted["RoutingMode"] = request["routingMode"]
    return _told(await gateway.bind(call)("apigatewayv2", "CreateDomainName", wanted))


async def get_domain_name(gateway: ApiGateway, call: Call, request: Json) -> Json:
    _refuse(request)
    return _told(await _find(gateway, call, request))


async def get_domain_names(gateway: ApiGateway, call: Call, request: Json) -> Json:
    if request.get("resourceOwner", "SELF") != "SELF":
        return page([], request)
    found = await gateway.bind(call)("apigatewayv2", "GetDomainNames", {"MaxResults": _PAGE})
    return page([_told(each) for each in found["Items"]], request)


async def update_domain_name(gateway: ApiGateway, call: Call, request: Json) -> Json:
    _refuse(request)
    before = _told(await _find(gateway, call, request))
    after = patch.apply_patch(before, request.get("patchOperations"), _PATCHABLE)
    types = after["endpointConfiguration"]["types"]
    wanted = {"DomainName": request["domainName"], "DomainNameConfigurations": [_configuration(after, types)]}
    return _told(await gateway.bind(call)("apigatewayv2", "UpdateDomainName", wanted))


async def delete_domain_name(gateway: ApiGateway, call: Call, request: Json) -> Json:
    _refuse(request)
    return await gateway.bind(call)("apigatewayv2", "DeleteDomainName", {"DomainName": request["domainName"]})


async def create_base_path_mapping(gateway: ApiGateway, call: Call, request: Json) -> Json:
    _refuse(request)
    await _find(gateway, call, request)
    if not request.get("stage"):
        raise bad_request("Freehold does not support base path mappings without a stage yet.")
    wanted = {
        "DomainName": request["domainName"],
        "ApiId": request["restApiId"],
        "Stage": request["stage"],
        "ApiMappingKey": _as_key(request.get("basePath") or ""),
    }
    return _mapping(await gateway.bind(call)("apigatewayv2", "CreateApiMapping", wanted))


async def get_base_path_mapping(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return _mapping(await _find_mapping(gateway, call, request))


async def get_base_path_mappings(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return page([_mapping(each) for each in await _mappings(gateway, call, request)], request)


async def update_base_path_mapping(gateway: ApiGateway, call: Call, request: Json) -> Json:
    found = await _find_mapping(gateway, call, request)
    before = {**_mapping(found), "restapiId": found["ApiId"]}
    after = patch.apply_patch(before, request.get("patchOperations"), _PATCHABLE_MAPPING)
    wanted = {
        "DomainName": request["domainName"],
        "ApiMappingId": found["ApiMappingId"],
        "ApiId": after["restapiId"],
        "Stage": after.get("stage") or found["Stage"],
        "ApiMappingKey": _as_key(after.get("basePath") or ""),
    }
    return _mapping(await gateway.bind(call)("apigatewayv2", "UpdateApiMapping", wanted))


async def delete_base_path_mapping(gateway: ApiGateway, call: Call, request: Json) -> Json:
    found = await _find_mapping(gateway, call, request)
    wanted = {"DomainName": request["domainName"], "ApiMappingId": found["ApiMappingId"]}
    return await gateway.bind(call)("apigatewayv2", "DeleteApiMapping", wanted)


def _refuse(request: Json) -> None:
    for member in _NOT_YET:
        if request.get(member):
            raise bad_request(f"Freehold does not support {member} of domain names yet.")


def _configuration(wanted: Json, types: list[str]) -> Json:
    if len(types) != 1 or types[0] not in ("EDGE", "REGIONAL"):
        raise bad_request(f"Freehold does not support domain names of the endpoint types {', '.join(types)} yet.")
    member = "certificateArn" if types[0] == "EDGE" else "regionalCertificateArn"
    configuration: Json = {"EndpointType": types[0], "CertificateArn": wanted.get(member) or ""}
    if wanted.get("securityPolicy"):
        configuration["SecurityPolicy"] = wanted["securityPolicy"]
    address = (wanted.get("endpointConfiguration") or {}).get("ipAddressType")
    if address:
        configuration["IpAddressType"] = address
    return configuration


def _patch_type(document: Json, rest: list[str], value: str) -> None:
    before = document["endpointConfiguration"]
    if rest[:1] == ["types"]:
        document["endpointConfiguration"] = {**before, "types": [value]}
    elif rest == ["ipAddressType"]:
        document["endpointConfiguration"] = {**before, "ipAddressType": value}
    else:
        raise bad_request(f"Invalid patch path '/endpointConfiguration/{'/'.join(rest)}'")


async def _find(gateway: ApiGateway, call: Call, request: Json) -> Json:
    return await gateway.bind(call)("apigatewayv2", "GetDomainName", {"DomainName": request["domainName"]})


async def _mappings(gateway: ApiGateway, call: Call, request: Json) -> list[Json]:
    _refuse(request)
    wanted = {"DomainName": request["domainName"], "MaxResults": _PAGE}
    found: list[Json] = (await gateway.bind(call)("apigatewayv2", "GetApiMappings", wanted))["Items"]
    return found


async def _find_mapping(gateway: ApiGateway, call: Call, request: Json) -> Json:
    wanted = _as_key(request["basePath"])
    for mapping in await _mappings(gateway, call, request):
        if mapping["ApiMappingKey"] == wanted:
            return mapping
    raise not_found("Invalid base path mapping identifier specified")


def _as_key(base_path: str) -> str:
    return "" if base_path == _NONE else base_path.strip("/")


def _mapping(mapping: Json) -> Json:
    return {
        "basePath": mapping["ApiMappingKey"] or _NONE,
        "restApiId": mapping["ApiId"],
        "stage": mapping["Stage"],
    }


def _told(domain: Json) -> Json:
    """In the spelling of the older API: what is EDGE's and what is REGIONAL's have names of their own."""
    (configuration,) = domain["DomainNameConfigurations"]
    kind = configuration["EndpointType"]
    told: dict[str, Any] = {
        "domainName": domain["DomainName"],
        "domainNameArn": domain["DomainNameArn"],
        "domainNameStatus": configuration["DomainNameStatus"],
        "endpointConfiguration": {"types": [kind], "ipAddressType": configuration["IpAddressType"]},
        "routingMode": domain["RoutingMode"],
        "securityPolicy": configuration["SecurityPolicy"],
        "tags": domain.get("Tags") or {},
    }
    if kind == "EDGE":
        told["certificateArn"] = configuration["CertificateArn"]
        told["distributionDomainName"] = configuration["ApiGatewayDomainName"]
        told["distributionHostedZoneId"] = configuration["HostedZoneId"]
    else:
        told["regionalCertificateArn"] = configuration["CertificateArn"]
        told["regionalDomainName"] = configuration["ApiGatewayDomainName"]
        told["regionalHostedZoneId"] = configuration["HostedZoneId"]
    return told
