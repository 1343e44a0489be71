"""`${file(path):key.path}`: YAML, JSON, JavaScript, TypeScript, or any text.

Paths are relative to the service's folder. A JavaScript file may export a value, a promise or a function; the function
gets `{options, resolveVariable, resolveConfigurationProperty}`. Serverless Framework documentation, "Reference
Properties In Other Files" and "Reference Variables in Javascript Files".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import node
from freehold.templates.serverless.documents import read_json, read_yaml
from freehold.templates.serverless.variables.resolve import MissingSource, Request

_SCRIPTS = {".js", ".cjs", ".mjs", ".ts", ".mts", ".cts"}


async def file_(request: Request) -> Any:
    if not request.params or not isinstance(request.params[0], str):
        raise MissingSource("file() needs the path of a file.")
    path = (request.surroundings.directory / request.params[0]).resolve()
    if not path.is_file():
        return None
    if path.suffix in _SCRIPTS:
        return await _script(path, request)
    value = _read(path)
    for key in request.address.split(".") if request.address else ():
        if isinstance(value, str):
            value = await request.resolver.evaluate(value)
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return None
    return value


def _read(path: Path) -> Any:
    if path.suffix in (".yml", ".yaml"):
        return read_yaml(path).value
    if path.suffix in (".json", ".tfstate"):
        return read_json(path).value
    return path.read_text("utf-8")


async def _script(path: Path, request: Request) -> Any:
    async def answer(question: Json) -> Any:
        if question["ask"] == "variable":
            return await request.resolver.evaluate("${" + str(question["text"]) + "}")
        return await request.resolver.resolve(tuple(question["path"]))

    surroundings = request.surroundings
    keys = request.address.split(".") if request.address else []
    try:
        return await node.evaluate(path, keys, dict(surroundings.options), surroundings.environ, answer)
    except node.NodeError as error:
        raise MissingSource(f"{path.name} failed: {error}") from None
