"""GetSecretValue, BatchGetSecretValue. Source: Secrets Manager API Reference."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.secretsmanager.listing import matching
from freehold.services.secretsmanager.record import (
    CURRENT,
    SecretsManager,
    invalid_parameter,
    invalid_request,
    live_secret,
    page,
)
from freehold.state.store import Document

_PAGE = 20


async def get_secret_value(service: SecretsManager, call: Call, request: Json) -> Json:
    document = (await live_secret(service, call, request["SecretId"])).document
    return _value(service, document, request.get("VersionId"), request.get("VersionStage"))


async def batch_get_secret_value(service: SecretsManager, call: Call, request: Json) -> Json:
    names, filters = request.get("SecretIdList"), request.get("Filters")
    if bool(names) == bool(filters):
        raise invalid_parameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if names and request.get("MaxResults"):
        raise invalid_parameter(
            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
        )
    more: dict[str, str] = {}
    if filters:
        found = [document for document in await matching(service, call, filters) if "DeletedDate" not in document]
        shown, more = page(found, lambda document: str(document["Name"]), request, _PAGE)
        names = [document["ARN"] for document in shown]
    values, errors = [], []
    for name in names or []:
        try:
            values.append(await get_secret_value(service, call, {"SecretId": name}))
        except AwsError as error:
            if (error.status or 400) >= 500:
                raise
            errors.append({"SecretId": name, "ErrorCode": error.code, "Message": error.message})
    return {"SecretValues": values, "Errors": errors, **more}


def _value(service: SecretsManager, document: Document, version_id: str | None, stage: str | None) -> Json:
    versions = document["Versions"]
    if version_id is None:
        wanted = stage or CURRENT
        found = next((known for known, version in versions.items() if wanted in version["Stages"]), None)
        if found is None:
            raise _no_value(f"staging label: {wanted}")
        version_id = found
    elif version_id not in versions:
        raise _no_value(f"VersionId: {version_id}")
    version = versions[version_id]
    if stage is not None and stage not in version["Stages"]:
        raise invalid_request("You provided a VersionStage that is not associated to the provided VersionId.")
    data = service.seal.open(version["Value"], f"{document['ARN']}#{version_id}")
    return {
        "ARN": document["ARN"],
        "Name": document["Name"],
        "VersionId": version_id,
        "VersionStages": version["Stages"],
        "CreatedDate": version["CreatedDate"],
        version["Member"]: data.decode() if version["Member"] == "SecretString" else data,
    }


def _no_value(what: str) -> AwsError:
    return AwsError(
        "ResourceNotFoundException",
        f"Secrets Manager can't find the specified secret value for {what}",
        status=400,
    )
