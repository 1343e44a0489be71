"""A pytest plugin: what the Alternator tests expect around them, and which of them speak of ScyllaDB alone.

The suite imports modules of ScyllaDB's larger test tree and its CQL driver. Ours stand in for them and offer nothing,
so that only the DynamoDB API is left. Expected failures are ScyllaDB's, not ours: the oracle runs with --runxfail.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

# Whole files about what DynamoDB does not have.
SCYLLA_FILES = frozenset(
    {
        "test_audit", "test_authorization", "test_cql_rbac", "test_cql_schema", "test_https", "test_logs",
        "test_metrics", "test_scylla", "test_service_levels", "test_streams_tablets", "test_system_tables",
        "test_tablets", "test_tracing", "test_vector", "test_write_isolation",
    }
)  # fmt: skip
# A test that asks for one of these asks for ScyllaDB. dynamodb_bug: where ScyllaDB differs from DynamoDB on purpose.
SCYLLA_FIXTURES = frozenset(
    {"cql", "dynamodb_bug", "metrics", "new_role", "rest_api", "scylla_only", "this_dc", "vs", "xfail_tablets"}
)


def _skip(reason: str = "", **_: Any) -> None:
    pytest.skip(reason)


@contextlib.contextmanager
def _no_setting(*_: Any, **__: Any) -> Iterator[None]:
    """ScyllaDB's settings, which a test changes for a while."""
    yield


class NoHostAvailable(Exception):
    pass


class Cluster:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise NoHostAvailable


def _add_host_option(parser: pytest.Parser) -> None:
    parser.addoption("--host", default=None)


_MODULES: dict[str, dict[str, Any]] = {
    "test.conftest": {"dynamic_scope": lambda: "session"},
    "test.cqlpy": {},
    "test.cqlpy.conftest": {"host": pytest.fixture(scope="session")(lambda: None)},
    "test.cqlpy.util": {"config_value_context": _no_setting},
    "test.pylib": {},
    "test.pylib.connect_options": {"add_host_option": _add_host_option},
    "test.pylib.driver_utils": {"safe_driver_shutdown": lambda *_: None},
    "test.pylib.skip_types": {"skip_bug": _skip, "skip_env": _skip},
    "cassandra": {"ConsistencyLevel": None, "InvalidRequest": NoHostAvailable},
    "cassandra.auth": {"PlainTextAuthProvider": lambda **_: None},
    "cassandra.cluster": {"Cluster": Cluster, "NoHostAvailable": NoHostAvailable, "ConsistencyLevel": None},
    "cassandra.query": {"SimpleStatement": None},
}


def pytest_configure(config: pytest.Config) -> None:
    for mark in ("skip_env", "skip_bug", "veryslow"):
        config.addinivalue_line("markers", f"{mark}: of the suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = []
    for item in items:
        module = item.getparent(pytest.Module)
        assert module is not None
        if module.path.stem in SCYLLA_FILES or SCYLLA_FIXTURES & set(getattr(item, "fixturenames", ())):
            continue
        if item.get_closest_marker("veryslow") or item.get_closest_marker("skip_env"):
            continue
        namespace = vars(module.obj)
        if "scylla_config_temporary" in namespace:
            namespace["scylla_config_temporary"] = _no_setting
        if "scylla_config_read" in namespace:
            # Asked for the pause between two looks for expired items, as a server is configured that is to be tested.
            namespace["scylla_config_read"] = lambda *_: "0.5"
        if "get_region" in namespace:
            namespace["get_region"] = lambda _: "us-east-1"
        kept.append(item)
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _install() -> None:
    for name, members in _MODULES.items():
        module = ModuleType(name)
        vars(module).update(members)
        module.__path__ = []
        sys.modules[name] = module


_install()
