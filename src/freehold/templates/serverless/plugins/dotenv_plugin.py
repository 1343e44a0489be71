"""serverless-dotenv-plugin: what .env holds becomes the functions' environment. `custom.dotenv`: include, exclude."""

from __future__ import annotations

from dataclasses import replace

from freehold.aws.call import Json
from freehold.templates.serverless.dotenv import read_dotenv
from freehold.templates.serverless.plugins.plugin import Plugin
from freehold.templates.serverless.service import Service


def prepare(service: Service) -> Service:
    settings: Json = service.custom.get("dotenv") or {}
    folder = service.directory / str(settings.get("basePath") or "")
    chosen = settings.get("path")
    names = [str(chosen)] if chosen else [f".env.{service.stage}.local", ".env.local", f".env.{service.stage}", ".env"]
    variables: dict[str, str] = {}
    for name in reversed(names):  # The first of the names wins.
        file = service.directory / name if chosen else folder / name
        if file.is_file():
            variables |= read_dotenv(file, service.environ)
    include, exclude = settings.get("include"), settings.get("exclude") or []
    wanted = {
        key: value for key, value in variables.items() if key not in exclude and (include is None or key in include)
    }
    if not wanted:
        return service
    provider = service.provider
    provider["environment"] = {**wanted, **(provider.get("environment") or {})}
    functions = {
        key: replace(function, environment={**wanted, **function.environment})
        for key, function in service.functions.items()
    }
    return replace(service, functions=functions)


PLUGIN = Plugin(prepare=prepare)
