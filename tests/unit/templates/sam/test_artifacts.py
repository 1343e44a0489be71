"""Local files of a template: found, and replaced by their places in S3."""

from __future__ import annotations

from freehold.templates.sam.artifacts import Kind, S3Location, local_artifacts, with_locations
from freehold.templates.sam.functions import code_of
from freehold.templates.yaml_reader import read_template

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {CodeUri: shared/, Runtime: python3.12}}
Resources:
  Own: {Type: AWS::Serverless::Function, Properties: {CodeUri: own/, Handler: a.b}}
  Shared: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}
  Inline: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Handler: index.h}}
  Image: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: i}}
  There: {Type: AWS::Serverless::Function, Properties: {CodeUri: 's3://b/k'}}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.12}
    Properties: {ContentUri: layer/}
  Plain: {Type: AWS::Lambda::Function, Properties: {Code: plain/, Runtime: nodejs22.x}}
  Zip: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}}}
  Api: {Type: AWS::Serverless::Api, Properties: {DefinitionUri: api.yaml, StageName: p}}
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml}}
  Body:
    Type: AWS::ApiGateway::RestApi
    Properties: {Body: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: body.yaml}}}}
"""


def test_each_local_file_is_found_with_its_kind() -> None:
    found = [(item.logical_id, item.local, item.kind) for item in local_artifacts(read_template(TEMPLATE))]
    assert found == [
        ("Own", "own/", Kind.ZIP),
        ("Shared", "shared/", Kind.ZIP),
        ("Layer", "layer/", Kind.ZIP),
        ("Plain", "plain/", Kind.ZIP),
        ("Api", "api.yaml", Kind.FILE),
        ("Child", "child.yaml", Kind.TEMPLATE),
        ("Body", "body.yaml", Kind.FILE),
    ]


def test_places_in_s3_are_written_as_each_property_wants_them() -> None:
    template = read_template(TEMPLATE)
    made = with_locations(template, {item: S3Location("b", item.logical_id) for item in local_artifacts(template)})
    properties = {name: resource["Properties"] for name, resource in made["Resources"].items()}
    assert properties["Own"]["CodeUri"] == "s3://b/Own"
    assert properties["Shared"]["CodeUri"] == "s3://b/Shared"
    assert properties["Plain"]["Code"] == {"S3Bucket": "b", "S3Key": "Plain"}
    assert properties["Child"]["TemplateURL"] == "https://s3.amazonaws.com/b/Child"
    assert properties["Body"]["Body"]["Fn::Transform"]["Parameters"]["Location"] == "s3://b/Body"
    assert "CodeUri" not in made["Globals"]["Function"]
    assert "CodeUri" in template["Globals"]["Function"], "the template given is left as it was"
    assert local_artifacts(made) == []


def test_a_function_without_any_code_is_the_current_folder() -> None:
    template = {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "a.b"}}}}
    (artifact,) = local_artifacts(template)
    assert artifact.local == "."


def test_functions_and_layers_are_listed_with_globals_applied() -> None:
    found = {code.logical_id: code for code in code_of(read_template(TEMPLATE))}
    assert (found["Shared"].source, found["Shared"].runtime) == ("shared/", "python3.12")
    assert (found["Inline"].source, found["There"].source) == ("", "")
    assert found["Layer"].is_layer
    assert found["Layer"].build_method == "python3.12"
