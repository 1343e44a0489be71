"""How many invocations run at once: the account's limit and the functions' reserved shares.

AWS: "Understanding Lambda function scaling", "Configuring reserved concurrency". Counts only; nobody ever waits here.
"""

from __future__ import annotations

from collections import defaultdict

from freehold.aws.errors import AwsError


class Concurrency:
    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.unreserved = limit  # What functions without a reservation share.
        self._running: defaultdict[str, int] = defaultdict(int)  # By function: "region/name".
        self._reserved: dict[str, int] = {}
        self._unreserved_running = 0

    def reserve(self, function_key: str, count: int | None) -> None:
        """None: no reservation (any more)."""
        before = self._reserved.get(function_key)
        if before is None and count is not None:
            self._unreserved_running -= self._running[function_key]
        elif before is not None and count is None:
            self._unreserved_running += self._running[function_key]
        if count is None:
            self._reserved.pop(function_key, None)
        else:
            self._reserved[function_key] = count
        self.unreserved = self.limit - sum(self._reserved.values())

    def enter(self, function_key: str) -> None:
        """One more invocation runs. Raises TooManyRequestsException, and then none does."""
        reserved = self._reserved.get(function_key)
        if reserved is not None:
            if self._running[function_key] >= reserved:
                raise self.throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        else:
            if self._unreserved_running >= self.unreserved:
                raise self.throttled("ConcurrentInvocationLimitExceeded")
            self._unreserved_running += 1
        self._running[function_key] += 1

    def leave(self, function_key: str) -> None:
        self._running[function_key] -= 1
        if function_key not in self._reserved:
            self._unreserved_running -= 1

    def running(self, function_key: str) -> int:
        return self._running[function_key]

    def reserved(self, function_key: str) -> int | None:
        return self._reserved.get(function_key)

    def throttled(self, reason: str) -> AwsError:
        return AwsError(
            "TooManyRequestsException", "Rate Exceeded.", status=429, fields={"Reason": reason, "Type": "User"}
        )
