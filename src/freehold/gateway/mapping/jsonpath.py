"""JSONPath in templates and parameter mappings. Paths of plain names and indexes, as nearly all are, are walked here;
the others go to the `jsonpath` library. AWS: "API Gateway uses Jayway's JsonPath"; what is not there is None."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from freehold.gateway.mapping.methods import TemplateFailure

_PLAIN = re.compile(r"""^\$?((\.?[\w@-]+)|(\[(\d+|'[^']*'|"[^"]*")\]))*$""")
_STEP = re.compile(r"""\.?([\w@-]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")


def find(document: Any, path: str) -> Any:
    """The value at a definite path, the list of values of any other. Raises TemplateFailure for what is no path."""
    steps = _steps(path)
    if steps is None:
        return _search(document, path)
    for step in steps:
        if isinstance(step, int):
            document = document[step] if isinstance(document, list) and step < len(document) else None
        else:
            document = document.get(step) if isinstance(document, dict) else None
        if document is None:
            return None
    return document


def check_path(path: str) -> None:
    """Raises TemplateFailure."""
    if _steps(path) is None:
        _compiled(path)


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str | int, ...] | None:
    if path in ("$", "", "$."):
        return ()
    if not _PLAIN.match(path):
        return None
    start = 1 if path.startswith("$") else 0
    return tuple(
        int(match[2]) if match[2] else match[1] or match[3] or match[4] or "" for match in _STEP.finditer(path, start)
    )


def _search(document: Any, path: str) -> Any:
    compiled = _compiled(path)
    if not isinstance(document, dict | list):
        return None
    found = compiled.findall(document)
    return (found[0] if found else None) if compiled.singular_query() else found


@lru_cache(maxsize=256)
def _compiled(path: str) -> Any:
    import jsonpath  # A tenth of a server's start; few paths need it.

    try:
        return jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise TemplateFailure(f"{path} is no JSONPath: {error}") from error
