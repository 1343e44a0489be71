"""From a function's configuration to a program: interpreter, bootstrap, transport. One function a language.

One decision to know: a managed runtime's environment variables travel in the first frame, not in the process's
start, so that a zygote's fork can become any function.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from freehold.runtimes.interpreters import Interpreters
from freehold.runtimes.names import Runtime
from freehold.runtimes.node_packages import SDK
from freehold.runtimes.python_packages import link_packages
from freehold.sandbox.sandbox import Zygote

_PYTHON_BOOTSTRAP = Path(__file__).parent / "python" / "bootstrap.py"
_NODE_BOOTSTRAP = Path(__file__).parent / "node" / "bootstrap.cjs"
_SDK_PACKAGES = ("boto3", "botocore", "urllib3", "dateutil", "jmespath", "s3transfer", "six.py")

_BOOT_NAMES = frozenset({"TZ", "LANG", "LANGUAGE", "NO_COLOR", "FORCE_COLOR", "PATH"})
_BOOT_PREFIXES = ("NODE_", "UV_", "LD_", "LC_", "SSL_", "OPENSSL_", "ICU_", "MALLOC_", "GLIBC_")
_SYSTEM_PREFIXES = frozenset({Path("/"), Path("/usr"), Path("/usr/local")})
TASK_DIR, OPT_DIR = Path("/var/task"), Path("/opt")

Transport = Literal["frames", "http"]


class LaunchError(Exception):
    """The program cannot be started at all; AWS's error type and words."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message


@dataclass(frozen=True, slots=True)
class Package:
    """A function's files, as directories of this machine."""

    runtime: Runtime
    handler: str
    task_dir: Path
    opt_dir: Path | None  # The layers, merged in order; None: none.
    jailed: bool = False  # Whether the function sees them at AWS's places.

    @property
    def task_seen(self) -> Path:
        """The package's folder as the function sees it."""
        return TASK_DIR if self.jailed else self.task_dir

    @property
    def opt_seen(self) -> Path | None:
        return OPT_DIR if self.jailed and self.opt_dir else self.opt_dir


@dataclass(frozen=True, slots=True)
class Launch:
    argv: tuple[str, ...]  # Empty: fork `zygote`.
    zygote: Zygote | None
    transport: Transport
    env: Mapping[str, str]  # Added to the function's own where the language needs it.
    first_message: Mapping[str, object]  # Of the frames transport, beside "env"; empty over HTTP.
    visible: tuple[Path, ...] = ()  # What else of this machine it must be able to read.
    may_boot_blank: bool = False  # Whether it can boot before it knows its function.


