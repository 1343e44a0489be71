"""The walls of a jail, put up by the process that will live in it: namespaces, a root of its own, no privileges.

Runs in spawner processes, on the function's interpreter (Python 3.9 or newer), Linux only. Two ways up: as root, each
jail gets a user id of its own; as an ordinary user, the spawner first enters a user namespace in which it is _USER.

One decision to know: what all jails of a kind share (system folders, interpreter, devices) is mounted once, in the
spawner's own mount namespace; a jail copies that and adds its code, its layers, /tmp and /proc.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import socket
import struct

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE, _MS_SLAVE = 4096, 16384, 1 << 18, 1 << 19
# What a remount must keep, as statvfs says it and as mount wants it.
_KEPT_FLAGS = ((1, 1), (2, 2), (4, 4), (8, 8), (1024, 1024), (2048, 2048), (4096, 1 << 21))
_MNT_DETACH = 2
_NEW_NS, _NEW_UTS, _NEW_IPC = 0x20000, 0x4000000, 0x8000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
LEAVING = _NEW_USER | _NEW_NS | _NEW_IPC  # What a template's forks may ask for.
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH, _CLONE_TREE, _MOVE_FROM_DESCRIPTOR = -100, 0x1000, 1, 4
_READ_ONLY, _NO_SETUID, _NO_DEVICES = 1, 2, 4
_USER = 993  # As inside AWS's environments.
_FIRST_USER = 1_993_000_000  # As root: user ids that no account of the machine has.
_USERS = 60_000  # Of each spawner.
_NAME = "sbx_user1051"

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix")
_SETTINGS = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "resolv.conf", "hosts", "host.conf", "nsswitch.conf", "gai.conf",
    "localtime", "services", "protocols", "mime.types", "os-release", "alternatives", "ca-certificates",
    "crypto-policies", "ssl/certs", "ssl/openssl.cnf", "pki/tls", "pki/ca-trust",
)  # fmt: skip
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
_BACKLOG = 1024
_DEVICES = ("null", "zero", "full", "random", "urandom")

_libc = ctypes.CDLL(None, use_errno=True)


class Walls:
    """Of one spawner. `place` is an empty folder, only ever covered by mounts that nobody else sees. `users`: which of
    the ranges of user ids is this spawner's."""

    def __init__(self, place, users):
        self.place = place
        self.first_user = _FIRST_USER + users * _USERS
        self.is_root = os.geteuid() == 0
        self.roots = {}
        self.users = 0
        if not self.is_root:
            _enter_user_namespace()
        _call("unshare", _NEW_NS)
        # What the machine mounts later is seen, what we mount stays ours.
        _mount("none", "/", None, _MS_REC | _MS_SLAVE)
        _mount("jails", place, "tmpfs", _MS_NOSUID, "mode=755,size=4m")
        self.mount_namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self.pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def prepare(self, jail):
        """In the spawner, before it forks: as root, its next child is the first process of a new pid namespace."""
        visible = tuple(jail["visible"])
        if visible not in self.roots:
            root = "%s/%d" % (self.place, len(self.roots))
            _build_root(root, visible)
            self.roots[visible] = root
        self.users += 1
        if self.is_root:
            _call("unshare", _NEW_PID)

    def close_network(self, ports):
        """In the spawner, before it forks: its next child has a network of its own, with a loopback interface and
        nothing else. What listens there on `ports`, for the server: these sockets stay in the network of their birth.

        We stay in it too, until the next one: nothing of ours needs one, and an ordinary user could not go back.
        """
        _call("unshare", _NEW_NET)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
        listening = []
        try:
            for port in ports:
                listening.append(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                listening[-1].bind(("127.0.0.1", port))
                listening[-1].listen(_BACKLOG)
        except OSError:
            for one in listening:
                one.close()
            raise
        return listening

    def forked(self):
        """In the spawner, after it forked: its other children are its own again."""
        if self.is_root:
            _call("setns", self.pid_namespace, _NEW_PID)

    def split(self):
        """In the spawner's child. An ordinary user may not go back to the machine's own pid namespace, so it is the
        child that leaves, and forks. 0 in the process that goes on; in the other, its pid."""
        if self.is_root:
            return 0
        _call("unshare", _NEW_PID)
        return os.fork()

    def enter(self, jail):
        """In the first process of a jail: the root that the function will see, and nothing else."""
        _call("unshare", _NEW_NS | _NEW_IPC | _NEW_UTS)
        _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
        root = self.roots[tuple(jail["visible"])]
        _mount(root, root, None, _MS_BIND | _MS_REC)
        for source, place in (("task_dir", "/var/task"), ("opt_dir", "/opt")):
            if jail[source]:
                _show(jail[source], root + place)
        self._name_user(root)
        _mount("tmp", root + "/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777,size=%dm" % jail["tmp_mb"])
        for path in jail["visible"]:
            if path.startswith("/tmp/"):
                _show_if_there(path, root)
        _mount("proc", root + "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
        _remount_read_only(root)
        os.chdir(root)
        # The old root is put on top of the new one and taken off: no folder of it is needed.
        _syscall(_PIVOT_ROOT[os.uname().machine], b".", b".")
        _call("umount2", b".", _MNT_DETACH)
        os.chdir("/")
        name = b"lambda"
        _call("sethostname", name, len(name))
        _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)

    def furnish(self, pid, jail):
        """In the spawner: code, layers and the size of /tmp for a jail that stands empty. `pid`: its first process, or,
        of an ordinary user's, the one before it."""
        mounts = [
            (_open_tree(jail[source]), place)
            for source, place in (("task_dir", b"/var/task"), ("opt_dir", b"/opt"))
            if jail[source]
        ]
        with self._inside(self.first(pid), mounts) as show:
            show()
            _mount("none", "/tmp", None, _MS_REMOUNT | _MS_NOSUID | _MS_NODEV, "size=%dm" % jail["tmp_mb"])

    @contextlib.contextmanager
    def _inside(self, pid, mounts):
        """In the mount namespace of a process, where what is called mounts these: (descriptor, place)."""
        inside = os.open("/proc/%d/ns/mnt" % pid, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", inside, _NEW_NS)
            try:
                yield lambda: [
                    _syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, place, _MOVE_FROM_DESCRIPTOR) for tree, place in mounts
                ]
            finally:
                _call("setns", self.mount_namespace, _NEW_NS)
        finally:
            for fd in (inside, *(tree for tree, _ in mounts)):
                os.close(fd)

    def leave(self):
        """In what a template forked: into namespaces of its own, and a user namespace in which it may enter them."""
        _call("unshare", LEAVING)

    def settle(self, pid, jail, user, mark):
        """In the spawner: a process that has left gets a user of its own, which it sees as `user`, and an empty /tmp,
        which is marked."""
        self.users += 1
        for name in ("uid_map", "gid_map"):
            with open("/proc/%d/%s" % (pid, name), "w") as file:
                file.write("%d %d 1" % (user, self.user))
        shown = [path for path in jail["visible"] if path.startswith("/tmp/") and os.path.isdir(path)]
        with self._inside(pid, [(_open_tree(path), os.fsencode(path)) for path in shown]) as show:
            _mount("tmp", "/tmp", "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=1777,size=%dm" % jail["tmp_mb"])
            for path in shown:
                os.makedirs(path)
            show()
            mark()

    def first(self, pid):
        """The first process of a jail, by the one that was forked for it."""
        if self.is_root:
            return pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return int(file.read().split()[0])

    @property
    def user(self):
        """The user id of the jail that was prepared last, as it sees itself."""
        return self.first_user + self.users % _USERS if self.is_root else _USER

    def _name_user(self, root):
        for name, text in (("passwd", "%s:x:%d:%d::/home/%s:/sbin/nologin\n"), ("group", "%s:x:%d:\n")):
            values = (_NAME, self.user, self.user, _NAME)[: text.count("%")]
            file = "%s/%s-%d" % (self.place, name, self.users)
            with open(file, "w") as out:
                out.write("root:x:0:0:root:/root:/sbin/nologin\n" if name == "passwd" else "root:x:0:\n")
                out.write(text % values)
            _bind(file, "%s/etc/%s" % (root, name))
            os.unlink(file)

    def drop(self, jail, may_leave=False):
        """In the process that becomes the function: another user, no capability, and no way to any."""
        processes = jail["processes"]
        # A template's limit would be that of all its forks together.
        if self.is_root and not may_leave:
            resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
        last = 0
        while last < 64:
            if _libc.prctl(_PR_CAPBSET_DROP, last, 0, 0, 0) != 0:
                break
            last += 1
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
        if self.is_root:
            os.setgroups([])
            os.setresgid(self.user, self.user, self.user)
            os.setresuid(self.user, self.user, self.user)
        head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        _syscall(_CAPSET[os.uname().machine], head, (ctypes.c_uint32 * 6)())
        # A change of user hides a process from itself.
        _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)
        _call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _enter_user_namespace():
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEW_USER)
    for name, text in (
        ("setgroups", "deny"), ("uid_map", "%d %d 1" % (_USER, user)), ("gid_map", "%d %d 1" % (_USER, group))
    ):  # fmt: skip
        with open("/proc/self/" + name, "w") as file:
            file.write(text)


