"""Runs moto's tests of DynamoDB and DynamoDB Streams, as its server mode does, against a server of ours.

    python -m tests.conformance.moto.oracle --suite DIR [--url URL] [--share 0.78] [PYTEST ARGUMENTS]

DIR is a checkout of github.com/getmoto/moto, or a bare mirror of it. Needs `pip install moto freezegun requests
pytest-timeout` beside boto3 and pytest, moto of about the same version. Without --url a server is started on a
directory of its own. Prints each failure; its exit status is 1 when fewer than the share passed, or when a test failed
that README.md beside this file does not give a reason for. Tests that ask the server nothing count as skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

from freehold.aws.call import DEFAULT_ACCOUNT
from tests.conformance.suites import Suite, run

SUITE = Suite(
    home=Path(__file__).parent,
    paths=(
        "tests/__init__.py",
        "tests/conftest.py",
        "tests/markers.py",
        "tests/test_s3/__init__.py",
        "tests/test_dynamodb",
        "tests/test_dynamodbstreams",
    ),
    folder="tests",
    # Of moto as a Flask application.
    arguments=lambda _: ["--ignore=test_dynamodb/test_server.py"],
    environment=lambda url: {
        "TEST_SERVER_MODE": "true",
        "TEST_SERVER_MODE_ENDPOINT": url,
        "MOTO_ACCOUNT_ID": DEFAULT_ACCOUNT,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    },
    share=0.78,  # README.md says what becomes of the others.
)

if __name__ == "__main__":
    sys.exit(run(SUITE))
