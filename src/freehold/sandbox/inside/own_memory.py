"""A function's memory without what its /tmp holds, which the kernel charges to the same control group.

A file system in memory cannot be charged to another group than its writer's. So the group's limit is the function's
memory, to the byte, until something in the jail opens a file of /tmp: that open waits (a fanotify permission) until the
limit has room for /tmp too. From then on the jail is looked at all the time, and ended when its memory without /tmp's
is over what it may have. Where the kernel asks nobody, that is so from the start.

fanotify(7), and the kernel's "Memory Resource Controller" and "Control Group v2".
"""

import ctypes
import os
import struct
import time

_INTERVAL_S = 0.05
_PER_JAIL_S = 0.001  # However many there are, looking takes a few hundredths of one processor.
_CLASS_CONTENT, _CLOEXEC, _NONBLOCK = 4, 1, 2
_ADD, _REMOVE, _WHOLE_FILE_SYSTEM = 1, 2, 0x100
_OPEN_PERMISSION, _ALLOW = 0x10000, 1
_AT_FDCWD = -100
_EVENT, _ANSWER = struct.Struct("<IBBHQii"), struct.Struct("<iI")

_libc = ctypes.CDLL(None, use_errno=True)


class OwnMemory:
    """Of one spawner. `fd` is to be polled for reading; -1: the kernel asks nobody."""

    def __init__(self, cgroups, place):
        self.cgroups = cgroups
        # An ordinary user's control groups, if there are any, are not looked into.
        self.watches = "memory" in cgroups.trees and os.geteuid() == 0
        self.jails = {}  # number -> what it was told of the jail
        self.watched = {}  # number -> its first process, once its /tmp is in use
        self.firsts = {}  # number -> its first process
        self.over = {}  # number -> KB that it held, of those that were too many when last looked at
        self.starved = {}  # Likewise, of those that were ended.
        self.due_s = 0.0
        self.fd = -1
        if self.watches:
            self.fd = _libc.fanotify_init(_CLASS_CONTENT | _CLOEXEC | _NONBLOCK, os.O_RDONLY | os.O_CLOEXEC)
        if self.fd >= 0 and not (self._mark(_ADD, place) and self._mark(_REMOVE, place)):
            os.close(self.fd)
            self.fd = -1

    def limit(self, number, jail):
        """Sets, or sets anew, what one jail may use. Raises OSError."""
        self.jails[number] = jail
        self.cgroups.limit(number, jail, number in self.watched or self.fd < 0)

    def mark(self):
        """In the first process of a jail, before anything of the function's runs."""
        if self.fd >= 0 and not self._mark(_ADD, "/tmp"):
            raise OSError(ctypes.get_errno(), "fanotify_mark: " + os.strerror(ctypes.get_errno()))

    def started(self, number, first):
        self.firsts[number] = first
        if self.watches and (self.fd < 0 or number in self.watched):
            self.watched[number] = first

    def ended(self, number):
        """KB of memory that it was ended for; None: it was not."""
        for known in (self.jails, self.watched, self.firsts, self.over):
            known.pop(number, None)
        return self.starved.pop(number, None)

    def answer(self):
        """Lets those go on who open a file of their /tmp."""
        try:
            data = os.read(self.fd, 64 * _EVENT.size)
        except BlockingIOError:
            return
        for at in range(0, len(data), _EVENT.size):
            _, _, _, _, mask, file, pid = _EVENT.unpack_from(data, at)
            if file < 0:
                continue
            if mask & _OPEN_PERMISSION:
                self._loosen(self.cgroups.number_of(pid), file)
                os.write(self.fd, _ANSWER.pack(file, _ALLOW))
            os.close(file)

    def _loosen(self, number, file):
        jail = self.jails.get(number)
        if jail is None:
            return
        try:
            self.cgroups.limit(number, jail, True)
        except OSError:
            # It is ending.
            return
        self.watched[number] = self.firsts.get(number, -1)
        self._mark(_REMOVE, None, file)

    def _mark(self, what, path, at=_AT_FDCWD):
        path = None if path is None else os.fsencode(path)
        mask = ctypes.c_uint64(_OPEN_PERMISSION)
        return _libc.fanotify_mark(self.fd, what | _WHOLE_FILE_SYSTEM, mask, at, path) == 0

    # Looking.

    def wait_ms(self):
        """Until somebody has to be looked at; None: nobody."""
        if not self.watched:
            return None
        return max(0, int((self.due_s - time.monotonic()) * 1000) + 1)

    def look(self):
        """The numbers of jails that hold more than they may, twice in a row: one look is no moment of one's own."""
        now_s = time.monotonic()
        if not self.watched or now_s < self.due_s:
            return []
        over = {}
        for number, first in self.watched.items():
            limit = self.jails[number]["memory_mb"] << 20
            if self.cgroups.memory_used(number) <= limit or first < 0:
                continue
            in_tmp = _held_by_tmp(first, self.jails[number])
            own = own_bytes(self.cgroups.memory_figures(number), max(in_tmp, _held_by_tmp(first, self.jails[number])))
            if own > limit:
                over[number] = own >> 10
        found = [number for number in over if number in self.over]
        for number in found:
            self.starved[number] = over[number]
        self.over = over
        self.due_s = time.monotonic() + (0.002 if over else max(_INTERVAL_S, _PER_JAIL_S * len(self.watched)))
        return found


def own_bytes(figures, in_tmp):
    """Of the figures of memory.stat, version 1 or 2: memory that is no file's, and shared memory that is not /tmp's."""
    return figures.get("rss", figures.get("anon", 0)) + max(0, figures.get("shmem", 0) - in_tmp)


def _held_by_tmp(first, jail):
    try:
        found = os.statvfs("/proc/%d/root/tmp" % first)
    except OSError:
        return jail["tmp_mb"] << 20
    return (found.f_blocks - found.f_bfree) * found.f_frsize
