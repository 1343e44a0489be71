"""How many invocations run at once: the account's limit, functions' reserved shares, versions' provisioned ones.

AWS: "Understanding Lambda function scaling", "Configuring reserved concurrency", "Configuring provisioned concurrency".
Counts only; nobody ever waits here. One decision to know: up to its provisioned concurrency a version takes nothing
from the function's reservation or the account's rest, from which that much is taken once and for all; what spills over
counts there like any other invocation. So where all of a reservation is provisioned, $LATEST has none.
"""

from __future__ import annotations

from collections import defaultdict

from freehold.aws.errors import AwsError


class Concurrency:
    """Functions are "region/name", versions "region/name/version"."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.unreserved = limit  # What functions without a reservation share on demand.
        self._running: defaultdict[str, int] = defaultdict(int)  # By version.
        self._on_demand: defaultdict[str, int] = defaultdict(int)  # By function: beyond what is provisioned.
        self._unreserved_running = 0  # Of them those of functions without a reservation.
        self._reserved: dict[str, int] = {}
        self._provisioned: dict[str, int] = {}  # By version.
        self._provisioned_of: defaultdict[str, int] = defaultdict(int)  # By function.

    def reserve(self, function_key: str, count: int | None) -> None:
        """None: no reservation (any more)."""
        before = self._reserved.get(function_key)
        if before is None and count is not None:
            self._unreserved_running -= self._on_demand[function_key]
        elif before is not None and count is None:
            self._unreserved_running += self._on_demand[function_key]
        if count is None:
            self._reserved.pop(function_key, None)
        else:
            self._reserved[function_key] = count
        self._share()

    def provision(self, version_key: str, count: int) -> None:
        """0: nothing (any more)."""
        running, before = self._running[version_key], self._provisioned.get(version_key, 0)
        function_key = _function(version_key)
        self._count_on_demand(function_key, max(0, running - count) - max(0, running - before))
        self._provisioned_of[function_key] += count - before
        if count:
            self._provisioned[version_key] = count
        else:
            self._provisioned.pop(version_key, None)
        self._share()

    def enter(self, version_key: str) -> None:
        """One more invocation runs. Raises TooManyRequestsException, and then none does."""
        if self._running[version_key] >= self._provisioned.get(version_key, 0):
            function_key = _function(version_key)
            reserved = self._reserved.get(function_key)
            if reserved is not None:
                if self._on_demand[function_key] >= reserved - self._provisioned_of[function_key]:
                    raise self.throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
            else:
                if self._unreserved_running >= self.unreserved:
                    raise self.throttled("ConcurrentInvocationLimitExceeded")
                self._unreserved_running += 1
            self._on_demand[function_key] += 1
        self._running[version_key] += 1

    def leave(self, version_key: str) -> None:
        running = self._running[version_key]
        self._running[version_key] = running - 1
        if running > self._provisioned.get(version_key, 0):
            self._count_on_demand(_function(version_key), -1)

    def reserved(self, function_key: str) -> int | None:
        return self._reserved.get(function_key)

    def throttled(self, reason: str) -> AwsError:
        return AwsError(
            "TooManyRequestsException", "Rate Exceeded.", status=429, fields={"Reason": reason, "Type": "User"}
        )

    def _count_on_demand(self, function_key: str, change: int) -> None:
        self._on_demand[function_key] += change
        if function_key not in self._reserved:
            self._unreserved_running += change

    def _share(self) -> None:
        provisioned = sum(count for key, count in self._provisioned_of.items() if key not in self._reserved)
        self.unreserved = self.limit - sum(self._reserved.values()) - provisioned


def _function(version_key: str) -> str:
    return version_key.rpartition("/")[0]
