"""Writes small services into a folder and loads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conformance.serverless.compile_service import artifacts_of

from freehold.templates.serverless import Lookup, Service, compile_template, load

HEAD = """service: demo
provider:
  name: aws
  runtime: python3.12
"""
HANDLER = "def main(event, context):\n    return {}\n"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in {"app.py": HANDLER, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


async def service(
    folder: Path,
    text: str,
    files: Mapping[str, str] | None = None,
    *,
    options: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    lookup: Lookup | None = None,
) -> Service:
    write(folder, {"serverless.yml": text, **(files or {})})
    return await load(folder, options=options or {}, environ=environ or {}, lookup=lookup)


def template(loaded: Service) -> dict[str, Any]:
    return compile_template(loaded, artifacts_of(loaded))
