"""Processes that fork again after their init, SnapStart's: the spawner's end of it, and the process's own. Linux.

A template lives in a jail like any other. What it forks joins control groups of its own, by descriptors that the
spawner opened, and leaves for a mount namespace of its own, the one thing that its filter of system calls lets it leave
for. The spawner then gives it a user and an empty /tmp there, and only then is it let on.

One decision to know: function code may speak for the template and its forks. Nobody waits for them, and what they say
is believed of themselves only; who they are the kernel says.
"""

import json
import os
import select
import signal
import socket
import struct

CONTROL_FD = 5  # In the template.
_CREDENTIALS = struct.Struct("3i")
_LONGEST = 4096
_MAX_FDS = 16
_LEFT_FILES = 256  # In /tmp, by an init.
_ROUNDS = 1000


class Forks:
    """Of one spawner, which polls the sockets and passes on what it hears."""

    def __init__(self, spawner):
        self.spawner = spawner
        self.templates = {}  # number -> (socket, the user it sees itself as, its jail)
        self.arriving = {}  # descriptor of a socket -> (number, the template's, socket, jail, control groups)
        self.forks = {}  # number -> (pid, descriptor of its process, the template's number, control groups)
        self.leaving = []  # Control groups whose last processes still end.

    def begin(self):
        """The two ends of a new template's control socket."""
        if not hasattr(socket, "SO_PASSCRED"):
            raise OSError("forks of forks need Linux")
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def started(self, number, control, user, jail):
        control.setblocking(False)
        self.templates[number] = control, user, jail
        self.spawner.poll.register(control, select.POLLIN)

    def order(self, message, fds):
        """A fork is wanted; who becomes it will say so."""
        number, jail, folders, doors = message["id"], message.get("jail"), [], []
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            if message["of"] not in self.templates:
                raise OSError("the process that forks has ended")
            if jail:
                folders = self.spawner.cgroups.make(number)
                self.spawner.memory.limit(number, jail)
                doors = self.spawner.cgroups.doors(folders)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ours.setblocking(False)
            control = self.templates[message["of"]][0]
            order = {"id": number, "fds": message["fds"], "doors": len(doors)}
            socket.send_fds(control, [json.dumps(order).encode()], [theirs.fileno(), *doors, *fds])
        except OSError as error:
            ours.close()
            self.refuse(number, folders, str(error))
        else:
            self.arriving[ours.fileno()] = number, message["of"], ours, jail, folders
            self.spawner.poll.register(ours, select.POLLIN)
        finally:
            theirs.close()
            for fd in (*doors, *fds):
                os.close(fd)

    def hear(self, events):
        self.tidy()
        for fd in list(events):
            if fd in self.arriving:
                self.meet(fd)
        for number, (control, _, _) in list(self.templates.items()):
            if control.fileno() in events:
                self.listen(number, control)

    def meet(self, fd):
        """Somebody says that it is the fork."""
        number, template, talk, jail, folders = self.arriving.pop(fd)
        self.spawner.poll.unregister(fd)
        pid = -1
        try:
            said, ancillary, _, _ = talk.recvmsg(_LONGEST, socket.CMSG_SPACE(_CREDENTIALS.size))
            for _, kind, data in ancillary:
                if kind == socket.SCM_CREDENTIALS:
                    pid = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0]
            if said != b"up" or pid <= 0:
                raise OSError(said.decode("utf-8", "replace") or "the process did not fork")
            process = os.pidfd_open(pid)
            try:
                if jail:
                    if self.spawner.cgroups.number_of(pid) != number:
                        raise OSError("the process did not join its control groups")
                    _, user, room = self.templates[template]
                    jail = {**jail, "visible": room["visible"]}
                    self.spawner.walls.settle(pid, jail, user, self.spawner.memory.mark)
                    self.spawner.memory.started(number, pid)
                talk.send(b"go")
            except OSError:
                signal.pidfd_send_signal(process, signal.SIGKILL)
                os.close(process)
                raise
        except OSError as error:
            self.refuse(number, folders, str(error))
            return
        finally:
            talk.close()
        self.forks[number] = pid, process, template, folders
        controls = self.spawner.cgroups.layers if jail else []
        self.spawner.send({"op": "started", "id": number, "pid": pid, "controls": controls})

    def refuse(self, number, folders, why):
        self.leave(number, folders)
        self.spawner.send({"op": "failed", "id": number, "why": why})

    def listen(self, number, control):
        """A template tells how one of its forks ended."""
        try:
            said = json.loads(control.recv(_LONGEST) or b"null")
            ended, status, max_rss = int(said["ended"]), int(said["status"]), int(said["max_rss"])
        except BlockingIOError:
            return
        except (OSError, ValueError, TypeError, KeyError):
            # Gone, or none of ours any more: its end is told by its parent.
            self.spawner.poll.unregister(control)
            self.templates.pop(number)
            control.close()
            return
        if ended in self.forks and self.forks[ended][2] == number:
            self.end(ended, status & 0xFFFF, max(0, max_rss))

    def end(self, number, status, max_rss):
        """A fork is over: so is all that it left behind."""
        pid, process, _, folders = self.forks.pop(number)
        for send, target in ((signal.pidfd_send_signal, process), *(() if folders else ((os.killpg, pid),))):
            try:
                send(target, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        os.close(process)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        starved = bool(folders) and killed and self.spawner.inside["cgroups"].ran_out_of_memory(folders)
        starved_kb = self.leave(number, folders)
        if starved_kb is not None:
            status, max_rss, starved = signal.SIGKILL, starved_kb, True
        said = {"status": status, "max_rss": max_rss, "out_of_memory": starved}
        self.spawner.send({"op": "exited", "id": number, **said})

    def template_ended(self, number):
        known = self.templates.pop(number, None)
        if known is not None:
            self.spawner.poll.unregister(known[0])
            known[0].close()
        for one, (_, _, template, _) in list(self.forks.items()):
            if template == number:
                self.end(one, signal.SIGKILL, 0)
        for fd, (_, template, *_) in list(self.arriving.items()):
            if template == number:
                self.give_up(fd)

    def kill(self, number):
        if number in self.forks:
            self.end(number, signal.SIGKILL, 0)
        for fd, (one, *_) in list(self.arriving.items()):
            if one == number:
                self.give_up(fd)

    def give_up(self, fd):
        number, _, talk, _, folders = self.arriving.pop(fd)
        self.spawner.poll.unregister(fd)
        talk.close()
        self.refuse(number, folders, "it was not wanted any more")

    def leave(self, number, folders):
        """Lets go of the control groups. KB of memory that it was ended for, or None."""
        starved_kb = self.spawner.memory.ended(number) if self.spawner.memory else None
        if folders:
            _kill_all(folders)
            self.leaving.append(folders)
            self.tidy()
        return starved_kb

    def tidy(self):
        self.leaving = [folders for folders in self.leaving if not self.spawner.cgroups.remove(folders)]

    def close(self):
        """All processes have ended."""
        held = [*self.forks.values(), *self.arriving.values()]
        for folders in (*self.leaving, *(one[-1] for one in held)):
            self.spawner.cgroups.remove(folders)


def _kill_all(folders):
    """All processes of a control group, until none is left to fork another."""
    for folder in folders[:1]:
        for _ in range(_ROUNDS):
            try:
                with open(folder + "/cgroup.procs") as file:
                    pids = [int(pid) for pid in file.read().split()]
            except OSError:
                return
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if not pids:
                return


# In the template.


def wait(walls, seccomp, jail):
    """Forks whenever it is told to; returns in each fork, once its descriptors are in place and its jail is its own."""
    control = socket.socket(fileno=CONTROL_FD)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    children = {}  # Descriptor of a process -> (pid, the spawner's number)
    while True:
        for fd, _ in poll.poll():
            if fd in children:
                poll.unregister(fd)
                os.close(fd)
                pid, number = children.pop(fd)
                _, status, usage = os.wait4(pid, 0)
                control.send(json.dumps({"ended": number, "status": status, "max_rss": usage.ru_maxrss}).encode())
                continue
            said, given, _, _ = socket.recv_fds(control, _LONGEST, _MAX_FDS)
            if not said:
                os._exit(0)
            order = json.loads(said)
            pid = os.fork()
            if pid == 0:
                control.close()
                for other in children:
                    os.close(other)
                _become(order, given, walls, seccomp, jail)
                return
            for one in given:
                os.close(one)
            process = os.pidfd_open(pid)
            children[process] = pid, order["id"]
            poll.register(process, select.POLLIN)


def _become(order, given, walls, seccomp, jail):
    talk, doors, fds = socket.socket(fileno=given[0]), given[1 : 1 + order["doors"]], given[1 + order["doors"] :]
    try:
        for door in doors:
            os.write(door, b"0")
            os.close(door)
        os.setsid()
        left = _left_in_tmp(jail["visible"]) if jail else []
        if jail:
            walls.leave()
        talk.send(b"up")
        if talk.recv(8) != b"go":
            os._exit(1)
        if jail:
            walls.drop(jail)
            if seccomp.supported():
                seccomp.install()
            _put_into_tmp(left)
        talk.close()
        for target, fd in zip(order["fds"], fds):
            os.dup2(fd, target)
            os.close(fd)
    except OSError as error:
        talk.send(str(error).encode() or b"failed")
        os._exit(1)


def _left_in_tmp(shown):
    """What the init wrote is in every fork's own /tmp: (path, mode, descriptor or None, target of a link), folders
    before what they hold. Not what the machine `shown` there."""
    found = []
    for folder, names, files in os.walk("/tmp"):
        names[:] = [
            name for name in names if not any((path + "/").startswith("%s/%s/" % (folder, name)) for path in shown)
        ]
        for name in (*names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if os.path.islink(path):
                found.append((path, None, None, os.readlink(path)))
            elif name in names:
                found.append((path, status.st_mode & 0o7777, None, None))
            elif os.path.isfile(path):
                found.append((path, status.st_mode & 0o7777, os.open(path, os.O_RDONLY), None))
            if len(found) > _LEFT_FILES:
                raise OSError("the init left more than %d files in /tmp" % _LEFT_FILES)
    return found


def _put_into_tmp(left):
    for path, mode, fd, target in left:
        if target is not None:
            os.symlink(target, path)
        elif fd is None:
            os.mkdir(path)
            os.chmod(path, mode)
        else:
            with open(fd, "rb") as source, open(path, "xb") as copy:
                while True:
                    part = source.read(1 << 20)
                    if not part:
                        break
                    copy.write(part)
            os.chmod(path, mode)
