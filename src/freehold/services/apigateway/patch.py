"""PATCH of every Update operation: a list of `op`, `path`, `value`, applied to a copy of a document, or refused whole.

API Gateway API Reference, "PatchOperation", and the tables of allowed paths of each Update operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from freehold.aws.call import Json
from freehold.services.apigateway.record import bad_request

Field = Callable[[Json, str, list[str], str, str], None]
"""(document to change, member, what follows it in the path, op, value)"""


def apply_patch(document: Json, operations: list[Json] | None, fields: Mapping[str, Field]) -> Json:
    """`fields`: the document's members that may be patched. Raises BadRequestException."""
    patched = _copy(document)
    for operation in operations or ():
        op, path, value = operation.get("op"), operation.get("path") or "", operation.get("value")
        member, *rest = split_path(path)
        if op not in ("add", "replace", "remove"):
            raise bad_request(f"Invalid patch operation specified. Must be one of: [add, replace, remove], got {op}")
        if member not in fields:
            raise bad_request(
                f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: {_listed(fields)}"
            )
        if value is None and op != "remove" and not rest:
            raise bad_request(f"Invalid patch value for path '{path}': it is missing")
        fields[member](patched, member, rest, op, value or "")
    return patched


def split_path(path: str) -> list[str]:
    """`/binaryMediaTypes/image~1png` -> ["binaryMediaTypes", "image/png"]"""
    return [part.replace("~1", "/").replace("~0", "~") for part in path.removeprefix("/").split("/")]


def text(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    _set(document, member, rest, op, value)


def boolean(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    _set(document, member, rest, op, as_boolean(value) if op != "remove" else False)


def whole(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    _set(document, member, rest, op, as_number(value, int) if op != "remove" else 0)


def texts(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
    """A list: what is added or removed stands in the path or in the value; `replace` sets all of it."""
    items = list(document.get(member) or ())
    item = rest[0] if rest else value
    if op == "remove":
        items = [each for each in items if each != item]
    elif op == "replace" and not rest:
        items = [each.strip() for each in value.split(",") if each.strip()]
    elif item not in items:
        items.append(item)
    document[member] = items


def members_of(convert: Callable[[str], Any] = str) -> Field:
    """A map: `/variables/color`."""

    def apply(document: Json, member: str, rest: list[str], op: str, value: str) -> None:
        entries = dict(document.get(member) or {})
        if not rest:
            if op != "remove":
                raise bad_request(f"Invalid patch path '/{member}': name one of its entries")
            document.pop(member, None)
            return
        name = "/".join(rest)
        if op == "remove":
            entries.pop(name, None)
        else:
            entries[name] = convert(value)
        document[member] = entries

    return apply


def as_boolean(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise bad_request(f"Invalid boolean value {value}")
    return value.lower() == "true"


def as_number(value: str, kind: type[int] | type[float]) -> float:
    try:
        return kind(value)
    except ValueError:
        raise bad_request(f"Invalid number {value}") from None


def _set(document: Json, member: str, rest: list[str], op: str, value: Any) -> None:
    if rest:
        raise bad_request(f"Invalid patch path '/{member}/{'/'.join(rest)}'")
    if op == "remove":
        document.pop(member, None)
    else:
        document[member] = value


def _copy(document: Json) -> Json:
    """Deep enough: what a patch changes is replaced, never changed in place."""
    return dict(document)


def _listed(fields: Mapping[str, Field]) -> str:
    return "[" + ", ".join(f"/{name}" for name in fields) + "]"
