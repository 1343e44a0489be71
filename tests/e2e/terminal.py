"""A command on a terminal of its own, as a person has it: what it prints, keys pressed, the terminal closed."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

_LIMIT_S = 20.0
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """`with Terminal(directory, "dev", "--port", "0") as terminal:` ends it, however the test went."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        ours, theirs = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "FREEHOLD_"))}
        # A session leader whose controlling terminal is the pty, so that Ctrl-C and hanging up reach it as they do.
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *arguments],
            cwd=directory,
            env={**environment, "COLUMNS": "160", "TERM": "xterm", "HOME": str(directory)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._terminal = ours
        self._text = ""
        self._grown = threading.Condition()
        self._is_open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.hang_up()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def text(self) -> str:
        """All that it printed, without colours."""
        with self._grown:
            return _COLOURS.sub("", self._text).replace("\r\n", "\n")

    def wait_for(self, pattern: str, after: int = 0, limit_s: float = _LIMIT_S) -> re.Match[str]:
        """The first match in what it printed, from the position `after` of `text` on."""
        regex = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + limit_s
        with self._grown:
            while True:
                text = self.text
                if found := regex.search(text, after):
                    return found
                left = deadline - time.monotonic()
                is_in_time = left > 0 and self._is_open
                assert is_in_time, f"not printed: {pattern}\n--- printed:\n{text[-2000:]}"
                self._grown.wait(left)

    def press(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """Closes the terminal's window."""
        if self._terminal >= 0:
            terminal, self._terminal = self._terminal, -1
            with self._grown:
                self._is_open = False
            os.close(terminal)
            self._reader.join(_LIMIT_S)

    def wait(self) -> int:
        """Its exit status."""
        return self._process.wait(_LIMIT_S)

    def _read(self) -> None:
        while self._is_open:
            try:
                ready, _, _ = select.select([self._terminal], [], [], 0.2)
                part = os.read(self._terminal, 65536) if ready else b""
            except (OSError, ValueError):
                # Nobody holds the other end any more, or we closed ours.
                break
            with self._grown:
                self._text += part.decode(errors="replace")
                self._grown.notify_all()
        with self._grown:
            self._is_open = False
            self._grown.notify_all()


_PROGRAM = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from freehold.cli import main
main()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Watched:
    """The processes below one, held so that their end is seen even where their numbers are given to others."""

    def __init__(self, root: int) -> None:
        self._held = {pid: os.pidfd_open(pid) for pid in _descendants(root)}
        assert self._held, f"the process {root} has no children"

    def wait_until_gone(self, limit_s: float = 10.0) -> None:
        deadline = time.monotonic() + limit_s
        for pid, fd in self._held.items():
            ended, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
            os.close(fd)
            assert ended, f"the process {pid} is still there: {_command(pid)}"


def processes_in(directory: Path) -> list[str]:
    """The commands that run in a folder or were given it as an argument."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            place = os.readlink(entry / "cwd")
        except OSError:
            continue
        command = _command(int(entry.name))
        if place.startswith(str(directory)) or str(directory) in command:
            found.append(f"{entry.name}: {command}")
    return found


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
