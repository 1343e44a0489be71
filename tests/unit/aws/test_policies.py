"""Policies: what they allow, what they forbid, and that whatever is not understood allows nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.aws.policies import Asked, MalformedPolicy, Verdict, evaluate, evaluate_resource_policy
from freehold.aws.policy_conditions import Context

ARN = "arn:aws:execute-api:us-east-1:000000000000:api/dev/GET/items"
ANN = "arn:aws:iam::000000000000:user/ann"


def decide(context: Context | None = None, **statement: Any) -> Verdict:
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*", **statement}
    return evaluate({"Statement": statement}, Asked("execute-api:Invoke", ARN, context=context or {}))


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ({}, Verdict.ALLOW),
        ({"Effect": "Deny"}, Verdict.DENY),
        ({"Action": "EXECUTE-API:inv*"}, Verdict.ALLOW),
        ({"Action": ["s3:*", "execute-api:?nvoke"]}, Verdict.ALLOW),
        ({"Action": "s3:*"}, Verdict.NO_MATCH),
        ({"Resource": "arn:aws:execute-api:*:*:api/dev/GET/*"}, Verdict.ALLOW),
        ({"Resource": "arn:aws:execute-api:*:*:api/dev/POST/*"}, Verdict.NO_MATCH),
        ({"Resource": "arn:aws:execute-api:*:*:api/DEV/*"}, Verdict.NO_MATCH),
        ({"Resource": "arn:aws:execute-api:*:*:api/${aws:username}/*"}, Verdict.NO_MATCH),
    ],
)
def test_actions_and_resources(statement: dict[str, Any], verdict: Verdict) -> None:
    assert decide(**statement) is verdict


def test_not_action_and_not_resource_mean_the_others() -> None:
    document: dict[str, Any] = {"Statement": [{"Effect": "Allow", "NotAction": "s3:*", "NotResource": f"{ARN}/x"}]}
    assert evaluate(document, Asked("execute-api:Invoke", ARN)) is Verdict.ALLOW
    assert evaluate(document, Asked("s3:GetObject", ARN)) is Verdict.NO_MATCH
    assert evaluate(document, Asked("execute-api:Invoke", f"{ARN}/x")) is Verdict.NO_MATCH


def test_a_variable_is_plain_text() -> None:
    resource = "arn:aws:execute-api:*:*:api/dev/GET/${aws:username}"
    assert decide({"aws:username": "items"}, Resource=resource) is Verdict.ALLOW
    assert decide({"aws:username": "*"}, Resource=resource) is Verdict.NO_MATCH


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"k": "v"}}, True),
        ({"StringEquals": {"K": ["x", "v"]}}, True),
        ({"StringEquals": {"k": "V"}}, False),
        ({"StringEqualsIgnoreCase": {"k": "V"}}, True),
        ({"StringNotEquals": {"k": ["x", "v"]}}, False),
        ({"StringNotEquals": {"absent": "v"}}, True),
        ({"StringEquals": {"absent": "v"}}, False),
        ({"StringEqualsIfExists": {"absent": "v"}}, True),
        ({"StringLike": {"k": "?"}}, True),
        ({"StringLike": {"k": "[v]"}}, False),
        ({"StringNotLike": {"k": "v*"}}, False),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"k": "true"}}, False),
        ({"Bool": {"yes": True}}, True),
        ({"NumericLessThan": {"number": 11}}, True),
        ({"NumericGreaterThan": {"number": "10"}}, False),
        ({"DateLessThan": {"time": "2020-03-05T00:00:00Z"}}, True),
        ({"DateGreaterThan": {"time": "2020-03-05T00:00:00Z"}}, False),
        ({"IpAddress": {"ip": "203.0.113.0/24"}}, True),
        ({"NotIpAddress": {"ip": ["10.0.0.0/8", "203.0.113.7"]}}, False),
        ({"ArnLike": {"arn": "arn:aws:iam::*:user/*"}}, True),
        ({"ArnEquals": {"arn": "arn:aws:iam:*:user/ann"}}, False),
        ({"ForAllValues:StringEquals": {"many": ["a", "b", "c"]}}, True),
        ({"ForAllValues:StringEquals": {"many": ["a"]}}, False),
        ({"ForAnyValue:StringEquals": {"many": ["b"]}}, True),
        ({"ForAnyValue:StringEquals": {"absent": ["b"]}}, False),
        ({"StringEquals": {"k": "v"}, "Bool": {"yes": "false"}}, False),
    ],
    ids=str,
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    context: Context = {
        "k": "v", "yes": "true", "number": "10", "time": "1583348638", "ip": "203.0.113.7", "arn": ANN,
        "many": ["a", "b"],
    }  # fmt: skip
    assert (decide(context, Condition=condition) is Verdict.ALLOW) is holds
    assert (decide(context, Condition=condition, Effect="Deny") is Verdict.DENY) is holds


@pytest.mark.parametrize(
    "condition",
    [{"Strange": {"k": "v"}}, {"NumericEquals": {"k": "1"}}, {"IpAddress": {"k": "v"}}, "text", {"StringEquals": []}],
    ids=str,
)
def test_what_is_not_understood_never_allows_and_always_denies(condition: Any) -> None:
    assert decide({"k": "v"}, Condition=condition) is Verdict.NO_MATCH
    assert decide({"k": "v"}, Condition=condition, Effect="Deny") is Verdict.DENY


@pytest.mark.parametrize(
    ("principal", "effect", "verdict"),
    [
        ("*", "Allow", Verdict.ALLOW),
        ({"AWS": ANN}, "Allow", Verdict.ALLOW),
        ({"AWS": ["arn:aws:iam::000000000000:user/bob"]}, "Allow", Verdict.NO_MATCH),
        ({"AWS": "000000000000"}, "Allow", Verdict.NO_MATCH),
        ({"AWS": "arn:aws:iam::000000000000:root"}, "Deny", Verdict.DENY),
        ({"Service": "lambda.amazonaws.com"}, "Allow", Verdict.NO_MATCH),
    ],
)
def test_principals_of_a_resources_policy(principal: Any, effect: str, verdict: Verdict) -> None:
    statement = {"Effect": effect, "Principal": principal, "Action": "*", "Resource": "*"}
    asked = Asked("execute-api:Invoke", ARN, frozenset({ANN}), "000000000000")
    assert evaluate_resource_policy({"Statement": statement}, asked) is verdict


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["Effect", "Action", "NotAction", "Resource", "Principal", "NotPrincipal", "Condition"])


@given(st.dictionaries(MEMBERS, JSON | st.sampled_from(["Allow", "Deny", "*"])) | JSON)
@settings(max_examples=300, deadline=None)
def test_any_document_is_decided_or_malformed(statement: Any) -> None:
    for decider in (evaluate, evaluate_resource_policy):
        try:
            assert decider({"Statement": statement}, Asked("a:b", ARN)) in Verdict
        except MalformedPolicy:
            continue
