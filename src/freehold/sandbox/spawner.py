"""The program of a spawner process: starts children on request, reports their ends, and takes all of them with it.

It runs on the function's interpreter (Python 3.9 or newer), alone with the standard library, never imported by the
server. Single-threaded, so that forking is safe. `python -I -S spawner.py CONTROL_FD [ENTRY_FILE [ARGUMENT...]]`.

Messages, both ways: 4 bytes length (big endian), JSON; descriptors ride on the length. In: start, fork, furnish, kill.
Out: ready, settled, started, furnished, failed, exited. When the control socket closes (the server is gone, however it
went), everything is killed.
"""

import array
import ctypes
import fcntl
import gc
import importlib.util
import json
import os
import resource
import select
import signal
import socket
import struct
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_MADV_COLLAPSE, _LARGE_PAGE = 25, 2 << 20
_MAX_FDS = 16
_QUIET_MS = 50
_STATUS = struct.Struct(">iq")  # Of a jailed function: as wait says it, and its memory.
_HIGH_FD = 100  # Received descriptors are moved here, out of the way of their targets.


def main():
    control = socket.socket(fileno=int(sys.argv[1]))
    entry = _load(sys.argv[2]) if len(sys.argv) > 2 else None
    spawner = Spawner(control, entry)
    del sys.argv[:2]
    child = spawner.serve()
    # Only a forked child gets here; it runs at the bottom of the stack so that it ends as any program ends.
    if child is not None:
        child()


