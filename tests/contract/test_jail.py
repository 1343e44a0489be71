"""The attacker's view: programs inside a jail that try to get out, to look out, or to take more than they were given."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import freehold
from freehold.sandbox.layers import Layers, choose_sandbox
from freehold.sandbox.plain import PlainSandbox
from freehold.sandbox.sandbox import Exit, Limits, Program, Room, Sandbox, Zygote

SOURCES = Path(freehold.__file__).parent

# Calls a system call by number; prints the name of the error, or ESCAPED.
_CALLS = """
import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
def call(numbers, *arguments):
    number = numbers[platform.machine() == "aarch64"]
    print("ESCAPED" if libc.syscall(number, *arguments) >= 0 else errno.errorcode[ctypes.get_errno()])
def attempt(action):
    try:
        print("ESCAPED", action())
    except OSError as error:
        print(errno.errorcode[error.errno])
"""

# What is tried, and how it has to end.
ATTACKS = {
    "read the machine's passwords": ("attempt(lambda: open('/etc/shadow').read())", "ENOENT"),
    "look into the home of root": ("attempt(lambda: os.listdir('/root/.ssh'))", "ENOENT|EACCES"),
    "read another function's code": ("attempt(lambda: os.listdir({secret!r}))", "ENOENT"),
    "look through the root of the first process": ("attempt(lambda: os.listdir('/proc/1/root/'))", "EACCES"),
    "read the memory of the first process": ("attempt(lambda: open('/proc/1/mem', 'rb').read(1))", "EACCES"),
    "read the environment of the first process": ("attempt(lambda: open('/proc/1/environ', 'rb').read())", "EACCES"),
    "see the server": ("attempt(lambda: os.kill({server}, 0))", "ESRCH"),
    "change its code": ("attempt(lambda: open('/var/task/more', 'w'))", "EROFS"),
    "change the system": ("attempt(lambda: open('/usr/bin/more-of-it', 'w'))", "EROFS|EACCES"),
    "write beside /tmp": ("attempt(lambda: open('/dev/shm-of-mine', 'w'))", "EROFS|EACCES"),
    "change how the kernel dumps": ("attempt(lambda: open('/proc/sys/kernel/core_pattern', 'w'))", "EACCES|EROFS"),
    "press the magic key": ("attempt(lambda: open('/proc/sysrq-trigger', 'w'))", "EACCES|EROFS|ENOENT"),
    "become root": ("attempt(lambda: os.setuid(0))", "EPERM"),
    "make a device": ("attempt(lambda: os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0)))", "EPERM"),
    "open a raw socket": ("import socket; attempt(lambda: socket.socket(2, socket.SOCK_RAW, 1))", "EPERM"),
    "listen to all packets": ("import socket; attempt(lambda: socket.socket(17, socket.SOCK_RAW, 768))", "EPERM"),
    "mount": ("call((165, 40), b'x', b'/tmp', b'tmpfs', 0, None)", "EPERM"),
    "unmount": ("call((166, 39), b'/tmp', 2)", "EPERM"),
    "change the root": ("call((161, 51), b'/tmp')", "EPERM"),
    "make a user namespace": ("call((272, 97), 0x10000000)", "EPERM"),
    "clone into a user namespace": ("call((56, 220), 0x10000011, 0, 0, 0, 0)", "EPERM"),
    "clone with flags out of sight": ("call((435, 435), 0, 0)", "ENOSYS"),
    "enter another namespace": ("call((308, 268), os.open('/proc/self/ns/mnt', 0), 0)", "EPERM"),
    "trace": ("call((101, 117), 16, 1, 0, 0)", "EPERM"),
    "read another process's memory": ("call((310, 270), 1, 0, 0, 0, 0, 0)", "EPERM"),
    "load a kernel module": ("call((175, 105), 0, 0, b'')", "EPERM"),
    "load a kernel program": ("call((321, 280), 0, 0, 0)", "EPERM"),
    "use the ring": ("call((425, 425), 1, 0)", "EPERM"),
    "reach the kernel's keys": ("call((250, 219), 0, -3, 0)", "EPERM"),
    "restart the machine": ("call((169, 142), 0xfee1dead, 672274793, 0x1234567, 0)", "EPERM"),
}  # fmt: skip


@pytest.fixture
async def found(tmp_path: Path) -> AsyncIterator[tuple[Sandbox, Layers]]:
    sandbox, layers = await choose_sandbox(tmp_path / "jail")
    if not layers.jailed:
        pytest.skip(f"no jail on this machine: {layers.reason}")
    yield sandbox, layers
    await sandbox.stop()


@pytest.fixture
def jail(found: tuple[Sandbox, Layers]) -> Sandbox:
    return found[0]


def _need(found: tuple[Sandbox, Layers], name: str) -> None:
    if not next(layer.active for layer in found[1].layers if layer.name == name):
        pytest.skip(f"this machine does not give the layer '{name}'")


async def _run(sandbox: Sandbox, code: str, tmp_path: Path, memory_mb: int = 128, tmp_mb: int = 64) -> tuple[str, Exit]:
    """What a jailed Python program prints, and how it ends."""
    package = tmp_path / "package"
    package.mkdir(exist_ok=True)
    room = Room(package, visible=(Path(sys.base_prefix),), tmp_mb=tmp_mb)
    argv = (os.path.realpath(sys.executable), "-I", "-S", "-c", code)
    read_end, write_end = os.pipe()
    try:
        process = await sandbox.start(
            Program(
                argv,
                cwd=Path("/var/task"),
                fds={1: write_end, 2: write_end},
                limits=Limits(memory_mb=memory_mb),
                room=room,
            )
        )
    finally:
        os.close(write_end)
    async with asyncio.timeout(60):
        end = await process.exited
    with open(read_end) as file:
        return file.read(), end


async def test_no_attack_gets_anywhere(found: tuple[Sandbox, Layers], tmp_path: Path) -> None:
    _need(found, "seccomp")
    secret = tmp_path / "other-function"
    secret.mkdir()
    for name, (code, wanted) in ATTACKS.items():
        program = _CALLS + code.format(secret=str(secret), server=os.getpid())
        text, _ = await _run(found[0], program, tmp_path)
        assert text.strip() in wanted.split("|"), f"{name}: {text}"


async def test_a_jail_shows_nothing_of_the_machine(jail: Sandbox, tmp_path: Path) -> None:
    code = """
