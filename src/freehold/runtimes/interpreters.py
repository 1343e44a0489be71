"""Which interpreter of this machine runs a runtime: the wanted version where it is, the nearest one otherwise.

One decision to know: a candidate counts only after it ran and said its version. A version manager's shim exists for
versions that it then refuses to run.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from freehold.runtimes.names import Runtime

_CHECK_LIMIT_S = 10.0
_PYTHON_MINORS = range(9, 20)
_HOME = Path.home()
_PYTHON_PLACES = (
    (os.environ.get("PYENV_ROOT") or str(_HOME / ".pyenv"), "versions/{v}.*/bin/python{v}"),
    (os.environ.get("ASDF_DATA_DIR") or str(_HOME / ".asdf"), "installs/python/{v}.*/bin/python{v}"),
    (str(_HOME / ".local/share/mise"), "installs/python/{v}.*/bin/python{v}"),
    (str(_HOME / ".local/share/uv/python"), "cpython-{v}.*/bin/python{v}"),
    ("/usr/local/bin", "python{v}"),
    ("/opt/homebrew/bin", "python{v}"),
)
_NODE_PLACES = (
    (os.environ.get("NVM_DIR") or str(_HOME / ".nvm"), "versions/node/v*/bin/node"),
    (os.environ.get("ASDF_DATA_DIR") or str(_HOME / ".asdf"), "installs/nodejs/*/bin/node"),
    (str(_HOME / ".local/share/mise"), "installs/node/*/bin/node"),
    (os.environ.get("FNM_DIR") or str(_HOME / ".local/share/fnm"), "node-versions/v*/installation/bin/node"),
    (os.environ.get("NODENV_ROOT") or str(_HOME / ".nodenv"), "versions/*/bin/node"),
    (os.environ.get("N_PREFIX") or "/usr/local", "n/versions/node/*/bin/node"),
    ("/opt/homebrew/opt", "node@*/bin/node"),
)


class NoInterpreter(Exception):
    """The machine has nothing that runs this language; the text says what to install."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    path: str
    version: tuple[int, int]  # (3, 12); of Node (20, 20).


class Interpreters:
    """Looks once per runtime and remembers. `warn` is told, once per runtime, when another version stands in."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._found: dict[str, asyncio.Task[Interpreter]] = {}

    async def find(self, runtime: Runtime) -> Interpreter:
        """Raises NoInterpreter."""
        task = self._found.get(runtime.name)
        if task is None or (task.done() and task.exception() is not None):
            task = asyncio.get_running_loop().create_task(self._find(runtime))
            self._found[runtime.name] = task
        return await asyncio.shield(task)

    async def _find(self, runtime: Runtime) -> Interpreter:
        search = partial(search_python, runtime.version) if runtime.language == "python" else search_node_of(runtime)
        if runtime.language == "python" and sys.version_info[:2] == runtime.version:
            return Interpreter(sys.executable, runtime.version)
        found = await asyncio.to_thread(search)
        if found is None:
            language = "Python" if runtime.language == "python" else "Node.js"
            raise NoInterpreter(f"No {language} on this machine can run {runtime.name} functions. Install {language}.")
        if not fits(found, runtime):
            self._warn(stand_in_words(found, runtime))
        return found


def fits(interpreter: Interpreter, runtime: Runtime) -> bool:
    wanted, found = runtime.version, interpreter.version
    return found == wanted if runtime.language == "python" else found[0] == wanted[0]


def stand_in_words(interpreter: Interpreter, runtime: Runtime) -> str:
    if runtime.language == "python":
        return f"{runtime.name} functions run on Python {_dotted(interpreter.version)}, the nearest that works here."
    return f"{runtime.name} functions run on Node.js {_dotted(interpreter.version)}, the nearest on this machine."


def search_python(wanted: tuple[int, int]) -> Interpreter | None:
    """The wanted version or the nearest one; of two equally near, the newer. Blocks: it runs candidates."""
    # boto3, which the runtime supplies, needs 3.10; a package for 3.9 that relies on it must find it.
    for minor in nearest(max(wanted[1], 10), _PYTHON_MINORS):
        if minor == 9:
            continue
        if sys.version_info[:2] == (3, minor):
            return Interpreter(sys.executable, (3, minor))
        for path in _candidates(f"python3.{minor}", _PYTHON_PLACES, f"3.{minor}"):
            if (found := _ask(path, "-I", "-S", "-c", "import sys; print(sys.version)")) and found[:2] == (3, minor):
                return Interpreter(path, (found[0], found[1]))
    return None


def search_node_of(runtime: Runtime) -> Callable[[], Interpreter | None]:
    return partial(search_node, runtime.version[0])


def search_node(major: int) -> Interpreter | None:
    """The wanted major version or the nearest one; of two equally near, the newer."""
    by_version: dict[tuple[int, ...], str] = {}
    for path in _candidates("node", _NODE_PLACES, ""):
        # A version manager's folder says which version it is: it need not be run to be passed over.
        said = re.search(r"[/@]v?(\d+)(?:\.(\d+))?[^/]*/(?:installation/)?bin/node$", path)
        version = tuple(int(part or 0) for part in said.groups()) if said else _ask(path, "--version")
        if version:
            by_version.setdefault(version, path)
    for version in sorted(by_version, key=lambda v: (abs(v[0] - major), -v[0], -v[1])):
        path = by_version[version]
        if found := _ask(path, "--version"):
            return Interpreter(path, (found[0], found[1]))
    return None


def nearest(wanted: int, among: Iterable[int]) -> list[int]:
    return sorted(among, key=lambda number: (abs(number - wanted), -number))


def _candidates(program: str, places: Sequence[tuple[str, str]], version: str) -> list[str]:
    found: list[str] = []
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, program)
        # A shim answers for whatever version is chosen in its folder: look behind it, in its versions.
        if directory and "/shims" not in directory and os.access(path, os.X_OK):
            found.append(path)
    for root, pattern in places:
        if os.path.isdir(root):
            found += [str(path) for path in sorted(Path(root).glob(pattern.format(v=version)), reverse=True)]
    return list(dict.fromkeys(found))


def _ask(*argv: str) -> tuple[int, ...] | None:
    """The version that the interpreter prints; None when it does not run."""
    try:
        answer = subprocess.run(
            argv, capture_output=True, timeout=_CHECK_LIMIT_S, stdin=subprocess.DEVNULL, check=True, text=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    said = re.match(r"v?(\d+)\.(\d+)", answer.stdout)
    return (int(said[1]), int(said[2])) if said else None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
