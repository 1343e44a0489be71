"""AWS::ApiGateway::DomainName"""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.apigateway_patch import patch, retag, scalars
from freehold.stacks.resources.types import Created, ResourceType, camel, camel_deep, tag_map, without

TYPE = "AWS::ApiGateway::DomainName"

_PATHS = {
    "CertificateArn": "/certificateArn",
    "RegionalCertificateArn": "/regionalCertificateArn",
    "SecurityPolicy": "/securityPolicy",
}
_DEFAULTS = {"SecurityPolicy": "TLS_1_2"}


async def create(aws: Aws, properties: Json) -> Created:
    plain = without(properties, "Tags", "EndpointConfiguration", "MutualTlsAuthentication")
    request = camel({"DomainName": "", **plain})
    for member in ("EndpointConfiguration", "MutualTlsAuthentication"):
        if member in properties:
            request[member[:1].lower() + member[1:]] = camel_deep(properties[member])
    if properties.get("Tags"):
        request["tags"] = tag_map(properties["Tags"])
    return _created(await aws("apigateway", "CreateDomainName", request))


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    patches = scalars({**_DEFAULTS, **properties}, {**_DEFAULTS, **previous}, _PATHS)
    types, before = _type(properties), _type(previous)
    if types != before:
        patches.append({"op": "replace", "path": f"/endpointConfiguration/types/{before}", "value": types})
    address, address_before = (
        (each.get("EndpointConfiguration") or {}).get("IpAddressType") for each in (properties, previous)
    )
    if address and address != address_before:
        patches.append({"op": "replace", "path": "/endpointConfiguration/ipAddressType", "value": address})
    await patch(aws, "UpdateDomainName", {"domainName": physical_id}, patches)
    await retag(aws, f"/domainnames/{physical_id}", properties, previous)
    return _created(await aws("apigateway", "GetDomainName", {"domainName": physical_id}))


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("apigateway", "DeleteDomainName", {"domainName": physical_id})


def _type(properties: Json) -> str:
    types = (properties.get("EndpointConfiguration") or {}).get("Types") or ["EDGE"]
    return str(types[0])


def _created(domain: Json) -> Created:
    members = ("DistributionDomainName", "DistributionHostedZoneId", "RegionalDomainName", "RegionalHostedZoneId")
    attributes = {name: domain.get(name[:1].lower() + name[1:], "") for name in (*members, "DomainNameArn")}
    return Created(domain.get("domainName", ""), attributes)


RESOURCE = ResourceType(TYPE, ("apigateway",), create, delete, update)