class Launcher:
    """Knows the interpreters and packages of this machine. `run_dir` is scratch that a restart may delete."""

    def __init__(self, interpreters: Interpreters, run_dir: Path, warn: Callable[[str], None]) -> None:
        self._interpreters = interpreters
        self._run_dir = run_dir
        self._warn = warn
        self._python_dir: Path | None = None
        self._visible: dict[str, tuple[Path, ...]] = {}  # By interpreter.
        self._sdk_missed = False

    async def launch(
        self, package: Package, env: Mapping[str, str], transport: Transport | None = None, may_fork: bool = True
    ) -> Launch:
        """`transport` chooses one for a managed runtime; None: the quickest. Raises LaunchError, NoInterpreter.

        `may_fork`: a process that was up before will do; else the launch has an argv.
        """
        match package.runtime.language:
            case "python":
                return await self._launch_python(package, env, transport or "frames", may_fork)
            case "node":
                return await self._launch_node(package, env, transport or "frames", may_fork)
            case "custom":
                return _launch_custom(package)
        raise LaunchError("Runtime.InvalidRuntime", f"Freehold cannot run the runtime {package.runtime.name}.")

    async def zygote(self, runtime: Runtime) -> Zygote:
        """What forks environments of a Python runtime; to have it up early."""
        interpreter = await self._interpreters.find(runtime)
        return Zygote(interpreter.path, _PYTHON_BOOTSTRAP, (str(self._packages()),))

    async def _launch_python(
        self, package: Package, env: Mapping[str, str], transport: Transport, may_fork: bool
    ) -> Launch:
        zygote = await self.zygote(package.runtime)
        interpreter = await self._interpreters.find(package.runtime)
        version = ".".join(str(part) for part in interpreter.version)
        places = (f"python/lib/python{version}/site-packages", "python")
        searched = [str(package.task_dir), *_layer_paths(package.opt_dir, *places)]
        bundles = _bundles_sdk(searched)  # A few looks at a local disk; a thread would cost more than they do.
        message = {
            "handler": package.handler,
            "cwd": str(package.task_seen),
            "task_dir": str(package.task_seen),
            "layer_paths": _layer_paths(package.opt_seen, *places),
            "bundles_sdk": bundles,
            "transport": transport,
        }
        python_env = {"LC_CTYPE": "C.UTF-8"}
        visible = self._python_visible(interpreter.path)
        wrapper = env.get("AWS_LAMBDA_EXEC_WRAPPER")
        if wrapper or transport == "http" or not may_fork:
            # A wrapper must execute the runtime itself, and the official HTTP client reads its address when it is
            # loaded: no fork of a zygote will do.
            path = os.path.realpath(interpreter.path) if package.jailed else interpreter.path
            argv = (path, "-I", "-S", str(_PYTHON_BOOTSTRAP), str(self._packages()))
            wrapped = (_wrapper(wrapper, package), *argv) if wrapper else argv
            return Launch(wrapped, None, transport, python_env, message, visible)
        return Launch((), zygote, transport, python_env, message, visible, may_boot_blank=True)

    async def _launch_node(
        self, package: Package, env: Mapping[str, str], transport: Transport, may_fork: bool
    ) -> Launch:
        interpreter = await self._interpreters.find(package.runtime)
        path = os.path.realpath(interpreter.path) if package.jailed else interpreter.path
        argv: tuple[str, ...] = (path, str(_NODE_BOOTSTRAP))
        sdk = SDK.directory
        if sdk is None and not self._sdk_missed:
            self._sdk_missed = True
            self._warn(
                "The AWS SDKs that Lambda's Node runtimes supply are not installed: functions that do not bring their "
                "own get 'Cannot find module'. Run `freehold doctor --install-node-sdk`."
            )
        message = {
            "handler": package.handler,
            "cwd": str(package.task_seen),
            "task_dir": str(package.task_seen),
            "sdk_dir": str(sdk) if sdk else None,
            "transport": transport,
        }
        major = package.runtime.version[0]
        paths = [*_layer_paths(package.opt_seen, f"nodejs/node{major}/node_modules", "nodejs/node_modules")]
        paths += [str(sdk)] if sdk else []
        node_env = {"NODE_PATH": os.pathsep.join([*paths, str(package.task_seen)])}
        visible = (*installation(interpreter.path), _NODE_BOOTSTRAP.parent, *([sdk] if sdk else []))
        wrapper = env.get("AWS_LAMBDA_EXEC_WRAPPER")
        if wrapper:
            argv = (_wrapper(wrapper, package), *argv)
        blank = not wrapper and may_fork and transport == "frames" and not _read_at_boot(env)
        return Launch(argv, None, transport, node_env, message, visible, blank)

    def _python_visible(self, interpreter: str) -> tuple[Path, ...]:
        """Of each interpreter the same: it, our bootstrap, the folder of links, and those that the links lead to."""
        found = self._visible.get(interpreter)
        if found is None:
            packages = self._packages()
            behind = {link.readlink().parent for link in packages.iterdir() if link.is_symlink()}
            found = (*installation(interpreter), _PYTHON_BOOTSTRAP.parent, packages, *sorted(behind))
            self._visible[interpreter] = found
        return found

    def _packages(self) -> Path:
        if self._python_dir is None:
            self._python_dir = link_packages(self._run_dir)
        return self._python_dir


def _launch_custom(package: Package) -> Launch:
    """AWS: "Building a custom runtime": bootstrap of the package, else of a layer."""
    for directory in (package.task_dir, package.opt_dir):
        bootstrap = directory / "bootstrap" if directory else None
        if bootstrap is not None and bootstrap.is_file():
            seen = package.task_seen if directory == package.task_dir else package.opt_seen
            assert seen is not None
            if not os.access(bootstrap, os.X_OK):
                raise LaunchError("Runtime.InvalidEntrypoint", f"fork/exec {seen / 'bootstrap'}: permission denied")
            return Launch((str(seen / "bootstrap"),), None, "http", {}, {})
    raise LaunchError(
        "Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    )


def _wrapper(path: str, package: Package) -> str:
    """The wrapper script's place on this machine: it is named as inside AWS."""
    if package.jailed:
        return path
    for inside, outside in (("/opt/", package.opt_dir), ("/var/task/", package.task_dir)):
        if path.startswith(inside) and outside is not None:
            return str(outside / path.removeprefix(inside))
    return path


def _read_at_boot(env: Mapping[str, str]) -> bool:
    """Whether a variable is one that Node.js, or the libraries below it, look at once, when they start."""
    return any(name in _BOOT_NAMES or name.startswith(_BOOT_PREFIXES) for name in env)


def _layer_paths(opt_dir: Path | None, *places: str) -> list[str]:
    return [str(opt_dir / place) for place in places] if opt_dir else []


def installation(interpreter: str) -> list[Path]:
    """The folder below which an interpreter and its library lie, of a virtual environment those that it was made from.

    Its own folders are what system folders show anyway, when it is the system's.
    """
    program = Path(os.path.realpath(interpreter))
    prefix = program.parent.parent
    return [] if prefix in _SYSTEM_PREFIXES else [prefix]


def _bundles_sdk(directories: list[str]) -> bool:
    return any(os.path.exists(os.path.join(directory, name)) for directory in directories for name in _SDK_PACKAGES)
