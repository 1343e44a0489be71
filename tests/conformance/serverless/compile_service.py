"""Our template of a service in a folder, without packing its code: what is compared with the framework's."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freehold.templates.serverless import Artifact, Service, compile_template, load
from freehold.templates.serverless.compile.custom_resources import OWNER, needs_helpers

_SHA = base64.b64encode(bytes(32)).decode()


def compile_service(directory: Path, options: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, Any]:
    service = asyncio.run(load(directory, options=options, environ=environ, lookup=None))
    return compile_template(service, artifacts_of(service))


def artifacts_of(service: Service) -> list[Artifact]:
    """Named as `package` names them, with nothing in them."""
    together: list[str] = []
    artifacts: list[Artifact] = []

    def add(name: str, owners: list[str]) -> None:
        artifacts.append(Artifact(name, Path(name), _SHA, 0, tuple(owners)))

    for key, function in service.functions.items():
        own = function.settings.get("package") or {}
        if own.get("artifact"):
            add(Path(own["artifact"]).name, [f"function:{key}"])
        elif own.get("individually") or service.package.get("individually"):
            add(f"{key}.zip", [f"function:{key}"])
        else:
            together.append(f"function:{key}")
    if together:
        add(Path(service.package.get("artifact") or f"{service.name}.zip").name, together)
    for key, layer in service.layers.items():
        ready = (layer.settings.get("package") or {}).get("artifact")
        add(Path(ready or f"{key}.zip").name, [f"layer:{key}"])
    if needs_helpers(service):
        add("custom-resources.zip", [OWNER])
    return artifacts
