"""What makes no sense although every key is known: runtimes, handlers without a file, two functions of one name."""

from __future__ import annotations

import re
from difflib import get_close_matches

from freehold.templates.serverless.plugins import plugins_of
from freehold.templates.serverless.service import Function, Service

# Lambda Developer Guide, "Lambda runtimes": supported and deprecated ones, since old apps name them.
_NODE_RUNTIMES = ("", "4.3", "6.10", "8.10", "10.x", "12.x", "14.x", "16.x", "18.x", "20.x", "22.x", "24.x")
_PYTHON_RUNTIMES = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
_JAVA_RUNTIMES = ("8", "8.al2", "8.al2023", "11", "11.al2023", "17", "17.al2023", "21", "25")
RUNTIMES = frozenset(
    [
        *(f"nodejs{version}" for version in _NODE_RUNTIMES),
        *(f"python{version}" for version in _PYTHON_RUNTIMES),
        *(f"java{version}" for version in _JAVA_RUNTIMES),
        *(f"ruby{version}" for version in ("2.5", "2.7", "3.2", "3.3", "3.4", "4.0")),
        *(f"dotnetcore{version}" for version in ("1.0", "2.0", "2.1", "3.1")),
        *("dotnet5.0", "dotnet6", "dotnet8", "dotnet9", "dotnet10"),
        *("go1.x", "provided", "provided.al2", "provided.al2023"),
    ]
)
_NODE = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".jsx", ".tsx", ".es6")
_STAGE = re.compile(r"[A-Za-z0-9_-]+")


def check_service(service: Service) -> None:
    if not _STAGE.fullmatch(service.stage):
        raise service.wrong(f'The stage "{service.stage}" may only hold letters, digits, - and _.', "provider", "stage")
    if str(service.provider.get("name")) != "aws":
        raise service.wrong(f'The provider "{service.provider.get("name")}" is not aws.', "provider", "name")
    names: dict[str, str] = {}
    for function in service.functions.values():
        other = names.setdefault(function.name, function.key)
        if other != function.key:
            raise service.wrong(
                f'The functions "{other}" and "{function.key}" have the same name {function.name}.',
                "functions",
                function.key,
                "name",
            )
        _check_function(service, function)


def _check_function(service: Service, function: Function) -> None:
    where = ("functions", function.key)
    if function.settings.get("image"):
        raise service.wrong(
            f'The function "{function.key}" is a container image, which Freehold does not run: give it a handler.',
            *where,
            "image",
        )
    if not function.handler:
        raise service.wrong(f'The function "{function.key}" has no handler.', *where)
    if function.runtime not in RUNTIMES:
        place = (*where, "runtime") if function.settings.get("runtime") else ("provider", "runtime")
        close = get_close_matches(str(function.runtime), sorted(RUNTIMES), 1)
        hint = f' Did you mean "{close[0]}"?' if close else ""
        raise service.wrong(
            f'The runtime "{function.runtime}" of the function "{function.key}" is unknown.{hint}', *place
        )
    if not any(plugin.provides and plugin.provides(function) for plugin in plugins_of(service)) and not (
        has_handler_file(service, function)
    ):
        module = function.handler.rpartition(".")[0] or function.handler
        raise service.wrong(
            f'The function "{function.key}" has the handler {function.handler}, but there is no file '
            f"{module}{'.py' if function.runtime.startswith('python') else '.js'}.",
            *where,
            "handler",
        )


def has_handler_file(service: Service, function: Function) -> bool:
    """False only when the code is surely not there: for Python and Node, without a ready-made zip file."""
    handler = function.handler or ""
    package = function.settings.get("package") or {}
    ready = package.get("artifact") or service.package.get("artifact")
    if ready or package.get("disable") or handler.startswith(("/", "node_modules/")):
        return True
    module = handler.rpartition(".")[0]
    if not module:
        return not function.runtime.startswith(("python", "nodejs"))
    base = service.directory / module
    if function.runtime.startswith("nodejs"):
        return any(base.with_name(base.name + suffix).is_file() for suffix in _NODE) or (base / "index.js").is_file()
    if function.runtime.startswith("python"):
        dotted = service.directory / module.replace(".", "/")
        return any(
            (path.with_name(path.name + ".py")).is_file() or path.is_dir() or any(path.parent.glob(f"{path.name}.*"))
            for path in (base, dotted)
        )
    return True
