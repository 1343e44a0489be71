"""Edits of a folder, in batches as they come. What tools write (node_modules, caches, our own state) is no edit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

_IGNORED_FOLDERS = frozenset(
    {
        ".git", ".hg", ".freehold", ".serverless", ".aws-sam", ".venv", "venv", "node_modules", "__pycache__",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".idea", ".vscode",
    }
)  # fmt: skip
_IGNORED_ENDINGS = (".pyc", ".pyo", ".swp", ".swx", ".tmp", "~", ".log")
# Editors write a file in several steps; a person does not see this wait.
_SETTLE_MS = 40


def is_edit(path: Path, root: Path) -> bool:
    inside = path.relative_to(root) if path.is_relative_to(root) else path
    if any(part in _IGNORED_FOLDERS for part in inside.parts[:-1]):
        return False
    # 4913 is the file by which vim tests whether it may write; .#name is emacs' lock.
    return not inside.name.endswith(_IGNORED_ENDINGS) and inside.name != "4913" and not inside.name.startswith(".#")


async def edits(root: Path, stop: asyncio.Event) -> AsyncIterator[frozenset[Path]]:
    from watchfiles import awatch

    async for changes in awatch(
        root,
        watch_filter=lambda _, path: is_edit(Path(path), root),
        debounce=400,
        step=_SETTLE_MS,
        stop_event=stop,
        rust_timeout=1000,
    ):
        yield frozenset(Path(path) for _, path in changes)
