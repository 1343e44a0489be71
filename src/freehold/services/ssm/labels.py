"""Labels: names for versions of a parameter, which move. Source: User Guide, "Working with parameter labels"."""

from __future__ import annotations

import re

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.ssm.record import VERSION, Ssm, find_parameter, list_versions, plain_name
from freehold.state.store import Put, Stored

_LABELS = 10
_LABEL = re.compile(r"(?!aws|ssm|\d)[a-zA-Z0-9_.\-]{1,100}", re.IGNORECASE)


async def label_parameter_version(ssm: Ssm, call: Call, request: Json) -> Json:
    name, labels = plain_name(request["Name"]), request["Labels"]
    versions, target = await _find(ssm, call, name, request.get("ParameterVersion"))
    refused = [label for label in labels if not _LABEL.fullmatch(label)]
    given = [label for label in labels if label not in refused]
    kept = [label for label in target.document.get("Labels", []) if label not in given]
    if len(kept) + len(given) > _LABELS:
        raise AwsError(
            "ParameterVersionLabelLimitExceeded",
            f"A parameter version can have maximum {_LABELS} labels.Move one or more labels to another version and "
            "try again.",
        )
    writes = [_labelled(target, [*kept, *given])]
    for stored in versions:
        has = stored.document.get("Labels", [])
        if stored.key != target.key and set(has) & set(given):
            writes.append(_labelled(stored, [label for label in has if label not in given]))
    await ssm.store.write(*writes)
    return {"InvalidLabels": refused, "ParameterVersion": target.document["Version"]}


async def unlabel_parameter_version(ssm: Ssm, call: Call, request: Json) -> Json:
    _, target = await _find(ssm, call, plain_name(request["Name"]), request["ParameterVersion"])
    has = target.document.get("Labels", [])
    removed = [label for label in request["Labels"] if label in has]
    await ssm.store.write(_labelled(target, [label for label in has if label not in removed]))
    return {"RemovedLabels": removed, "InvalidLabels": [label for label in request["Labels"] if label not in removed]}


async def _find(ssm: Ssm, call: Call, name: str, version: int | None) -> tuple[list[Stored], Stored]:
    await find_parameter(ssm, call, name)
    versions = await list_versions(ssm, call, name)
    wanted = version or versions[-1].document["Version"]
    for stored in versions:
        if stored.document["Version"] == wanted:
            return versions, stored
    raise AwsError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find version {wanted} of {name}. Verify the version and try again.",
    )


def _labelled(stored: Stored, labels: list[str]) -> Put:
    return Put(VERSION, stored.key, {**stored.document, "Labels": labels}, stored.revision)
