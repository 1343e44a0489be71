"""Glob patterns of `package.patterns`: `**`, `*`, `?`, `[...]`, `{a,b}`, `!(...)`; a `!` before one excludes.

They match whole paths relative to the folder, dot files included; the later pattern wins. Serverless Framework
documentation, "Packaging", section "Patterns".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_SPECIAL = re.compile(r"[*?\[{(!+@]")
_EXTENDED = {"@": ")", "?": ")?", "*": ")*", "+": ")+"}


@dataclass(frozen=True, slots=True)
class Pattern:
    raw: str
    excludes: bool
    regex: re.Pattern[str]
    prefix: str  # What every path that matches begins with.

    def covers(self, folder: str) -> bool:
        """Everything below `folder` matches."""
        return self.raw.endswith("**") and self.regex.match(f"{folder}/\0/\0") is not None

    def may_reach(self, folder: str) -> bool:
        """Something below `folder` may match."""
        inside = f"{folder}/"
        return inside.startswith(self.prefix) or self.prefix.startswith(inside)


def pattern(raw: str) -> Pattern:
    excludes = raw.startswith("!") and not raw.startswith("!(")
    text = (raw[1:] if excludes else raw).replace("\\", "/").removeprefix("./")
    special = _SPECIAL.search(text)
    return Pattern(text, excludes, translate(text), text[: special.start()] if special else text)


def is_selected(path: str, patterns: Sequence[Pattern]) -> bool:
    """Paths are in until a pattern says otherwise."""
    for each in reversed(patterns):
        if each.regex.fullmatch(path):
            return not each.excludes
    return True


def is_pruned(folder: str, patterns: Sequence[Pattern]) -> bool:
    """True when nothing below `folder` can be selected, so that it need not be read."""
    for each in reversed(patterns):
        if each.excludes and each.covers(folder):
            return True
        if not each.excludes and each.may_reach(folder):
            return False
    return False


@lru_cache(maxsize=4096)
def translate(glob: str) -> re.Pattern[str]:
    return re.compile(_Translator(glob).regex(), re.DOTALL)


class _Translator:
    def __init__(self, glob: str) -> None:
        self._glob = glob
        self._at = 0

    def regex(self) -> str:
        return self._until("")

    def _until(self, ends: str) -> str:
        out = []
        glob = self._glob
        while self._at < len(glob) and glob[self._at] not in ends:
            out.append(self._one())
        return "".join(out)

    def _one(self) -> str:
        glob, at = self._glob, self._at
        character = glob[at]
        if character in "!@?*+" and glob.startswith("(", at + 1) and ")" in glob[at:]:
            return self._group(character)
        if glob.startswith("**", at) and (at == 0 or glob[at - 1] == "/"):
            after = at + 2
            if after == len(glob):
                self._at = after
                return ".*"
            if glob[after] == "/":
                self._at = after + 1
                return "(?:.*/)?"
        self._at += 1
        if character == "*":
            while glob.startswith("*", self._at):
                self._at += 1
            return "[^/]*"
        if character == "?":
            return "[^/]"
        if character == "[" and "]" in glob[at + 2 :]:
            end = glob.index("]", at + 2)
            self._at = end + 1
            inside = glob[at + 1 : end].replace("\\", "\\\\")
            return f"[{'^' + inside[1:] if inside[0] in '!^' else inside}]"
        if character == "{" and "}" in glob[at:]:
            return self._braces()
        return re.escape(character)

    def _braces(self) -> str:
        options = [self._until(",}")]
        while self._glob.startswith(",", self._at):
            self._at += 1
            options.append(self._until(",}"))
        self._at += 1
        return f"(?:{'|'.join(options)})"

    def _group(self, kind: str) -> str:
        self._at += 2
        options = [self._until("|)")]
        while self._glob.startswith("|", self._at):
            self._at += 1
            options.append(self._until("|)"))
        self._at += 1
        body = "|".join(options)
        if kind == "!":
            rest = self._until("")
            return f"(?!(?:{body}){rest}$)[^/]*{rest}"
        return f"(?:{body}{_EXTENDED[kind]}"
