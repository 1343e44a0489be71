"""Walks a folder and keeps the files that the patterns select, as paths with `/` relative to the folder, sorted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from freehold.templates.package.patterns import Pattern, is_pruned, is_selected, pattern


def select_files(folder: Path, patterns: Sequence[str]) -> list[str]:
    """Everything below `folder` that the patterns leave in. A pattern `../x/**` brings files from beside the folder.

    Symbolic links are followed; a link to a folder around itself is not.
    """
    wanted = [pattern(raw) for raw in patterns]
    found = _walk(folder, "", wanted, set())
    for each in wanted:
        if not each.excludes and each.raw.startswith("../"):
            climbs = each.raw.count("../")
            outside = folder.joinpath(*[".."] * climbs)
            inner = [pattern(each.raw[3 * climbs :])]
            start = inner[0].prefix.rpartition("/")[0]
            files = _walk(outside / start, f"{start}/" if start else "", inner, set())
            found += [f"{'../' * climbs}{path}" for path in files if inner[0].regex.fullmatch(path)]
    return sorted({path for path in found if is_selected(path, wanted)})


def _walk(folder: Path, prefix: str, patterns: Sequence[Pattern], above: set[str]) -> list[str]:
    real = os.path.realpath(folder)
    if real in above or not os.path.isdir(real):
        return []
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            path = f"{prefix}{entry.name}"
            if entry.is_dir():
                if not is_pruned(path, patterns):
                    found += _walk(Path(entry.path), f"{path}/", patterns, above | {real})
            elif entry.is_file():
                found.append(path)
    return found
