from __future__ import annotations

from tests.clocks import SetClock

from freehold.engine.keep_alive import LONGEST, SHORTEST, IdleHistory

TOLD_S = 600.0


def _after(*gaps_s: float) -> float:
    clock = SetClock()
    history = IdleHistory(clock)
    for gap_s in gaps_s:
        idle_since_s = clock.at_s
        clock.at_s += gap_s
        history.woken(idle_since_s)
    return history.keep_alive_s(TOLD_S)


def test_a_function_without_a_history_is_kept_as_the_server_was_told() -> None:
    assert _after() == TOLD_S
    assert _after(5, 5, 5) == TOLD_S


def test_a_function_that_is_called_each_quarter_of_an_hour_stays_warm() -> None:
    assert 900 < _after(*[900] * 20) <= TOLD_S * LONGEST


def test_a_function_that_is_called_again_and_again_is_let_go_soon() -> None:
    assert _after(*[1] * 20) == TOLD_S * SHORTEST


def test_what_keeping_cannot_bridge_is_not_kept_for() -> None:
    assert _after(*[86_400] * 20) == TOLD_S * SHORTEST
    assert 200 < _after(*[200] * 20, *[86_400] * 20) < 400


def test_what_is_rare_counts_less_than_what_is_usual() -> None:
    assert _after(*[1000], *[100] * 60) < 200


def test_what_was_long_ago_is_forgotten() -> None:
    assert _after(*[900] * 200, *[30] * 2000) < 100


def test_an_environment_that_was_let_go_too_early_is_learnt_from() -> None:
    clock = SetClock()
    history = IdleHistory(clock)
    for _ in range(10):
        history.let_go(clock.at_s)
        clock.at_s += 1200
        history.starting()
        history.starting()  # Two at once are one wait.
    assert 1200 < history.keep_alive_s(TOLD_S) <= TOLD_S * LONGEST


def test_no_history_is_longer_than_its_bounds() -> None:
    assert _after(*[1799] * 300) == TOLD_S * LONGEST
    assert _after(*[0] * 300) == TOLD_S * SHORTEST
    assert _after(*[1e12] * 300) == TOLD_S * SHORTEST
