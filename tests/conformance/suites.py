"""Other people's test suites, run against a server of ours: what their runners share.

A suite is a checkout or a bare mirror somewhere on this machine; nothing of it is in this repository. Each runner has a
README.md beside it, with a table of the tests that fail and why: one that fails and is not there fails the run.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.live import LiveServer

ROOT = Path(__file__).parents[2]
_TEST_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Suite:
    home: Path  # The runner's folder: surroundings.py, the suite's pytest plugin, and README.md, its failures.
    paths: tuple[str, ...]  # Of the source, each a folder or a file.
    folder: str  # Where pytest runs, of those.
    arguments: Callable[[str], list[str]]  # The server's address -> pytest's further arguments,
    environment: Callable[[str], Mapping[str, str]]  # and what is in its environment.
    share: float  # Of its tests must pass.


def run(suite: Suite) -> int:
    """A runner's `main`: its exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--url")
    parser.add_argument("--share", type=float, default=suite.share)
    options, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        lay_out(options.suite, suite.paths, scratch)
        report = scratch / "report.xml"
        server = None if options.url else LiveServer(scratch / "data")
        if server is not None:
            server.start()
        try:
            _run_pytest(suite, scratch, options.url or server.endpoint, report, arguments)  # type: ignore[union-attr]
        finally:
            if server is not None:
                server.stop()
        passed, failed = read_report(report)
    share = passed / max(passed + len(failed), 1)
    unexplained = sorted(set(failed) - known_failures((suite.home / "README.md").read_text()))
    for name in unexplained:
        print(f"{name}: {failed[name]}")
    print(f"{passed} passed, {len(failed)} failed ({share:.1%}), {len(unexplained)} of them without a reason")
    return 0 if share >= options.share and not unexplained else 1


def lay_out(source: Path, paths: tuple[str, ...], scratch: Path) -> None:
    """The suite's own files alone; what surrounds them in their repository is replaced by surroundings.py."""
    for path in paths:
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (source / "HEAD").is_file():
            subprocess.run(["cp", "-r", str(source / path), str(target)], check=True)
            continue
        git = ["git", "--git-dir", str(source)]
        kind = subprocess.run([*git, "cat-file", "-t", f"HEAD:{path}"], capture_output=True, check=True).stdout.strip()
        if kind == b"blob":
            target.write_bytes(subprocess.run([*git, "show", f"HEAD:{path}"], capture_output=True, check=True).stdout)
        else:
            # Of this folder's tree alone: a mirror may lack what lies elsewhere.
            files = subprocess.run([*git, "archive", f"HEAD:{path}"], capture_output=True, check=True).stdout
            target.mkdir()
            subprocess.run(["tar", "x", "-C", str(target)], input=files, check=True)
    for path in paths:
        package = (scratch / path).parent / "__init__.py"
        if package.parent != scratch and not package.exists():
            package.touch()
    (scratch / "pytest.ini").write_text("[pytest]\n")


def _run_pytest(suite: Suite, scratch: Path, url: str, report: Path, arguments: list[str]) -> None:
    command = [
        sys.executable, "-m", "pytest", "-q", "--runxfail", "-p", "surroundings", "-p", "no:cacheprovider",
        "--tb=short", "-W", "ignore", f"--junit-xml={report}", f"--timeout={_TEST_LIMIT_S}",
        *suite.arguments(url), *(arguments or ["."]),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # Not our root: the suite's package may be called `tests` too.
    environment |= {"PYTHONPATH": f"{suite.home}:{scratch}", **suite.environment(url)}
    subprocess.run(command, cwd=scratch / suite.folder, env=environment, check=False)


def read_report(report: Path) -> tuple[int, dict[str, str]]:
    """How many passed, and the failed ones with what they said; skipped ones count as neither."""
    passed, failed = 0, {}
    for case in ElementTree.parse(report).iter("testcase"):
        problem = case.find("failure") if case.find("failure") is not None else case.find("error")
        if problem is not None:
            name = f"{_module(case.get('classname', ''))}::{case.get('name')}"
            failed[name] = (problem.get("message") or "").split("\n")[0]
        elif case.find("skipped") is None:
            passed += 1
    return passed, failed


def _module(place: str) -> str:
    """`test.alternator.test_item` or `tests.test_dynamodb.test_scan.TestFilters` -> from the test's file on."""
    parts = place.split(".")
    file = next((n for n in range(len(parts) - 1, -1, -1) if parts[n].startswith("test_")), len(parts) - 1)
    return ".".join(parts[file:])


def known_failures(readme: str) -> set[str]:
    """The tests that a runner's README.md gives a reason for."""
    return set(re.findall(r"^\| `(test_\w+(?:\.\w+)?::[^`]+)` \|", readme, re.MULTILINE))
