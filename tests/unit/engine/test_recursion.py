"""AWS: "Use Lambda recursive loop detection to prevent infinite loops"; X-Ray, "Tracing header"."""

from __future__ import annotations

import pytest
from tests.engines import ARN, MemoryStore

from freehold.engine.recursion import (
    KIND,
    MOST_INVOCATIONS,
    LoopGuard,
    arn_mark,
    chain_length,
    function_mark,
    with_lineage,
)
from freehold.state.store import Delete, Put

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
F, G = function_mark("000000000000", "us-east-1/f"), function_mark("000000000000", "us-east-1/g")


def test_the_first_invocation_of_a_chain_looks_as_on_aws() -> None:
    assert with_lineage(TRACE, F) == f"{TRACE};Lineage=1:{F}:0"
    assert len(F) == 8


def test_coming_back_is_counted_and_everything_else_stays() -> None:
    again = with_lineage(with_lineage(TRACE + ";Self=1", F), F)
    assert again == f"{TRACE};Self=1;Lineage=2:{F}:1"


def test_each_function_of_a_chain_has_a_count_of_its_own() -> None:
    trace = TRACE
    for mark in (F, G, F, G, F):
        trace = with_lineage(trace, mark)
    assert trace.endswith(f";Lineage=5:{F}:2|{G}:1")
    assert (chain_length(trace, ARN + "f:live"), chain_length(trace, ARN + "g"), chain_length(trace, ARN + "h")) == (
        3,
        2,
        0,
    )


def test_a_mark_is_of_the_function_and_not_of_its_qualifier() -> None:
    assert arn_mark(ARN + "f") == arn_mark(ARN + "f:12") == F


@pytest.mark.parametrize(
    "lineage", ["", "x", "1", "1:", "1:a", "1:a:b", "a:b:c", "1:a:-1", "1:a:999999999999", "١:a:1", "1:a:1|", "::"]
)
def test_what_is_no_lineage_counts_as_none(lineage: str) -> None:
    trace = f"{TRACE};Lineage={lineage}"
    assert chain_length(trace, ARN + "f") == 0
    assert with_lineage(trace, F) == f"{TRACE};Lineage=1:{F}:0"


def test_a_header_names_no_more_functions_than_it_may() -> None:
    trace = TRACE
    for number in range(200):
        trace = with_lineage(trace, f"{number:08x}")
    assert trace.count("|") == 31
    assert len(trace) < 600


def test_a_function_is_stopped_after_sixteen_invocations_unless_it_may_loop() -> None:
    store, key = MemoryStore(), "us-east-1/f"
    guard, trace, invocations = LoopGuard(store), TRACE, 0
    guard.start()
    while not guard.drops(trace, F, key):
        trace, invocations = with_lineage(trace, F), invocations + 1
    assert invocations == MOST_INVOCATIONS == 16
    assert not guard.drops(trace, G, "us-east-1/g")
    store.put_now(Put(KIND, f"{key}/", {"RecursiveLoop": "Allow"}))
    assert not guard.drops(trace, F, key)
    store.put_now(Put(KIND, f"{key}/", {"RecursiveLoop": "Terminate"}))
    assert guard.drops(trace, F, key)
    store.put_now(Put(KIND, f"{key}/", {"RecursiveLoop": "Allow"}))
    store.put_now(Delete(KIND, f"{key}/"))
    assert guard.drops(trace, F, key)
