"""Reads .env files: `KEY=value`, `export`, quotes, comments, `${OTHER}`; the format of npm's dotenv."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from freehold.templates.errors import TemplateError

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<key>[\w.-]+)(?:[ \t]*=[ \t]*|:[ \t]+)
    (?P<value>[ \t]*'(?:\\'|[^'])*'|[ \t]*"(?:\\"|[^"])*"|[ \t]*`(?:\\`|[^`])*`|[^#\r\n]*)?
    [ \t]*(?:\#.*)?$""",
    re.MULTILINE | re.VERBOSE,
)
_REFERENCE = re.compile(r"(?<!\\)\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<plain>\w+))")


def read_dotenv(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"The file cannot be read: {error}.", file) from None
    found: dict[str, str] = {}
    for match in _LINE.finditer(text):
        found[match["key"]] = _value((match["value"] or "").strip(), {**found, **environ})
    return found


def _value(raw: str, known: Mapping[str, str]) -> str:
    quote = raw[:1] if raw[:1] in "'\"`" and raw.endswith(raw[:1]) and len(raw) > 1 else ""
    text = raw[1:-1] if quote else raw
    if quote == '"':
        text = text.replace("\\n", "\n").replace("\\r", "\r")
    if quote == "'":
        return text

    def expand(match: re.Match[str]) -> str:
        return known.get(match["braced"] or match["plain"] or "") or match["default"] or ""

    return _REFERENCE.sub(expand, text).replace("\\$", "$")
