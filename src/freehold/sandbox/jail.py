"""The sandbox that isolates: what plain.py does, and each program in a jail of its own.

The walls themselves are put up by the spawners, with inside/: walls.py, seccomp.py, cgroups.py. Linux only.
"""

from __future__ import annotations

from pathlib import Path

from freehold.sandbox.plain import PlainSandbox
from freehold.sandbox.sandbox import Limits, Room


class JailSandbox(PlainSandbox):
    """Meets `Sandbox`. `place` is a folder of its own, on which spawners put mounts that only they see.

    `cpu_limit`: a function gets memory / 1,769 MB of a CPU and no more, as on AWS; else as much as is free.
    `ports`: each jail has a network of its own and reaches nothing but these ports of its loopback interface, on which
    `SandboxProcess.listening` waits for whoever serves them; none: the machine's network.
    """

    jails = True

    def __init__(self, place: Path, cpu_limit: bool = False, ports: tuple[int, ...] = ()) -> None:
        super().__init__()
        place.mkdir(parents=True, exist_ok=True)
        self._place = place
        self._cpu_limit = cpu_limit
        self._ports = ports

    def _jail(self, room: Room, limits: Limits) -> dict[str, object] | None:
        return {
            "place": str(self._place),
            "task_dir": str(room.task_dir) if room.task_dir else None,
            "opt_dir": str(room.opt_dir) if room.opt_dir else None,
            "visible": [str(path) for path in room.visible],
            "tmp_mb": room.tmp_mb,
            "memory_mb": limits.memory_mb,
            "processes": limits.processes,
            "cpu_limit": self._cpu_limit,
            "ports": self._ports,
        }
