"""AWS::CertificateManager::Certificate: in name only, see services/acm."""

from __future__ import annotations

from freehold.aws.call import Aws, Json
from freehold.stacks.resources.types import Created, ResourceType, pick, tag_changes, tag_list

TYPE = "AWS::CertificateManager::Certificate"

_REQUESTED = ("CertificateAuthorityArn", "DomainName", "KeyAlgorithm", "SubjectAlternativeNames", "ValidationMethod")


async def create(aws: Aws, properties: Json) -> Created:
    request = pick(properties, *_REQUESTED)
    # With a hosted zone instead of a validation domain there is nothing to ask for: nobody validates.
    options = [pick(each, "DomainName", "ValidationDomain") for each in properties.get("DomainValidationOptions") or []]
    named = [each for each in options if "ValidationDomain" in each]
    if named:
        request["DomainValidationOptions"] = named
    preference = {
        "CertificateTransparencyLoggingPreference": properties.get("CertificateTransparencyLoggingPreference"),
        "Export": properties.get("CertificateExport"),
    }
    chosen = {name: value for name, value in preference.items() if value}
    if chosen:
        request["Options"] = chosen
    if properties.get("Tags"):
        request["Tags"] = properties["Tags"]
    return _created((await aws("acm", "RequestCertificate", request))["CertificateArn"])


async def update(aws: Aws, physical_id: str, properties: Json, previous: Json) -> Created:
    gone, put = tag_changes(properties, previous)
    if gone:
        keys = [{"Key": name} for name in gone]
        await aws("acm", "RemoveTagsFromCertificate", {"CertificateArn": physical_id, "Tags": keys})
    if put:
        await aws("acm", "AddTagsToCertificate", {"CertificateArn": physical_id, "Tags": tag_list(put)})
    return _created(physical_id)


async def delete(aws: Aws, physical_id: str, properties: Json) -> None:
    await aws("acm", "DeleteCertificate", {"CertificateArn": physical_id})


def _created(arn: str) -> Created:
    return Created(arn, {"CertificateArn": arn})


RESOURCE = ResourceType(
    TYPE,
    ("acm",),
    create,
    delete,
    update,
    more_replaced_by=frozenset({"CertificateTransparencyLoggingPreference", "CertificateExport", "ValidationMethod"}),
)
