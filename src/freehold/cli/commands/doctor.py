"""`freehold doctor`: what this machine offers, so that a surprise is found before a deploy finds it."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import click

from freehold.cli import interrupts, output
from freehold.cli.data_dir import default_data_dir
from freehold.cli.failure import Failure
from freehold.cli.options import Command

_PORTS = {4566: "freehold serve", 3000: "freehold dev"}
_TOOLS = {
    "npm": "packages of Node.js functions",
    "esbuild": "bundling of TypeScript; taken from the app's node_modules too",
}
_GOOD, _POOR = click.style("ok", fg="green"), click.style("--", fg="yellow")


@click.command(cls=Command)
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), default=default_data_dir, help="To check."
)
@click.option("--install-node-sdk", is_flag=True, help="Install first what Node.js functions and builds use, with npm.")
def command(data_dir: Path, install_node_sdk: bool) -> None:
    """Show what this machine offers: interpreters for each runtime, data directory, ports, isolation, tools.

    \b
    Examples:
      freehold doctor
      freehold doctor --install-node-sdk
    """
    with interrupts.raised():
        if install_node_sdk:
            _install_node_packages()
        with ThreadPoolExecutor() as pool:
            found = pool.submit(_runtimes)
            rest = [_machine(), *_ports(), _data_dir(data_dir), *_isolation(), *_sdk(), *_tools()]
            runtimes = found.result()
    output.say(output.heading("Runtimes"))
    output.say(output.table(("", "RUNTIME", "RUNS ON", ""), runtimes, indent="  "))
    output.say()
    output.say(output.heading("Machine"))
    output.say(output.table(("", "WHAT", "FOUND"), rest, indent="  "))


def _install_node_packages() -> None:
    from freehold.runtimes.node_packages import BUILD_TOOLS, SDK, InstallError

    try:
        for packages in (SDK, BUILD_TOOLS):
            output.say(f"Installed {packages.proof} and its companions in {packages.install()}")
    except InstallError as error:
        raise Failure(str(error)) from error


def _runtimes() -> list[list[str]]:
    """A row for each runtime that Freehold runs and AWS still takes."""
    from freehold.runtimes.interpreters import fits, search_node, search_python
    from freehold.runtimes.names import RUNTIMES

    wanted = [
        runtime
        for runtime in RUNTIMES.values()
        if (runtime.language == "python" and runtime.version >= (3, 9))
        or (runtime.language == "node" and runtime.version[0] >= 18)
    ]
    with ThreadPoolExecutor() as pool:
        found = list(
            pool.map(
                lambda each: search_python(each.version) if each.language == "python" else search_node(each.version[0]),
                wanted,
            )
        )
    rows = []
    for runtime, interpreter in zip(wanted, found, strict=True):
        if interpreter is None:
            rows.append([_POOR, runtime.name, "none", "nothing on this machine runs it"])
            continue
        language = "Python" if runtime.language == "python" else "Node.js"
        version = ".".join(str(number) for number in interpreter.version)
        exact = fits(interpreter, runtime)
        note = "" if exact else "the nearest version stands in"
        rows.append([_GOOD if exact else _POOR, runtime.name, f"{language} {version} ({interpreter.path})", note])
    return rows


def _machine() -> list[str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [_GOOD, "system", f"{platform.system()} {platform.release()}, {platform.machine()}, {cores} cores"]


def _ports() -> list[list[str]]:
    rows = []
    for port, user in _PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                words, mark = f"free, for `{user}`", _GOOD
            except OSError as error:
                taken = error.errno == errno.EADDRINUSE
                words, mark = f"not allowed: {error.strerror}", _POOR
                if taken:
                    words, mark = ("in use by a Freehold server", _GOOD) if _is_freehold(port) else ("in use", _POOR)
        rows.append([mark, f"port {port}", words])
    return rows


def _is_freehold(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_freehold/health", timeout=1) as answer:
            return b'"version"' in answer.read(1000)
    except (OSError, ValueError, HTTPException):
        return False


def _data_dir(data_dir: Path) -> list[str]:
    place = data_dir
    while not place.exists():
        place = place.parent
    try:
        # By doing it: permissions alone do not tell about read-only and special file systems.
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return [_POOR, "data directory", f"{data_dir}: {place} cannot be written ({error.strerror})"]
    free_gb = shutil.disk_usage(place).free / 1e9
    there = "" if data_dir.exists() else ", not there yet"
    return [_GOOD, "data directory", f"{data_dir} ({free_gb:.0f} GB free{there})"]


def _isolation() -> list[list[str]]:
    """What separates functions of `freehold serve` from the machine, found out by jailing a program."""
    import asyncio
    import tempfile

    from freehold.sandbox.layers import choose_sandbox

    async def find() -> list[list[str]]:
        with tempfile.TemporaryDirectory(prefix="freehold-") as place:
            sandbox, found = await choose_sandbox(Path(place) / "jail")
            await sandbox.stop()
        rows = [[_GOOD if layer.active else _POOR, f"isolation: {layer.name}", layer.words] for layer in found.layers]
        return rows if found.jailed else [*rows, [_POOR, "isolation: why not", found.reason]]

    return asyncio.run(find())


def _sdk() -> list[list[str]]:
    from freehold.runtimes.node_packages import SDK

    found = SDK.directory
    words = str(found) if found else "not installed: `freehold doctor --install-node-sdk` does it"
    return [[_GOOD if found else _POOR, "AWS SDK for Node.js", words]]


def _tools() -> list[list[str]]:
    rows = []
    for name, purpose in _TOOLS.items():
        path = shutil.which(name)
        rows.append([_GOOD if path else _POOR, name, path or f"not found; for {purpose}"])
    return rows
