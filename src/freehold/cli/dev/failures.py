"""What is wrong with a function's code, as one line with file and line, and the trace under it."""

from __future__ import annotations

import re
from typing import Any

import orjson

# Where the runtimes see the code: unpacked by its hash, or /var/task.
_PREFIX = re.compile(r"(?:file://)?/(?:[^\s:'\"()]*/)?(?:[0-9a-f]{64}|var/task)/")
_PLACES = (
    re.compile(r"\(([^\s()]+), line (\d+)\)"),  # Python's SyntaxError.
    re.compile(r"File \"([^\"]+)\",? [Ll]ine (\d+)"),  # A line of Python's trace.
    re.compile(r"(?:^|: )\s*([^\s:()]+\.[cm]?[jt]s):(\d+)$", re.MULTILINE),  # Node's head of a syntax error.
    re.compile(r"\(?([^\s:()]+\.[cm]?[jt]s):(\d+):\d+\)?"),  # A line of Node's trace.
)
# Lines of a trace that are not the user's: Node's own loader and ours.
_MACHINERY = re.compile(r"\(?(?:node:internal/|/\S*/freehold/runtimes/)")
_FOREIGN = ("node:", "/", "<", "node_modules/")


def describe(payload: bytes, words: str, lines: list[str]) -> str:
    """`payload` is the runtime's error document, where it could write one; `lines` is what it printed."""
    document = _document(payload)
    message = _relative(str(document.get("errorMessage") or words or "the code does not start"))
    kind = str(document.get("errorType") or "").removeprefix("Runtime.")
    trace = document.get("stackTrace") or document.get("trace") or []
    trace_lines = [_relative(str(each)).rstrip() for each in trace] if isinstance(trace, list) else []
    place = find_place([message, *reversed(trace_lines)]) if "python" in _language(trace_lines) else None
    place = place or find_place([message, *trace_lines]) or find_place([_relative(line) for line in lines])
    head = f"{kind}: {message}" if kind and kind not in message else message
    return "\n".join([f"{place}: {head}" if place else head, *(f"    {line}" for line in _flat(trace_lines))])


def find_place(texts: list[str]) -> str | None:
    """The first "file:line" that lies in the app."""
    for text in texts:
        for pattern in _PLACES:
            for file, line in pattern.findall(text):
                if not file.startswith(_FOREIGN):
                    return f"{file}:{line}"
    return None


def _document(payload: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _language(trace: list[str]) -> str:
    return "python" if any(line.lstrip().startswith("File ") for line in trace) else "node"


def _relative(text: str) -> str:
    return _PREFIX.sub("", text)


def _flat(trace: list[str]) -> list[str]:
    parts = [part for line in trace for part in line.splitlines() if part.strip()]
    return [part for part in parts if not _MACHINERY.search(part)]
