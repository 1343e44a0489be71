"""A pytest plugin: what moto's tests expect of the server that they run against, and which of them ask it at all.

moto's server forgets everything at the start of each test, by a call that no other server has. Ours has its tables and
buckets deleted instead, where a test made some.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from typing import Any

import boto3
import botocore.httpsession
import moto.core.models
import pytest

_URL = os.environ["TEST_SERVER_MODE_ENDPOINT"]
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
_send = botocore.httpsession.URLLib3Session.send
_make_client = boto3.client  # moto puts its own in this place.


class Requests:
    """Of the test that runs."""

    def __init__(self) -> None:
        self.are_ours = False  # Those that make the server forget are not the test's.
        self.count = 0
        self.places: set[tuple[str, str]] = set()  # (service, region) of all since everything was last deleted.

    def note(self, authorization: str | bytes) -> None:
        text = authorization.decode() if isinstance(authorization, bytes) else authorization
        scope = _SCOPE.search(text)
        if scope is not None and not self.are_ours:
            self.count += 1
            self.places.add((scope[2], scope[1]))


_requests = Requests()


def _noted_send(session: Any, request: Any) -> Any:
    _requests.note(request.headers.get("Authorization", ""))
    return _send(session, request)


def _forget(_: object = None) -> None:
    _requests.are_ours = True
    for service, region in sorted(_requests.places):
        if service == "dynamodb":
            _delete_tables(region)
        elif service == "s3":
            _delete_buckets(region)
    _requests.places.clear()
    _requests.are_ours = False


def _delete_tables(region: str) -> None:
    client = _make_client("dynamodb", region_name=region, endpoint_url=_URL)
    for page in client.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
                client.update_table(TableName=name, DeletionProtectionEnabled=False)
            client.delete_table(TableName=name)
    for backup in client.list_backups()["BackupSummaries"]:
        client.delete_backup(BackupArn=backup["BackupArn"])


def _delete_buckets(region: str) -> None:
    client = _make_client("s3", region_name=region, endpoint_url=_URL)
    for bucket in client.list_buckets()["Buckets"]:
        for found in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            client.delete_object(Bucket=bucket["Name"], Key=found["Key"])
        client.delete_bucket(Bucket=bucket["Name"])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _requests.count = 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that asked the server nothing says nothing of it: it looks into moto itself."""
    report = yield
    if call.when == "call" and not _requests.count and report.outcome != "skipped":
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, "Skipped: asks the server nothing")
    return report


botocore.httpsession.URLLib3Session.send = _noted_send
moto.core.models.ServerModeMockAWS.reset = _forget
