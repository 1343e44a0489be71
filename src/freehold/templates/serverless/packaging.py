"""Makes the zip files of a service: one for all functions, or one each; one for each layer.

Serverless Framework documentation, "Packaging".
"""

from __future__ import annotations

from pathlib import Path

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.package.artifact import Artifact
from freehold.templates.package.dev_dependencies import development_packages
from freehold.templates.package.selection import select_files
from freehold.templates.package.zips import Entry, file_digest, make_zip
from freehold.templates.serverless.compile.custom_resources import CODE, OWNER, needs_helpers
from freehold.templates.serverless.plugins import plugins_of
from freehold.templates.serverless.plugins.plugin import Built
from freehold.templates.serverless.service import Function, Layer, Service

_NEVER = [
    ".git/**",
    ".gitignore",
    ".DS_Store",
    "npm-debug.log",
    "yarn-*.log",
    ".serverless/**",
    ".serverless_plugins/**",
    ".freehold/**",
]


def package(service: Service, output_dir: Path) -> list[Artifact]:
    """The zip files of a service in `output_dir`; those whose input did not change are left as they are.

    Raises TemplateError. Blocks: plugins may run pip or esbuild.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    artifacts: list[Artifact] = []
    together: list[tuple[Function, Built | None]] = []
    for function in service.functions.values():
        settings = function.settings.get("package") or {}
        owners = (f"function:{function.key}",)
        if settings.get("artifact"):
            artifacts.append(_ready(service, settings["artifact"], owners, "functions", function.key, "package"))
            continue
        built = _build(service, function, output_dir)
        if settings.get("individually") or service.package.get("individually"):
            entries = _entries(service, [(function, built)], settings)
            artifacts.append(_make(service, entries, output_dir / f"{function.key}.zip", owners))
        else:
            together.append((function, built))
    if together:
        shared = tuple(f"function:{function.key}" for function, _ in together)
        if service.package.get("artifact"):
            artifacts.append(_ready(service, service.package["artifact"], shared, "package", "artifact"))
        else:
            artifacts.append(
                _make(service, _entries(service, together, {}), output_dir / f"{service.name}.zip", shared)
            )
    artifacts += [_zip_layer(service, layer, output_dir) for layer in service.layers.values()]
    if needs_helpers(service):
        entries = [Entry(path, CODE / path) for path in select_files(CODE, ["!**", "*.py", "!__init__.py"])]
        artifacts.append(_make(service, entries, output_dir / "custom-resources.zip", (OWNER,)))
    return artifacts


def _build(service: Service, function: Function, output_dir: Path) -> Built | None:
    for plugin in plugins_of(service):
        if plugin.build is not None:
            built = plugin.build(service, function, output_dir)
            if built is not None:
                return built
    return None


def _ready(service: Service, artifact: str, owners: tuple[str, ...], *where: str) -> Artifact:
    path = service.directory / artifact
    if not path.is_file():
        raise service.wrong(f"The package artifact {artifact} does not exist: build it first.", *where)
    return Artifact(path.name, path, file_digest(path), path.stat().st_size, owners)


def _entries(service: Service, group: list[tuple[Function, Built | None]], own: Json) -> list[Entry]:
    """What the zip file of a group of functions holds; what a plugin built stands above the service's own files."""
    entries: list[Entry] = []
    if any(built is None or not built.replaces for _, built in group):
        entries = _select(service, service.directory, own, skip_layers=True)
    for built in dict.fromkeys(built for _, built in group if built is not None):
        entries += [Entry(path, service.directory / path) for path in built.extra]
        entries += [Entry(path, built.folder / path) for path in select_files(built.folder, [])]
    return entries


def _zip_layer(service: Service, layer: Layer, output_dir: Path) -> Artifact:
    settings = layer.settings.get("package") or {}
    owners = (f"layer:{layer.key}",)
    if settings.get("artifact"):
        return _ready(service, settings["artifact"], owners, "layers", layer.key, "package")
    folder = service.directory / str(layer.settings.get("path") or "")
    if not layer.settings.get("path") or not folder.is_dir():
        raise service.wrong(
            f'The layer "{layer.key}" needs a path: the folder {folder.name} is not there.', "layers", layer.key, "path"
        )
    entries = _select(service, folder, settings, skip_layers=False)
    return _make(service, entries, output_dir / f"{layer.key}.zip", owners)


def _select(service: Service, folder: Path, own: Json, *, skip_layers: bool) -> list[Entry]:
    patterns = _patterns(service, own, skip_layers=skip_layers)
    if service.package.get("excludeDevDependencies") is not False:
        patterns += [f"!{path}/**" for path in development_packages(folder)]
    return [Entry(path.replace("../", ""), folder / path) for path in select_files(folder, patterns)]


def _patterns(service: Service, own: Json, *, skip_layers: bool) -> list[str]:
    """Excludes first, then includes: what is included comes back."""
    package = service.package
    excludes = [*_NEVER, service.file.name]
    plugins = service.configuration.get("plugins")
    if isinstance(plugins, dict) and plugins.get("localPath"):
        excludes.append(plugins["localPath"])
    excludes += package.get("exclude") or []
    if skip_layers:
        excludes += [f"{layer.settings['path']}/**" for layer in service.layers.values() if layer.settings.get("path")]
    if service.configuration.get("useDotenv"):
        excludes.append(".env*")
    excludes += own.get("exclude") or []
    includes = [
        *(package.get("include") or []),
        *(package.get("patterns") or []),
        *(own.get("include") or []),
        *(own.get("patterns") or []),
    ]
    return [each[1:] if each.startswith("!") else f"!{each}" for each in dict.fromkeys(excludes)] + list(
        dict.fromkeys(includes)
    )


def _make(service: Service, entries: list[Entry], target: Path, owners: tuple[str, ...]) -> Artifact:
    if not entries:
        raise TemplateError(
            f"No file is left for {target.name}: package.patterns exclude them all.",
            service.file,
            service.document.line(("package",)),
        )
    return make_zip(entries, target, owners)
