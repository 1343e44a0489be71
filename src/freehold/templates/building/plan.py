"""How a function's or layer's code is built, decided from its runtime, its metadata and the files that are there.

Sources: "Default build with AWS SAM", "Building Node.js Lambda functions with esbuild", "Building layers".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError


class Method(Enum):
    AS_IS = "as it is"  # Nothing to install: the source folder itself is the code.
    PIP = "pip"
    NPM = "npm"
    ESBUILD = "esbuild"
    MAKE = "make"


@dataclass(frozen=True, slots=True)
class Build:
    logical_id: str
    method: Method
    source: Path  # The folder.
    subfolder: str = ""  # Where in a layer the code goes: "python", "nodejs".
    manifest: Path | None = None  # requirements.txt or package.json.
    arguments: tuple[str, ...] = ()  # Of esbuild, but for the output folder.
    use_npm_ci: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)  # Environment for make.


# Members of BuildProperties -> options of esbuild.
_ESBUILD_VALUES = {"Format": "format", "Target": "target", "SourcesContent": "sources-content", "Platform": "platform"}
_ESBUILD_FLAGS = {"Minify": "minify", "Sourcemap": "sourcemap", "Splitting": "splitting", "KeepNames": "keep-names"}
_ESBUILD_KNOWN = frozenset(
    {*_ESBUILD_VALUES, *_ESBUILD_FLAGS, "EntryPoints", "External", "Loader", "MainFields", "OutExtension", "Banner"}
    | {"UseNpmCi", "Footer", "Define", "Alias"}
)


def plan_build(logical_id: str, source: Path, method: str, metadata: Json, *, is_layer: bool = False) -> Build:
    """`method` is the metadata's BuildMethod, or else the runtime. Raises TemplateError."""
    if not source.exists():
        raise TemplateError(f"{logical_id}: there is no {source}")
    if source.is_file() or str(metadata.get("SkipBuild", "")).lower() == "true":
        return Build(logical_id, Method.AS_IS, source)
    properties = metadata.get("BuildProperties") or {}
    if method == "esbuild":
        return Build(
            logical_id,
            Method.ESBUILD,
            source,
            manifest=_manifest(source, "package.json"),
            arguments=esbuild_arguments(logical_id, source, properties),
            use_npm_ci=bool(properties.get("UseNpmCi")),
        )
    if method == "makefile" or method.startswith("provided"):
        if not (source / "Makefile").exists():
            if method == "makefile":
                raise TemplateError(f"{logical_id}: BuildMethod is makefile, and {source} has no Makefile")
            return Build(logical_id, Method.AS_IS, source)
        return Build(logical_id, Method.MAKE, source)
    if method.startswith("python"):
        manifest = _manifest(source, "requirements.txt")
        return _installed(logical_id, Method.PIP, source, manifest, "python" if is_layer else "")
    if method.startswith("nodejs"):
        manifest = _manifest(source, "package.json")
        return _installed(logical_id, Method.NPM, source, manifest, "nodejs" if is_layer else "")
    if not method:
        return Build(logical_id, Method.AS_IS, source)
    raise TemplateError(
        f"{logical_id}: Freehold does not build {method} yet; with Metadata: {{SkipBuild: true}} {source} goes as it is"
    )


def esbuild_arguments(logical_id: str, source: Path, properties: Json) -> tuple[str, ...]:
    """Raises TemplateError for a property that is not known, and for an entry point that is not there."""
    unknown = sorted(set(properties) - _ESBUILD_KNOWN)
    if unknown:
        raise TemplateError(f"{logical_id}: BuildProperties has no {unknown[0]}")
    entries = [_entry_point(logical_id, source, str(entry)) for entry in properties.get("EntryPoints") or ["app.js"]]
    arguments = [*entries, "--bundle"]
    for name, option in _ESBUILD_VALUES.items():
        default = {"Format": "cjs", "Target": "es2020", "Platform": "node"}.get(name)
        value = properties.get(name, default)
        if value is not None:
            arguments.append(f"--{option}={str(value).lower() if isinstance(value, bool) else value}")
    for name, option in _ESBUILD_FLAGS.items():
        default_flag = name == "Minify"
        if str(properties.get(name, default_flag)).lower() == "true":
            arguments.append(f"--{option}")
    arguments += [f"--external:{name}" for name in properties.get("External") or []]
    arguments += [f"--loader:{item}" for item in properties.get("Loader") or []]
    if properties.get("MainFields"):
        fields = properties["MainFields"]
        arguments.append(f"--main-fields={fields if isinstance(fields, str) else ','.join(fields)}")
    arguments += [f"--out-extension:{item}" for item in properties.get("OutExtension") or []]
    for name in ("Banner", "Footer", "Define", "Alias"):
        arguments += [f"--{name.lower()}:{item}" for item in properties.get(name) or []]
    return tuple(arguments)


def _entry_point(logical_id: str, source: Path, entry: str) -> str:
    candidates = [entry, *(f"{entry}{suffix}" for suffix in (".ts", ".js", ".tsx", ".mjs", ".cjs", ".jsx"))]
    for candidate in candidates:
        if (source / candidate).is_file():
            return candidate
    raise TemplateError(f"{logical_id}: the entry point {entry} is not in {source}")


def _manifest(source: Path, name: str) -> Path | None:
    file = source / name
    return file if file.is_file() else None


def _installed(logical_id: str, method: Method, source: Path, manifest: Path | None, subfolder: str) -> Build:
    if manifest is None and not subfolder:
        return Build(logical_id, Method.AS_IS, source)
    return Build(logical_id, method, source, subfolder=subfolder, manifest=manifest)
