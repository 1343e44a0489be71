"""What is refused before anything is made: by name, with its line."""

from __future__ import annotations

import pytest
from tests.unit.stacks.cloud import ALL, World

from freehold.aws.errors import AwsError

GROUP = "{Type: AWS::Logs::LogGroup}"

WRONG = [
    ("Resources: {}", "Template format error: At least one Resources member must be defined."),
    ("[1]", "Template format error: unsupported structure."),
    ("Foo: 1\nResources: {A: {Type: AWS::Logs::LogGroup}}", "Invalid template property or properties [Foo]"),
    (
        "AWSTemplateFormatVersion: 2011-01-01\nResources: {A: {Type: AWS::Logs::LogGroup}}",
        "2011-01-01 is not a supported",
    ),
    ("Resources:\n  A:\n    Typ: x", "[/Resources/A] Every Resources object must contain a Type member. (line 2)"),
    (  # Only custom resources have one.
        "Resources:\n  A: {Type: AWS::Logs::LogGroup, Version: 1}",
        "Invalid template resource property 'Version' (line 2)",
    ),
    ("Resources:\n  A-b: {Type: AWS::Logs::LogGroup}", "Resource name A-b is non alphanumeric. (line 2)"),
    (
        "Resources:\n  A:\n    Type: AWS::SQS::Queue",
        "AWS::SQS::Queue (A (line 2)): Freehold does not support this type yet",
    ),
    (
        "Resources:\n  A:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      Nmae: x",
        "resource A with message: #/Nmae: extraneous key [Nmae] is not permitted (line 5)",
    ),
    (
        "Resources:\n  A:\n    Type: AWS::Lambda::Function\n    Properties:\n      Role: r\n      Code: {ZipFile: x}\n"
        "      Environment:\n        Vars: {}",
        "#/Environment/Vars: extraneous key [Vars] is not permitted (line 8)",
    ),
    ("Resources:\n  A: {Type: AWS::SSM::Parameter, Properties: {Type: String}}", "#: required key [Value] not found"),
    (
        "Resources:\n  A: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: many}}",
        "#/RetentionInDays: expected type: Integer, found: String",
    ),
    (
        "Resources:\n  A: {Type: AWS::S3::Bucket, Properties: {AccelerateConfiguration: {AccelerationStatus: Enabled}}}",  # noqa: E501 - one long line on purpose
        "Freehold does not support the property AccelerateConfiguration of AWS::S3::Bucket yet (line 2)",
    ),
    (
        "Resources:\n  A: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: !Ref B}}",
        "Unresolved resource dependencies [B] in the Resources block of the template (line 2)",
    ),
    (
        "Resources:\n  A: {Type: AWS::Logs::LogGroup}\nOutputs:\n  O: {Value: !GetAtt A.Nope}",
        "resource A does not support attribute type Nope in Fn::GetAtt: AWS::Logs::LogGroup has Arn (line 4)",
    ),
    (
        "Resources:\n  A: {Type: AWS::Logs::LogGroup, DependsOn: B}\n  B: {Type: AWS::Logs::LogGroup, DependsOn: A}",
        "Circular dependency between resources: [A, B]",
    ),
    (
        "Resources:\n  A: {Type: AWS::Logs::LogGroup, Condition: C}",
        "Unresolved condition dependency C in the Resources block of the template (line 2)",
    ),
    (
        "Conditions: {C: !Equals [!Ref A, x]}\nResources:\n  A: {Type: AWS::Logs::LogGroup}",
        "Cannot reference resources in the Conditions block of the template",
    ),
    ("Resources:\n  A: {Type: AWS::Logs::LogGroup\n", "YAML not well-formed. (line"),
    (
        "Resources:\n  A: {Type: AWS::Logs::LogGroup, DeletionPolicy: Keep}",
        "Unrecognized DeletionPolicy Keep for resource A",
    ),
]


