"""What of a jail's memory is its own, and what its /tmp holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from freehold.sandbox.inside.own_memory import OwnMemory, own_bytes

_V1 = {"cache": 90, "rss": 40, "shmem": 60, "mapped_file": 10}
_V2 = {"anon": 40, "file": 90, "shmem": 60, "slab_reclaimable": 5}
JAIL = {"memory_mb": 1, "tmp_mb": 8}


class Groups:
    """Of jails whose memory a test says."""

    def __init__(self) -> None:
        self.trees = {"memory": "/nowhere"}
        self.limits: list[tuple[int, bool]] = []
        self.used = 0

    def limit(self, number: int, jail: dict[str, object], with_tmp: bool) -> None:
        self.limits.append((number, with_tmp))

    def memory_used(self, number: int) -> int:
        return self.used

    def memory_figures(self, number: int) -> dict[str, int]:
        return {"anon": self.used}


def test_files_and_what_tmp_holds_are_not_a_functions_own_memory() -> None:
    for figures in (_V1, _V2):
        assert own_bytes(figures, in_tmp=50) == 50  # 10 of the shared memory are nobody's file.
        assert own_bytes(figures, in_tmp=70) == 40  # Read a moment later.


def test_where_the_kernel_asks_nobody_a_jail_has_room_for_tmp_and_is_looked_at_from_its_start(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user has no control groups")
    groups = Groups()
    memory = OwnMemory(groups, str(tmp_path / "absent"))
    assert memory.fd == -1
    assert memory.wait_ms() is None
    memory.limit(7, JAIL)
    assert groups.limits == [(7, True)]
    memory.started(7, os.getpid())
    assert memory.wait_ms() is not None

    groups.used = 1 << 20
    assert memory.look() == []
    groups.used += 4096
    seen: list[int] = []
    while not seen:  # Each look waits for its time, a few milliseconds.
        seen = memory.look()
    assert seen == [7]
    assert memory.ended(7) == 1028
    assert memory.wait_ms() is None


def test_who_was_over_the_limit_once_only_is_left_alone(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("an ordinary user has no control groups")
    groups = Groups()
    memory = OwnMemory(groups, str(tmp_path / "absent"))
    memory.limit(7, JAIL)
    memory.started(7, os.getpid())
    groups.used = 2 << 20
    assert memory.look() == []
    groups.used = 0
    memory.due_s = 0.0
    assert memory.look() == []
    memory.due_s = 0.0
    groups.used = 2 << 20
    assert memory.look() == []
    assert memory.ended(7) is None
