"""What API Gateway gives a template: `$input`, `$util`, `$context`, `$stageVariables`.

Source: API Gateway Developer Guide, "Mapping template transformations ... variables reference".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson

from freehold.gateway.mapping.jsonpath import find
from freehold.gateway.mapping.methods import TemplateFailure, java_text

_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_ESCAPES = {
    '"': '\\"',
    "'": "\\'",
    "\\": "\\\\",
    "/": "\\/",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}


class Input:
    """`$input`: of the request on the way in, of the integration's answer on the way out."""

    def __init__(
        self,
        body: str,
        path: Mapping[str, str],
        query: Mapping[str, str],
        headers: Callable[[], Mapping[str, str]],  # Asked when a template needs them: most do not.
    ) -> None:
        self._body = body
        self._path, self._query, self._headers = path, query, headers
        self._known: dict[str, dict[str, str]] | None = None
        self._document: Any = _NOT_READ

    def template_property(self, name: str) -> Any:
        return self._body if name == "body" else None

    def template_call(self, name: str, arguments: list[Any]) -> Any:
        match name, arguments:
            case "path", [str(path)]:
                return find(self._read(), path)
            case "json", [str(path)]:
                found = find(self._read(), path)
                # "" for what is not there, as AWS answers it.
                return '""' if found is None else json_text(found)
            case "params", []:
                return self._params()
            case "params", [str(wanted)]:
                return self._param(wanted)
        raise TemplateFailure(f"$input.{name} with {len(arguments)} arguments is unknown")

    def _params(self) -> dict[str, dict[str, str]]:
        if self._known is None:
            self._known = {"path": dict(self._path), "querystring": dict(self._query), "header": dict(self._headers())}
        return self._known

    def _param(self, wanted: str) -> str:
        params = self._params()
        for values in params.values():
            if wanted in values:
                return values[wanted]
        lower = {name.lower(): value for name, value in params["header"].items()}
        return lower.get(wanted.lower(), "")

    def _read(self) -> Any:
        if self._document is _NOT_READ:
            try:
                self._document = orjson.loads(self._body) if self._body.strip() else {}
            except orjson.JSONDecodeError:
                self._document = self._body
        return self._document


_NOT_READ = object()


class Util:
    """`$util`."""

    def template_call(self, name: str, arguments: list[Any]) -> Any:
        if len(arguments) != 1:
            raise TemplateFailure(f"$util.{name} takes one argument")
        value = arguments[0]
        text = "" if value is None else java_text(value)
        try:
            match name:
                case "escapeJavaScript":
                    return escape_javascript(text)
                case "parseJson":
                    return json.loads(text)
                case "urlEncode":
                    return quote_plus(text, safe="*-._")
                case "urlDecode":
                    return unquote_plus(text)
                case "base64Encode":
                    return base64.b64encode(text.encode()).decode()
                case "base64Decode":
                    return base64.b64decode(text).decode("utf-8", "replace")
        except (ValueError, RecursionError) as error:
            raise TemplateFailure(f"$util.{name} failed: {error}") from error
        raise TemplateFailure(f"$util.{name} is unknown")


def escape_javascript(text: str) -> str:
    """As Apache Commons' StringEscapeUtils: what is not ASCII becomes \\uXXXX, in UTF-16 units."""
    return "".join(_ESCAPES.get(letter) or (letter if " " <= letter <= "~" else _units(letter)) for letter in text)


def _units(letter: str) -> str:
    data = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[at] << 8 | data[at + 1]:04X}" for at in range(0, len(data), 2))


def json_text(value: Any) -> str:
    """Raises TemplateFailure for what holds itself, or is too large."""
    java_text(value)
    return _JSON.encode(value)
