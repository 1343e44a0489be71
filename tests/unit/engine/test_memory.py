from __future__ import annotations

import os
from pathlib import Path

from freehold.engine.memory import peak_mb, share_left


def _write(root: Path, **files: str) -> None:
    for name, text in files.items():
        file = root / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _machine(root: Path, available_kb: int) -> None:
    _write(root, proc__meminfo=f"MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: {available_kb} kB\n")


def test_a_system_that_does_not_say_has_all_left(tmp_path: Path) -> None:
    assert share_left(tmp_path) == 1.0


def test_the_machines_share(tmp_path: Path) -> None:
    _machine(tmp_path, 250)
    assert share_left(tmp_path) == 0.25


def test_a_control_group_above_ours_may_have_less(tmp_path: Path) -> None:
    _machine(tmp_path, 900)
    _write(tmp_path, proc__self__cgroup="0::/a/b\n")
    group = tmp_path / "sys/fs/cgroup/a"
    (group / "b").mkdir(parents=True)
    (group / "b" / "memory.max").write_text("max\n")
    (group / "memory.max").write_text("1000\n")
    (group / "memory.current").write_text("900\n")
    (group / "memory.stat").write_text("anon 500\ninactive_file 100\n")
    assert round(share_left(tmp_path), 6) == 0.2


def test_version_1_of_control_groups(tmp_path: Path) -> None:
    _machine(tmp_path, 900)
    _write(tmp_path, proc__self__cgroup="5:cpu:/x\n4:memory:/x\n")
    group = tmp_path / "sys/fs/cgroup/memory/x"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("1000\n")
    (group / "memory.usage_in_bytes").write_text("700\n")
    assert round(share_left(tmp_path), 6) == 0.3


def test_this_machine_says_a_share_and_a_process_its_peak() -> None:
    assert 0 < share_left() <= 1
    assert peak_mb(os.getpid()) > 1
    assert peak_mb(2**30) == 0
