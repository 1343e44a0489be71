"""The SAM transform, offline."""

from __future__ import annotations

import pytest

from freehold.templates.sam.transform import SamError, has_sam_transform, transform

FUNCTION = {
    "Type": "AWS::Serverless::Function",
    "Properties": {
        "Handler": "a.b",
        "Runtime": "python3.12",
        "InlineCode": "x",
        "Policies": ["AmazonDynamoDBReadOnlyAccess", {"DynamoDBReadPolicy": {"TableName": "t"}}],
        "Events": {"Get": {"Type": "HttpApi", "Properties": {"Path": "/", "Method": "GET"}}},
    },
}


def test_managed_policies_and_policy_templates_need_no_aws() -> None:
    resources = transform({"Resources": {"F": FUNCTION}}, {}, "eu-west-1")["Resources"]
    role = resources["FRole"]["Properties"]
    assert "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess" in role["ManagedPolicyArns"]
    assert role["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"][0] == "dynamodb:GetItem"
    assert resources["ServerlessHttpApi"]["Type"] == "AWS::ApiGatewayV2::Api"


def test_what_is_wrong_is_told_with_the_resource() -> None:
    with pytest.raises(SamError, match=r"Number of errors found: 1. Resource with id \[F\] is invalid."):
        transform({"Resources": {"F": {**FUNCTION, "Properties": {"Handlr": "x"}}}}, {}, "us-east-1")


def test_a_transform_is_seen_alone_and_in_a_list() -> None:
    assert has_sam_transform({"Transform": "AWS::Serverless-2016-10-31"})
    assert has_sam_transform({"Transform": ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"]})
    assert not has_sam_transform({"Transform": "AWS::LanguageExtensions"})
