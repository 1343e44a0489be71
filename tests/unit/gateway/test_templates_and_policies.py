"""Whatever a template or a policy says, and whatever is sent to it: an answer or a refusal by name, nothing else."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.aws.errors import AwsError
from freehold.aws.policies import Asked, MalformedPolicy, Verdict, evaluate, evaluate_resource_policy
from freehold.aws.policy_conditions import _OPERATORS
from freehold.gateway.authorizers.resource_policy import compile_resource_policy
from freehold.gateway.mapping.methods import TemplateFailure
from freehold.gateway.mapping.template import compile_template
from freehold.gateway.mapping.variables import Input

ARN = "arn:aws:execute-api:us-east-1:000000000000:abc"
_PIECES = [
    *("#set($a = ", "#if(", "#elseif(", "#else", "#end", "#foreach($x in ", "#stop", "#break", "##", "#*", "*#", ")"),
    *("$a", "$x", "${a}", "$!a", "$input.path('$", "$input.json('$.", "$input.params(", "$input.body", "$util."),
    *("parseJson(", "urlDecode(", "base64Decode(", "escapeJavaScript(", "$context.", "requestOverride.", "[", "]", "{"),
    *(
        "}",
        "'",
        '"',
        "(",
        ".",
        "..",
        "*",
        "1",
        "-1",
        "9999999999",
        "==",
        "&&",
        "!",
        "+",
        "/",
        "%",
        " ",
        "\n",
        "é",
        "\0",
    ),
    *(".size()", ".get(0)", ".add(1)", ".put('k', $a)", ".replaceAll('(a+)+$', 'b')", ".split(',')", ".substring(1)"),
    *("__class__", ".getClass()", ".length()", "[0..9999]", ".keySet()", ".equals($a)", ".matches('.*')"),
]
_bodies = st.one_of(st.text(max_size=60), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4), max_leaves=8,
).map(json.dumps))  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=25).map("".join), _bodies)
@example("#foreach($x in [0..9999])$x#end", "{}")
@example("#set($a = [])#set($b = $a.add($a))$a", "{}")
@example("$input.path('$..*')", "[[[]]]")
def test_a_template_is_rendered_or_refused(text: str, body: str) -> None:
    try:
        template = compile_template(text, "this")
    except AwsError as refused:
        if refused.code != "BadRequestException":
            raise
        return
    variables: dict[str, Any] = {
        "input": Input(body, {"id": "7"}, {"page": "2"}, lambda: {"X-Mine": "me"}),
        "context": {"requestOverride": {"header": {}}, "stage": "dev"},
        "stageVariables": {},
    }
    try:
        assert isinstance(template.render(variables), str)
    except TemplateFailure:
        pass


_words = st.sampled_from(
    ["*", "execute-api:Invoke", "execute-api:/dev/*", f"{ARN}/dev/GET/a", "", "${aws:username}", "a*b?"]
)
_values = st.one_of(
    _words, st.integers(), st.none(), st.booleans(), st.lists(_words, max_size=3), st.just({"AWS": "*"})
)
_conditions = st.dictionaries(
    st.one_of(st.sampled_from([*_OPERATORS, "ForAllValues:StringLike", "Null", "BoolIfExists"]), st.text(max_size=5)),
    st.one_of(
        _values, st.dictionaries(st.sampled_from(["aws:SourceIp", "aws:Gone", "AWS:userid"]), _values, max_size=2)
    ),
    max_size=2,
)
_members = {
    "Effect": st.sampled_from(["Allow", "Deny", "allow", None]),
    **dict.fromkeys(("Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"), _values),
    "Condition": st.one_of(_conditions, _values),
}
_statements = st.one_of(
    st.fixed_dictionaries(
        {"Effect": _members["Effect"]}, optional={k: v for k, v in _members.items() if k != "Effect"}
    ),
    st.fixed_dictionaries(
        {"Effect": st.just("Allow"), "Principal": st.just("*"), "Action": st.just("*"), "Resource": _words},
        optional={"Condition": _conditions},
    ),
    _values,
)
_documents = st.one_of(
    _values, st.fixed_dictionaries({"Statement": st.one_of(_statements, st.lists(_statements, max_size=3))})
)
_asked = Asked("execute-api:Invoke", f"{ARN}/dev/GET/a", context={"aws:sourceip": "203.0.113.7", "aws:userid": "me"})


@settings(max_examples=150, deadline=None)
@given(_documents)
def test_a_policy_is_decided_or_refused(document: Any) -> None:
    for decide in (evaluate, evaluate_resource_policy):
        try:
            assert decide(document, _asked) in Verdict
        except MalformedPolicy:
            pass
    try:
        policy = compile_resource_policy(json.dumps(document), ARN)
    except AwsError as refused:
        if refused.code != "BadRequestException":
            raise
        return
    # What deploys can be decided, and nothing that a condition says is unknown to it.
    evaluate_resource_policy(policy.document, _asked)


@settings(max_examples=100, deadline=None)
@given(st.lists(_statements, max_size=3))
def test_a_statement_that_denies_everything_cannot_be_outweighed(statements: list[Any]) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    try:
        assert evaluate_resource_policy({"Statement": [*statements, deny]}, _asked) is Verdict.DENY
    except MalformedPolicy:
        pass
