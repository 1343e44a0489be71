"""What the engine expects of a sandbox, over every implementation."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from freehold.sandbox.plain import PlainSandbox
from freehold.sandbox.sandbox import Program, Sandbox, SandboxError, Zygote


@pytest.fixture(params=[PlainSandbox])
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    made: Sandbox = request.param()
    yield made
    await made.stop()


async def _output(sandbox: Sandbox, program: Program) -> bytes:
    """What the program writes to descriptor 1 until all of it has ended."""
    read_end, write_end = os.pipe()
    try:
        process = await sandbox.start(Program(program.argv, program.zygote, program.env, program.cwd, {1: write_end}))
    finally:
        os.close(write_end)
    await process.exited
    with open(read_end, "rb") as file:
        return file.read()


async def test_a_program_gets_its_variables_and_nothing_else(sandbox: Sandbox, tmp_path: Path) -> None:
    program = Program(("/usr/bin/env",), env={"A": "1"}, cwd=tmp_path)
    assert await _output(sandbox, program) == b"A=1\n"


async def test_a_program_starts_in_its_folder_with_its_descriptors_only(sandbox: Sandbox, tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), sorted(int(n) for n in os.listdir('/dev/fd'))[:3], os.fstat(0).st_rdev != 0)"
    text = await _output(sandbox, Program((sys.executable, "-c", code), cwd=tmp_path))
    assert text.decode().split()[0] == str(tmp_path)
    assert text.endswith(b"[0, 1, 2] True\n")


async def test_an_end_is_told_with_its_code_or_signal(sandbox: Sandbox) -> None:
    process = await sandbox.start(Program(("/bin/sh", "-c", "exit 7")))
    assert (await process.exited).code == 7
    process = await sandbox.start(Program(("/bin/sh", "-c", "kill -9 $$")))
    assert (await process.exited).signal == 9


async def test_kill_ends_the_whole_tree(sandbox: Sandbox) -> None:
    read_end, write_end = os.pipe()
    script = "sleep 600 & echo $!; wait"
    process = await sandbox.start(Program(("/bin/sh", "-c", script), env={"PATH": os.defpath}, fds={1: write_end}))
    os.close(write_end)
    child = int(await asyncio.to_thread(os.read, read_end, 100))
    process.kill()
    assert (await process.exited).signal == 9
    # The child held the pipe's other end: its end is the end of the pipe.
    assert await asyncio.to_thread(os.read, read_end, 100) == b""
    os.close(read_end)
    assert child > 0


async def test_a_child_that_outlives_its_parent_is_ended_with_it(sandbox: Sandbox) -> None:
    program = Program(("/bin/sh", "-c", "sleep 600 & echo gone"), env={"PATH": os.defpath})
    async with asyncio.timeout(10):
        assert await _output(sandbox, program) == b"gone\n"


async def test_what_cannot_be_executed_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("no program")
    with pytest.raises(SandboxError, match="Permission denied"):
        await sandbox.start(Program((str(plain),)))
    with pytest.raises(SandboxError, match="No such file"):
        await sandbox.start(Program((str(tmp_path / "missing"),)))
    assert await _output(sandbox, Program(("/bin/echo", "still up"))) == b"still up\n"


async def test_a_zygote_forks_children_that_have_its_modules(sandbox: Sandbox, tmp_path: Path) -> None:
    entry = tmp_path / "entry.py"
    entry.write_text(
        "import os, sys\nloaded = []\nPRELOAD = [lambda: loaded.append(os.getpid())]\n"
        "def enter():\n    print(loaded[0] == os.getppid(), os.getpid() == os.getsid(0), sys.argv[1], flush=True)\n    sys.exit(5)\n"
    )
    zygote = Zygote(sys.executable, entry, ("argument",))
    for _ in range(2):
        assert await _output(sandbox, Program(zygote=zygote)) == b"True True argument\n"


async def test_a_zygote_that_does_not_come_up_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(SandboxError):
        await sandbox.start(Program(zygote=Zygote(str(tmp_path / "missing"), tmp_path)))


def test_nothing_survives_a_server_that_is_killed(tmp_path: Path) -> None:
    # A process that left its group and session is the hardest to find again.
    daemon = "import os, time\nif os.fork() == 0:\n os.setsid()\n print(os.getpid(), flush=True)\n time.sleep(600)\ntime.sleep(600)"
    server = f"""
import asyncio, os, signal, sys
from freehold.sandbox.plain import PlainSandbox
from freehold.sandbox.sandbox import Program
async def main():
    process = await PlainSandbox().start(Program((sys.executable, "-c", {daemon!r}), fds={{1: 1}}))
    await asyncio.sleep(600)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.kill()
        # All that is left of it holds the pipe; the end of the pipe is their end.
        assert process.stdout.read() == b""
