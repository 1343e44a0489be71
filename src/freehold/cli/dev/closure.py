"""Which files of an app a function loads: an edit of another file need not restart it.

One decision to know: when in doubt, a function depends on everything. A name that is computed at run time
(`importlib`, `require(variable)`), a handler that is not found, a file that is no source: all make the answer "yes".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

_PYTHON = frozenset({".py"})
_SCRIPT = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx")
_SOURCES = _PYTHON | set(_SCRIPT)
_DYNAMIC_PYTHON = frozenset({"importlib", "__import__", "pkgutil", "runpy", "exec", "eval"})
_STATIC_IMPORT = re.compile(
    r"""(?:\brequire\s*\(\s*|\bimport\s*\(\s*|\bfrom\s+|\bimport\s+)(['"])([^'"\n]+)\1""",
)
_DYNAMIC_IMPORT = re.compile(r"""\b(?:require|import)\s*\(\s*(?!\s*['"])""")
_SCRIPT_ENDINGS = ("", *_SCRIPT, ".json", "/index.js", "/index.ts", "/index.mjs", "/index.cjs")


def concerns(changed: Iterable[Path], root: Path, handler: str) -> bool:
    """Whether an edit of these files (absolute) may change what the function at `root` with this handler does."""
    inside = [path for path in changed if path.is_relative_to(root)]
    if not inside:
        return False
    if any(path.suffix not in _SOURCES for path in inside):
        return True
    loaded = loaded_files(root, handler)
    # What is gone now may have been loaded before, by a file that did not change.
    return loaded is None or any(path in loaded or not path.exists() for path in inside)


def loaded_files(root: Path, handler: str) -> frozenset[Path] | None:
    """The app's own files that the handler's module loads; None when that cannot be told from their text."""
    start = _handler_file(root, handler)
    if start is None:
        return None
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        imported = _imports_of(file, root)
        if imported is None:
            return None
        waiting += imported
    return frozenset(found)


def _handler_file(root: Path, handler: str) -> Path | None:
    module = handler.rpartition(".")[0]
    for candidate in (root / f"{module}.py", root / f"{module.replace('.', '/')}.py"):
        if candidate.is_file():
            return candidate
    return next((file for ending in _SCRIPT if (file := root / f"{module}{ending}").is_file()), None)


def _imports_of(file: Path, root: Path) -> list[Path] | None:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return None
    if file.suffix in _PYTHON:
        return _python_imports(text, file, root)
    return _script_imports(text, file) if file.suffix in _SCRIPT else []


def _python_imports(text: str, file: Path, root: Path) -> list[Path] | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    found: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _DYNAMIC_PYTHON:
            return None
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            places = [root]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if any(alias.name == "*" for alias in node.names) and not module:
                return None
            names = [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
            places = [file.parents[node.level - 1]] if node.level else [root]
        else:
            continue
        if any(name.partition(".")[0] in _DYNAMIC_PYTHON for name in names):
            return None
        for place in places:
            found += [path for name in names for path in _python_module(place, name)]
    return found


def _python_module(place: Path, name: str) -> list[Path]:
    """The files that importing a dotted name loads: each package's __init__ on the way, and the module."""
    if not name:
        return [place / "__init__.py"] if (place / "__init__.py").is_file() else []
    found = []
    for part in name.split("."):
        place = place / part
        found += [file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()]
    return found


def _script_imports(text: str, file: Path) -> list[Path] | None:
    if _DYNAMIC_IMPORT.search(text):
        return None
    found = []
    for _, name in _STATIC_IMPORT.findall(text):
        if not name.startswith("."):
            # A package: its files lie in node_modules, which is not watched.
            continue
        target = file.parent / name
        # TypeScript names the file that will be made: "./item.js" is item.ts.
        stems = [target, target.with_suffix("")] if target.suffix in (".js", ".mjs", ".cjs") else [target]
        candidates = [Path(f"{stem}{ending}") for stem in stems for ending in _SCRIPT_ENDINGS]
        existing = next((each.resolve() for each in candidates if each.is_file()), None)
        if existing is None:
            return None
        found.append(existing)
    return found
