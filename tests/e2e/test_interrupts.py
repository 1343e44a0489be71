"""Ctrl-C ends every command, whenever it is pressed and whoever started the command."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import CommandLine
from tests.e2e.terminal import Terminal
from tests.live import LiveServer

# Presses Ctrl-C when a module is looked for; what the importer's own callbacks raise is dropped, as anywhere in Python.
_PRESSED_WHILE_IMPORTING = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # As a terminal has it, whoever runs the tests.

class Pressing:
    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                signal.getsignal(signal.SIGINT)
            except KeyboardInterrupt:
                pass
        return None

sys.meta_path.insert(0, Pressing(sys.argv.pop(1)))
from freehold.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("freehold.cli.program", ("--help",)),
        ("freehold.cli.commands.logs", ("logs", "hello", "--tail")),
        ("freehold.app", ("serve", "--port", "0")),
        ("freehold.cli.dev.session", ("dev", "--port", "0")),
    ],
)
def test_pressed_while_modules_are_read_it_is_never_lost(
    example: Callable[[str], CommandLine], module: str, arguments: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PRESSED_WHILE_IMPORTING, module, *arguments],
        cwd=example("hello-python").directory,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_who_follows_a_log_from_a_script_can_end_it(
    own_server: LiveServer, example: Callable[[str], CommandLine]
) -> None:
    """A shell without job control has Ctrl-C ignored by what it starts with &."""
    run = example("hello-python")
    place = ("--endpoint-url", own_server.endpoint)
    run("deploy", *place)
    run("invoke", "hello", "--data", "{}", *place)
    following = subprocess.Popen(
        [sys.executable, "-m", "freehold", "logs", "hello", "--tail", *place],
        cwd=run.directory,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert following.stdout is not None
    with following, following.stdout as shown:
        assert any(b"REPORT RequestId" in line for line in iter(shown.readline, b""))
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130


def test_at_the_question_of_a_deploy_it_means_no(own_server: LiveServer, example: Callable[[str], CommandLine]) -> None:
    run = example("items-sam")
    place = ("--endpoint-url", own_server.endpoint, "--stack-name", "asked")
    with Terminal(run.directory, "sam", "deploy", "--confirm-changeset", *place) as terminal:
        terminal.wait_for(re.escape("Deploy this changeset? [y/N]: "))
        terminal.press("\x03")
        assert terminal.wait() == 1
        terminal.wait_for("Not deployed: nothing was changed.")
    (stack,) = own_server.client("cloudformation").list_stacks()["StackSummaries"]
    assert stack["StackStatus"] == "DELETE_COMPLETE"


def test_while_dev_deploys_for_the_first_time_it_ends_it(tmp_path: Path) -> None:
    """The configuration never comes, as from a deploy that waits for a slow package index."""
    (tmp_path / "serverless.js").write_text(
        "process.on('SIGINT', () => {});\nsetInterval(() => {}, 1000);\n"
        "require('fs').writeFileSync('/dev/tty', 'reading');\nmodule.exports = new Promise(() => {});\n"
    )
    with Terminal(tmp_path, "dev", "--port", "0") as terminal:
        terminal.wait_for("reading")
        terminal.press("\x03")
        assert terminal.wait() == 0
