"""Who made a connection over the loopback interface, by the kernel's own word: sock_diag(7) and proc(5). Linux.

What a program says of itself means nothing where several share a network; the user that its socket was made by, and
the processes that hold it, cannot be forged.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

Address = tuple[str, int]

_NETLINK_SOCK_DIAG, _BY_FAMILY, _REQUEST = 4, 20, 1
_HEAD = struct.Struct("=IHHII")
_QUESTION = struct.Struct("=BBBxI2s2s16s16sIII")
_USER_AT = _HEAD.size + 64
_NO_COOKIE = 0xFFFFFFFF
_MOST_FILES = 65_536  # More are looked at of nobody's: such a process answers itself badly only.


def owner_of(client: Address, server: Address) -> tuple[int, int] | None:
    """The user and the number of the socket at the client's end of a TCP connection (IPv4) of this machine; None: it is
    not there any more."""
    question = _QUESTION.pack(
        socket.AF_INET, socket.IPPROTO_TCP, 0, 0, struct.pack(">H", client[1]), struct.pack(">H", server[1]),
        socket.inet_aton(client[0]).ljust(16, b"\0"), socket.inet_aton(server[0]).ljust(16, b"\0"),
        0, _NO_COOKIE, _NO_COOKIE,
    )  # fmt: skip
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(_HEAD.pack(_HEAD.size + len(question), _BY_FAMILY, _REQUEST, 1, 0) + question)
        answer = kernel.recv(4096)
    if _HEAD.unpack_from(answer)[1] != _BY_FAMILY or len(answer) < _USER_AT + 8:
        return None
    user, number = struct.unpack_from("=II", answer, _USER_AT)
    return user, number


def holds(pid: int, number: int) -> bool:
    """Whether a process, or one of those beside and below it in its jail, has the socket of that number open."""
    wanted, looked_at = f"socket:[{number}]", 0
    left = [_parent(pid)]
    while left:
        one = left.pop()
        try:
            for task in os.listdir(f"/proc/{one}/task"):
                left += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
            for entry in os.scandir(f"/proc/{one}/fd"):
                looked_at += 1
                if looked_at > _MOST_FILES:
                    return False
                if os.readlink(entry.path) == wanted:
                    return True
        except OSError:
            # It has ended, or is the jail's first process, which opens nothing.
            continue
    return False


def user_of(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return pid
