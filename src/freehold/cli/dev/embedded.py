"""The server inside a command, with its state in the app's folder: for `dev` and for local invocations."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path

from freehold.app import App, CannotStart, DataDirInUse
from freehold.cli.dev.failures import describe
from freehold.cli.failure import Failure
from freehold.cli.packaging import Wishes
from freehold.cli.project import Project
from freehold.cli.target import find_region, find_running
from freehold.config import Config
from freehold.engine.invocation import Invoker

_USUAL_PORT = 4566
GRACE_S = 5.0  # A person waits who has pressed Ctrl-C.


async def start(
    project: Project,
    port: int | None,
    wishes: Wishes,
    watch: Callable[[Invoker], Invoker] | None = None,
) -> App:
    """A started server; the caller stops it. `port` None: 4566, or a free one where that is taken. Raises Failure."""
    if port is None:
        port = _USUAL_PORT if _is_free(_USUAL_PORT) else 0
    # Functions run where their files are, so that stack traces and debuggers name them: not in jails.
    config = Config(
        data_dir=project.state_dir, port=port, region=find_region(wishes.region), jail=False, grace_s=GRACE_S
    )
    _keep_out_of_git(project.state_dir)
    app = App(config, watch_invoker=watch)
    try:
        await app.start()
    except DataDirInUse as error:
        raise Failure(_in_use(project)) from error
    except CannotStart as error:
        raise Failure(str(error)) from error
    return app


def _in_use(project: Project) -> str:
    running = find_running(project.directory)
    who = f"`freehold dev` (process {running.pid})" if running else "another Freehold command"
    return f"In {project.directory} runs {who} already. Stop it, or wait for its end."


class Rehearsal:
    """Meets `reload.Rehearse`: starts the new code in an environment of its own, beside those that serve."""

    def __init__(self, app: App, region: str) -> None:
        self._app = app
        self._region = region

    async def __call__(self, function: str, handler: str, path: Path) -> str | None:
        app = self._app
        sha256 = await app.blobs.put(path.read_bytes())
        arn = f"arn:aws:lambda:{self._region}:{app.config.account}:function:{function}"
        failed = await app.engine.rehearse(arn, sha256, handler)
        return describe(failed.payload, failed.words, failed.lines) if failed else None


def _keep_out_of_git(directory: Path) -> None:
    """Data, logs and code of this machine: nothing to share. A file of the user's own stays."""
    mark = directory / ".gitignore"
    if not mark.exists():
        try:
            directory.mkdir(parents=True, exist_ok=True)
            mark.write_text("*\n")
        except OSError as error:
            raise Failure(f"Cannot write to {directory}: {error.strerror}.") from error


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise Failure(f"Cannot listen on port {port}: {error.strerror}.") from error
    return True
