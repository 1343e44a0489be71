"""Which packages in node_modules are there for development alone: needed by `devDependencies`, not by `dependencies`.

Read from package.json files, without npm. Serverless Framework documentation, "Packaging", section "Development
dependencies".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def development_packages(folder: Path) -> list[str]:
    """Paths relative to `folder`, like node_modules/jest or node_modules/a/node_modules/b."""
    manifest = _manifest(folder)
    if not manifest.get("devDependencies") or not (folder / "node_modules").is_dir():
        return []
    kept: set[Path] = set()
    _collect(folder, folder, _names(manifest, "dependencies", "optionalDependencies"), kept)
    dropped: set[Path] = set()
    _collect(folder, folder, _names(manifest, "devDependencies"), dropped)
    return sorted(path.relative_to(folder).as_posix() for path in dropped - kept)


def packages_of(folder: Path, names: list[str]) -> list[str]:
    """These packages and all that they need, as paths relative to `folder`."""
    found: set[Path] = set()
    _collect(folder, folder, names, found)
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _collect(root: Path, importer: Path, wanted: list[str], found: set[Path]) -> None:
    todo = [(importer, name) for name in wanted]
    while todo:
        origin, name = todo.pop()
        package = _find(root, origin, name)
        if package is None or package in found:
            continue
        found.add(package)
        manifest = _manifest(package)
        todo += [
            (package, each) for each in _names(manifest, "dependencies", "optionalDependencies", "peerDependencies")
        ]


def _find(root: Path, origin: Path, name: str) -> Path | None:
    """As node looks for a package: in the node_modules of each folder upwards, but not above the service."""
    folder = origin
    while True:
        candidate = folder / "node_modules" / name
        if candidate.is_dir():
            return candidate
        if folder == root:
            return None
        folder = folder.parent


def _names(manifest: dict[str, Any], *sections: str) -> list[str]:
    return [name for section in sections for name in manifest.get(section) or {}]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "package.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
