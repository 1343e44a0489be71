"""A control group for each jail: memory as a hard limit, CPU by memory where asked for, the number of processes.

Knows version 1 (a tree for each controller) and version 2 (one tree). What the machine does not hand out is left out,
and said: `layers` names what is there.
"""

import os

_ROOT = "/sys/fs/cgroup"
_GROUP = "freehold"
_PERIOD_US = 100_000
_ONE_CPU_MB = 1769  # AWS: "Configure Lambda function memory".


class Cgroups:
    """Of one spawner; `name` tells its groups from those of others.

    `with_cpu`: CPU by memory too. Not taken unasked: a process in a group of its own is woken later on a busy machine,
    which cost a tenth of the throughput when it was measured.
    """

    def __init__(self, name, with_cpu):
        self.is_v2 = os.path.exists(_ROOT + "/cgroup.controllers")
        self.trees = {}  # controller -> the folder that holds our groups
        for controller in ("memory", "pids", *(["cpu"] if with_cpu else [])):
            folder = "%s/%s" % (_ROOT if self.is_v2 else "%s/%s" % (_ROOT, controller), _GROUP)
            try:
                self._open(controller, folder)
                _sweep(folder)
                os.makedirs("%s/%s" % (folder, name), exist_ok=True)
                if self.is_v2:
                    _write(folder + "/cgroup.subtree_control", "+" + controller)
                    _write("%s/%s/cgroup.subtree_control" % (folder, name), "+" + controller)
            except OSError:
                continue
            self.trees[controller] = "%s/%s" % (folder, name)
        if "cpu" in self.trees:
            self._weigh_all()

    def _weigh_all(self):
        """All functions together weigh what a process on each core does; alone, a group weighs as one process."""
        cores = os.cpu_count() or 1
        for folder in (os.path.dirname(self.trees["cpu"]), self.trees["cpu"]):
            if self.is_v2:
                _write(folder + "/cpu.weight", str(min(10_000, 100 * cores)))
            else:
                _write(folder + "/cpu.shares", str(1024 * cores))

    @property
    def layers(self):
        return sorted(self.trees)

    def make(self, number):
        """The folders of one jail. Raises OSError."""
        folders = sorted({"%s/%d" % (tree, number) for tree in self.trees.values()})
        for folder in folders:
            os.mkdir(folder)
        if self.is_v2 and "memory" in self.trees:
            self._forbid_swap(number)
        return folders

    def limit(self, number, jail, with_tmp):
        """Sets, or sets anew, what one jail may use. `with_tmp`: memory for all that its /tmp may hold, too: see
        own_memory.py. Raises OSError."""
        limit = str((jail["memory_mb"] + (jail["tmp_mb"] if with_tmp else 0)) << 20)
        share = jail["memory_mb"] / _ONE_CPU_MB
        if "memory" in self.trees:
            self._set("memory", number, "memory.limit_in_bytes", "memory.max", limit)
        if "pids" in self.trees:
            # One more than the function's own: the jail's first process.
            self._set("pids", number, "pids.max", "pids.max", str(jail["processes"] + 1))
        if "cpu" in self.trees:
            self._set(
                "cpu", number, "cpu.shares", "cpu.weight", str(max(2, int(share * (100 if self.is_v2 else 1024))))
            )
            quota = max(1000, int(share * _PERIOD_US))
            if self.is_v2:
                _write("%s/%d/cpu.max" % (self.trees["cpu"], number), "%d %d" % (quota, _PERIOD_US))
            else:
                _write("%s/%d/cpu.cfs_quota_us" % (self.trees["cpu"], number), str(quota))

    def doors(self, folders):
        """Descriptors by which a process that cannot see these groups moves itself into them, by writing 0."""
        return [os.open(_list_of(folder), os.O_WRONLY | os.O_CLOEXEC) for folder in folders]

    def number_of(self, pid):
        """The jail that a process belongs to, by all of its control groups; -1: none."""
        found = set()
        for line in _read("/proc/%d/cgroup" % pid).splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers if self.is_v2 else controllers in self.trees:
                found.add(path.rpartition("/")[2])
        name = found.pop() if len(found) == 1 else ""
        return int(name) if name.isdigit() else -1

    def memory_used(self, number):
        """Bytes, those of files that it read with them; 0: it is ending."""
        name = "memory.current" if self.is_v2 else "memory.usage_in_bytes"
        return int(_read("%s/%d/%s" % (self.trees["memory"], number, name)) or 0)

    def memory_figures(self, number):
        """memory.stat: name -> number."""
        lines = _read("%s/%d/memory.stat" % (self.trees["memory"], number)).splitlines()
        return {name: int(figure) for name, figure in (line.split() for line in lines)}

    def remove(self, folders):
        """True when they are gone."""
        for folder in folders:
            try:
                os.rmdir(folder)
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True

    def close(self):
        for folder in set(self.trees.values()):
            try:
                os.rmdir(folder)
            except OSError:
                continue

    def _open(self, controller, folder):
        if not self.is_v2:
            if not os.path.exists("%s/%s/cgroup.procs" % (_ROOT, controller)):
                raise OSError("no such controller")
        else:
            with open(_ROOT + "/cgroup.controllers") as file:
                if controller not in file.read().split():
                    raise OSError("no such controller")
            _write(_ROOT + "/cgroup.subtree_control", "+" + controller)
        os.makedirs(folder, exist_ok=True)

    def _forbid_swap(self, number):
        try:
            _write("%s/%d/memory.swap.max" % (self.trees["memory"], number), "0")
        except FileNotFoundError:
            # A kernel without swap accounting.
            return

    def _set(self, controller, number, name_v1, name_v2, value):
        _write("%s/%d/%s" % (self.trees[controller], number, name_v2 if self.is_v2 else name_v1), value)


def join(folders):
    """Moves the calling process; what it starts is in there from the beginning."""
    for folder in folders:
        _join(folder)


def _join(folder):
    _write(_list_of(folder), "0")


def _list_of(folder):
    # A thread that moves itself needs no lock over all processes of the machine; taking that one costs 10 ms.
    tasks = folder + "/tasks"
    return tasks if os.path.exists(tasks) else folder + "/cgroup.procs"


def ran_out_of_memory(folders):
    """Whether the kernel has killed a process of this jail because it was at its limit."""
    for folder in folders:
        for name in ("memory.events", "memory.oom_control"):
            try:
                with open("%s/%s" % (folder, name)) as file:
                    counts = dict(line.split() for line in file if len(line.split()) == 2)
            except OSError:
                continue
            if counts.get("oom_kill", "0") != "0":
                return True
    return False


def _sweep(folder):
    """Groups of spawners that were killed before they could tidy up; their processes died with them."""
    for name in os.listdir(folder):
        if name.isdigit() and not os.path.exists("/proc/" + name):
            for place, _, _ in os.walk(folder + "/" + name, topdown=False):
                try:
                    os.rmdir(place)
                except OSError:
                    break


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _write(path, text):
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
