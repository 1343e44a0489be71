"""Which sandbox this machine allows, found out by trying: a program is jailed and says what holds it.

One decision to know: whatever stands in the way of a jail leads to the plain sandbox with one sentence of why, which
the start banner, the health page and `freehold doctor` show.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from freehold.sandbox.jail import JailSandbox
from freehold.sandbox.plain import PlainSandbox
from freehold.sandbox.sandbox import Program, Room, Sandbox, SandboxError

NETWORK = "network"
_NO_INTERNET = "a network of its own: the Runtime API and the AWS endpoint, nothing else"
_INTERNET = "functions use the machine's, its loopback included; `freehold serve --no-internet` gives each its own"
_LIMIT_S = 10.0
_SELF = """
import json, os
with open("/proc/self/status") as file:
    status = dict(line.split(":\\t", 1) for line in file if ":\\t" in line)
status = {name: text.strip() for name, text in status.items()}
print(json.dumps({
    "user": os.getuid(), "roots": sorted(os.listdir("/")), "seccomp": status.get("Seccomp", "0"),
    "capabilities": status["CapEff"].strip("0") + status["CapBnd"].strip("0"), "no_new_privs": status["NoNewPrivs"],
    "can_write": os.access("/var/task", os.W_OK), "pid": os.getpid(),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line],
}))
"""


@dataclass(frozen=True, slots=True)
class Layer:
    name: str
    active: bool
    words: str  # What it does when active; what follows when it is not.


@dataclass(frozen=True, slots=True)
class Layers:
    """What separates functions from the machine and from each other."""

    layers: tuple[Layer, ...]
    reason: str = ""  # Why there is no jail; empty: there is one.

    @property
    def jailed(self) -> bool:
        return not self.reason

    def has(self, name: str) -> bool:
        return any(layer.active for layer in self.layers if layer.name == name)

    @property
    def sentence(self) -> str:
        """For the start banner."""
        if self.reason:
            return f"none: functions may read what this user may ({self.reason})"
        missing = [layer.name for layer in self.layers if not layer.active]
        return "jail" + (f", without {', '.join(missing)}" if missing else "")


async def choose_sandbox(place: Path, cpu_limit: bool = False, ports: tuple[int, ...] = ()) -> tuple[Sandbox, Layers]:
    """The best sandbox of this machine. `place`: a folder for it alone, made if need be. `cpu_limit`, `ports`: as of
    `JailSandbox`; whether they are in force, the layers say."""
    if sys.platform != "linux":
        return plain_sandbox("jails need Linux")
    try:
        sandbox = JailSandbox(place, cpu_limit, ports)
    except OSError as error:
        return plain_sandbox(f"{place}: {error.strerror}")
    try:
        said, controls = await _try_out(sandbox, place)
    except (SandboxError, OSError, ValueError, TimeoutError) as error:
        await sandbox.stop()
        return plain_sandbox(str(error) or "a jail took too long to come up")
    return sandbox, Layers(tuple(_layers(said, controls)))


def plain_sandbox(reason: str) -> tuple[Sandbox, Layers]:
    words = "functions may read what this user may; run only code that you trust"
    return PlainSandbox(), Layers((Layer("jail", False, words),), reason)


async def _try_out(sandbox: JailSandbox, place: Path) -> tuple[dict[str, object], tuple[str, ...]]:
    """What a jailed program found, and the controllers that held it. Raises SandboxError, OSError, ValueError."""
    read_end, write_end = os.pipe()
    argv = (os.path.realpath(sys.executable), "-I", "-S", "-c", _SELF)
    package = place.with_name(f"{place.name}-trial")
    package.mkdir(exist_ok=True)
    room = Room(package, visible=(Path(sys.base_prefix),))
    try:
        try:
            started = await sandbox.start(Program(argv, cwd=Path("/var/task"), fds={1: write_end}, room=room))
        finally:
            os.close(write_end)
        async with asyncio.timeout(_LIMIT_S):
            end = await started.exited
        text = os.read(read_end, 65_536)
    finally:
        os.close(read_end)
    if not text:
        raise SandboxError(f"a jailed program ended with {end.code if end.signal is None else f'signal {end.signal}'}")
    found: dict[str, object] = json.loads(text)
    return found, getattr(started, "controls", ())


def _layers(said: dict[str, object], controls: tuple[str, ...]) -> list[Layer]:
    hidden = said["pid"] == 2 and said["user"] != 0
    confined = not said["can_write"] and "sys" not in str(said["roots"])
    dropped = said["capabilities"] == "" and said["no_new_privs"] == "1"
    closed = said["interfaces"] == ["lo"]
    memory, cpu, pids = "memory" in controls, "cpu" in controls, "pids" in controls
    return [
        Layer("namespaces", hidden, "no view of other processes, nor of the machine's users"),
        Layer("file system", confined, "code and layers read-only, /tmp private and limited, nothing of the host's"),
        Layer("privileges", dropped, "not root, no capabilities, no way to gain any"),
        Layer("seccomp", said["seccomp"] == "2", "system calls that no function needs are refused"),
        Layer("memory limit", memory, "memory is a hard limit" if memory else "control groups are not to be had"),
        Layer("CPU limit", cpu, "CPU by memory" if cpu else "off: `freehold serve --cpu-limit` gives CPU by memory"),
        Layer("process limit", pids, "1,024 processes" if pids else "limited by user only"),
        Layer(NETWORK, closed, _NO_INTERNET if closed else _INTERNET),
    ]