import os
print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()), os.uname().nodename, os.getuid() != 0)
print(sorted(os.listdir('/tmp')), sorted(os.listdir('/opt')), os.listdir('/var'), sorted(os.listdir('/dev')))
print(sorted(int(name) for name in os.listdir('/proc/self/fd'))[:3], len(os.listdir('/proc/self/fd')))
"""
    text, _ = await _run(jail, code, tmp_path)
    first, second, third = text.splitlines()
    assert first == "[1, 2] lambda True"
    devices = ["fd", "full", "null", "random", "stderr", "stdin", "stdout", "urandom", "zero"]
    temporary = sorted({Path(sys.base_prefix).parts[2]} if sys.base_prefix.startswith("/tmp/") else [])
    assert (
        second == f"{temporary} [] {['runtime', 'task']} {devices}"
        or second == f"{temporary} [] {['task', 'runtime']} {devices}"
    )
    assert third == "[0, 1, 2] 4"  # The fourth is the folder that is listed.


async def test_a_function_that_kills_itself_ends_as_one_that_was_killed(jail: Sandbox, tmp_path: Path) -> None:
    # As the first process of a pid namespace it would survive its own signals.
    _, end = await _run(jail, "import os; os.kill(os.getpid(), 9)", tmp_path)
    assert end.signal == 9
    assert not end.out_of_memory
    assert (await _run(jail, "import sys; sys.exit(7)", tmp_path))[1].code == 7


async def test_a_program_that_eats_memory_is_ended_alone(found: tuple[Sandbox, Layers], tmp_path: Path) -> None:
    _need(found, "memory limit")
    code = "data = []\nwhile True: data.append(bytearray(b'x') * (8 << 20))"
    _, end = await _run(found[0], code, tmp_path)
    assert end.signal == 9
    assert end.out_of_memory
    shared_kb = 20 * 1024  # Of libraries that were in memory before.
    assert end.max_rss_kb <= 128 * 1024 + shared_kb


_EAT = """
def eat(mb):
    data = bytearray(mb << 20)
    for at in range(0, len(data), 4096): data[at] = 1
    return data
