"""What a target receives of an event: all of it, a constant, a part, or a template. Pure.

Source: Amazon EventBridge User Guide, "Amazon EventBridge input transformation".
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.aws.errors import AwsError

_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']+)'\]|\[(\d+)\]")
_PATH = re.compile(r"\$(?:\.[^.\[\]]+|\['[^']+'\]|\[\d+\])*")
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_MISSING = object()


def check_target(target: Json) -> None:
    """ValidationException for an input that could never be made."""
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
    if len(given) > 1:
        raise AwsError(
            "ValidationException",
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}.",
        )
    if target.get("Input"):
        try:
            orjson.loads(target["Input"])
        except orjson.JSONDecodeError:
            raise AwsError("ValidationException", f"JSON syntax error in input for target {target['Id']}.") from None
    paths = [target["InputPath"]] if target.get("InputPath") else []
    transformer = target.get("InputTransformer") or {}
    paths += (transformer.get("InputPathsMap") or {}).values()
    for path in paths:
        if not _PATH.fullmatch(path):
            raise AwsError("ValidationException", f"Invalid InputPath {path} for target {target['Id']}.")
    known = set(transformer.get("InputPathsMap") or {})
    for name in _PLACEHOLDER.findall(transformer.get("InputTemplate", "")):
        if name not in known and not name.startswith("aws.events."):
            raise AwsError(
                "ValidationException",
                f"InputTemplate for target {target['Id']} contains placeholder {name} which is not in InputPathsMap.",
            )


def build_input(target: Json, rule: Json, event: Json) -> str:
    """JSON text, but for a template that is none."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found = _select(event, target["InputPath"])
        return orjson.dumps(None if found is _MISSING else found).decode()
    if target.get("InputTransformer"):
        return _fill(target["InputTransformer"], rule, event)
    return orjson.dumps(event).decode()


def _fill(transformer: Json, rule: Json, event: Json) -> str:
    paths = transformer.get("InputPathsMap") or {}
    values: dict[str, Any] = {name: _select(event, path) for name, path in paths.items()}
    values |= {
        "aws.events.rule-arn": rule["Arn"],
        "aws.events.rule-name": rule["Name"],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"},
        "aws.events.event.json": event,
    }
    template = transformer["InputTemplate"]
    parts: list[str] = []
    position, quoted = 0, False
    for found in _PLACEHOLDER.finditer(template):
        before = template[position : found.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        parts += [before, _text(values.get(found.group(1), _MISSING), quoted=quoted)]
        position = found.end()
    return "".join([*parts, template[position:]])


def _text(value: Any, *, quoted: bool) -> str:
    """Inside quotation marks a string stands bare and anything else as escaped JSON; outside all is JSON."""
    if value is _MISSING:
        return "" if quoted else "null"
    if not quoted:
        return orjson.dumps(value).decode()
    inner = value if isinstance(value, str) else orjson.dumps(value).decode()
    return orjson.dumps(inner).decode()[1:-1]


def _select(event: Any, path: str) -> Any:
    found = event
    for name, quoted_name, index in _STEP.findall(path):
        if index:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else _MISSING
        else:
            found = found.get(name or quoted_name, _MISSING) if isinstance(found, dict) else _MISSING
    return found
