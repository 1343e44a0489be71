"""What templates may call on values: Java's methods of strings, lists, maps and numbers, from a table.

One decision to know: nothing of Python is reachable from a template. A method that is not in the table fails the
rendering, and properties are entries of maps and the few names below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import regex

MOST_CHARACTERS = 11 * 1024 * 1024  # A payload of API Gateway is at most 10 MB.
MOST_ITEMS = 100_000
_LONGEST_PATTERN = 1000
PATTERN_LIMIT_S = 0.2  # Patterns are their author's, but their time is everybody's.
_JAVA_GROUP = re.compile(r"\$(\d)")


class TemplateFailure(Exception):
    """The template cannot be rendered; the client is told an internal error, the text is for the log."""


def java_text(value: Any) -> str:
    """As Java's toString writes it. Raises TemplateFailure past the limit: lists that hold each other grow fast."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list | dict):
        return _plain(value)
    written: list[str] = []
    _write(value, written, [MOST_CHARACTERS])
    return "".join(written)


def _write(value: Any, written: list[str], left: list[int]) -> None:
    if isinstance(value, list):
        parts = [(", " if number else "", "", each) for number, each in enumerate(value)]
        opening, closing = "[", "]"
    elif isinstance(value, dict):
        parts = [(", " if number else "", f"{_plain(key)}=", each) for number, (key, each) in enumerate(value.items())]
        opening, closing = "{", "}"
    else:
        text = _plain(value)
        left[0] -= len(text)
        written.append(text)
        return
    left[0] -= 2 + len(parts)
    if left[0] < 0:
        raise TemplateFailure("a value is too large to be written")
    written.append(opening)
    for before, key, each in parts:
        written += (before, key)
        left[0] -= len(key)
        _write(each, written, left)
    written.append(closing)


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def limited(value: Any) -> Any:
    """The value itself. Raises TemplateFailure for one that has grown past all need."""
    if isinstance(value, str | list | dict) and len(value) > (
        MOST_CHARACTERS if isinstance(value, str) else MOST_ITEMS
    ):
        raise TemplateFailure("a value has grown too large")
    if isinstance(value, int) and value.bit_length() > 64:
        raise TemplateFailure("a number has grown too large")
    return value


def _float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return {float("inf"): "Infinity", float("-inf"): "-Infinity"}.get(value, "NaN")
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value) if "e" not in repr(value) else f"{value:f}"
    mantissa, _, exponent = f"{value:e}".partition("e")
    digits = repr(value).replace("-", "").partition("e")[0].replace(".", "").strip("0") or "0"
    shown = f"{'-' if mantissa.startswith('-') else ''}{digits[0]}.{digits[1:] or '0'}"
    return f"{shown}E{int(exponent)}"


def read_property(value: Any, name: str) -> Any:
    """`$map.key`, `$list.size`... None where there is none."""
    if isinstance(value, dict):
        if name in value:
            return value[name]
        return {"size": len(value), "empty": not value}.get(name) if name == "empty" else None
    if isinstance(value, Entry):
        return {"key": value.key, "value": value.value}.get(name)
    getter = _PROPERTIES.get(type(value), {}).get(name)
    if getter is not None:
        return getter(value)
    reader = getattr(type(value), "template_property", None)
    return reader(value, name) if reader is not None else None


def read_index(value: Any, index: Any) -> Any:
    if isinstance(value, dict):
        return value.get(index)
    if isinstance(value, list | tuple) and isinstance(index, int) and not isinstance(index, bool):
        return value[index] if -len(value) <= index < len(value) else None
    return None


def call(value: Any, name: str, arguments: list[Any]) -> Any:
    """Raises TemplateFailure for an unknown method, and for arguments that it does not take."""
    if hasattr(type(value), "template_call"):
        return value.template_call(name, arguments)
    method = next((table[name] for table in _tables(value) if name in table), None)
    if method is None:
        raise TemplateFailure(f"there is no method {name} of {_kind(value)}")
    try:
        result = limited(method(value, *arguments))
        limited(value)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, TimeoutError, regex.error) as error:
        raise TemplateFailure(f"{name} of {_kind(value)} failed: {error}") from error
    return result


class Entry:
    """One of a map's entrySet()."""

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.value = value


def _kind(value: Any) -> str:
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a map"}
    return names.get(type(value), "this value")


def _tables(value: Any) -> tuple[Mapping[str, Callable[..., Any]], ...]:
    if isinstance(value, bool):
        return (_ANY,)
    for kind, table in ((str, _STRING), (list, _LIST), (dict, _MAP), (int, _NUMBER), (float, _NUMBER), (Entry, _ENTRY)):
        if isinstance(value, kind):
            return (table, _ANY)
    return (_ANY,)


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Any:
    """One of Java's, near enough. Raises ValueError, regex.error."""
    if len(text) > _LONGEST_PATTERN:
        raise ValueError("the pattern is too long")
    return regex.compile(text, regex.DOTALL)


def matches(text: str, pattern: str) -> bool:
    """The whole of the text. Raises ValueError, regex.error, TimeoutError."""
    return compile_pattern(pattern).fullmatch(text, timeout=PATTERN_LIMIT_S) is not None


