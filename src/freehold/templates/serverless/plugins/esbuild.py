"""serverless-esbuild and serverless-plugin-typescript: each handler and what it imports become one JavaScript file.

esbuild is the app's own (node_modules), else one of FREEHOLD_NODE_PATH. What `custom.esbuild.external` names is not
bundled but packed from node_modules; what `exclude` names is not packed at all.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.aws.call import Json
from freehold.templates.package.dev_dependencies import packages_of
from freehold.templates.package.selection import select_files
from freehold.templates.serverless.plugins.plugin import Built, Plugin
from freehold.templates.serverless.service import Function, Service

_EXTENSIONS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_LONGEST_BUILD_S = 300
# What Lambda's Node runtimes bring: left out of the bundle when the app has not installed it.
_PROVIDED = ("aws-sdk", "@aws-sdk/*", "@smithy/*")


def build(service: Service, function: Function, output_dir: Path) -> Built | None:
    settings: Json = service.custom.get("esbuild") or {}
    if not function.runtime.startswith("nodejs") or function.settings.get("disabled"):
        return None
    module = (function.handler or "").rpartition(".")[0]
    source = _source(service.directory / module)
    if source is None:
        return None
    folder = output_dir / "esbuild" / function.key
    target = folder / f"{module}{settings.get('outputFileExtension') or '.js'}"
    _run(service, function, [str(source), f"--outfile={target}", *_flags(service, function, settings)])
    return Built(folder, replaces=True, extra=_extra(service, function, settings))


def _source(base: Path) -> Path | None:
    candidates = [base.with_name(base.name + extension) for extension in _EXTENSIONS]
    candidates += [base / f"index{extension}" for extension in _EXTENSIONS]
    return next((each for each in candidates if each.is_file()), None)


def _flags(service: Service, function: Function, settings: Json) -> Iterator[str]:
    version = function.runtime.removeprefix("nodejs").removesuffix(".x") or "18"
    yield "--log-level=error"
    yield f"--platform={settings.get('platform') or 'node'}"
    yield f"--target={settings.get('target') or f'node{version}'}"
    if settings.get("bundle") is not False:
        yield "--bundle"
    for key in ("minify", "keepNames"):
        if settings.get(key):
            yield f"--{'keep-names' if key == 'keepNames' else key}"
    if settings.get("sourcemap"):
        yield "--sourcemap" if settings["sourcemap"] is True else f"--sourcemap={settings['sourcemap']}"
    for key in ("format", "tsconfig"):
        if settings.get(key):
            yield f"--{key}={settings[key]}"
    for key in ("define", "loader", "alias", "banner", "footer"):
        for name, value in (settings.get(key) or {}).items():
            yield f"--{key}:{name}={value}"
    apart = [*(settings.get("external") or []), *_excluded(service, settings)]
    for name in apart:
        yield f"--external:{name}"


def _excluded(service: Service, settings: Json) -> list[str]:
    given: Any = settings.get("exclude")
    if given is not None:
        return ["*"] if given == "*" else list(given)
    return [name for name in _PROVIDED if not (service.directory / "node_modules" / name.rstrip("/*")).is_dir()]


def _extra(service: Service, function: Function, settings: Json) -> tuple[str, ...]:
    """Files of the service that go into the zip file beside the bundle: patterns and external packages."""
    own = function.settings.get("package") or {}
    patterns = [*(service.package.get("patterns") or []), *(own.get("patterns") or [])]
    wanted = select_files(service.directory, ["!**", *patterns]) if patterns else []
    for package in packages_of(service.directory, settings.get("external") or []):
        files = select_files(service.directory / package, ["!node_modules/**"])
        wanted += [f"{package}/{file}" for file in files]
    return tuple(wanted)


def _run(service: Service, function: Function, arguments: list[str]) -> None:
    program = _program(service)
    if program is None:
        raise service.wrong(
            "The app needs esbuild to be packed: install it in the app (npm install --save-dev esbuild).", "plugins"
        )
    try:
        done = subprocess.run(
            [str(program), *arguments],
            cwd=service.directory,
            env=dict(service.environ),
            capture_output=True,
            text=True,
            timeout=_LONGEST_BUILD_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise service.wrong(f"esbuild could not run: {error}.", "functions", function.key) from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        problem = " ".join(lines[:2]) or f"exit code {done.returncode}"
        raise service.wrong(f'esbuild failed for the function "{function.key}": {problem}', "functions", function.key)


def _program(service: Service) -> Path | None:
    folders = [service.directory, *service.directory.parents]
    places = [folder / "node_modules" for folder in folders]
    places += [Path(each) for each in os.environ.get("FREEHOLD_NODE_PATH", "").split(os.pathsep) if each]
    return next((place / "esbuild/bin/esbuild" for place in places if (place / "esbuild/bin/esbuild").is_file()), None)


PLUGIN = Plugin(build=build)
