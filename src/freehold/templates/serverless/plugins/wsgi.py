"""serverless-wsgi: `handler: wsgi_handler.handler` runs the WSGI app that `custom.wsgi.app` names (Flask, Django, ...).

Our own adapter (wsgi_code/wsgi_handler.py) is packed with the app's name beside it. As with the plugin,
requirements.txt is installed too, unless serverless-python-requirements does that or `packRequirements: false`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from freehold.aws.call import Json
from freehold.templates.serverless.plugins import python_requirements
from freehold.templates.serverless.plugins.plugin import Built, Plugin
from freehold.templates.serverless.service import Function, Service

_CODE = Path(__file__).with_name("wsgi_code") / "wsgi_handler.py"
_HANDLERS = ("wsgi_handler.handler", "wsgi.handler", "wsgi_handler.command_handler")


def provides(function: Function) -> bool:
    return function.handler in _HANDLERS


def build(service: Service, function: Function, output_dir: Path) -> Built | None:
    if not provides(function):
        return None
    settings: Json = service.custom.get("wsgi") or {}
    if not settings.get("app"):
        raise service.wrong("custom.wsgi.app is missing, like `app: app.app` (file and variable).", "custom", "wsgi")
    folder = output_dir / "wsgi" / function.key
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    requirements = service.directory / "requirements.txt"
    packs = settings.get("packRequirements") is not False
    if packs and "serverless-python-requirements" not in service.plugins and requirements.is_file():
        installed = python_requirements.install(service, function.runtime, requirements, {}, output_dir)
        if installed is not None:
            shutil.copytree(installed, folder, dirs_exist_ok=True)
    shutil.copyfile(_CODE, folder / "wsgi_handler.py")
    chosen = {key: settings[key] for key in ("app", "text_mime_types", "strip_stage_path") if key in settings}
    (folder / ".serverless-wsgi").write_text(json.dumps(chosen))
    return Built(folder, replaces=False)


PLUGIN = Plugin(build=build, provides=provides)
