"""serverless.yml and its files -> Service: found, read, every variable replaced, checked.

Serverless Framework documentation, "Serverless.yml Reference". One decision to know: what v3 only warns about (unknown
keys, values of the wrong kind) is an error here, unless the file sets `configValidationMode` to `warn` or `off`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freehold.aws.call import DEFAULT_REGION, Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless import node
from freehold.templates.serverless.checks import check_service
from freehold.templates.serverless.compile.resources import merge
from freehold.templates.serverless.documents import Document, read_json, read_yaml
from freehold.templates.serverless.dotenv import read_dotenv
from freehold.templates.serverless.plugins import check_plugins, plugins_of
from freehold.templates.serverless.schema import check_configuration
from freehold.templates.serverless.service import (
    DEFAULT_MEMORY_MB,
    DEFAULT_RUNTIME,
    DEFAULT_TIMEOUT_S,
    Event,
    Function,
    Layer,
    Service,
)
from freehold.templates.serverless.variables.resolve import Lookup, Resolver, Surroundings
from freehold.templates.serverless.variables.sources import SOURCES

FILE_NAMES = tuple(f"serverless.{suffix}" for suffix in ("yml", "yaml", "json", "js", "cjs", "mjs", "ts"))
_SHORT_OPTIONS = {"s": "stage", "r": "region"}


async def load(
    directory: Path,
    *,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    lookup: Lookup | None,
    file: Path | None = None,
) -> Service:
    """The service in `directory`, or in `file` there.

    `options` are those of the command line by their long names; several `--param` are joined by newlines. `lookup`
    answers `ssm:`, `cf:`, `s3:` and `aws:accountId`. Raises TemplateError.
    """
    directory = directory.resolve()
    options = {_SHORT_OPTIONS.get(key, key): value for key, value in options.items() if value is not None}
    document = await _read(_find(directory, file), options, environ)
    seen: dict[str, str] = dict(environ)  # Grows by what .env holds, before anything but the stage is resolved.
    instance = hashlib.sha256(str(directory).encode()).hexdigest()[:21]
    resolver = Resolver(document, SOURCES, Surroundings(directory, options, seen, lookup, instance))
    stage, region = await _settle_provider(resolver, options)
    seen.update(await _dotenv(resolver, directory, stage, seen))
    await _check_plugins(resolver, document)
    await resolver.resolve()
    configuration: Json = resolver.value
    _normalize(configuration, document)
    warnings = check_configuration(configuration, document)
    service = _service(configuration, document, directory, stage, region, seen, warnings)
    for plugin in plugins_of(service):
        service = plugin.prepare(service)
    check_service(service)
    return service


def _find(directory: Path, file: Path | None) -> Path:
    if file is not None:
        found = file if file.is_absolute() else directory / file
        if not found.is_file():
            raise TemplateError(f"There is no file {file} in {directory}.")
        return found
    for name in FILE_NAMES:
        if (directory / name).is_file():
            return directory / name
    raise TemplateError(f"There is no serverless.yml in {directory}.")


async def _read(file: Path, options: Mapping[str, str], environ: Mapping[str, str]) -> Document:
    if file.suffix in (".yml", ".yaml"):
        document = read_yaml(file)
    elif file.suffix == ".json":
        document = read_json(file)
    else:
        try:
            document = Document(file, await node.evaluate(file, [], dict(options), environ))
        except node.NodeError as error:
            raise TemplateError(f"The file cannot be loaded: {error}.", file) from None
    if not isinstance(document.value, dict):
        raise TemplateError("The file must hold a mapping with `service`, `provider` and `functions`.", file)
    for key, example in (("service", "service: my-service"), ("provider", "provider: {name: aws}")):
        if not document.value.get(key):
            raise TemplateError(f'"{key}" is missing, like `{example}`.', file)
    return document


async def _settle_provider(resolver: Resolver, options: Mapping[str, str]) -> tuple[str, str]:
    """Stage and region come first: .env and much else depend on them. `self:provider.stage` always has a value."""
    stage = options.get("stage") or await resolver.resolve(("provider", "stage")) or "dev"
    region = options.get("region") or await resolver.resolve(("provider", "region")) or DEFAULT_REGION
    root: Json = resolver.value
    if isinstance(root["provider"], str):
        root["provider"] = {"name": root["provider"]}
    if not isinstance(root["provider"], dict):
        raise TemplateError('"provider" must be a mapping.', resolver.document.file, resolver.line(("provider",)))
    for key, value in (("stage", stage), ("region", region)):
        if root["provider"].get(key) is None:
            root["provider"][key] = value
    return str(stage), str(region)


async def _dotenv(resolver: Resolver, directory: Path, stage: str, environ: Mapping[str, str]) -> dict[str, str]:
    """`.env.{stage}`, else `.env`; what the environment already has stays. Serverless Framework docs, "useDotenv"."""
    plugins = await resolver.resolve(("plugins",)) or []
    wanted = await resolver.resolve(("useDotenv",)) or "serverless-dotenv-plugin" in plugins
    if not wanted:
        return {}
    for name in (f".env.{stage}", ".env"):
        if (directory / name).is_file():
            found = read_dotenv(directory / name, environ)
            return {key: value for key, value in found.items() if key not in environ}
    return {}


async def _check_plugins(resolver: Resolver, document: Document) -> None:
    """Before the variables: those of a plugin's own (`construct:` of serverless-lift) are unknown without it."""
    plugins = await resolver.resolve(("plugins",))
    own = await resolver.resolve(("custom", "freehold"))
    check_plugins({"plugins": plugins, "custom": {"freehold": own}}, document)


