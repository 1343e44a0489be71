"""Which operation of a REST service a method and path are: a table made from the model's own URI templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from freehold.aws.model import service_model

_NAME = re.compile(r"\{([\w-]+)(\+?)\}")
# Clients add it to tell operations apart in traces; it never tells them apart here.
_IGNORED_QUERY = frozenset({"x-id"})


@dataclass(frozen=True, slots=True)
class _Route:
    operation: str
    prefix: str  # What its paths begin with.
    pattern: str  # A regular expression, compiled when a path with the prefix comes.
    labels: tuple[str, ...]  # The names of the pattern's groups, in order.
    literals: int  # Length of the template's fixed text: the more, the better the match.
    query: tuple[tuple[str, str | None], ...]  # Must be in the query string; None: with any value.
    headers: tuple[str, ...]  # Must be there.


def match(
    service: str, method: str, raw_path: str, query: str, headers: dict[str, str]
) -> tuple[str, dict[str, str]] | None:
    """(operation, path labels still percent-encoded), or None."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    best: tuple[tuple[int, int], str, dict[str, str]] | None = None
    for route in _routes(service).get(method, ()):
        if any(name not in given or (value is not None and given[name] != value) for name, value in route.query):
            continue
        if any(name not in headers for name in route.headers):
            continue
        found = _compiled(route.pattern).fullmatch(raw_path) if raw_path.startswith(route.prefix) else None
        if found is None:
            continue
        score = (route.literals, len(route.query) + len(route.headers))
        if best is None or score > best[0]:
            best = (score, route.operation, dict(zip(route.labels, found.groups(), strict=True)))
    return (best[1], best[2]) if best else None


@lru_cache(maxsize=16)
def _routes(service: str) -> dict[str, list[_Route]]:
    model = service_model(service)
    found: dict[str, list[_Route]] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated and name in (
            "GetBucketLifecycle",
            "PutBucketLifecycle",
            "GetBucketNotification",
            "PutBucketNotification",
        ):
            # Their URIs are those of the operations that replaced them.
            continue
        found.setdefault(operation.http["method"], []).append(_route(name, operation))
    return found


def _route(name: str, operation: Any) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    required: list[tuple[str, str | None]] = []
    for part in query.split("&") if query else []:
        key, has_value, value = part.partition("=")
        if key not in _IGNORED_QUERY:
            required.append((key, value if has_value else None))
    headers: list[str] = []
    # S3's required members tell two operations on one URI apart: UploadPart from PutObject, CopyObject from both.
    shape: Any = operation.input_shape if operation.service_model.service_name == "s3" else None
    for member_name in shape.required_members if shape is not None else ():
        member = shape.members[member_name]
        wire_name = member.serialization.get("name", member_name)
        if member.serialization.get("location") == "querystring" and member.type_name != "map":
            required.append((wire_name, None))
        elif member.serialization.get("location") == "header":
            headers.append(wire_name.lower())
    labels = tuple(found[1] for found in _NAME.finditer(path))
    prefix = path.partition("{")[0].rstrip("/")
    return _Route(name, prefix, _pattern(path), labels, len(_NAME.sub("", path)), tuple(required), tuple(headers))


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _pattern(path: str) -> str:
    parts, position = [], 0
    for found in _NAME.finditer(path):
        parts.append(re.escape(path[position : found.start()]))
        # A greedy label may be empty of nothing but must be there; a plain one ends at the next slash.
        parts.append("(.+)" if found[2] else "([^/]+)")
        position = found.end()
    parts.append(re.escape(path[position:].rstrip("/") if position else path[position:]))
    return "".join(parts) + ("" if path == "/" else "/?")
