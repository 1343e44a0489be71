"""The plugins of the Serverless Framework that an app may name, and what each means here.

Owns:    nothing.
Not:     running anybody's plugin: a plugin is either built in, known to change nothing here, or an error by name.
Imports: templates/serverless/{service,compile}, templates/package
Start:   plugin.py, then the tables below
Add:     a module with `PLUGIN`, its line in _BUILT_IN; or a name in harmless.py.
"""

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
    """The service's plugins, in its order. TemplateError for one that is not known."""
    found = []
    ignored = (service.custom.get("freehold") or {}).get("ignoredPlugins") or []
    for position, name in enumerate(service.plugins):
        if name in _BUILT_IN:
            found.append(_BUILT_IN[name])
        elif name not in HARMLESS and name not in ignored:
            why = UNSUPPORTED.get(name, "Freehold does not know it")
            raise service.wrong(
                f'The plugin "{name}" is not supported: {why}. When the app runs without it, name it in '
                "custom.freehold.ignoredPlugins.",
                "plugins",
                position,
            )
    return found