def _build_root(root, visible):
    for folder in ("var/task", "var/runtime", "opt", "tmp", "proc", "dev", "etc"):
        os.makedirs("%s/%s" % (root, folder))
    for folder in _SYSTEM:
        if os.path.islink(folder):
            os.symlink(os.readlink(folder), root + folder)
        elif os.path.isdir(folder):
            os.mkdir(root + folder)
            _show(folder, root + folder)
    for name in _SETTINGS:
        _show_if_there("/etc/" + name, root)
    for name in _DEVICES:
        open("%s/dev/%s" % (root, name), "x").close()
        _bind("/dev/" + name, "%s/dev/%s" % (root, name))
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink("/proc/self/fd" + target, "%s/dev/%s" % (root, name))
    for name in ("passwd", "group"):
        open("%s/etc/%s" % (root, name), "x").close()
    for path in visible:
        if not path.startswith(("/usr/", "/tmp/")):
            _show_if_there(path, root)


def _open_tree(source):
    """A mount of a folder that is nowhere yet, read-only and without devices; a descriptor. Linux 5.12."""
    tree = _libc.syscall(ctypes.c_long(_OPEN_TREE), _AT_FDCWD, os.fsencode(source), _CLONE_TREE | os.O_CLOEXEC)
    if tree < 0:
        _fail("open_tree", source)
    attributes = (ctypes.c_uint64 * 4)(_READ_ONLY | _NO_SETUID | _NO_DEVICES, 0, 0, 0)
    try:
        _syscall(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH, attributes, ctypes.c_long(32))
    except OSError:
        os.close(tree)
        raise
    return tree


def _show_if_there(path, root):
    target = root + path
    if not os.path.exists(path) or os.path.exists(target):
        return
    if os.path.isdir(path):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "x").close()
    _show(path, target)


def _show(source, target):
    """Read-only, without devices, and no program there gains a privilege."""
    _bind(source, target)
    _remount_read_only(target)


def _bind(source, target):
    _mount(source, target, None, _MS_BIND)


def _remount_read_only(target):
    found = os.statvfs(target).f_flag
    kept = sum(flag for seen, flag in _KEPT_FLAGS if found & seen)
    # Devices stay usable below: their own mounts carry that flag.
    _mount("none", target, None, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | kept)


def _mount(source, target, kind, flags, data=None):
    _call(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        kind and kind.encode(),
        ctypes.c_ulong(flags),
        data and data.encode(),
        what=target,
    )


def _call(name, *arguments, what=""):
    if getattr(_libc, name)(*arguments) != 0:
        _fail(name, what)


def _syscall(number, *arguments):
    if _libc.syscall(ctypes.c_long(number), *arguments) != 0:
        _fail("system call %d" % number, "")


def _fail(name, what):
    number = ctypes.get_errno()
    raise OSError(number, "%s %s: %s" % (name, what, os.strerror(number or errno.EIO)))
