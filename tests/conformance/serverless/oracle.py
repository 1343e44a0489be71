"""Compares our templates with those of osls, the maintained fork of the Serverless Framework v3.

    scripts/install-osls                                     # once: node_modules beside this file
    python -m tests.conformance.serverless.oracle record     # golden cases: tests/golden/serverless/*/template.json
    python -m tests.conformance.serverless.oracle compare DIR [--limit N]

`compare` takes a folder with a bare mirror of a repository (`DIR/OWNER+NAME/repo`) or a plain folder of services, packs
every service of the AWS provider with both, and prints a line for each. Plugins that are not installed are replaced by
empty ones for osls. Nothing of the compared services is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.templates.errors import TemplateError
from tests.conformance.serverless.compile_service import compile_service
from tests.conformance.serverless.normalize import differences, normalize

HERE = Path(__file__).parent
OSLS = HERE / "node_modules" / "osls"
GOLDEN = HERE.parent.parent / "golden" / "serverless"
_TEMPLATE = Path(".serverless") / "cloudformation-template-update-stack.json"
_LONGEST_S = 120


def is_installed() -> bool:
    return (OSLS / "bin" / "serverless.js").is_file() and shutil.which("node") is not None


def version() -> str:
    return str(json.loads((OSLS / "package.json").read_text())["version"])


def osls_template(directory: Path) -> Any:
    """What `osls package` makes of a service; None when it fails. No AWS account is asked: the keys are invented."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLS_NOTIFICATIONS_MODE": "off",
        "CI": "1",
    }
    for plugin in _plugins(directory):
        folder = directory / "node_modules" / plugin
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.js").write_text("module.exports = class {};\n")
        (folder / "package.json").write_text(json.dumps({"name": plugin, "version": "1.0.0", "main": "index.js"}))
    shutil.rmtree(directory / ".serverless", ignore_errors=True)
    try:
        done = subprocess.run(
            ["node", str(OSLS / "bin" / "serverless.js"), "package"],
            cwd=directory,
            env=environ,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        # Some wait for an answer from AWS for ever.
        return None
    if done.returncode or not (directory / _TEMPLATE).is_file():
        return None
    return json.loads((directory / _TEMPLATE).read_text())


def _plugins(directory: Path) -> Iterator[str]:
    file = next(iter(sorted(directory.glob("serverless.y*ml"))), None)
    block = (
        re.search(r"^plugins:\s*\n((?:\s*(?:-.*|#.*)?\n)+)", file.read_text() + "\n", re.MULTILINE) if file else None
    )
    for name in re.findall(r"^\s*-\s*[\"']?([@\w./-]+)", block[1], re.MULTILINE) if block else []:
        if not name.startswith("."):
            yield name


def record() -> None:
    for case in sorted(path for path in GOLDEN.iterdir() if (path / "serverless.yml").is_file()):
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "service"
            shutil.copytree(case, copy, ignore=shutil.ignore_patterns("template.json"))
            template = osls_template(copy)
        if template is None:
            print(f"{case.name}: osls failed")
            continue
        written = {"recorded_from": f"osls {version()}", "template": normalize(template)}
        (case / "template.json").write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
        print(f"{case.name}: recorded")


def compare(root: Path, limit: int) -> int:
    """Prints a line a service and a table at the end; the number of services that differ."""
    outcomes: Counter[str] = Counter()
    for name, directory in _services(root):
        if outcomes["equal"] + outcomes["differs"] >= limit:
            break
        theirs = osls_template(directory)
        if theirs is None or not str(theirs.get("Description", "")).startswith("The AWS CloudFormation template"):
            outcomes["not packed by osls"] += 1
            continue
        try:
            ours = compile_service(directory, {}, {"PATH": os.environ["PATH"]})
        except TemplateError as error:
            outcomes["refused by name"] += 1
            print(f"refused  {name}: {error}")
            continue
        found = differences(normalize(theirs), normalize(ours))
        outcomes["differs" if found else "equal"] += 1
        print(f"{'differs' if found else 'equal':8} {name}")
        for line in found[:5]:
            print(f"         {line}")
    print()
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}")
    return outcomes["differs"]


def _services(root: Path) -> Iterator[tuple[str, Path]]:
    repositories = sorted(root.glob("*/repo"))
    if not repositories:
        for file in sorted(root.rglob("serverless.y*ml")):
            if "node_modules" not in file.parts:
                with tempfile.TemporaryDirectory() as scratch:
                    copy = Path(scratch) / "service"
                    shutil.copytree(file.parent, copy)
                    yield str(file.parent.relative_to(root)), copy
    for repository in repositories:
        git = ["git", "--git-dir", str(repository)]
        files = subprocess.check_output([*git, "ls-tree", "-r", "--name-only", "HEAD"], text=True).splitlines()
        for name in sorted(files):
            if not re.search(r"(^|/)serverless\.ya?ml$", name) or "node_modules" in name:
                continue
            folder = os.path.dirname(name)
            with tempfile.TemporaryDirectory() as scratch:
                archive = subprocess.check_output([*git, "archive", f"HEAD:{folder}"])
                subprocess.run(["tar", "x", "-C", scratch], input=archive, check=True)
                yield f"{repository.parent.name}/{folder}", Path(scratch)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("record", "compare"))
    parser.add_argument("directory", nargs="?", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    arguments = parser.parse_args()
    if not is_installed():
        print("osls is not installed: scripts/install-osls", file=sys.stderr)
        return 2
    if arguments.command == "record":
        record()
        return 0
    if arguments.directory is None:
        parser.error("compare needs a folder")
    return min(1, compare(arguments.directory, arguments.limit))


if __name__ == "__main__":
    sys.exit(main())
