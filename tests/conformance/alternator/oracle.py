"""Runs ScyllaDB's test/alternator, which asks a DynamoDB for what Amazon's answers, against a server of ours.

    python -m tests.conformance.alternator.oracle --suite DIR [--url URL] [--share 0.97] [PYTEST ARGUMENTS]

DIR is a checkout of github.com/scylladb/scylladb, or a bare mirror of it, with test/alternator; it stays outside this
repository, since its licence does not let it in. Needs `pip install requests pytest-timeout` beside boto3 and pytest.
Without --url a server is started on a directory of its own. Prints each failure; its exit status is 1 when fewer than
the share passed, or when a test failed that README.md beside this file does not give a reason for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conformance.suites import Suite, run

SUITE = Suite(
    home=Path(__file__).parent,
    paths=("test/alternator",),
    folder="test/alternator",
    arguments=lambda url: ["--url", url],
    environment=lambda _: {},
    share=0.97,
)

if __name__ == "__main__":
    sys.exit(run(SUITE))