class Spawner:
    def __init__(self, control, entry):
        self.control = control
        self.entry = entry
        self.preload = list(getattr(entry, "PRELOAD", ()))
        self.processes = {}  # pid -> the server's id
        self.ends = {}  # The server's id -> pid
        self.jails = {}  # pid of a jail's first process -> (end of its status pipe, control groups)
        self.walls = None  # Made with the first jail.
        self.cgroups = None
        self.memory = None  # What the jails hold of it, where control groups limit that.
        self.inside = {}  # The modules of inside/, by name.
        self.forks = None  # Made with the first process that forks again.
        self.wake_read, self.wake_write = os.pipe()
        for fd in (self.wake_read, self.wake_write):
            os.set_blocking(fd, False)

    def serve(self):
        """Returns in a forked child only, with what it has to run; the spawner itself exits."""
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        if self.preload:
            # What every child needs; the other steps wait for quiet moments.
            self.preload.pop(0)()
        self.send({"op": "ready"})
        if not self.preload:
            self.send({"op": "settled"})
        self.poll = poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.wake_read, select.POLLIN)
        while True:
            events = dict(poll.poll(_QUIET_MS if self.preload else self.memory.wait_ms() if self.memory else None))
            if self.memory:
                self.mind_memory(events)
            if self.forks:
                self.forks.hear(events)
            if self.wake_read in events:
                self.reap()
            if self.control.fileno() in events:
                message, fds = self.receive()
                if message is None:
                    self.end()
                child = self.handle(message, fds)
                if child is not None:
                    return child
            elif self.preload:
                # A step at a time, so that a start never waits for all of them.
                self.preload.pop(0)()
                if not self.preload:
                    gc.collect()
                    gc.freeze()
                    _use_large_pages()
                    self.send({"op": "settled"})

    def handle(self, message, fds):
        if message["op"] == "fork":
            self.forks.order(message, fds)
            return None
        if message["op"] == "kill":
            self.kill(message["id"])
            return None
        if message["op"] == "furnish":
            self.furnish(message)
            return None
        return self.start(message, fds)

    def kill(self, number):
        if self.forks:
            self.forks.kill(number)
        pid = self.ends.get(number)
        if pid is not None:
            # A jail ends with its first process. Without one, what made a group of its own is found by its parents.
            below = [] if pid in self.jails else _below(pid)
            _kill_group(pid)
            for one in below:
                _kill_group(one)

    def start(self, message, fds):
        jail = message.get("jail")
        read_end, write_end = os.pipe()
        status_read = status_write = -1
        folders, listening, control = [], [], None
        try:
            if message["forks"]:
                control, theirs = self.begin_forks()
                message["fds"].append(self.inside["forks"].CONTROL_FD)
                fds.append(theirs.detach())
            if jail:
                folders, listening = self.build(message["id"], jail)
                if control and "pids" not in self.cgroups.trees:
                    raise OSError("who forks again needs control groups to be held by")
                status_read, status_write = os.pipe()
            pid = os.fork()
        except OSError as error:
            self.send({"op": "failed", "id": message["id"], "why": str(error)})
            for fd in (*fds, read_end, write_end):
                os.close(fd)
            _close_all(listening)
            if folders:
                self.memory.ended(message["id"])
                self.cgroups.remove(folders)
            if control:
                control.close()
            return None
        if pid == 0:
            _close_all(listening)
            os.close(read_end)
            return self.become(message, fds, write_end, status_write, folders)
        os.close(write_end)
        for fd in fds:
            os.close(fd)
        if jail:
            self.walls.forked()
            os.close(status_write)
            self.jails[pid] = status_read, folders
            self.memory.started(message["id"], pid)
        why = _read_all(read_end) if message["argv"] or jail else b""
        os.close(read_end)
        self.processes[pid] = message["id"]
        self.ends[message["id"]] = pid
        if control:
            self.forks.started(message["id"], control, self.walls.user if jail else -1, jail)
        if why:
            self.send({"op": "failed", "id": message["id"], "why": why.decode()})
        else:
            started = {"op": "started", "id": message["id"], "pid": pid}
            if jail:
                started["pid"] = _youngest(pid)  # The function itself.
                started["controls"] = self.cgroups.layers
                started["listening"] = len(listening)
            self.send(started, listening)
        _close_all(listening)
        return None

    def load_inside(self, *names):
        for name in names:
            file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside", name + ".py")
            self.inside[name] = _load(file, name)

    def begin_forks(self):
        if self.forks is None:
            self.load_inside("forks")
            self.forks = self.inside["forks"].Forks(self)
        return self.forks.begin()

    def build(self, number, jail):
        """What a jail needs from outside, before the fork: its control groups, and what listens in its network."""
        if self.walls is None:
            self.load_inside("walls", "seccomp", "cgroups", "own_memory")
            self.walls = self.inside["walls"].Walls(jail["place"], jail["users"])
            self.cgroups = self.inside["cgroups"].Cgroups(str(os.getpid()), jail["cpu_limit"])
            self.memory = self.inside["own_memory"].OwnMemory(self.cgroups, jail["place"])
            if self.memory.fd >= 0:
                self.poll.register(self.memory.fd, select.POLLIN)
        folders, listening = self.cgroups.make(number), []
        try:
            self.memory.limit(number, jail)
            listening = self.walls.close_network(jail["ports"]) if jail["ports"] else []
            self.walls.prepare(jail)
        except OSError:
            _close_all(listening)
            self.memory.ended(number)
            self.cgroups.remove(folders)
            raise
        return folders, listening

    def mind_memory(self, events):
        """Who writes to /tmp gets room for it, who takes that room for something else is ended."""
        if self.memory.fd in events:
            self.memory.answer()
        for number in self.memory.look():
            if number in self.ends:
                _kill_group(self.ends[number])
            elif self.forks:
                self.forks.kill(number)

    def furnish(self, message):
        """A jail that was made empty gets its code, the size of its /tmp and its limits."""
        pid = self.ends.get(message["id"])
        why = ""
        try:
            if pid is None:
                raise OSError("it has ended")
            self.memory.limit(message["id"], message["jail"])
            self.walls.furnish(pid, message["jail"])
        except OSError as error:
            why = str(error)
        self.send({"op": "furnished", "id": message["id"], "why": why})

    def become(self, message, fds, report, status, folders):
        """In the child: puts descriptors and limits in place. The report pipe closes on a successful exec."""
        jail = message.get("jail")
        try:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            if jail:
                self.inside["cgroups"].join(folders)
                first = self.walls.split()
                if first != 0:
                    _watch(first, -1)
                _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                self.walls.enter(jail)
                self.memory.mark()
                child = os.fork()
                if child != 0:
                    _watch(child, status)
            os.setsid()
            report = _place(message["fds"], fds, report)
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            files = message["open_files"] if hard == resource.RLIM_INFINITY else min(message["open_files"], hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if jail:
                self.walls.drop(jail, message["forks"])
                if self.inside["seccomp"].supported():
                    self.inside["seccomp"].install(self.inside["walls"].LEAVING if message["forks"] else 0)
            os.chdir(message["cwd"])
            if message["argv"]:
                os.execve(message["argv"][0], message["argv"], message["env"])
            os.close(report)
        except OSError as error:
            os.write(report, str(error).encode())
            os._exit(127)
        # What Python set up for itself, a program of its own would have too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.environ.clear()
        os.environ.update(message["env"])
        if message["forks"]:
            walls, seccomp, wait = self.walls, self.inside.get("seccomp"), self.inside["forks"].wait
            self.entry.wait_for_restore = lambda: wait(walls, seccomp, jail)
        return self.entry.enter

    def reap(self):
        try:
            os.read(self.wake_read, 4096)
        except BlockingIOError:
            pass
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            # The rest of its group goes before its number may be given to somebody else.
            known = self.processes.pop(ended.si_pid, None)
            if known is not None:
                _kill_group(ended.si_pid)
            _, status, usage = os.wait4(ended.si_pid, 0)
            max_rss, out_of_memory = usage.ru_maxrss, False
            if ended.si_pid in self.jails:
                status, max_rss, out_of_memory = self.tear_down(ended.si_pid, known, status)
            if known is not None:
                del self.ends[known]
                if self.forks:
                    self.forks.template_ended(known)
                said = {"status": status, "max_rss": max_rss, "out_of_memory": out_of_memory}
                self.send({"op": "exited", "id": known, **said})

    def tear_down(self, pid, number, status):
        """A jail's first process has ended, and with it all others: how the function ended, its memory in
        KB, and whether it was killed for want of more."""
        status_read, folders = self.jails.pop(pid)
        said = _read_all(status_read)
        os.close(status_read)
        max_rss = 0
        if len(said) == _STATUS.size:
            status, max_rss = _STATUS.unpack(said)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        out_of_memory = killed and self.inside["cgroups"].ran_out_of_memory(folders)
        self.cgroups.remove(folders)
        starved_kb = self.memory.ended(number)
        if starved_kb is not None:
            return signal.SIGKILL, starved_kb, True
        return status, max_rss, out_of_memory

    def end(self):
        """Kills until no child is left: what left its group was handed to us when its parent died."""
        for pid in list(self.processes):
            _kill_group(pid)
        while True:
            for pid in _children():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                pid, status = os.wait()
            except ChildProcessError:
                if self.cgroups is not None:
                    if self.forks:
                        self.forks.close()
                    self.cgroups.close()
                os._exit(0)
            if pid in self.jails:
                self.tear_down(pid, self.processes.get(pid), status)

    def send(self, message, sockets=()):
        data = json.dumps(message).encode()
        data = struct.pack(">I", len(data)) + data
        try:
            sent = socket.send_fds(self.control, [data], [one.fileno() for one in sockets]) if sockets else 0
            self.control.sendall(data[sent:])
        except OSError:
            self.end()

    def receive(self):
        """(None, []) when the server is gone."""
        try:
            head, ancillary, _, _ = self.control.recvmsg(4, socket.CMSG_SPACE(_MAX_FDS * 4))
        except OSError:
            return None, []
        fds = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        head += self.exactly(4 - len(head)) if head else b""
        if len(head) < 4:
            return None, []
        body = self.exactly(struct.unpack(">I", head)[0])
        return (json.loads(body), list(fds)) if body else (None, [])

    def exactly(self, size):
        parts = []
        while size:
            part = self.control.recv(size)
            if not part:
                return b""
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _load(file, name="bootstrap"):
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _watch(child, status):
    """The first process of a jail: buries what loses its parent; when the function ends, so does all. `status` -1: the
    process before it, which only waits."""
    if status >= 0:
        os.dup2(status, 0)
    os.closerange(1 if status >= 0 else 0, _HIGH_FD + 2 * _MAX_FDS)
    while True:
        pid, ended, usage = os.wait4(-1, 0)
        if pid == child and status < 0:
            os._exit(0)
        if pid == child:
            os.write(0, _STATUS.pack(ended, usage.ru_maxrss))
            os._exit(0)


def _place(targets, fds, report):
    """Descriptors at their numbers, /dev/null at 0, nothing else open. The report pipe's new number."""
    report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD) for fd in fds]
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    for number in (1, 2):
        if number not in targets:
            os.dup2(null, number)
    last = 2
    for number, fd in sorted(zip(targets, moved)):
        os.closerange(last + 1, number)
        os.dup2(fd, number)
        last = max(last, number)
    os.closerange(last + 1, report)
    os.closerange(report + 1, _HIGH_FD + 2 * _MAX_FDS)
    return report


def _close_all(sockets):
    for one in sockets:
        one.close()


def _kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # The child has not made its group yet, or macOS speaks of a zombie.
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _children(pid=None):
    pid = pid or os.getpid()
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def _below(pid):
    """All descendants. A process that stops at nothing may fork meanwhile: what is missed ends with the spawner."""
    found, left = [], [pid]
    while left:
        children = _children(left.pop())
        found += children
        left += children
    return found


def _youngest(pid):
    """The last of a line of only children."""
    while True:
        children = _children(pid)
        if not children:
            return pid
        pid = children[0]


def _read_all(fd):
    parts = []
    while True:
        part = os.read(fd, 4096)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _use_large_pages():
    """Our memory in as few page tables as there can be: a fork copies them. Linux 6.1; elsewhere forks take longer."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    with open("/proc/self/maps") as file:
        lines = [line.split() for line in file]
    for span, access, _, _, inode, *name in lines:
        if access == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(number, 16) for number in span.split("-"))
            start, end = -(-start // _LARGE_PAGE) * _LARGE_PAGE, end // _LARGE_PAGE * _LARGE_PAGE
            if end > start:
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_COLLAPSE)


def _prctl(option, value):
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