def _normalize(configuration: Json, document: Document) -> None:
    """Lists of `functions` and `resources` are merged into one mapping each; empty functions are dropped."""
    for key in ("functions", "resources"):
        value = configuration.get(key)
        if isinstance(value, list):
            merged: Json = {}
            for item in value:
                if item is not None and not isinstance(item, dict):
                    raise TemplateError(
                        f'Each entry of "{key}" must be a mapping.', document.file, document.line((key,))
                    )
                merge(merged, item or {})
            configuration[key] = merged
        elif value is not None and not isinstance(value, dict):
            raise TemplateError(f'"{key}" must be a mapping.', document.file, document.line((key,)))
    functions = configuration.get("functions") or {}
    configuration["functions"] = {key: value for key, value in functions.items() if value is not None}
    if isinstance(configuration.get("service"), dict):
        message = '"service" must be the name itself: `service: my-service` (v3 has no `service: {name: ...}`).'
        raise TemplateError(message, document.file, document.line(("service",)))


def _service(
    configuration: Json,
    document: Document,
    directory: Path,
    stage: str,
    region: str,
    environ: Mapping[str, str],
    warnings: list[str],
) -> Service:
    provider: Json = configuration["provider"]
    name = str(configuration["service"])
    functions = {
        key: _function(key, settings, provider, f"{name}-{stage}")
        for key, settings in configuration["functions"].items()
    }
    layers = {key: Layer(key, settings) for key, settings in (configuration.get("layers") or {}).items() if settings}
    return Service(
        name=name,
        stage=stage,
        region=region,
        stack_name=str(provider.get("stackName") or f"{name}-{stage}"),
        directory=directory,
        file=document.file,
        configuration=configuration,
        functions=functions,
        layers=layers,
        prune=None,
        environ=environ,
        warnings=tuple(warnings),
        document=document,
    )


def _function(key: str, settings: Json, provider: Json, prefix: str) -> Function:
    events = []
    for position, event in enumerate(settings.get("events") or []):
        if isinstance(event, str):
            events.append(Event(event, None, position))
        else:
            events += [Event(kind, value, position) for kind, value in event.items()]
    environment = {**(provider.get("environment") or {}), **(settings.get("environment") or {})}
    return Function(
        key=key,
        name=str(settings.get("name") or f"{prefix}-{key}"),
        handler=settings.get("handler"),
        runtime=settings.get("runtime") or provider.get("runtime") or DEFAULT_RUNTIME,
        memory_mb=_whole(settings.get("memorySize") or provider.get("memorySize") or DEFAULT_MEMORY_MB),
        timeout_s=_whole(settings.get("timeout") or provider.get("timeout") or DEFAULT_TIMEOUT_S),
        events=tuple(events),
        environment=environment,
        settings=settings,
    )


def _whole(value: Any) -> int:
    """Numbers often come from variables, as text."""
    return int(value) if isinstance(value, str) and value.strip().isdigit() else value