"""


async def test_the_room_of_tmp_is_no_memory(found: tuple[Sandbox, Layers], tmp_path: Path) -> None:
    _need(found, "memory limit")
    uses = {
        "never opened": "eat(160)",
        "opened": "open('/tmp/file', 'w').write('x')\ndata = eat(160)\nwhile True: time.sleep(1)",
        "filled, then emptied": "open('/tmp/file', 'wb').write(eat(100))\nos.unlink('/tmp/file')\ndata = eat(160)\n"
        "while True: time.sleep(1)",
        "shared": "open('/tmp/file', 'w').write('x')\ndata = mmap.mmap(-1, 160 << 20)\n"
        "for at in range(0, 160 << 20, 4096): data[at] = 1\nwhile True: time.sleep(1)",
        "by a child": "open('/tmp/file', 'w')\nif os.fork(): os.wait()\ndata = eat(160)\nwhile True: time.sleep(1)",
    }
    for name, code in uses.items():
        text, end = await _run(found[0], f"import mmap, os, time\n{_EAT}{code}\n", tmp_path, tmp_mb=512)
        assert (text, end.signal, end.out_of_memory) == ("", 9, True), name
        assert end.max_rss_kb > 100 << 10, name


async def test_what_tmp_holds_is_not_counted_as_memory(found: tuple[Sandbox, Layers], tmp_path: Path) -> None:
    _need(found, "memory limit")
    code = """
import mmap, os
with open('/tmp/large', 'wb') as file:
    for _ in range(400): file.write(b'x' * (1 << 20))
data = eat(80)
with open('/tmp/large', 'r+b') as file:
    mapped = mmap.mmap(file.fileno(), 0)
    print(sum(mapped[at] == 120 for at in range(0, 400 << 20, 4096)) == 400 * 256, os.stat('/tmp/large').st_blocks >> 11)
"""
    text, end = await _run(found[0], _EAT + code, tmp_path, tmp_mb=512)
    assert text == "True 400\n"
    assert end.code == 0


async def test_a_fork_bomb_stops_at_the_limit(found: tuple[Sandbox, Layers], tmp_path: Path) -> None:
    _need(found, "process limit")
    code = """
import os, time
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError as error:
    print(error.errno == 11, 900 < made <= 1024)
"""
    text, end = await _run(found[0], code, tmp_path, memory_mb=1024)
    assert text == "True True\n"
    assert end.code == 0


async def test_the_temporary_folder_is_full_at_its_size(jail: Sandbox, tmp_path: Path) -> None:
    code = """
written = 0
try:
    with open('/tmp/large', 'wb', buffering=0) as file:
        while True:
            written += file.write(b'x' * (1 << 20))
except OSError as error:
    print(error.errno == 28, written >> 20)
"""
    assert (await _run(jail, code, tmp_path))[0] == "True 64\n"


async def test_with_a_cpu_limit_a_function_gets_cpu_by_its_memory(tmp_path: Path) -> None:
    sandbox, layers = await choose_sandbox(tmp_path / "jail", cpu_limit=True)
    if not next((layer.active for layer in layers.layers if layer.name == "CPU limit"), False):
        pytest.skip("this machine does not give the layer 'CPU limit'")
    code = """
