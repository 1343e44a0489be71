"""Secrets made, changed, deleted with a recovery window, restored. Source: Secrets Manager API Reference."""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.secretsmanager.record import (
    CURRENT,
    SECRET,
    SecretsManager,
    add_version,
    change_secret,
    find_secret,
    given_value,
    invalid_parameter,
    invalid_request,
    live_secret,
    secret_arn,
)
from freehold.services.secretsmanager.tags import merged
from freehold.state.store import Conflict, Delete, Document, Put, Stored

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!\-]{1,512}")
_DAYS = 30
_LEAST_DAYS, _MOST_DAYS = 7, 30
_DAY_S = 86_400


async def create_secret(service: SecretsManager, call: Call, request: Json) -> Json:
    name, value = request["Name"], given_value(request)
    if not _NAME.fullmatch(name):
        raise AwsError(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
            status=400,
        )
    for member in ("AddReplicaRegions", "Type", "CrossAccountPrimaryARN"):
        if request.get(member):
            raise invalid_parameter(f"Freehold does not support {member} of secrets yet.")
    token = request.get("ClientRequestToken") or service.ids.uuid()
    known = await _known(service, call, name)
    if known is not None:
        return _repeated(service, known, token, value)
    now_s = service.clock.now_s()
    document: Document = {
        "ARN": secret_arn(service, call, name),
        "Name": name,
        "CreatedDate": now_s,
        "LastChangedDate": now_s,
        "Tags": merged([], request.get("Tags") or []),
        "Versions": {},
        **{key: request[key] for key in ("Description", "KmsKeyId") if request.get(key)},
    }
    if value is not None:
        add_version(service, document, token, value, [CURRENT])
    try:
        await service.store.write(Put(SECRET, f"{call.region}/{name}", document, 0))
    except Conflict as conflict:
        raise _exists(name) from conflict
    return _named(document, token if value is not None else None)


async def update_secret(service: SecretsManager, call: Call, request: Json) -> Json:
    value = given_value(request)
    if request.get("Type"):
        raise invalid_parameter("Freehold does not support Type of secrets yet.")
    token = request.get("ClientRequestToken") or service.ids.uuid()

    def change(document: Document) -> None:
        for member in ("Description", "KmsKeyId"):
            if member in request:
                document[member] = request[member]
        document["LastChangedDate"] = service.clock.now_s()
        if value is not None:
            add_version(service, document, token, value, [CURRENT])

    document = await change_secret(service, call, request["SecretId"], change)
    return _named(document, token if value is not None else None)


async def delete_secret(service: SecretsManager, call: Call, request: Json) -> Json:
    days, at_once = request.get("RecoveryWindowInDays"), request.get("ForceDeleteWithoutRecovery")
    if days is not None and at_once:
        raise invalid_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if days is not None and not _LEAST_DAYS <= days <= _MOST_DAYS:
        raise invalid_parameter(
            f"The RecoveryWindowInDays value must be between {_LEAST_DAYS} and {_MOST_DAYS} days (inclusive)."
        )
    now_s = service.clock.now_s()
    if at_once:
        return await _delete_at_once(service, call, request["SecretId"], now_s)

    def change(document: Document) -> None:
        document["DeletedDate"] = now_s
        document["DeletionDate"] = now_s + (_DAYS if days is None else days) * _DAY_S

    document = await change_secret(service, call, request["SecretId"], change)
    return {**_named(document, None), "DeletionDate": document["DeletionDate"]}


async def restore_secret(service: SecretsManager, call: Call, request: Json) -> Json:
    def change(document: Document) -> None:
        document.pop("DeletedDate", None)
        document.pop("DeletionDate", None)

    return _named(await change_secret(service, call, request["SecretId"], change, find_secret), None)


async def _delete_at_once(service: SecretsManager, call: Call, identifier: str, now_s: float) -> Json:
    stored = await find_secret(service, call, identifier)
    await service.store.write(Delete(SECRET, stored.key))
    return {**_named(stored.document, None), "DeletionDate": now_s}


async def _known(service: SecretsManager, call: Call, name: str) -> Stored | None:
    try:
        return await live_secret(service, call, name)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise invalid_request(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        ) from error


def _repeated(service: SecretsManager, known: Stored, token: str, value: tuple[str, bytes] | None) -> Json:
    """The same request once more (a client that heard no answer) is answered as the first; another is refused."""
    document = known.document
    if value is None or token not in document["Versions"]:
        raise _exists(document["Name"])
    add_version(service, document, token, value, [])
    return _named(document, token)


def _exists(name: str) -> AwsError:
    return AwsError(
        "ResourceExistsException", f"The operation failed because the secret {name} already exists.", status=400
    )


def _named(document: Document, version_id: str | None) -> Json:
    answer = {"ARN": document["ARN"], "Name": document["Name"]}
    return {**answer, "VersionId": version_id} if version_id else answer
