"""serverless-prune-plugin: `custom.prune` says how many versions of a function stay after a deployment."""

from __future__ import annotations

from dataclasses import replace

from freehold.templates.serverless.plugins.plugin import Plugin
from freehold.templates.serverless.service import Service


def prepare(service: Service) -> Service:
    settings = service.custom.get("prune") or {}
    number = settings.get("number")
    if not settings.get("automatic") or number is None:
        return service
    if not str(number).isdigit():
        raise service.wrong(f'custom.prune.number is a number of versions, not "{number}".', "custom", "prune")
    return replace(service, prune=int(number))


PLUGIN = Plugin(prepare=prepare)
