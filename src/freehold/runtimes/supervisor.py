"""The first process of an environment with extensions: starts them, then the runtime, and tells how each one ended.

It runs inside the sandbox, on a Python of 3.9 or newer, alone with the standard library, never imported by the server.
`python -I -S supervisor.py`, descriptors: 1 and 2 the function's output, 3 and 4 the runtime's own if it has any, 5 the
control socket, 6 the extensions' output.

Messages, both ways: JSON, a line each. In: extensions, runtime, signal, connect. Out: failed, exited, connected,
refused. A connection to a port inside the sandbox rides on `connected`. When the control socket closes, all ends.
"""

import json
import os
import select
import signal
import socket
import sys

CONTROL_FD, EXTENSIONS_FD = 5, 6
RUNTIME = "runtime"
_HIGHEST_FD = 64
_CONNECT_S = 0.5


class Supervisor:
    def __init__(self, control):
        self.control = control
        self.received = b""
        self.names = {}  # pid -> name
        self.wake_read, self.wake_write = os.pipe()
        for fd in (self.wake_read, self.wake_write):
            os.set_blocking(fd, False)

    def serve(self):
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.wake_read, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if self.wake_read in ready:
                self.reap()
            if self.control.fileno() in ready:
                data = self.control.recv(65536)
                if not data:
                    os.killpg(0, signal.SIGKILL)
                self.received += data
                *lines, self.received = self.received.split(b"\n")
                for line in lines:
                    self.handle(json.loads(line))

    def handle(self, message):
        if message["op"] == "extensions":
            for path in message["paths"]:
                output = {1: EXTENSIONS_FD, 2: EXTENSIONS_FD}
                self.start(os.path.basename(path), [path], message["env"], message["cwd"], output)
        elif message["op"] == "runtime":
            self.start(RUNTIME, message["argv"], message["env"], message["cwd"], {1: 1, 2: 2, 3: 3, 4: 4})
        elif message["op"] == "signal":
            for pid, name in self.names.items():
                if name == message["name"]:
                    os.kill(pid, message["number"])
        elif message["op"] == "connect":
            self.connect(message["id"], message["port"])

    def start(self, name, argv, env, cwd, fds):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                for target, fd in fds.items():
                    if target != fd:
                        os.dup2(fd, target)
                for fd in range(3, _HIGHEST_FD):
                    if fd not in fds and fd != write_end:
                        _close(fd)
                os.chdir(cwd)
                os.execve(argv[0], argv, env)
            except OSError as error:
                os.write(write_end, os.strerror(error.errno or 0).encode())
            os._exit(127)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as report:
            why = report.read().decode()
        if why:
            os.waitpid(pid, 0)
            self.tell({"op": "failed", "name": name, "why": why})
        else:
            self.names[pid] = name

    def reap(self):
        try:
            os.read(self.wake_read, 4096)
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self.names.pop(pid, None)
            if name is not None:
                ended = {"op": "exited", "name": name, "code": None, "signal": None}
                if os.WIFSIGNALED(status):
                    ended["signal"] = os.WTERMSIG(status)
                else:
                    ended["code"] = os.WEXITSTATUS(status)
                self.tell(ended)

    def connect(self, number, port):
        try:
            connection = socket.create_connection(("127.0.0.1", port), _CONNECT_S)
        except OSError as error:
            self.tell({"op": "refused", "id": number, "why": os.strerror(error.errno or 0)})
            return
        self.tell({"op": "connected", "id": number}, [connection.fileno()])
        connection.close()

    def tell(self, message, fds=()):
        data = json.dumps(message).encode() + b"\n"
        if fds:
            socket.send_fds(self.control, [data], fds)
        else:
            self.control.sendall(data)


def _close(fd):
    try:
        os.close(fd)
    except OSError:
        pass


def main():
    os.set_inheritable(CONTROL_FD, False)
    Supervisor(socket.socket(fileno=CONTROL_FD)).serve()


if __name__ == "__main__":
    sys.exit(main())
