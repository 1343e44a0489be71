"""Versions of a secret and the stages (labels) on them. Source: Secrets Manager API Reference."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.services.secretsmanager.record import (
    CURRENT,
    SecretsManager,
    add_version,
    change_secret,
    find_secret,
    given_value,
    invalid_parameter,
    invalid_request,
    move_stage,
    page,
)
from freehold.state.store import Document

_PAGE = 100


async def put_secret_value(service: SecretsManager, call: Call, request: Json) -> Json:
    value = given_value(request)
    if value is None:
        raise invalid_request("You must provide either SecretString or SecretBinary.")
    token = request.get("ClientRequestToken") or service.ids.uuid()
    stages = request.get("VersionStages") or [CURRENT]
    document = await change_secret(
        service, call, request["SecretId"], lambda secret: add_version(service, secret, token, value, stages)
    )
    return {
        "ARN": document["ARN"],
        "Name": document["Name"],
        "VersionId": token,
        "VersionStages": document["Versions"][token]["Stages"],
    }


async def update_secret_version_stage(service: SecretsManager, call: Call, request: Json) -> Json:
    stage, to, source = request["VersionStage"], request.get("MoveToVersionId"), request.get("RemoveFromVersionId")

    def change(document: Document) -> None:
        versions = document["Versions"]
        for version_id in (to, source):
            if version_id is not None and version_id not in versions:
                raise invalid_parameter(f"Not a valid version: {version_id}")
        holder = next((known for known, version in versions.items() if stage in version["Stages"]), None)
        if source is not None and source != holder:
            raise invalid_parameter(f'The staging label "{stage}" is not attached to version {source}.')
        if to is None and stage == CURRENT:
            raise invalid_parameter(f"You can't remove the staging label {CURRENT}: move it to another version.")
        if holder is not None and to is not None and holder != to and source is None:
            raise invalid_parameter(
                f'The parameter RemoveFromVersionId can\'t be empty. Staging label "{stage}" is currently attached to '
                f"version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
            )
        move_stage(document, stage, to)
        document["LastChangedDate"] = service.clock.now_s()

    document = await change_secret(service, call, request["SecretId"], change)
    return {"ARN": document["ARN"], "Name": document["Name"]}


async def list_secret_version_ids(service: SecretsManager, call: Call, request: Json) -> Json:
    document = (await find_secret(service, call, request["SecretId"])).document
    versions = [
        {"VersionId": known, "VersionStages": version["Stages"], "CreatedDate": version["CreatedDate"]}
        for known, version in document["Versions"].items()
        if version["Stages"] or request.get("IncludeDeprecated")
    ]
    shown, more = page(versions, lambda version: str(version["VersionId"]), request, _PAGE)
    return {"Versions": shown, "ARN": document["ARN"], "Name": document["Name"], **more}