@pytest.mark.parametrize(("template", "message"), WRONG)
async def test_a_wrong_template_is_refused_before_anything_is_made(world: World, template: str, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        await world.create("s", template)
    assert caught.value.code == "ValidationError"
    assert message in caught.value.message
    assert world.cloud.calls == []
    assert (await world("ListStacks"))["StackSummaries"] == []


async def test_limits_are_clouformations(world: World) -> None:
    many = "Resources:\n" + "".join(f"  R{n}: {GROUP}\n" for n in range(501))
    with pytest.raises(AwsError, match="Number of resources, 501, is greater than maximum allowed, 500"):
        await world.create("s", many)
    with pytest.raises(AwsError, match="less than or equal to 51200"):
        await world.create("s", f"Description: {'x' * 51_200}\nResources: {{A: {GROUP}}}")
    world.cloud.objects["b/k"] = f"Description: {'x' * 51_200}\nResources: {{A: {GROUP}}}".encode()
    await world("CreateStack", StackName="s", TemplateURL="https://s3.amazonaws.com/b/k")
    assert (await world.settled("s"))["StackStatus"] == "CREATE_COMPLETE"
    world.cloud.objects["b/k"] += b"#" * 1_000_000
    with pytest.raises(AwsError, match="Template may not exceed 1000000 bytes in size"):
        await world("ValidateTemplate", TemplateURL="http://b.s3.localhost:4566/k")


async def test_capabilities_must_be_acknowledged(world: World) -> None:
    role = "Resources: {R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, RoleName: r}}}"
    with pytest.raises(AwsError, match=r"Requires capabilities : \[CAPABILITY_NAMED_IAM\]") as caught:
        await world("CreateStack", StackName="s", TemplateBody=role, Capabilities=["CAPABILITY_IAM"])
    assert caught.value.code == "InsufficientCapabilitiesException"
    sam = f"Transform: AWS::Serverless-2016-10-31\nResources: {{A: {GROUP}}}"
    with pytest.raises(AwsError, match=r"Requires capabilities : \[CAPABILITY_AUTO_EXPAND\]"):
        await world("CreateStack", StackName="s", TemplateBody=sam)
    # A change set shows what the macro made before anything is.
    await world("CreateChangeSet", StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=sam)
    assert (await world("DescribeChangeSet", StackName="s", ChangeSetName="c"))["Capabilities"] == []
    summary = await world("GetTemplateSummary", TemplateBody=sam)
    assert summary["Capabilities"] == ["CAPABILITY_AUTO_EXPAND"]


async def test_conditions_leave_resources_out_and_choose_values(world: World) -> None:
    template = """
Parameters: {Stage: {Type: String}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsTest: !Not [!Condition IsProd]
Resources:
  A: {Type: AWS::Logs::LogGroup, DependsOn: B, Properties: {RetentionInDays: !If [IsProd, 30, !Ref AWS::NoValue]}}
  B: {Type: AWS::Logs::LogGroup, Condition: IsProd}
Outputs:
  Name: {Condition: IsTest, Value: !If [IsTest, test, !Ref B]}
"""
    given = [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    stack = await world.create("s", template, Parameters=given)
    assert stack["Outputs"] == [{"OutputKey": "Name", "OutputValue": "test"}]
    assert world.cloud.operations() == ["CreateLogGroup"]


async def test_loops_includes_and_json_strings(world: World) -> None:
    world.cloud.objects["b/more.yaml"] = b"RetentionInDays: 5"
    template = """
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Groups:
    - Name
    - [one, two]
    - Group${Name}:
        Type: AWS::Logs::LogGroup
        Properties:
          LogGroupName: !Sub '${Name}-group'
          Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/more.yaml'}}
Outputs:
  Count: {Value: !Length [1, 2]}
  Text: {Value: !ToJsonString {name: !Ref Groupone}}
"""
    stack = await world.create("s", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    assert {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]} == {
        "Count": "2",
        "Text": '{"name":"one-group"}',
    }
    assert world.cloud.request("PutRetentionPolicy")["retentionInDays"] == 5


async def test_dynamic_references_are_resolved_but_not_kept(world: World) -> None:
    world.cloud.parameters["/token"] = "hidden"
    template = """
Resources:
  P: {Type: AWS::SSM::Parameter, Properties: {Name: p, Type: String, Value: 'x-{{resolve:ssm:/token}}'}}
"""
    await world.create("s", template)
    assert world.cloud.request("PutParameter")["Value"] == "x-hidden"
    stored = await world.store.list_documents("cloudformation.resource")
    assert stored[0].document["properties"]["Value"] == "x-{{resolve:ssm:/token}}"


async def test_rules_are_asserted(world: World) -> None:
    template = f"""
Parameters: {{Stage: {{Type: String}}, Size: {{Type: String}}}}
Rules:
  Prod:
    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
      - Assert: !Contains [[large, huge], !Ref Size]
        AssertDescription: production is large
Resources: {{A: {GROUP}}}
"""
    given = [{"ParameterKey": k, "ParameterValue": v} for k, v in (("Stage", "prod"), ("Size", "small"))]
    with pytest.raises(AwsError, match="production is large"):
        await world.create("s", template, Parameters=given)
    given[1]["ParameterValue"] = "huge"
    assert (await world.create("s", template, Parameters=given))["StackStatus"] == "CREATE_COMPLETE"


async def test_a_failed_transform_is_the_change_sets_reason(world: World) -> None:
    template = """
Transform: AWS::Serverless-2016-10-31
Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handlr: x}}}
"""
    await world(
        "CreateChangeSet",
        StackName="s",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=template,
        Capabilities=ALL,
    )
    described = await world("DescribeChangeSet", StackName="s", ChangeSetName="c")
    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith(
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document."
    )


async def test_both_stages_of_a_template_are_read_back(world: World) -> None:
    template = f"Transform: AWS::LanguageExtensions\nResources: {{A: {GROUP}}}"
    await world.create("s", template)
    assert (await world("GetTemplate", StackName="s"))["TemplateBody"] == template
    processed = (await world("GetTemplate", StackName="s", TemplateStage="Processed"))["TemplateBody"]
    assert processed == '{"Resources":{"A":{"Type":"AWS::Logs::LogGroup"}}}'


async def test_on_failure_says_what_becomes_of_a_failed_create(world: World) -> None:
    world.cloud.failures["CreateLogGroup"] = AwsError("LimitExceededException", "too many")
    template = f"Resources: {{A: {GROUP}}}"
    assert (await world.create("keep", template, OnFailure="DO_NOTHING"))["StackStatus"] == "CREATE_FAILED"
    made = await world("CreateStack", StackName="gone", TemplateBody=template, OnFailure="DELETE")
    assert (await world.settled(made["StackId"]))["StackStatus"] == "DELETE_COMPLETE"
    world.cloud.failures.clear()
    assert (await world.update("keep", template))["StackStatus"] == "UPDATE_COMPLETE"


async def test_a_protected_stack_is_not_deleted(world: World) -> None:
    await world.create("s", f"Resources: {{A: {GROUP}}}", EnableTerminationProtection=True)
    with pytest.raises(AwsError, match="cannot be deleted while TerminationProtection is enabled"):
        await world("DeleteStack", StackName="s")
    await world("UpdateTerminationProtection", StackName="s", EnableTerminationProtection=False)
    assert (await world.delete("s"))["StackStatus"] == "DELETE_COMPLETE"


async def test_stack_tags_reach_the_resources(world: World) -> None:
    template = "Resources: {A: {Type: AWS::Logs::LogGroup, Properties: {Tags: [{Key: a, Value: own}]}}}"
    await world.create("s", template, Tags=[{"Key": "a", "Value": "stack"}, {"Key": "b", "Value": "stack"}])
    assert world.cloud.request("CreateLogGroup")["tags"] == {"a": "own", "b": "stack"}


DOMAIN = """
Parameters: {Domain: {Type: String, Default: ''}}
Conditions:
  HasDomain: !Not [!Equals [!Ref Domain, '']]
Resources:
  A: {Type: AWS::Logs::LogGroup}
  Certificate: {Type: AWS::Foo::Bar, Condition: HasDomain, Properties: {DomainName: !Ref Domain}}
  B:
    Type: AWS::Logs::LogGroup
    Condition: HasDomain
    Properties: {LogGroupName: !GetAtt Certificate.Name}
Outputs:
  Name: {Condition: HasDomain, Value: !GetAtt Certificate.Arn}
"""


async def test_a_type_that_is_not_ours_may_stand_where_a_condition_leaves_it_out(world: World) -> None:
    stack = await world.create("s", DOMAIN)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert world.cloud.operations() == ["CreateLogGroup"]
    given = [{"ParameterKey": "Domain", "ParameterValue": "example.org"}]
    with pytest.raises(
        AwsError, match=r"AWS::Foo::Bar \(Certificate \(line 7\)\): Freehold does not support this type"
    ):
        await world("UpdateStack", StackName="s", TemplateBody=DOMAIN, Parameters=given)
    assert world.cloud.operations() == ["CreateLogGroup"]


async def test_what_cannot_be_a_type_is_refused_under_every_condition(world: World) -> None:
    with pytest.raises(AwsError, match=r"Unrecognized resource types: \[Foo \(Certificate"):
        await world.create("s", DOMAIN.replace("AWS::Foo::Bar", "Foo"))
