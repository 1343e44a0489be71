"""Each resource type, with every property of its schema set: what it asks of AWS is valid by AWS's own models.

`Cloud` asserts that, for names and types of all members; here the values are made from the schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.stacks.cloud import CALL, Cloud

from freehold.aws.call import Json
from freehold.stacks.resources import RESOURCE_TYPES, ResourceType, find_type
from freehold.stacks.resources.types import Created
from freehold.stacks.schema import Schema, load_schema

_FOLDER = Path(__file__).parents[4] / "src/freehold/stacks/resources"

# Values that the schema's types alone do not make meaningful.
_VALUES: dict[str, Json] = {
    "AWS::ApiGateway::Method": {"RequestParameters": {"method.request.path.id": "true"}},
    "AWS::ApiGateway::DomainName": {"DomainName": "api.example.com"},
    "AWS::ApiGateway::Stage": {"StageName": "s", "DeploymentId": "d"},
    "AWS::ApiGatewayV2::Api": {"Name": "n", "ProtocolType": "HTTP"},
    "AWS::ApiGatewayV2::Authorizer": {"IdentitySource": ["$request.header.Authorization"]},
    "AWS::ApiGatewayV2::Integration": {
        "TimeoutInMillis": 5000,
        "ResponseParameters": {"200": {"ResponseParameters": [{"Source": "a", "Destination": "b"}]}},
    },
    "AWS::ApiGatewayV2::IntegrationResponse": {"ResponseTemplates": {}, "ResponseParameters": {}},
    "AWS::ApiGatewayV2::Route": {"RequestModels": {}, "RequestParameters": {"key": {"Required": True}}},
    "AWS::ApiGatewayV2::RouteResponse": {"ResponseModels": {}, "ResponseParameters": {}},
    "AWS::Events::Rule": {"Targets": [{"Id": "t", "Arn": "a", "RetryPolicy": {"MaximumEventAgeInSeconds": 60}}]},
    "AWS::IAM::ManagedPolicy": {"Roles": ["r"], "Users": ["u"], "Groups": []},
    "AWS::IAM::Role": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/p"], "MaxSessionDuration": 3600},
    "AWS::Lambda::EventInvokeConfig": {"MaximumEventAgeInSeconds": 60},
    "AWS::DynamoDB::Table": {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PROVISIONED",
        "ImportSourceSpecification": None,  # An imported table has no local indexes.
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "index",
                "KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            }
        ],
    },
    "AWS::Cognito::UserPool": {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}},
    "AWS::ApiGateway::RestApi": {"Body": {"openapi": "3.0.1"}},
    "AWS::ApiGatewayV2::Stage": {"StageVariables": {"a": "b"}, "RouteSettings": {}},
    "AWS::Lambda::LayerVersionPermission": {"LayerVersionArn": "arn:aws:lambda:us-east-1:0:layer:l:3"},
    "AWS::Lambda::EventSourceMapping": {"StartingPositionTimestamp": 1.5},
    "AWS::S3::Bucket": {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 3}]}},
    "AWS::SecretsManager::Secret": {"SecretString": None, "GenerateSecretString": {"PasswordLength": 20}},
    "AWS::Lambda::Function": {
        "Code": {"ZipFile": "x", "S3Bucket": "bucket"},
        "EphemeralStorage": {"Size": 512},
        "MemorySize": 128,
        "RuntimeManagementConfig": {"UpdateRuntimeOn": "Auto"},
    },
}
# Properties whose change is refused, as CloudFormation refuses it.
_NEVER_CHANGED = {
    "AWS::Cognito::UserPool": {"AliasAttributes", "Schema", "UsernameAttributes", "UsernameConfiguration"},
}
# Where the physical id is looked into.
_IDS = {
    "AWS::IAM::ManagedPolicy": "arn:aws:iam::000000000000:policy/p",
    "AWS::Lambda::EventSourceMapping": "00000000-0000-0000-0000-000000000000",
    "AWS::Lambda::Version": "arn:aws:lambda:us-east-1:0:function:f:3",
    "AWS::Lambda::LayerVersion": "arn:aws:lambda:us-east-1:0:layer:l:3",
}
_PLAIN = sorted(name for name in RESOURCE_TYPES if isinstance(find_type(name), ResourceType))


@pytest.mark.parametrize("type_name", _PLAIN)
async def test_what_a_type_asks_of_aws_is_valid(type_name: str) -> None:
    resource = find_type(type_name)
    assert isinstance(resource, ResourceType)
    cloud = Cloud()
    aws = cloud.bind(CALL)
    least, full = _properties(resource, only_required=True), _properties(resource, only_required=False)
    for properties in (least, full):
        created = await resource.create(aws, properties)
        physical_id = _IDS.get(type_name, created.physical_id)
        assert physical_id
        _check_attributes(resource, created)
        if resource.update is not None:
            for other in (least, full):
                never = _NEVER_CHANGED.get(type_name, set())
                previous = {name: value for name, value in other.items() if name not in never}
                previous |= _fixed(resource, properties, never)
                updated = await resource.update(aws, physical_id, properties, previous)
                assert type_name in _IDS or updated.physical_id == physical_id
        await resource.delete(aws, physical_id, properties)


def test_each_file_is_in_the_table() -> None:
    files = {file.stem for file in _FOLDER.glob("*.py") if "\nRESOURCE = " in file.read_text()}
    assert files == set(RESOURCE_TYPES.values())
    for name in RESOURCE_TYPES:
        found = find_type(name)
        assert found is not None
        assert found.type == name


def test_each_type_has_its_schema() -> None:
    for name in RESOURCE_TYPES:
        schema = load_schema(name)
        assert schema.properties or schema.attributes


def _check_attributes(resource: ResourceType, created: Created) -> None:
    for name in created.attributes:
        assert resource.has_attribute(name), f"{resource.type} has no attribute {name}"


def _fixed(resource: ResourceType, properties: Json, never: set[str]) -> Json:
    """The properties that an update never changes."""
    names = load_schema(resource.type).replaced_by | never | ({resource.name.property} if resource.name else set())
    return {name: properties[name] for name in names if name in properties}


def _properties(resource: ResourceType, *, only_required: bool) -> Json:
    schema = load_schema(resource.type)
    names = set(schema.required) if only_required else set(resource.supported or schema.properties)
    if resource.name:
        names.add(resource.name.property)
    names |= {"Name", "StageName", "DeploymentId", "DomainName", "ProtocolType", "IdentitySource"} & set(
        schema.properties
    )
    made = {name: _value(schema, schema.properties.get(name, {}), name, 0) for name in names}
    fixed = {k: v for k, v in _VALUES.get(resource.type, {}).items() if k in names or k in schema.required}
    return {name: value for name, value in {**made, **fixed}.items() if value is not None}


def _value(schema: Schema, shape: Json, name: str, depth: int) -> Any:
    if "ref" in shape:
        shape = schema.definitions.get(shape["ref"], {})
    kind = shape.get("type")
    if "properties" in shape:
        inner = shape["properties"] if depth < 3 else {n: shape["properties"][n] for n in shape.get("required", [])}
        return {key: _value(schema, item, key, depth + 1) for key, item in inner.items()}
    if kind == "array":
        return [_value(schema, shape.get("items", {}), name, depth + 1)]
    if kind == "object":
        return {"key": _value(schema, shape.get("values", {}), name, depth + 1)}
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return 3
    return {"Statement": []} if kind == "json" else f"{name}-value".ljust(20, "-")  # The least length of an ARN.
