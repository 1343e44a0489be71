"""Checks a whole configuration and puts its values right, in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless.documents import Document, KeyPath
from freehold.templates.serverless.schema.events import EVENTS
from freehold.templates.serverless.schema.function import FUNCTION, LAYER
from freehold.templates.serverless.schema.plugin_keys import keys_of
from freehold.templates.serverless.schema.provider import PROVIDER
from freehold.templates.serverless.schema.shapes import Choice, Either, Keys, ListOf, MapOf, Problem, Shape, Text
from freehold.templates.serverless.schema.values import ANY, FLAG, PACKAGE, TEXT, TEXTS

_RESOURCE = Keys(
    {
        "Type": TEXT,
        "Properties": MapOf(ANY),
        "CreationPolicy": MapOf(ANY),
        "DeletionPolicy": TEXT,
        "DependsOn": TEXTS,
        "Metadata": MapOf(ANY),
        "UpdatePolicy": MapOf(ANY),
        "UpdateReplacePolicy": TEXT,
        "Condition": TEXT,
        "Version": ANY,
    },
    required=("Type",),
)
_EXTENSION = Keys({key: shape for key, shape in _RESOURCE.shapes.items() if key not in ("Type", "Version")})
_RESOURCES = Keys(
    {
        "AWSTemplateFormatVersion": TEXT,
        "Conditions": MapOf(ANY),
        "Description": TEXT,
        "Mappings": MapOf(ANY),
        "Metadata": MapOf(ANY),
        "Outputs": MapOf(ANY),
        "Parameters": MapOf(ANY),
        "Resources": MapOf(_RESOURCE),
        "Rules": MapOf(ANY),
        "Transform": TEXTS,
        "extensions": MapOf(_EXTENSION),
    }
)
_PLUGINS = Either((Keys({"localPath": TEXT, "modules": TEXTS}), ListOf(TEXT, wraps=False)))
_TOP: dict[str, Shape] = {
    "app": TEXT,
    "configValidationMode": Choice(("error", "warn", "off")),
    "console": ANY,
    "custom": MapOf(ANY),
    "deprecationNotificationMode": TEXT,
    "disabledDeprecations": ANY,
    "frameworkVersion": TEXT,
    "layers": MapOf(LAYER),
    "org": TEXT,
    "outputs": ANY,
    "package": Keys({**PACKAGE, "excludeDevDependencies": FLAG, "path": TEXT}),
    "params": MapOf(MapOf(ANY)),
    "plugins": _PLUGINS,
    "projectDir": TEXT,
    "resources": _RESOURCES,
    "service": Text(r"^[a-zA-Z][0-9a-zA-Z-]*$", "a name of letters, digits and -, that begins with a letter"),
    "useDotenv": FLAG,
    "variablesResolutionMode": TEXT,
}


def check_configuration(configuration: Json, document: Document) -> list[str]:
    """Warnings. TemplateError for the first problem, unless `configValidationMode` says warn or off."""
    problems: list[Problem] = []
    plugins = configuration.get("plugins") or []
    names = plugins.get("modules") or [] if isinstance(plugins, dict) else plugins
    more = keys_of([str(name) for name in names])
    shapes = _top(more)
    checked = shapes.check(configuration, (), problems)
    for key, function in (checked.get("functions") or {}).items():
        if isinstance(function, dict) and function.get("events") is not None:
            function["events"] = _check_events(function["events"], ("functions", key, "events"), more, problems)
    configuration.update(checked)
    mode = configuration.get("configValidationMode")
    if mode == "off":
        return []
    if problems and mode != "warn":
        first = problems[0]
        raise TemplateError(first.message, document.file, document.line(first.path))
    return [f"{_place(document, problem)}{problem.message}" for problem in problems]


def _top(more: Mapping[str, set[str]]) -> Keys:
    function = Keys({**FUNCTION, **dict.fromkeys(more["function"], ANY)})
    provider = Keys({**PROVIDER, **dict.fromkeys(more["provider"], ANY)}, required=("name",))
    top = {**_TOP, "provider": provider, "functions": MapOf(function), **dict.fromkeys(more["top"], ANY)}
    return Keys(top, required=("service", "provider"))


def _check_events(events: Any, path: KeyPath, more: Mapping[str, set[str]], problems: list[Problem]) -> Any:
    if not isinstance(events, list):
        problems.append(Problem(path, f"{'.'.join(map(str, path))} must be a list."))
        return []
    result = []
    for position, event in enumerate(events):
        place = (*path, position)
        if isinstance(event, str):
            event = {event: None}
        if not isinstance(event, dict):
            problems.append(Problem(place, f"{'.'.join(map(str, place))} must be a mapping like `httpApi: ...`."))
            continue
        checked: Json = {}
        for kind, settings in event.items():
            checked[kind] = _check_event(kind, settings, place, more, problems)
        result.append(checked)
    return result


def _check_event(
    kind: str, settings: Any, place: KeyPath, more: Mapping[str, set[str]], problems: list[Problem]
) -> Any:
    shape = EVENTS.get(kind)
    if shape is None:
        Keys(EVENTS).check({kind: settings}, place, problems)
        return settings
    if settings is None:
        return settings
    extra: Json = {}
    if isinstance(settings, dict) and more["event"]:
        extra = {key: value for key, value in settings.items() if key in more["event"]}
        settings = {key: value for key, value in settings.items() if key not in extra}
    return shape.check(settings, (*place, kind), problems)


def _place(document: Document, problem: Problem) -> str:
    line = document.line(problem.path)
    return f"{document.file.name}:{line}: " if line else f"{document.file.name}: "
