"""The plugins of the Serverless Framework that an app may name, and what each means here.

Owns:    nothing.
Not:     running anybody's plugin: a plugin is either built in, known to change nothing here, or an error by name.
Imports: templates/serverless/{service,compile}, templates/package
Start:   plugin.py, then the tables below
Add:     a module with `PLUGIN`, its line in _BUILT_IN; or a name in harmless.py.
"""

from freehold.aws.call import Json
from freehold.templates.errors import TemplateError
from freehold.templates.serverless.documents import Document
from freehold.templates.serverless.plugins import (
    dotenv_plugin,
    esbuild,
    iam_roles_per_function,
    prune,
    pseudo_parameters,
    python_requirements,
    wsgi,
)
from freehold.templates.serverless.plugins.harmless import HARMLESS, UNSUPPORTED
from freehold.templates.serverless.plugins.plugin import Plugin
from freehold.templates.serverless.service import Service

_BUILT_IN: dict[str, Plugin] = {
    "serverless-prune-plugin": prune.PLUGIN,
    "serverless-dotenv-plugin": dotenv_plugin.PLUGIN,
    "serverless-esbuild": esbuild.PLUGIN,
    "serverless-plugin-typescript": esbuild.PLUGIN,
    "serverless-python-requirements": python_requirements.PLUGIN,
    "serverless-wsgi": wsgi.PLUGIN,
    "serverless-iam-roles-per-function": iam_roles_per_function.PLUGIN,
    "serverless-pseudo-parameters": pseudo_parameters.PLUGIN,
}


def plugins_of(service: Service) -> list[Plugin]:
    """The service's built-in plugins, in its order."""
    return [_BUILT_IN[name] for name in service.plugins if name in _BUILT_IN]


def check_plugins(configuration: Json, document: Document) -> None:
    """TemplateError for a plugin that is neither built in nor harmless. Before the keys are checked, as what such a
    plugin would understand (`constructs`, `custom.webpack`) is unknown without it."""
    plugins = configuration.get("plugins") or []
    names = plugins.get("modules") or [] if isinstance(plugins, dict) else plugins
    custom = configuration.get("custom")
    own = custom.get("freehold") if isinstance(custom, dict) else None
    ignored = (own.get("ignoredPlugins") if isinstance(own, dict) else None) or []
    for position, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str) or name in _BUILT_IN or name in HARMLESS or name in ignored:
            continue
        why = UNSUPPORTED.get(name, "Freehold does not know it")
        message = (
            f'The plugin "{name}" is not supported: {why}. When the app runs without it, name it in '
            "custom.freehold.ignoredPlugins."
        )
        raise TemplateError(message, document.file, document.line(("plugins", position)))
