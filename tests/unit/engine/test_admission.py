from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.clocks import SetClock

from freehold.aws.errors import AwsError
from freehold.engine.admission import SCARCE, USED_UP, Admission
from freehold.engine.concurrency import Concurrency


@dataclass
class Function:
    function_key: str


class House:
    """Environments by function, as pools of that length."""

    def __init__(self, places: int, **environments: int) -> None:
        self.environments = environments
        self.left = 1.0
        self.idle = 0
        self.concurrency = Concurrency(100)
        self.clock = SetClock()
        pools: Any = self.pools
        self.admission = Admission(places, self.concurrency, self.clock, lambda: self.left, self.evict, pools)

    def pools(self) -> list[Any]:
        return [_Pool(Function(name), count) for name, count in self.environments.items()]

    def evict(self, count: int) -> int:
        gone = min(count, self.idle)
        self.idle -= gone
        return gone

    def admit(self, name: str) -> None:
        self.clock.at_s += 1
        function: Any = Function(name)
        self.admission.admit(function)


class _Pool:
    def __init__(self, function: Function, count: int) -> None:
        self.function = function
        self._count = count

    def __len__(self) -> int:
        return self._count


def test_a_full_house_makes_room_of_who_is_idle_or_says_so() -> None:
    house = House(3, a=2, b=1)
    house.idle = 1
    house.admit("c")
    with pytest.raises(AwsError) as error:
        house.admit("c")
    assert error.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"


def test_a_reservation_is_a_floor_whatever_others_hold() -> None:
    house = House(3, a=3, b=1)
    house.concurrency.reserve("b", 2)
    house.admit("b")
    house.environments["b"] = 2
    with pytest.raises(AwsError):
        house.admit("b")


def test_of_scarce_memory_only_who_has_no_environment_gets_some() -> None:
    house = House(100, a=5)
    house.left = SCARCE - 0.01
    house.idle = 3
    with pytest.raises(AwsError):
        house.admit("a")
    house.admit("b")
    assert house.idle == 1  # Each try lets go of an idle one.
    house.left = USED_UP - 0.01
    with pytest.raises(AwsError):
        house.admit("c")
    house.left = 1.0
    house.admit("a")


def test_memory_is_not_read_at_every_start() -> None:
    house = House(100)
    reads = []

    def read() -> float:
        reads.append(1)
        return 1.0

    admission = Admission(100, house.concurrency, house.clock, read, house.evict, list)
    function: Any = Function("a")
    for _ in range(50):
        admission.admit(function)
    assert len(reads) == 1


def test_a_function_scales_no_faster_than_awss_rate_and_others_are_not_held_up() -> None:
    house = House(10_000)
    function: Any = Function("a")
    for _ in range(1000):
        house.admission.admit(function)
    with pytest.raises(AwsError) as error:
        house.admission.admit(function)
    assert (error.value.status, error.value.fields["Reason"]) == (429, "ConcurrentInvocationLimitExceeded")
    house.admit("b")  # A second later.
    for _ in range(100):
        house.admission.admit(function)
    with pytest.raises(AwsError):
        house.admission.admit(function)
    house.admission.spared(function)
    house.admission.admit(function)


def test_who_finds_no_place_has_used_nothing_of_its_rate() -> None:
    house = House(1, b=1)
    function: Any = Function("a")
    for _ in range(2000):
        with pytest.raises(AwsError):
            house.admission.admit(function)
    house.environments.clear()
    house.admission.admit(function)
