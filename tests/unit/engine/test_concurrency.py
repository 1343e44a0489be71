from __future__ import annotations

import pytest

from freehold.aws.errors import AwsError
from freehold.engine.concurrency import Concurrency


def test_past_the_accounts_limit_the_caller_is_told_at_once() -> None:
    concurrency = Concurrency(2)
    concurrency.enter("r/a/1")
    concurrency.enter("r/b/1")
    with pytest.raises(AwsError) as error:
        concurrency.enter("r/c/1")
    assert error.value.fields["Reason"] == "ConcurrentInvocationLimitExceeded"
    concurrency.leave("r/a/1")
    concurrency.enter("r/c/1")


def test_a_reservation_is_taken_from_everybody_else() -> None:
    concurrency = Concurrency(3)
    concurrency.reserve("r/a", 2)
    concurrency.enter("r/b/1")
    with pytest.raises(AwsError):
        concurrency.enter("r/b/1")
    concurrency.enter("r/a/1")
    concurrency.enter("r/a/1")


def test_a_reservation_of_nothing_switches_a_function_off() -> None:
    concurrency = Concurrency(3)
    concurrency.reserve("r/a", 0)
    with pytest.raises(AwsError) as error:
        concurrency.enter("r/a/1")
    assert error.value.fields["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_reservation_made_while_invocations_run_counts_them_rightly() -> None:
    concurrency = Concurrency(3)
    concurrency.enter("r/a/1")
    concurrency.reserve("r/a", 1)
    concurrency.enter("r/b/1")
    concurrency.enter("r/b/1")
    concurrency.leave("r/a/1")
    concurrency.reserve("r/a", None)
    concurrency.enter("r/a/1")
    with pytest.raises(AwsError):
        concurrency.enter("r/a/1")


def _enter_until_refused(concurrency: Concurrency, version_key: str) -> tuple[int, str]:
    entered = 0
    while True:
        try:
            concurrency.enter(version_key)
        except AwsError as error:
            return entered, str(error.fields["Reason"])
        entered += 1


def test_what_is_provisioned_is_taken_from_everybody_else_and_spills_over() -> None:
    concurrency = Concurrency(10)
    concurrency.provision("r/a/1", 4)
    assert _enter_until_refused(concurrency, "r/b/1") == (6, "ConcurrentInvocationLimitExceeded")
    assert _enter_until_refused(concurrency, "r/a/1") == (4, "ConcurrentInvocationLimitExceeded")
    concurrency.leave("r/b/1")
    concurrency.enter("r/a/1")  # Spilled over into what all share.
    with pytest.raises(AwsError):
        concurrency.enter("r/b/1")
    concurrency.leave("r/a/1")
    concurrency.enter("r/b/1")


def test_where_all_of_a_reservation_is_provisioned_latest_has_none() -> None:
    concurrency = Concurrency(10)
    concurrency.reserve("r/a", 2)
    concurrency.provision("r/a/1", 2)
    assert _enter_until_refused(concurrency, "r/a/$LATEST") == (0, "ReservedFunctionConcurrentInvocationLimitExceeded")
    assert _enter_until_refused(concurrency, "r/a/1")[0] == 2
    concurrency.reserve("r/a", 3)
    concurrency.enter("r/a/1")
    assert _enter_until_refused(concurrency, "r/a/$LATEST")[0] == 0


def test_provisioning_while_invocations_run_counts_them_rightly() -> None:
    concurrency = Concurrency(10)
    for _ in range(3):
        concurrency.enter("r/a/1")
    concurrency.provision("r/a/1", 2)
    assert _enter_until_refused(concurrency, "r/b/1")[0] == 7
    concurrency.provision("r/a/1", 0)
    for _ in range(3):
        concurrency.leave("r/a/1")
    for _ in range(7):
        concurrency.leave("r/b/1")
    assert _enter_until_refused(concurrency, "r/b/1")[0] == 10
