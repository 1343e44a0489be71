"""What the operations of Secrets Manager may touch, and how a secret is found, changed and versioned.

Source: Secrets Manager API Reference and User Guide, "What's in a Secrets Manager secret?" (versions and stages).
One decision to know: a secret is one document with its versions, so that a stage never points at two of them; a change
is made on a copy and written at the revision that was read.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.state.change import TooManyChanges, change_document
from freehold.state.seal import Seal
from freehold.state.store import Conflict, Delete, Document, Store, Stored

SECRET = "secretsmanager.secret"
CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
_UNSTAGED = 100  # Versions without a stage that are kept for those who name them by id.
_STAGES = 20
_SUFFIX = 6
_VALUE_BYTES = 65_536
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class SecretsManager:
    store: Store
    seal: Seal
    clock: Clock
    ids: Ids


def secret_arn(service: SecretsManager, call: Call, name: str) -> str:
    return str(Arn("secretsmanager", call.region, call.account, f"secret:{name}-{service.ids.short(_SUFFIX)}"))


async def find_secret(service: SecretsManager, call: Call, identifier: str) -> Stored:
    """By name, ARN, or ARN without its random end; also one that waits for its deletion."""
    arn = parse_arn(identifier)
    name = arn.resource.removeprefix("secret:") if arn else identifier
    region = arn.region if arn else call.region
    for candidate in (name, name[: -_SUFFIX - 1]) if arn else (name,):
        found = await _read(service, f"{region}/{candidate}") if candidate else None
        if found is not None and (arn is None or found.document["ARN"] == identifier or candidate == name):
            return found
    raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.", status=400)


async def live_secret(service: SecretsManager, call: Call, identifier: str) -> Stored:
    found = await find_secret(service, call, identifier)
    if "DeletedDate" in found.document:
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
            status=400,
        )
    return found


async def change_secret(
    service: SecretsManager,
    call: Call,
    identifier: str,
    change: Callable[[Document], None],
    find: Callable[[SecretsManager, Call, str], Awaitable[Stored]] = live_secret,
) -> Document:
    """As `change_document`, in AWS's words."""
    try:
        return await change_document(service.store, SECRET, lambda: find(service, call, identifier), change)
    except TooManyChanges as error:
        message = "The secret is being changed by too many at once."
        raise AwsError("InternalServiceError", message, status=500) from error


async def _read(service: SecretsManager, key: str) -> Stored | None:
    """A secret whose recovery window is over is gone: whoever looks first takes it away."""
    stored = await service.store.read(SECRET, key)
    if stored is None or not is_over(service, stored.document):
        return stored
    try:
        await service.store.write(Delete(SECRET, key, stored.revision))
    except Conflict:
        return await service.store.read(SECRET, key)
    return None


def is_over(service: SecretsManager, document: Document) -> bool:
    return "DeletionDate" in document and document["DeletionDate"] <= service.clock.now_s()


def given_value(request: Json) -> tuple[str, bytes] | None:
    """(member, bytes) of the request's value; None: it has none."""
    text, binary = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and binary is not None:
        raise invalid_request(
            "You can't specify both a binary secret value and a string secret value in the same secret."
        )
    if text is None and binary is None:
        return None
    member = "SecretBinary" if text is None else "SecretString"
    value: bytes = request[member] if text is None else text.encode()
    if len(value) > _VALUE_BYTES:
        raise invalid_parameter(f"The secret value is larger than {_VALUE_BYTES} bytes.")
    return member, value


def add_version(
    service: SecretsManager, document: Document, version_id: str, value: tuple[str, bytes], stages: Sequence[str]
) -> None:
    """A new version with its stages. The same id with the same value changes nothing; with another it is refused."""
    member, data = value
    place = f"{document['ARN']}#{version_id}"
    known = document["Versions"].get(version_id)
    if known is not None:
        if known["Member"] == member and service.seal.open(known["Value"], place) == data:
            return
        raise AwsError(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {version_id} because that value is already in use for a version of "
            f"secret {document['ARN']}.",
            status=400,
        )
    now_s = service.clock.now_s()
    document["Versions"][version_id] = {
        "Member": member,
        "Value": service.seal.close(data, place),
        "CreatedDate": now_s,
        "Stages": [],
    }
    # The first version is always the current one.
    wanted = list(stages) if any(v["Stages"] for v in document["Versions"].values()) else [*stages, CURRENT]
    for stage in dict.fromkeys(wanted):
        move_stage(document, stage, version_id)
    document["LastChangedDate"] = now_s
    _forget(document)


def move_stage(document: Document, stage: str, version_id: str | None) -> None:
    """A stage is on one version only; the version that was current becomes the previous one. None: off everywhere."""
    versions = document["Versions"]
    for known, version in versions.items():
        if stage in version["Stages"] and known != version_id:
            version["Stages"].remove(stage)
            if stage == CURRENT and version_id is not None:
                move_stage(document, PREVIOUS, known)
    if version_id is not None and stage not in versions[version_id]["Stages"]:
        if len(versions[version_id]["Stages"]) >= _STAGES:
            raise AwsError("LimitExceededException", f"A version can have up to {_STAGES} staging labels.", status=400)
        versions[version_id]["Stages"].append(stage)
        if stage == CURRENT and PREVIOUS in versions[version_id]["Stages"]:
            versions[version_id]["Stages"].remove(PREVIOUS)


def _forget(document: Document) -> None:
    unstaged = [known for known, version in document["Versions"].items() if not version["Stages"]]
    for known in unstaged[: max(0, len(unstaged) - _UNSTAGED)]:
        del document["Versions"][known]


def page(
    items: Sequence[Item], name: Callable[[Item], str], request: Json, most: int
) -> tuple[list[Item], dict[str, str]]:
    """A page of the items in their order, and the answer's NextToken: the last one's name."""
    token, size = request.get("NextToken"), request.get("MaxResults") or most
    if token:
        try:
            last = base64.urlsafe_b64decode(token.encode()).decode()
        except (binascii.Error, UnicodeError) as error:
            raise AwsError("InvalidNextTokenException", "The NextToken value is invalid.", status=400) from error
        names = [name(item) for item in items]
        if last not in names:
            raise AwsError("InvalidNextTokenException", "The NextToken value is invalid.", status=400)
        items = items[names.index(last) + 1 :]
    shown = list(items[:size])
    if len(items) <= size:
        return shown, {}
    return shown, {"NextToken": base64.urlsafe_b64encode(name(shown[-1]).encode()).decode()}


def invalid_request(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message, status=400)


def invalid_parameter(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message, status=400)
