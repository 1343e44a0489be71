"""What went wrong in pip or npm, in one sentence, with the line of the manifest that asked for it.

One decision to know: where a tool says what it misses, that is told and nothing else; a text that is not known is told
with its end, since guessing would hide the cause.
"""

from __future__ import annotations

import re
from pathlib import Path

from freehold.templates.errors import TemplateError

_UNREACHABLE = re.compile(
    r"Failed to establish a new connection|Temporary failure in name resolution|Name or service not known"
    r"|Connection refused|Network is unreachable|Read timed out|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH"
)
_NOT_FOUND = re.compile(r"(?:No matching distribution found for|satisfies the requirement) ([^\s(]+)")
_PIP_ERROR = re.compile(r"^ERROR: (.*)$", re.MULTILINE)
_FROM_LINE = re.compile(r" \(from line (\d+) of [^)]*\)")
_NPM_NO_SUCH = re.compile(r"404 Not Found - GET \S*?/((?:@[\w.-]+(?:/|%2[fF]))?[\w.-]+)(?: |$)", re.MULTILINE)
_NPM_ERROR = re.compile(r"^npm (?:error|ERR!) (?!code |A complete log|errno |syscall )(.+)$", re.MULTILINE)
_NPM_MISSING = re.compile(r"No matching version found for ((?:@[\w.-]+/)?[\w.-]+)@([^\s]+?)\.?$", re.MULTILINE)
_TAIL_LINES = 15


def pip_failed(logical_id: str, manifest: Path, output: str) -> TemplateError:
    missing = _NOT_FOUND.search(output)
    if missing:
        why = "the package index cannot be reached" if _UNREACHABLE.search(output) else "no index has it"
        wanted = missing[1]
        return TemplateError(f"{logical_id}: pip cannot find {wanted}: {why}.", manifest, _line(manifest, wanted))
    errors = _PIP_ERROR.findall(output)
    if errors:
        place = _FROM_LINE.search(errors[0])
        words = errors[0][: place.start()] if place else errors[0]
        message = f"{logical_id}: pip install failed: {words.strip().rstrip('.')}."
        return TemplateError(message, manifest, int(place[1]) if place else None)
    return tool_failed(logical_id, "pip", output)


def npm_failed(logical_id: str, manifest: Path, output: str) -> TemplateError:
    if _UNREACHABLE.search(output):
        return TemplateError(f"{logical_id}: npm cannot reach its registry.", manifest, None)
    version, package = _NPM_MISSING.search(output), _NPM_NO_SUCH.search(output)
    if version or package:
        name = version[1] if version else package[1].replace("%2f", "/").replace("%2F", "/") if package else ""
        wanted = f"{name}@{version[2]}" if version else name
        line = _line(manifest, f'"{name}"')
        return TemplateError(f"{logical_id}: npm cannot find {wanted}: the registry does not have it.", manifest, line)
    errors = [each.strip() for each in _NPM_ERROR.findall(output) if each.strip()]
    if errors:
        return TemplateError(f"{logical_id}: npm install failed: {errors[0].rstrip('.')}.", manifest, None)
    return tool_failed(logical_id, "npm", output)


def tool_failed(logical_id: str, tool: str, output: str) -> TemplateError:
    tail = "\n".join(output.strip().splitlines()[-_TAIL_LINES:])
    return TemplateError(f"{logical_id}: {tool} failed:\n{tail}")


def _line(manifest: Path, wanted: str) -> int | None:
    name = re.split(r"[=<>!~\[;@ ]", wanted)[0] if not wanted.startswith('"') else wanted
    for number, line in enumerate(manifest.read_text().splitlines(), 1):
        if line.strip().lower().startswith(name.lower()):
            return number
    return None