import time
began, used = time.monotonic(), time.process_time()
while time.monotonic() - began < 2: pass
print((time.process_time() - used) / 2 < 0.2)
"""
    # 177 MB are a tenth of a CPU.
    text, _ = await _run(sandbox, code, tmp_path, memory_mb=177)
    await sandbox.stop()
    assert text == "True\n"


async def test_two_jails_share_no_temporary_files(jail: Sandbox, tmp_path: Path) -> None:
    await _run(jail, "open('/tmp/mine', 'w').write('secret')", tmp_path)
    assert (await _run(jail, "import os; print(os.listdir('/tmp'))", tmp_path))[0] in ("[]\n", "['pytest-of-root']\n")


async def test_what_hides_from_its_parent_ends_with_the_jail(jail: Sandbox, tmp_path: Path) -> None:
    code = "import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n  time.sleep(600)\n os._exit(0)\nprint('left')"
    # The pipe ends when the last process that holds it does.
    async with asyncio.timeout(20):
        assert (await _run(jail, code, tmp_path))[0] == "left\n"


async def test_whose_a_connection_is_cannot_be_forged(found: tuple[Sandbox, Layers], tmp_path: Path) -> None:
    sandbox, _ = found
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        server = listening.getsockname()
        code = f"import os, socket\nif os.fork(): os.wait()\nsocket.create_connection({server!r}).recv(1)"
        room = Room(None, visible=(Path(sys.base_prefix),))
        argv = (os.path.realpath(sys.executable), "-I", "-S", "-c", code)
        # Of two spawners: both count the users of their jails.
        zygote = Zygote(sys.executable, Path(__file__).with_name("connecting_zygote.py"), (str(server[1]),))
        programs = [Program(argv, room=room), Program(argv, room=room), Program(zygote=zygote, room=room)]
        processes, connections = [], []
        for program in programs:
            processes.append(await sandbox.start(program))
            connections.append((await asyncio.get_running_loop().sock_accept(listening))[0])
        for process in processes:
            owned = [await process.owns(one.getpeername(), server) for one in connections]
            assert owned == [one is process for one in processes]
        mine = socket.create_connection(server)
        assert not await processes[0].owns(mine.getsockname(), server)
        assert not await processes[0].owns(("127.0.0.1", 1), server)
        for one in (*connections, mine):
            one.close()
        async with asyncio.timeout(20):
            await processes[2].exited


async def test_jails_leave_no_control_groups_and_no_mounts(tmp_path: Path) -> None:
    sandbox, layers = await choose_sandbox(tmp_path / "jail")
    if not layers.jailed:
        pytest.skip(f"no jail on this machine: {layers.reason}")
    for _ in range(3):
        await _run(sandbox, "print()", tmp_path)
    assert isinstance(sandbox, PlainSandbox)
    spawners = [(await task)._process.pid for task in sandbox._spawners.values()]
    await sandbox.stop()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
    places = [*Path("/sys/fs/cgroup").glob("freehold"), *Path("/sys/fs/cgroup").glob("*/freehold")]
    assert spawners
    assert [place / str(pid) for place in places for pid in spawners if (place / str(pid)).exists()] == []


def test_an_ordinary_user_gets_a_jail_too() -> None:
    if os.getuid() != 0:
        pytest.skip("the other tests ran as an ordinary user")
    python = "/usr/bin/python3"
    if not os.path.exists(python) or subprocess.run([python, "-c", "from enum import StrEnum"], check=False).returncode:
        pytest.skip("the system's Python, which every user may run, is older than 3.11")
    program = """
import asyncio, os, socket, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from freehold.sandbox.jail import JailSandbox
from freehold.sandbox.layers import choose_sandbox
from freehold.sandbox.sandbox import Program, Room
async def main():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    sandbox, layers = await choose_sandbox(Path(sys.argv[1]) / "jail", ports=(9001, 4566))
    print(layers.reason or [layer.name for layer in layers.layers if layer.active])
    await sandbox.stop()
    sandbox = JailSandbox(Path(sys.argv[1]) / "jail")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        server = listening.getsockname()
        code = f"import os, socket\\nif os.fork(): os.wait()\\nsocket.create_connection({server!r}).recv(1)"
        program = Program((sys.executable, "-I", "-S", "-c", code), room=Room(None))
        processes = [await sandbox.start(program) for _ in range(2)]
        for _ in processes:
            connection, client = await asyncio.get_running_loop().sock_accept(listening)
            print(sorted([await process.owns(client, server) for process in processes]))
        print([await process.owns((client[0], 1), server) for process in processes])
    await sandbox.stop()
asyncio.run(main())
"""
    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(SOURCES / "sandbox", Path(place) / "freehold" / "sandbox")
        shutil.copy(SOURCES / "clock.py", Path(place) / "freehold")
        os.chmod(place, 0o755)
        os.chown(place, 65534, 65534)
        done = subprocess.run([python, "-c", program, place], capture_output=True, text=True, timeout=60)
    said = (done.stdout + done.stderr).strip()
    if "unshare" in said:
        pytest.skip(f"this machine gives ordinary users no namespaces: {said[-200:]}")
    layers, *connections = said.splitlines()
    assert layers == "['namespaces', 'file system', 'privileges', 'seccomp', 'network']"
    # Jails of one user are told apart, too.
    assert connections == ["[False, True]", "[False, True]", "[False, False]"]