def _replace(text: str, old: str, new: str) -> str:
    return _grown(text, text.count(old), new).replace(old, new)


def _replace_pattern(text: str, pattern: str, new: str, count: int = 0) -> str:
    replacement = _JAVA_GROUP.sub(r"\\g<\1>", new.replace("\\", "\\\\"))
    found = compile_pattern(pattern).sub(
        replacement, _grown(text, len(text) // 16, new), count, timeout=PATTERN_LIMIT_S
    )
    return str(found)


def _grown(text: str, times: int, new: str) -> str:
    if len(text) + times * len(new) > MOST_CHARACTERS:
        raise ValueError("the result would be too large")
    return text


def _split(text: str, pattern: str, limit: int = 0) -> list[str]:
    parts: list[str] = compile_pattern(pattern).split(text, max(limit - 1, 0), timeout=PATTERN_LIMIT_S)
    if limit == 0:
        while len(parts) > 1 and parts[-1] == "":
            parts.pop()
    return parts


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    if not 0 <= start <= last <= len(text):
        raise IndexError(f"begin {start}, end {last}, length {len(text)}")
    return text[start:last]


def _append(items: list[Any], *given: Any) -> bool | None:
    if len(given) == 2:
        items.insert(given[0], given[1])
        return None
    items.append(given[0])
    return True


def _extend(items: list[Any], more: list[Any]) -> bool:
    items.extend(more)
    return bool(more)


def _take_out(items: list[Any], what: Any) -> Any:
    if isinstance(what, int) and not isinstance(what, bool):
        return items.pop(what)
    if what in items:
        items.remove(what)
        return True
    return False


def _put_at(items: list[Any], index: int, value: Any) -> Any:
    before, items[index] = items[index], value
    return before


def _get_at(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise IndexError(f"Index {index} out of bounds for length {len(items)}")
    return items[index]


def _put(entries: dict[Any, Any], key: Any, value: Any) -> Any:
    before = entries.get(key)
    entries[key] = value
    return before


def _put_all(entries: dict[Any, Any], more: dict[Any, Any]) -> None:
    entries.update(more)


def _compare(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


_ANY: Mapping[str, Callable[..., Any]] = {
    "toString": java_text,
    "equals": _same,
    "compareTo": _compare,
    "booleanValue": lambda value: value is True,
}
_STRING: Mapping[str, Callable[..., Any]] = {
    "length": len,
    "isEmpty": lambda text: not text,
    "contains": lambda text, part: java_text(part) in text,
    "startsWith": lambda text, start: text.startswith(start),
    "endsWith": lambda text, end: text.endswith(end),
    "indexOf": lambda text, part, *start: text.find(part, *start),
    "lastIndexOf": lambda text, part: text.rfind(part),
    "substring": _substring,
    "replace": _replace,
    "replaceAll": _replace_pattern,
    "replaceFirst": lambda text, old, new: _replace_pattern(text, old, new, 1),
    "split": _split,
    "matches": matches,
    "toLowerCase": lambda text: text.lower(),
    "toUpperCase": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "concat": lambda text, more: text + more,
    "charAt": lambda text, index: text[index],
    "equalsIgnoreCase": lambda text, other: isinstance(other, str) and text.lower() == other.lower(),
    "parseInt": lambda _, text: int(text),
    "valueOf": lambda _, value: java_text(value),
}
_LIST: Mapping[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda items: not items,
    "get": _get_at,
    "contains": lambda items, item: item in items,
    "add": _append,
    "addAll": _extend,
    "remove": _take_out,
    "set": _put_at,
    "indexOf": lambda items, item: items.index(item) if item in items else -1,
    "subList": lambda items, start, end: items[start:end],
    "clear": lambda items: items.clear(),
}
_MAP: Mapping[str, Callable[..., Any]] = {
    "size": len,
    "isEmpty": lambda entries: not entries,
    "get": lambda entries, key: entries.get(key),
    "getOrDefault": lambda entries, key, default: entries.get(key, default),
    "put": _put,
    "putAll": _put_all,
    "remove": lambda entries, key: entries.pop(key, None),
    "containsKey": lambda entries, key: key in entries,
    "containsValue": lambda entries, value: value in entries.values(),
    "keySet": lambda entries: list(entries),
    "values": lambda entries: list(entries.values()),
    "entrySet": lambda entries: [Entry(key, value) for key, value in entries.items()],
}
_NUMBER: Mapping[str, Callable[..., Any]] = {
    "intValue": int,
    "longValue": int,
    "doubleValue": float,
    # Static methods, called on any number: $zero.parseInt("12").
    "parseInt": lambda _, text: int(text),
    "parseLong": lambda _, text: int(text),
    "parseDouble": lambda _, text: float(text),
    "valueOf": lambda number, text: type(number)(text),
}
_ENTRY: Mapping[str, Callable[..., Any]] = {
    "getKey": lambda entry: entry.key,
    "getValue": lambda entry: entry.value,
}
_PROPERTIES: Mapping[type, Mapping[str, Callable[[Any], Any]]] = {
    str: {"empty": lambda text: not text, "bytes": lambda text: list(text.encode())},
    list: {"empty": lambda items: not items},
}
