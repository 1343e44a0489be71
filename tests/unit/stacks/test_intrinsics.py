"""Each intrinsic function, by AWS's examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from freehold.aws.errors import AwsError
from freehold.stacks.intrinsics import KNOWN_AFTER_APPLY, Known, Scope, resolve
from freehold.templates.yaml_reader import read_template

SCOPE = Scope(
    region="eu-west-1",
    account="000000000000",
    stack_name="shop",
    stack_id="arn:aws:cloudformation:eu-west-1:000000000000:stack/shop/1",
    parameters={"Stage": "dev", "Zones": ["a", "b"]},
    mappings={"Sizes": {"dev": {"Memory": 128, "List": ["x", "y"]}}},
    conditions={"IsDev": True, "IsProd": False},
    resources={
        "Table": Known("items", {"Arn": "arn:items", "Nested.Name": "n"}),
        "New": Known(KNOWN_AFTER_APPLY, {}, True),
    },
    exports={"shared-topic": "arn:topic"},
)

CASES: list[tuple[str, Any]] = [
    ("!Ref Stage", "dev"),
    ("!Ref Table", "items"),
    ("!Ref Zones", ["a", "b"]),
    ("!Ref AWS::Region", "eu-west-1"),
    ("!Ref AWS::URLSuffix", "amazonaws.com"),
    ("!GetAtt Table.Arn", "arn:items"),
    ("!GetAtt Table.Nested.Name", "n"),
    ("!Sub '${Stage}-${Table.Arn}-${!Literal}-${AWS::StackName}'", "dev-arn:items-${Literal}-shop"),
    ("!Sub ['${a}-${Stage}', {a: !Ref Table}]", "items-dev"),
    ("!Join ['-', [a, !Ref Stage, 3, true]]", "a-dev-3-true"),
    ("!Select [1, !Split [',', 'a,b,c']]", "b"),
    ("!Select ['0', !Ref Zones]", "a"),
    ("!FindInMap [Sizes, !Ref Stage, Memory]", 128),
    ("!FindInMap [Sizes, prod, Memory, {DefaultValue: 1}]", 1),
    ("!Base64 hello", "aGVsbG8="),
    ("!Cidr ['10.0.0.0/16', 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
    ("!GetAZs ''", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
    ("!GetAZs us-east-1", ["us-east-1a", "us-east-1b", "us-east-1c"]),
    ("!ImportValue shared-topic", "arn:topic"),
    ("!If [IsDev, yes-it-is, no-not]", "yes-it-is"),
    ("{a: !If [IsProd, 1, !Ref AWS::NoValue], b: 2}", {"b": 2}),
    ("[1, !Ref AWS::NoValue, 2]", [1, 2]),
    ("!And [!Condition IsDev, !Not [!Condition IsProd]]", True),
    ("!Or [!Condition IsProd, !Equals [a, b]]", False),
    ("!Equals [!Ref Stage, dev]", True),
    ("!Equals [1, '1']", True),
    ("!Length [1, 2, 3]", 3),
    ("!ToJsonString {a: !Ref Stage}", '{"a":"dev"}'),
    (
        "{Effect: Allow, Condition: {StringEquals: {a: !Ref Stage}}}",
        {"Effect": "Allow", "Condition": {"StringEquals": {"a": "dev"}}},
    ),
]

WRONG = [
    ("!GetAtt Table.Name", "Requested attribute Name does not exist in schema for Table"),
    ("!GetAtt Nope.Arn", "instance of Fn::GetAtt references undefined resource Nope"),
    ("!FindInMap [Sizes, prod, Memory]", "Unable to get mapping for Sizes::prod::Memory"),
    ("!Select [5, [a]]", "cannot select nonexistent value at index 5"),
    ("!ImportValue nope", "No export named nope found"),
    ("!Join [x, y]", "every Fn::Join object requires two parameters"),
    ("{Fn::Nope: 1}", "unsupported function: Fn::Nope"),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_a_function_gives_what_aws_gives(text: str, expected: Any) -> None:
    assert resolve(read_template(text), SCOPE) == expected


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[text for text, _ in WRONG])
def test_a_mistake_is_told_in_awss_words(text: str, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        resolve(read_template(text), SCOPE)
    assert message in caught.value.message


@pytest.mark.parametrize(
    "text", ["!Ref New", "!GetAtt New.Anything", "!Join ['', [a, !Ref New]]", "!Split [',', !Ref New]"]
)
def test_what_only_creation_can_tell_is_unknown_in_a_change_set(text: str) -> None:
    assert resolve(read_template(text), replace(SCOPE, preview=True)) == KNOWN_AFTER_APPLY
