"""Certificates: requested, described, listed, tagged, deleted. AWS Certificate Manager API Reference.

One decision to know: what cannot be honoured even in name is refused, such as certificates of a private authority.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.store import Delete, Put, Store

CERTIFICATE = "acm.certificate"
_DOMAIN_NAMES = "apigatewayv2.domainname"  # Who uses certificates: it may not go while they do.
_KEY_ALGORITHMS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")
_VALID_S = 198 * 24 * 3600
_PAGE = 1000
_OWN = ("Tags", "Token")


@dataclass(frozen=True, slots=True)
class Acm:
    store: Store
    clock: Clock
    ids: Ids


async def request_certificate(acm: Acm, call: Call, request: Json) -> Json:
    if request.get("CertificateAuthorityArn"):
        raise _invalid("Freehold does not support certificates of a private authority (CertificateAuthorityArn) yet.")
    if request.get("ManagedBy"):
        raise _invalid(f"Freehold does not support certificates that are managed by {request['ManagedBy']} yet.")
    names = list(dict.fromkeys([request["DomainName"], *(request.get("SubjectAlternativeNames") or ())]))
    algorithm = request.get("KeyAlgorithm") or _KEY_ALGORITHMS[0]
    if algorithm not in _KEY_ALGORITHMS:
        raise _invalid(f"The key algorithm {algorithm} cannot be requested.")
    token = request.get("IdempotencyToken") or ""
    for stored in await acm.store.list_documents(CERTIFICATE, call.region + "/") if token else ():
        if stored.document["Token"] == token and stored.document["SubjectAlternativeNames"] == names:
            return {"CertificateArn": stored.document["CertificateArn"]}
    method = request.get("ValidationMethod") or "EMAIL"
    domains = {each["DomainName"]: each["ValidationDomain"] for each in request.get("DomainValidationOptions") or ()}
    now_s = acm.clock.now_s()
    certificate_id = acm.ids.uuid()
    document: Json = {
        "CertificateArn": f"arn:aws:acm:{call.region}:{call.account}:certificate/{certificate_id}",
        "CreatedAt": now_s,
        "DomainName": names[0],
        "DomainValidationOptions": [
            {
                "DomainName": name,
                "ValidationDomain": domains.get(name, name),
                "ValidationMethod": method,
                "ValidationStatus": "SUCCESS",
            }
            for name in names
        ],
        "IssuedAt": now_s,
        "KeyAlgorithm": algorithm,
        "NotAfter": now_s + _VALID_S,
        "NotBefore": now_s,
        "Options": {"CertificateTransparencyLoggingPreference": "ENABLED", **(request.get("Options") or {})},
        "RenewalEligibility": "INELIGIBLE",
        "Status": "ISSUED",
        "SubjectAlternativeNames": names,
        "Tags": list(request.get("Tags") or ()),
        "Token": token,
        "Type": "AMAZON_ISSUED",
    }
    await acm.store.write(Put(CERTIFICATE, f"{call.region}/{certificate_id}", document))
    return {"CertificateArn": document["CertificateArn"]}


async def describe_certificate(acm: Acm, call: Call, request: Json) -> Json:
    _, document = await _find(acm, call, request)
    told = {name: value for name, value in document.items() if name not in _OWN}
    return {"Certificate": {**told, "InUseBy": await _users(acm, call, document)}}


async def list_certificates(acm: Acm, call: Call, request: Json) -> Json:
    """In the order of their creation, unless it is asked for in reverse."""
    found = [stored.document for stored in await acm.store.list_documents(CERTIFICATE, call.region + "/")]
    found.sort(key=lambda document: document["CreatedAt"], reverse=request.get("SortOrder") == "DESCENDING")
    statuses = request.get("CertificateStatuses")
    algorithms = (request.get("Includes") or {}).get("keyTypes")
    wanted = [
        document
        for document in found
        if (not statuses or document["Status"] in statuses)
        and (not algorithms or document["KeyAlgorithm"] in algorithms)
    ]
    try:
        start = int(request.get("NextToken") or 0)
    except ValueError:
        raise _invalid("The NextToken is not valid.") from None
    end = start + (request.get("MaxItems") or _PAGE)
    members = ("CertificateArn", "DomainName", "Status", "Type", "KeyAlgorithm", "CreatedAt", "IssuedAt", "NotAfter")
    answer: Json = {
        "CertificateSummaryList": [{name: document[name] for name in members} for document in wanted[start:end]]
    }
    if end < len(wanted):
        answer["NextToken"] = str(end)
    return answer


async def delete_certificate(acm: Acm, call: Call, request: Json) -> Json:
    key, document = await _find(acm, call, request)
    users = await _users(acm, call, document)
    if users:
        message = f"Certificate {document['CertificateArn']} in account {call.account} is in use."
        raise AwsError("ResourceInUseException", message, status=400)
    await acm.store.write(Delete(CERTIFICATE, key))
    return {}


async def add_tags_to_certificate(acm: Acm, call: Call, request: Json) -> Json:
    key, document = await _find(acm, call, request)
    tags = {tag["Key"]: tag.get("Value", "") for tag in [*document["Tags"], *request["Tags"]]}
    listed = [{"Key": name, "Value": value} for name, value in tags.items()]
    await acm.store.write(Put(CERTIFICATE, key, {**document, "Tags": listed}))
    return {}


async def list_tags_for_certificate(acm: Acm, call: Call, request: Json) -> Json:
    _, document = await _find(acm, call, request)
    return {"Tags": document["Tags"]}


async def remove_tags_from_certificate(acm: Acm, call: Call, request: Json) -> Json:
    """With a value, only a tag that has it."""
    key, document = await _find(acm, call, request)

    def goes(tag: Json) -> bool:
        return any(each["Key"] == tag["Key"] and each.get("Value", tag["Value"]) == tag["Value"] for each in wanted)

    wanted = request["Tags"]
    await acm.store.write(
        Put(CERTIFICATE, key, {**document, "Tags": [tag for tag in document["Tags"] if not goes(tag)]})
    )
    return {}


async def _find(acm: Acm, call: Call, request: Json) -> tuple[str, Json]:
    arn = request["CertificateArn"]
    key = f"{call.region}/{arn.rpartition('/')[2]}"
    stored = await acm.store.read(CERTIFICATE, key)
    if stored is None or stored.document["CertificateArn"] != arn:
        message = f"Could not find certificate {arn} in account {call.account}."
        raise AwsError("ResourceNotFoundException", message, status=400)
    return key, stored.document


async def _users(acm: Acm, call: Call, document: Json) -> list[str]:
    """ARNs of the custom domain names that refer to it."""
    return [
        stored.document["DomainNameArn"]
        for stored in await acm.store.list_documents(_DOMAIN_NAMES)
        for configuration in stored.document["DomainNameConfigurations"]
        if configuration["CertificateArn"] == document["CertificateArn"]
    ]


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message, status=400)
