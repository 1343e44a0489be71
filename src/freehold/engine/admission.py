"""Whether one more environment may start: the house has so many places, the machine so much memory, each function its
rate.

AWS: "Understanding Lambda function scaling", "Configuring reserved concurrency": how many invocations run at once is
concurrency.py's; a reservation is a floor too, so that no number of others' environments is in its way. One decision to
know: of the machine's last memory nobody gets more but functions that have no environment at all, so that one function
cannot keep another from running; past that nobody does, as the system would end processes of its own choice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.engine.concurrency import Concurrency
from freehold.engine.functions import FunctionVersion
from freehold.engine.pool import Pool
from freehold.engine.scaling import REASON, ScalingRate

SCARCE = 0.05  # Of the machine's memory: with less left only a function's first environment starts.
USED_UP = 0.02  # And then none.
_LOOK_S = 0.05  # What was read of the memory counts for so long.


class Admission:
    """`memory_left` is 0 to 1; `evict` lets go of so many idle environments and says how many there were."""

    def __init__(
        self,
        places: int,
        concurrency: Concurrency,
        clock: Clock,
        memory_left: Callable[[], float],
        evict: Callable[[int], int],
        pools: Callable[[], Collection[Pool]],
    ) -> None:
        self._places = places
        self._concurrency = concurrency
        self._clock = clock
        self._memory_left = memory_left
        self._evict = evict
        self._pools = pools
        self._left = 1.0
        self._look_again_s = float("-inf")
        self._rates: dict[str, ScalingRate] = {}  # By function.

    def admit(self, function: FunctionVersion) -> None:
        """A place for one more environment of it, if need be taken from an idle one, the least useful first. Raises
        TooManyRequestsException when there is none."""
        key = function.function_key
        now_s = self._clock.monotonic_s()
        rate = self._rates.setdefault(key, ScalingRate(now_s))
        if not rate.take(now_s):
            raise self._concurrency.throttled(REASON)
        try:
            self._find_place(key)
        except AwsError:
            rate.give_back()
            raise

    def spared(self, function: FunctionVersion) -> None:
        """What was admitted did not start: others answered those who waited."""
        if (rate := self._rates.get(function.function_key)) is not None:
            rate.give_back()

    def forget(self, function_key: str) -> None:
        """The function is gone."""
        self._rates.pop(function_key, None)

    def _find_place(self, key: str) -> None:
        if sum(len(pool) for pool in self._pools()) >= self._places and not self._evict(1):
            reserved = self._concurrency.reserved(key)
            if reserved is None or self._environments(key) >= reserved:
                raise self._concurrency.throttled("ConcurrentInvocationLimitExceeded")
        left = self._look()
        if left >= SCARCE:
            return
        self._evict(1)
        if left < USED_UP or self._environments(key):
            raise self._concurrency.throttled("ConcurrentInvocationLimitExceeded")

    def _environments(self, function_key: str) -> int:
        return sum(len(pool) for pool in self._pools() if pool.function.function_key == function_key)

    def _look(self) -> float:
        now_s = self._clock.monotonic_s()
        if now_s >= self._look_again_s:
            self._left, self._look_again_s = self._memory_left(), now_s + _LOOK_S
        return self._left
