"""Selection expressions of WebSocket APIs: `$request.body.action`, `${request.body.kind}-beta`, `\\$default`; the
values of HTTP APIs' parameter mappings are written in the same way.

API Gateway Developer Guide, "WebSocket selection expressions". One variable that is not there makes the whole
expression say nothing; values are never evaluated again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from freehold.aws.errors import AwsError
from freehold.gateway.mapping.jsonpath import check_path, find
from freehold.gateway.mapping.methods import TemplateFailure, java_text
from freehold.gateway.mapping.variables import json_text

_PART = re.compile(r"\\\$|\$\{([^{}]+)\}|\$([A-Za-z][A-Za-z0-9_.\-\[\]]*)|([^\\$]+|[\\$])")
MESSAGE_ROOTS = ("request.body", "request.header", "request.querystring", "context", "stageVariables")
ANSWER_ROOTS = (
    *MESSAGE_ROOTS,
    "integration.response.body",
    "integration.response.header",
    "integration.response.statuscode",
)
_NAMED = (".header", ".querystring", ".path.")  # What lies below them is a name, not a path.

Lookup = Callable[[str], Any]
"""A root ("request.body") -> what it holds: JSON, or a mapping by lower-case name for headers."""


@dataclass(frozen=True, slots=True)
class Variable:
    root: str
    path: str  # Below the root; "" for the root itself.

    def find(self, lookup: Lookup) -> str | None:
        value = lookup(self.root)
        if self.root.endswith(_NAMED):
            value = value.get(self.path.lower() if self.root.endswith("header") else self.path)
        elif self.path:
            value = find(value, f"$.{self.path}")
        if value is None or isinstance(value, str):
            return value
        try:
            return json_text(value) if isinstance(value, dict | list) else java_text(value)
        except TemplateFailure:
            return None


@dataclass(frozen=True, slots=True)
class Selection:
    parts: tuple[str | Variable, ...]

    def evaluate(self, lookup: Lookup) -> str | None:
        """None: something that it names is not there."""
        texts = []
        for part in self.parts:
            text = part if isinstance(part, str) else part.find(lookup)
            if text is None:
                return None
            texts.append(text)
        return texts[0] if len(texts) == 1 else "".join(texts)


def compile_selection(text: str, what: str, roots: tuple[str, ...] = MESSAGE_ROOTS) -> Selection:
    """`what` names the expression in refusals; `roots`: what it may name. Raises AwsError, BadRequestException."""
    parts: list[str | Variable] = []
    for match in _PART.finditer(text):
        name = match[1] or match[2]
        if name == "default" and match[2]:
            parts.append("$default")
        elif name:
            parts.append(_variable(name, roots, what))
        else:
            parts.append("$" if match[0] == "\\$" else match[0])
    return Selection(tuple(parts))


def _variable(name: str, roots: tuple[str, ...], what: str) -> Variable:
    for root in roots:
        path = name[len(root) + 1 :]
        if name != root and not name.startswith(f"{root}."):
            continue
        if root.endswith(_NAMED) and not path:
            break
        try:
            if not root.endswith(_NAMED):
                check_path(f"$.{path}")
        except TemplateFailure:
            break
        return Variable(root, path)
    raise AwsError("BadRequestException", f"Invalid selection expression: {what} names {name}", status=400)
