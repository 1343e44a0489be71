from __future__ import annotations

from freehold.engine.pace import QUICK_US, WIDTH, Pace


def test_a_function_nobody_knows_yet_gets_an_environment_for_each_invocation() -> None:
    assert not Pace().is_full(WIDTH)


def test_quick_invocations_share_a_few_environments() -> None:
    pace = _quick()
    assert pace.is_full(WIDTH)
    assert not pace.is_full(WIDTH - 1)


def test_slow_invocations_do_not_share() -> None:
    pace = _quick()
    for _ in range(100):
        pace.note(int(QUICK_US * 2))
    assert not pace.is_full(WIDTH)


def test_one_that_waited_parts_the_others() -> None:
    pace = _quick()
    pace.note(-1)
    assert not pace.is_full(WIDTH)


def test_after_a_stall_it_takes_many_quick_answers_to_share_again() -> None:
    pace = _quick()
    pace.stalled()
    pace.note(100)
    assert not pace.is_full(WIDTH)
    assert _quick(pace).is_full(WIDTH)


def _quick(pace: Pace | None = None) -> Pace:
    pace = pace or Pace()
    for _ in range(100):
        pace.note(100)
    return pace
