"""Custom domain names, of HTTP, REST and WebSocket APIs; API Gateway's older API shows the same ones.

API Gateway V2 API Reference, "DomainNames" and "DomainNames DomainName"; Developer Guide, "Custom domain names for HTTP
APIs in API Gateway". One decision to know: whoever sends a request with the name in Host is served. A name is nobody's
until somebody takes it, but for those that AWS's own APIs or this machine answer to: it would cut them off.
"""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.services.apigatewayv2.record import (
    DOMAIN,
    MAPPING,
    ApiGatewayV2,
    bad_request,
    changed,
    delete_parts,
    find_domain,
    key,
    page,
    picked,
)
from freehold.state.store import Delete, Put

# The zones that AWS's names for it lie in; a record that points there does not lead here.
_ZONES = {"REGIONAL": "Z1UJRXOUMOOFQ8", "EDGE": "Z2FDTNDATAQYW2"}
_SECURITY_POLICIES = ("TLS_1_0", "TLS_1_2")
_NAME = re.compile(r"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")
_TAKEN = re.compile(r"(^|\.)(localhost|amazonaws\.com|amazonaws\.com\.cn|on\.aws)$")
_CERTIFICATE = re.compile(r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/.+$")
_CONFIGURATION = ("CertificateArn", "CertificateName", "EndpointType", "IpAddressType", "SecurityPolicy")
_ROUTING = "API_MAPPING_ONLY"


async def create_domain_name(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    name = request["DomainName"].lower()
    if not _NAME.match(name) or len(name) > 255 or _TAKEN.search(name):
        raise bad_request(f"Invalid domain name: {request['DomainName']}")
    if any(stored.key.endswith(f"/{name}") for stored in await gateway.store.list_documents(DOMAIN)):
        raise bad_request("The domain name you provided already exists.")
    _check(request)
    domain = picked(request, ("Tags",), Tags={})
    domain |= {
        "ApiMappingSelectionExpression": "$request.basepath",
        "DomainName": name,
        "DomainNameArn": f"arn:aws:apigateway:{call.region}::/domainnames/{name}",
        "DomainNameConfigurations": _configurations(gateway, call, request.get("DomainNameConfigurations") or [], []),
        "RoutingMode": _ROUTING,
    }
    await gateway.store.write(Put(DOMAIN, key(call, name), domain))
    return domain


async def get_domain_name(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    return await find_domain(gateway, call, request["DomainName"])


async def get_domain_names(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    stored = await gateway.store.list_documents(DOMAIN, call.region + "/")
    return page([each.document for each in stored], request)


async def update_domain_name(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    domain = await find_domain(gateway, call, request["DomainName"])
    _check(request)
    if request.get("DomainNameConfigurations"):
        wanted = _configurations(gateway, call, request["DomainNameConfigurations"], domain["DomainNameConfigurations"])
        domain = changed(domain, {"DomainNameConfigurations": wanted}, ("DomainNameConfigurations",))
    await gateway.store.write(Put(DOMAIN, key(call, domain["DomainName"]), domain))
    return domain


async def delete_domain_name(gateway: ApiGatewayV2, call: Call, request: Json) -> Json:
    domain = await find_domain(gateway, call, request["DomainName"])
    mappings = await delete_parts(gateway, call, domain["DomainName"], kinds=(MAPPING,))
    await gateway.store.write(Delete(DOMAIN, key(call, domain["DomainName"])), *mappings)
    return {}


def _check(request: Json) -> None:
    if request.get("MutualTlsAuthentication"):
        raise bad_request("Freehold does not support MutualTlsAuthentication of domain names yet.")
    if request.get("RoutingMode", _ROUTING) != _ROUTING:
        raise bad_request(f"Freehold does not support the routing mode {request['RoutingMode']} of domain names yet.")


def _configurations(gateway: ApiGatewayV2, call: Call, wanted: list[Json], old: list[Json]) -> list[Json]:
    """As they are kept: with the names that AWS would give them."""
    if len(wanted) != 1:
        raise bad_request("Exactly one domain name configuration must be provided")
    configuration = picked(wanted[0], _CONFIGURATION, EndpointType="REGIONAL", SecurityPolicy="TLS_1_2")
    if wanted[0].get("OwnershipVerificationCertificateArn"):
        raise bad_request("OwnershipVerificationCertificateArn is supported only with mutual TLS")
    if configuration["EndpointType"] not in _ZONES:
        raise bad_request(f"Invalid EndpointType {configuration['EndpointType']}: must be REGIONAL or EDGE")
    if configuration["SecurityPolicy"] not in _SECURITY_POLICIES:
        policy = configuration["SecurityPolicy"]
        raise bad_request(f"Freehold does not support the security policy {policy} of domain names yet.")
    if not _CERTIFICATE.match(configuration.get("CertificateArn") or ""):
        raise bad_request("Invalid certificate ARN: a certificate of AWS Certificate Manager is required")
    kind = configuration["EndpointType"]
    if old and old[0]["EndpointType"] == kind:
        own = old[0]["ApiGatewayDomainName"]
    elif kind == "EDGE":
        own = f"d{gateway.ids.short(13)}.cloudfront.net"
    else:
        own = f"d-{gateway.ids.short(10)}.execute-api.{call.region}.amazonaws.com"
    return [
        {
            "IpAddressType": "ipv4",
            **configuration,
            "ApiGatewayDomainName": own,
            "DomainNameStatus": "AVAILABLE",
            "HostedZoneId": _ZONES[kind],
        }
    ]
