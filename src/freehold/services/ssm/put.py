"""PutParameter. Source: Systems Manager API Reference, PutParameter; User Guide, "Managing parameter tiers"."""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.ssm.record import (
    DEFAULT_KEY,
    PARAMETER,
    VERSION,
    Ssm,
    check_name,
    invalid,
    list_versions,
    parameter_key,
    plain_name,
    version_key,
)
from freehold.services.ssm.tags import tag_map
from freehold.state.store import Conflict, Delete, Document, Put, Stored, Write

_STANDARD_BYTES = 4096
_ADVANCED_BYTES = 8192
_VERSIONS = 100


async def put_parameter(ssm: Ssm, call: Call, request: Json) -> Json:
    name = plain_name(request["Name"])
    check_name(name)
    _check_request(request)
    current = await ssm.store.read(PARAMETER, parameter_key(call, name))
    if current and not request.get("Overwrite"):
        raise _exists()
    previous = current.document if current else {}
    document = _make(ssm, call, name, request, previous)
    writes: list[Write] = [
        Put(PARAMETER, parameter_key(call, name), document, current.revision if current else 0),
        Put(VERSION, version_key(call, name, document["Version"]), document),
    ]
    if document["Version"] > _VERSIONS:
        writes += _forget(name, await list_versions(ssm, call, name))
    try:
        await ssm.store.write(*writes)
    except Conflict as conflict:
        if current is None:
            raise _exists() from conflict
        raise AwsError(
            "TooManyUpdates", "There are concurrent updates for a resource that supports one update at a time."
        ) from conflict
    return {"Version": document["Version"], "Tier": document["Tier"]}


def _make(ssm: Ssm, call: Call, name: str, request: Json, previous: Document) -> Document:
    kind = request.get("Type") or previous.get("Type")
    if kind is None:
        raise invalid("A parameter type is required when you create a parameter.")
    if previous and kind != previous["Type"]:
        raise AwsError(
            "HierarchyTypeMismatchException",
            f"Parameter Store does not support changing a parameter's type: {name} is a {previous['Type']}, "
            "and you must create a new, unique parameter.",
        )
    if request.get("KeyId") and kind != "SecureString":
        raise invalid("KeyId is required for SecureString type parameter only.")
    version = previous.get("Version", 0) + 1
    value, size = request["Value"], len(request["Value"].encode())
    pattern = request.get("AllowedPattern", previous.get("AllowedPattern"))
    _check_pattern(pattern, value)
    document: Document = {
        "Name": name,
        "Type": kind,
        "Value": ssm.seal.close(value.encode(), version_key(call, name, version)) if kind == "SecureString" else value,
        "Version": version,
        "LastModifiedDate": ssm.clock.now_s(),
        "LastModifiedUser": call.principal or f"arn:aws:iam::{call.account}:root",
        "Tier": _tier(request, previous, size),
        "DataType": request.get("DataType") or previous.get("DataType") or "text",
        "Tags": tag_map(request.get("Tags")) or previous.get("Tags") or {},
    }
    if pattern:
        document["AllowedPattern"] = pattern
    if kind == "SecureString":
        document["KeyId"] = request.get("KeyId") or previous.get("KeyId") or DEFAULT_KEY
    description = request.get("Description", previous.get("Description"))
    if description:
        document["Description"] = description
    return document


def _check_request(request: Json) -> None:
    if not request["Value"]:
        raise invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1."
        )
    if request.get("Overwrite") and request.get("Tags"):
        raise invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
            "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
            "RemoveTagsFromResource."
        )
    if request.get("Policies") and request["Policies"].strip() not in ("[]", "[{}]"):
        raise AwsError("InvalidPolicyTypeException", "Freehold does not support parameter policies yet.")
    if request.get("DataType") not in (None, "", "text"):
        raise invalid(f"Freehold supports parameters of the data type text only, not {request['DataType']}.")
    if request.get("Type") == "StringList" and any(not item for item in request["Value"].split(",")):
        raise invalid("Parameter value can't contain empty items: a StringList is items separated by commas.")


def _check_pattern(pattern: str | None, value: str) -> None:
    if not pattern:
        return
    try:
        matches = re.search(pattern, value) is not None
    except re.error as error:
        raise AwsError("InvalidAllowedPatternException", f"The regular expression {pattern} is not valid.") from error
    if not matches:
        raise AwsError(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )


def _tier(request: Json, previous: Document, size: int) -> str:
    wanted = request.get("Tier") or previous.get("Tier") or "Standard"
    if wanted == "Intelligent-Tiering":
        big = size > _STANDARD_BYTES or previous.get("Tier") == "Advanced"
        wanted = "Advanced" if big else "Standard"
    if wanted == "Standard" and previous.get("Tier") == "Advanced":
        raise invalid(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced "
            "parameter and recreate it as a standard parameter."
        )
    if wanted == "Standard" and size > _STANDARD_BYTES:
        raise invalid(
            f"Standard tier parameters support a maximum parameter value of {_STANDARD_BYTES} characters. To create a "
            "larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, "
            "see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )
    if size > _ADVANCED_BYTES:
        raise invalid(f"Advanced tier parameters support a maximum parameter value of {_ADVANCED_BYTES} characters.")
    return str(wanted)


def _forget(name: str, versions: list[Stored]) -> list[Write]:
    """The oldest versions go, but not one that somebody has named by a label."""
    gone: list[Write] = []
    for stored in versions[: len(versions) - _VERSIONS + 1]:
        if stored.document.get("Labels"):
            raise AwsError(
                "ParameterMaxVersionLimitExceeded",
                f"You attempted to create a new version of {name} by calling the PutParameter API with the overwrite "
                f"flag. Version {stored.document['Version']}, the oldest version, can't be deleted because it has a "
                "label associated with it. Move the label to another version of the parameter, and try again.",
            )
        gone.append(Delete(VERSION, stored.key))
    return gone


def _exists() -> AwsError:
    return AwsError(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    )
