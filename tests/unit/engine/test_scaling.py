"""AWS: "Lambda scaling behavior": 1,000 more environments every ten seconds, for each function."""

from __future__ import annotations

from freehold.engine.scaling import BURST, ScalingRate


def _taken(rate: ScalingRate, now_s: float, wanted: int) -> int:
    return sum(rate.take(now_s) for _ in range(wanted))


def test_a_thousand_start_at_once_and_then_a_hundred_each_second() -> None:
    rate = ScalingRate(0.0)
    assert _taken(rate, 0.0, 5000) == BURST == 1000
    assert _taken(rate, 0.5, 5000) == 50
    assert _taken(rate, 10.5, 5000) == 1000


def test_nothing_is_saved_up_beyond_one_interval() -> None:
    rate = ScalingRate(0.0)
    assert _taken(rate, 3600.0, 5000) == 1000


def test_what_was_not_needed_is_given_back() -> None:
    rate = ScalingRate(0.0)
    _taken(rate, 0.0, 1000)
    assert not rate.take(0.0)
    rate.give_back()
    assert rate.take(0.0)
    assert not rate.take(0.0)
