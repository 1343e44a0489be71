"""Runs ScyllaDB's test/alternator, which asks a DynamoDB for what Amazon's answers, against a server of ours.

    python -m tests.conformance.alternator.oracle --suite DIR [--url URL] [--share 0.97] [PYTEST ARGUMENTS]

DIR is a checkout of github.com/scylladb/scylladb, or a bare mirror of it, with test/alternator; it stays outside this
repository, since its licence does not let it in. Needs `pip install requests pytest-timeout` beside boto3 and pytest.
Without --url a server is started on a directory of its own. Prints each failure; its exit status is 1 when fewer than
the share passed, or when a test failed that README.md beside this file does not give a reason for.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.live import LiveServer

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
_TEST_LIMIT_S = 120


def lay_out(suite: Path, scratch: Path) -> Path:
    """test/alternator alone, as a package: what surrounds it there is replaced by surroundings.py."""
    if (suite / "HEAD").is_file():
        archive = subprocess.run(
            ["git", "--git-dir", str(suite), "archive", "HEAD", "test/alternator"], capture_output=True, check=True
        )
        subprocess.run(["tar", "x", "-C", str(scratch)], input=archive.stdout, check=True)
    else:
        (scratch / "test").mkdir()
        subprocess.run(["cp", "-r", str(suite / "test" / "alternator"), str(scratch / "test")], check=True)
    (scratch / "test" / "__init__.py").touch()
    (scratch / "pytest.ini").write_text("[pytest]\n")
    return scratch / "test" / "alternator"


def run(folder: Path, url: str, report: Path, arguments: list[str]) -> None:
    command = [
        sys.executable, "-m", "pytest", "-q", "--runxfail", "-p", "tests.conformance.alternator.surroundings",
        "-p", "no:cacheprovider", "--tb=short", "-W", "ignore", f"--junit-xml={report}", f"--timeout={_TEST_LIMIT_S}",
        "--url", url, *(arguments or ["."]),
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PYTHONPATH"] = f"{ROOT}:{folder.parents[1]}"
    subprocess.run(command, cwd=folder, env=environment, check=False)


def read_report(report: Path) -> tuple[int, dict[str, str]]:
    """How many passed, and the failed ones with what they said; skipped ones count as neither."""
    passed, failed = 0, {}
    for case in ElementTree.parse(report).iter("testcase"):
        problem = case.find("failure") if case.find("failure") is not None else case.find("error")
        if problem is not None:
            name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
            failed[name] = (problem.get("message") or "").split("\n")[0]
        elif case.find("skipped") is None:
            passed += 1
    return passed, failed


def known_failures() -> set[str]:
    """The tests that README.md gives a reason for."""
    return set(re.findall(r"^\| `(test_\w+::[^`]+)` \|", (HERE / "README.md").read_text(), re.MULTILINE))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--url")
    parser.add_argument("--share", type=float, default=0.97)
    options, arguments = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        folder = lay_out(options.suite, scratch)
        report = scratch / "report.xml"
        server = None if options.url else LiveServer(scratch / "data")
        if server is not None:
            server.start()
        try:
            run(folder, options.url or server.endpoint, report, arguments)  # type: ignore[union-attr]
        finally:
            if server is not None:
                server.stop()
        passed, failed = read_report(report)
    share = passed / max(passed + len(failed), 1)
    unexplained = sorted(set(failed) - known_failures())
    for name in unexplained:
        print(f"{name}: {failed[name]}")
    print(f"{passed} passed, {len(failed)} failed ({share:.1%}), {len(unexplained)} of them without a reason")
    return 0 if share >= options.share and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
