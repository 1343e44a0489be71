from __future__ import annotations

import pytest

from freehold.aws.errors import AwsError
from freehold.engine.concurrency import Concurrency


def test_past_the_accounts_limit_the_caller_is_told_at_once() -> None:
    concurrency = Concurrency(2)
    concurrency.enter("a")
    concurrency.enter("b")
    with pytest.raises(AwsError) as error:
        concurrency.enter("c")
    assert error.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
    concurrency.leave("a")
    concurrency.enter("c")


def test_a_reservation_is_taken_from_everybody_else() -> None:
    concurrency = Concurrency(3)
    concurrency.reserve("a", 2)
    concurrency.enter("b")
    with pytest.raises(AwsError):
        concurrency.enter("b")
    concurrency.enter("a")
    concurrency.enter("a")


def test_a_reservation_of_nothing_switches_a_function_off() -> None:
    concurrency = Concurrency(3)
    concurrency.reserve("a", 0)
    with pytest.raises(AwsError) as error:
        concurrency.enter("a")
    assert error.value.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_reservation_made_while_invocations_run_counts_them_rightly() -> None:
    concurrency = Concurrency(3)
    concurrency.enter("a")
    concurrency.reserve("a", 1)
    concurrency.enter("b")
    concurrency.enter("b")
    concurrency.leave("a")
    concurrency.reserve("a", None)
    concurrency.enter("a")
    with pytest.raises(AwsError):
        concurrency.enter("a")
