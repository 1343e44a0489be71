"""Starting is quick because what few apps need is imported when they do."""

from __future__ import annotations

import subprocess
import sys

_HEAVY = ("boto3", "cryptography", "jwt", "samtranslator", "rich", "jsonschema")


def test_a_server_and_dev_start_without_the_heavy_libraries() -> None:
    program = f"import sys, freehold.cli.dev.session; print(*sorted({set(_HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []


def test_a_server_starts_without_what_only_some_apps_call() -> None:
    program = "import sys, freehold.app; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())
    assert "freehold.services.lambda_" in loaded
    assert not {"freehold.services.cognito_idp", "freehold.services.dynamodb", "freehold.tables"} & loaded
    assert not {"freehold.gateway.compile_rest", "freehold.stacks.resources.sqs_queue"} & loaded


def test_help_starts_without_the_server() -> None:
    program = "import sys, freehold.cli.commands.deploy; print('freehold.app' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False"]
