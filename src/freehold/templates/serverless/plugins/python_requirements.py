"""serverless-python-requirements: what requirements.txt names is installed with pip and packed beside the code.

Installed once for each content of the file and each Python version. `custom.pythonRequirements`: fileName, noDeploy,
pipCmdExtraArgs, layer (an error), usePoetry and usePipenv (errors without a requirements file).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from freehold.aws.call import Json
from freehold.templates.serverless.plugins.plugin import Built, Plugin
from freehold.templates.serverless.service import Function, Service

_LONGEST_INSTALL_S = 900
# Lambda's Python runtimes bring these: the plugin leaves them out when `noDeploy` names them.
_NEVER_PACKED = ("__pycache__", "bin")


def build(service: Service, function: Function, output_dir: Path) -> Built | None:
    settings: Json = service.custom.get("pythonRequirements") or {}
    if not function.runtime.startswith("python"):
        return None
    if settings.get("layer"):
        raise service.wrong(
            "custom.pythonRequirements.layer is not supported: the requirements go into the functions' own zip file.",
            "custom",
            "pythonRequirements",
            "layer",
        )
    module = str(function.settings.get("module") or ".")
    file = service.directory / module / str(settings.get("fileName") or "requirements.txt")
    if not file.is_file():
        if (service.directory / "pyproject.toml").is_file() or (service.directory / "Pipfile").is_file():
            raise service.wrong(
                f"The requirements of poetry, pipenv or uv are not read: export them to {file.name} first.", "plugins"
            )
        return None
    folder = install(service, function.runtime, file, settings, output_dir)
    return Built(folder, replaces=False) if folder else None


def install(service: Service, runtime: str, file: Path, settings: Json, output_dir: Path) -> Path | None:
    """The folder with the installed packages; None when the file names none."""
    skipped = {str(name).lower() for name in settings.get("noDeploy") or []}
    wanted = [
        line.strip()
        for line in file.read_text("utf-8").splitlines()
        if line.strip() and not line.strip().startswith("#") and _name(line).lower() not in skipped
    ]
    if not wanted:
        return None
    python = _interpreter(runtime)
    extra = [str(each) for each in settings.get("pipCmdExtraArgs") or []]
    text = "\n".join([str(python), *extra, *wanted])
    target = output_dir / "requirements" / hashlib.sha256(text.encode()).hexdigest()[:32]
    if not target.is_dir():
        _pip(service, python, file, wanted, extra, target)
    return target


def _name(line: str) -> str:
    for index, character in enumerate(line):
        if character in "=<>!~[; @":
            return line[:index].strip()
    return line.strip()


def _interpreter(runtime: str) -> Path:
    """The runtime's own Python where the machine has it, so that compiled packages fit; else ours."""
    found = shutil.which(runtime)
    if found and subprocess.run([found, "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return Path(found)
    return Path(sys.executable)


def _pip(service: Service, python: Path, file: Path, wanted: list[str], extra: list[str], target: Path) -> None:
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    listed = unfinished.with_suffix(".txt")
    listed.write_text("\n".join(wanted) + "\n")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(unfinished), "-r", str(listed), *extra]
    try:
        done = subprocess.run(
            command, cwd=file.parent, env=dict(os.environ), capture_output=True, text=True, timeout=_LONGEST_INSTALL_S
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            raise service.wrong(f"{file.name} could not be installed: {lines[-1]}", "plugins")
        for name in _NEVER_PACKED:
            shutil.rmtree(unfinished / name, ignore_errors=True)
        os.replace(unfinished, target)
    except subprocess.TimeoutExpired:
        raise service.wrong(f"{file.name} was not installed within {_LONGEST_INSTALL_S} s.", "plugins") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        listed.unlink(missing_ok=True)


PLUGIN = Plugin(build=build)
