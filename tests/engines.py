"""An engine with real processes and everything else in memory, for the tests that need functions to run."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from freehold.clock import RandomIds, SystemClock
from freehold.engine.dispatch import Engine
from freehold.engine.evictor import Idleness
from freehold.engine.invocation import Invocation, InvocationRecord, InvocationResult
from freehold.engine.packages import Packages
from freehold.engine.starter import Starter
from freehold.engine.surroundings import Surroundings
from freehold.runtimes.interpreters import Interpreters
from freehold.runtimes.launch import Launcher, Transport
from freehold.runtimes.names import RUNTIMES
from freehold.sandbox.layers import choose_sandbox
from freehold.sandbox.plain import PlainSandbox
from freehold.sandbox.sandbox import Sandbox
from freehold.state.blobs import Blobs
from freehold.state.logs import LogEvent
from freehold.state.store import Change, Delete, Document, Listener, Put, Stored, Write

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


class MemoryStore:
    """Meets `Store`, without its conflicts."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Stored] = {}
        self.revision = 0
        self._listeners: list[tuple[frozenset[str], Listener]] = []

    async def write(self, *writes: Write) -> int:
        self.put_now(*writes)
        return self.revision

    def put_now(self, *writes: Write) -> None:
        changes = []
        for write in writes:
            self.revision += 1
            document = write.document if isinstance(write, Put) else None
            if document is None:
                self.documents.pop((write.kind, write.key), None)
            else:
                self.documents[write.kind, write.key] = Stored(write.key, document, self.revision)
            changes.append(Change(write.kind, write.key, document, self.revision))
        for kinds, listener in list(self._listeners):
            if wanted := [change for change in changes if change.kind in kinds]:
                listener(wanted)

    async def read(self, kind: str, key: str) -> Stored | None:
        return self.documents.get((kind, key))

    async def list_documents(self, kind: str, prefix: str = "") -> list[Stored]:
        found = [one for (k, _), one in self.documents.items() if k == kind and one.key.startswith(prefix)]
        return sorted(found, key=lambda one: one.key)

    def follow(self, kinds: Sequence[str], listener: Listener) -> Callable[[], None]:
        present = [Change(k, key, one.document, one.revision) for (k, key), one in self.documents.items() if k in kinds]
        if present:
            listener(present)
        entry = (frozenset(kinds), listener)
        self._listeners.append(entry)
        return lambda: self._listeners.remove(entry)


class KeptLogs:
    """Meets `LogSink`; `lines` has all messages in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.streams: set[tuple[str, str]] = set()

    def append(self, region: str, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        self.streams.add((group, stream))
        self.lines += [event.message for event in events]


class RunningEngine:
    """`add` a function from files, `invoke` it."""

    def __init__(
        self,
        directory: Path,
        transport: Transport | None,
        keep_alive_s: float,
        max_environments: int,
        sandbox: Sandbox | None,
        logs: KeptLogs | None = None,
        freezes: bool = True,
    ) -> None:
        self.directory = directory
        self.memory_left = 1.0
        self.store = MemoryStore()
        self.logs = logs or KeptLogs()
        self.warnings: list[str] = []
        self.records: list[InvocationRecord] = []
        self.sandbox = sandbox or PlainSandbox()
        around = Surroundings(SystemClock(), self.logs, [self.records.append])
        launcher = Launcher(Interpreters(self.warnings.append), directory / "run", self.warnings.append)
        self.blobs = Blobs(directory / "blobs")
        packages = Packages(self.blobs, directory / "code")
        self.starter = Starter(
            self.sandbox, launcher, packages, around, RandomIds(), lambda: "http://127.0.0.1:1", transport
        )
        self.engine = Engine(
            self.store,
            self.starter,
            around,
            max_environments,
            Idleness(keep_alive_s, freezes, lambda: self.memory_left),
        )

    def add(self, name: str, files: dict[str, str], runtime: str = "python3.11", handler: str = "app.handler",
            **configuration: Any) -> None:  # fmt: skip
        """Code is run in place, from a folder of its own that each call makes anew."""
        folder = Path(tempfile.mkdtemp(dir=self.directory, prefix=f"{name}-"))
        folder.chmod(0o755)  # A jailed function is another user.
        for file, text in files.items():
            place = folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            if file == "bootstrap":
                place.chmod(0o755)
        self.store.put_now(
            Put(
                "lambda.function", f"us-east-1/{name}", function_document(name, folder, runtime, handler, configuration)
            )
        )

    async def layer(self, files: dict[str, str]) -> str:
        """A layer of these files, all executable; its blob."""
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for name, text in files.items():
                entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100755 << 16
                archive.writestr(entry, text)
        return await self.blobs.put(data.getvalue())

    def change(self, name: str, **members: Any) -> None:
        """Changes members of the function's document."""
        present = self.store.documents["lambda.function", f"us-east-1/{name}"].document
        self.store.put_now(Put("lambda.function", f"us-east-1/{name}", {**present, **members}))

    def remove(self, name: str) -> None:
        self.store.put_now(Delete("lambda.function", f"us-east-1/{name}"))

    async def invoke(
        self, name: str, event: Any = None, *, log_tail: bool = False, context: bytes = b"", streams: bool = False
    ) -> InvocationResult:
        payload = json.dumps(event).encode()
        request_id = RandomIds().uuid()
        return await self.engine.invoke(
            Invocation(ARN + name, payload, request_id, log_tail=log_tail, client_context=context, streams=streams)
        )

    async def settled(self) -> None:
        """Returns when all that is made beforehand has been made for the functions that were added."""
        for _, stored in list(self.store.documents.items()):
            if (name := stored.document["configuration"]["Runtime"]) in RUNTIMES:
                await self.starter.prepare(RUNTIMES[name])
        async with asyncio.timeout(20):
            while not self.starter.blanks.is_full:
                await asyncio.sleep(0.01)


async def jail(directory: Path) -> Sandbox:
    """A sandbox that jails; the test is skipped on a machine that cannot."""
    sandbox, layers = await choose_sandbox(directory / "jail")
    if not layers.jailed:
        pytest.skip(f"no jail on this machine: {layers.reason}")
    return sandbox


def function_document(name: str, folder: Path, runtime: str, handler: str, configuration: dict[str, Any]) -> Document:
    return {
        "configuration": {
            "FunctionArn": ARN + name,
            "Runtime": runtime,
            "Handler": handler,
            "Timeout": 10,
            "MemorySize": 128,
            **configuration,
        },
        "code": {"directory": str(folder)},
        "layers": [],
    }


@asynccontextmanager
async def running_engine(
    directory: Path,
    transport: Transport | None = None,
    keep_alive_s: float = 600.0,
    max_environments: int = 100,
    sandbox: Sandbox | None = None,
    logs: KeptLogs | None = None,
    freezes: bool = True,
) -> AsyncIterator[RunningEngine]:
    running = RunningEngine(directory, transport, keep_alive_s, max_environments, sandbox, logs, freezes)
    running.engine.start()
    try:
        yield running
    finally:
        await running.engine.stop()
        await running.sandbox.stop()
