"""Takes out of a compiled template what differs between two runs of the same framework: hashes, times, random ids."""

from __future__ import annotations

import json
import re
from typing import Any

_IDS = [
    (re.compile(r"(LambdaVersion)[0-9a-zA-Z]{20,}"), r"\1"),
    (re.compile(r"(WebsocketsDeployment)(?!Stage\b)[0-9a-zA-Z]{20,}"), r"\1"),
    (re.compile(r"(ApiGatewayDeployment)[0-9a-zA-Z]+"), r"\1"),
    (re.compile(r"(LambdaLayer(?:Permission)?)[0-9a-f]{40}"), r"\1"),
]

# API Gateway needs no role to write logs here, so that we leave the helper out that makes one.
_ROLE_OF_LOGS = (
    "CustomApiGatewayAccountCloudWatchRole",
    "CustomDashresourceDashapigwDashcwDashroleLambdaFunction",
    "IamRoleCustomResourcesLambdaExecution",
)


def normalize(template: Any) -> Any:
    """The same template with fixed texts in the places that may differ."""
    text = json.dumps(template)
    for pattern, replacement in _IDS:
        text = pattern.sub(replacement, text)
    result = _walk(json.loads(text), "")
    for name in [name for name in result["Resources"] if name.startswith("CustomDashresource")]:
        # The framework's helper functions are JavaScript, ours are Python.
        result["Resources"][name].get("Properties", {}).update(Runtime="HELPER", Handler="HELPER")
    if _ROLE_OF_LOGS[0] in result["Resources"]:
        for name in _ROLE_OF_LOGS:
            result["Resources"].pop(name, None)
    return result


def _walk(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _walk(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_walk(each, key) for each in value]
    if not isinstance(value, str):
        return value
    if key == "CodeSha256":
        return "SHA"
    if key == "S3Key" or re.fullmatch(r"serverless/[^/]+/[^/]+/[^/]+/[^/]+\.\w+", value):
        return re.sub(r"^(.*)/[^/]+/([^/]+)$", r"\1/TIME/\2", value)
    if re.fullmatch(r"[0-9a-f]{40}", value):
        return "HASH"
    if "$context.authorizer.claims" in value and "#foreach" in value:
        return _claims(value)
    return value


def _claims(template: str) -> str:
    """The default request templates are ours and theirs in other words; what is put into them must agree."""
    form = "form " if ".split('&')" in template else "json "
    return form + ", ".join(sorted(set(re.findall(r"\"[^\"]+\": \"\$context\.authorizer\.claims[^\"]*\"", template))))


def differences(theirs: Any, ours: Any, path: str = "") -> list[str]:
    """One line for each place where two normalized templates differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        found = [f"{path}/{key}: only theirs" for key in theirs.keys() - ours.keys()]
        found += [f"{path}/{key}: only ours" for key in ours.keys() - theirs.keys()]
        for key in theirs.keys() & ours.keys():
            found += differences(theirs[key], ours[key], f"{path}/{key}")
        return sorted(found)
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [
            line for i, pair in enumerate(zip(theirs, ours, strict=True)) for line in differences(*pair, f"{path}/{i}")
        ]
    if type(theirs) is type(ours) and theirs == ours:
        return []
    return [f"{path}: theirs {json.dumps(theirs)[:200]}, ours {json.dumps(ours)[:200]}"]
