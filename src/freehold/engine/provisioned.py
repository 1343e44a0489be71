"""Provisioned concurrency: which versions keep how many environments initialised, following documents and aliases.

AWS: "Configuring provisioned concurrency for a function". Documents:
"lambda.provisioned_concurrency" of services/lambda_.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freehold.engine.dispatch import Engine
from freehold.engine.functions import ALIAS, VERSION
from freehold.state.store import Change, Store

KIND = "lambda.provisioned_concurrency"
_INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE"


class Provisioned:
    """To be started after the engine: it must know the versions first."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self._engine = engine
        self._wanted: dict[str, int] = {}  # "region/name/qualifier" -> count
        self._aliases: dict[str, str] = {}  # "region/name/alias" -> version
        self._in_force: dict[str, int] = {}  # "region/name/version" -> count
        self._unfollow: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._unfollow = self._store.follow((KIND, ALIAS, VERSION), self._on_changes)

    def stop(self) -> None:
        self._unfollow()

    def provisioned(self, version_key: str) -> tuple[int, str]:
        """How many provisioned environments are up; why no more come, or empty."""
        up, failure = self._engine.provisioned(version_key)
        return up, _INIT_FAILURE if failure else ""

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.kind == KIND:
                if change.document is None:
                    self._wanted.pop(change.key, None)
                else:
                    self._wanted[change.key] = int(change.document["requested"])
            elif change.kind == ALIAS:
                if change.document is None:
                    self._aliases.pop(change.key, None)
                else:
                    self._aliases[change.key] = change.document["FunctionVersion"]
        wanted: dict[str, int] = {}
        for key, count in self._wanted.items():
            version = f"{key.rsplit('/', 1)[0]}/{self._aliases[key]}" if key in self._aliases else key
            if self._engine.has_version(version):
                wanted[version] = wanted.get(version, 0) + count
        for version in {*wanted, *self._in_force}:
            if wanted.get(version, 0) != self._in_force.get(version, 0) and self._engine.has_version(version):
                self._engine.provision(version, wanted.get(version, 0))
        self._in_force = wanted
