"""How much memory the machine has left, or the control group that holds us, whichever is shorter of it; and processes.

proc(5) and the kernel's "Control Group v2", "Memory Resource Controller"; file caches count as free there.
"""

from __future__ import annotations

import math
from pathlib import Path

_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = ("memory.max", "memory.current", "inactive_file")


def share_left(root: Path = Path("/")) -> float:
    """0 to 1; 1 where the system does not say."""
    return min(_of_machine(root), *_of_groups(root))


def peak_mb(pid: int) -> int:
    """What a process held at most; 0 where the system does not say."""
    return math.ceil(_figures(Path(f"/proc/{pid}/status")).get("VmHWM:", 0) / 1024)


def _of_machine(root: Path) -> float:
    figures = _figures(root / "proc/meminfo")
    total, available = figures.get("MemTotal:", 0), figures.get("MemAvailable:")
    return 1.0 if available is None or total <= 0 else available / total


def _of_groups(root: Path) -> list[float]:
    shares = [1.0]
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            top, names = root / "sys/fs/cgroup", _V2
        elif "memory" in controllers.split(","):
            top, names = root / "sys/fs/cgroup/memory", _V1
        else:
            continue
        group = top / path.strip("/")
        # A limit of a group holds for all below it.
        for each in (group, *group.parents):
            shares.append(_of_group(each, *names))
            if each == top:
                break
    return shares


def _of_group(group: Path, limit_file: str, used_file: str, cache: str) -> float:
    limit, used = _text(group / limit_file).strip(), _text(group / used_file).strip()
    if not limit.isdigit() or not used.isdigit() or int(limit) == 0:
        return 1.0
    held = int(used) - _figures(group / "memory.stat").get(cache, 0)
    return max(0.0, 1.0 - held / int(limit))


def _figures(file: Path) -> dict[str, int]:
    """Lines such as "MemTotal: 4096 kB"."""
    words = [line.split() for line in _text(file).splitlines()]
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
