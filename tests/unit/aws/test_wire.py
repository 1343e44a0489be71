"""Whatever botocore writes for a service, our codec reads; whatever our codec writes, botocore reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore import parsers, serialize

from freehold.aws.errors import AwsError
from freehold.aws.model import service_model
from freehold.aws.wire import plain_body, wire_of


@dataclass
class Incoming:
    method: str
    raw_path: str
    query: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    lower: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def _as_sent(service: str, operation: str, parameters: dict[str, Any]) -> Incoming:
    model = service_model(service)
    serializer = serialize.create_serializer(wire_of(service).protocol, False)
    request = serializer.serialize_to_request(parameters, model.operation_model(operation))
    path, _, query = request["url_path"].partition("?")
    extra = urlencode(request["query_string"], doseq=True) if request["query_string"] else ""
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    return Incoming(
        method=request["method"],
        raw_path=path,
        query="&".join(part for part in (query, extra) if part),
        lower={name.lower(): value for name, value in request["headers"].items()},
        body=body.encode() if isinstance(body, str) else body,
    )


_MOMENT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)

_REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "é"}]},
    ),
    (
        "ssm",
        "PutParameter",
        {"Name": "/a", "Value": "b", "Type": "String", "Overwrite": True, "Tags": [{"Key": "k", "Value": "v"}]},
    ),
    (
        "iam",
        "CreateRole",
        {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "Tags": [{"Key": "a", "Value": "b c&d"}]},
    ),
    (
        "cloudformation",
        "CreateStack",
        {
            "StackName": "s",
            "TemplateBody": "{}",
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": [
                {"ParameterKey": "a", "ParameterValue": "1"},
                {"ParameterKey": "b", "UsePreviousValue": True},
            ],
        },
    ),
    (
        "lambda",
        "CreateFunction",
        {
            "FunctionName": "f",
            "Role": "r",
            "Code": {"ZipFile": b"\x00zip"},
            "Environment": {"Variables": {"A": "b"}},
            "Timeout": 3,
        },
    ),
    (
        "lambda",
        "Invoke",
        {
            "FunctionName": "arn:aws:lambda:us-east-1:1:function:f",
            "Payload": b"{}",
            "InvocationType": "Event",
            "Qualifier": "1",
        },
    ),
    ("lambda", "ListFunctions", {"MaxItems": 5, "Marker": "x/y="}),
    ("apigateway", "CreateResource", {"restApiId": "a1", "parentId": "p", "pathPart": "items"}),
    (
        "apigateway",
        "UpdateStage",
        {"restApiId": "a1", "stageName": "dev", "patchOperations": [{"op": "replace", "path": "/x", "value": "1"}]},
    ),
    (
        "apigatewayv2",
        "CreateApi",
        {"Name": "n", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"], "MaxAge": 3}},
    ),
    ("apigatewayv2", "TagResource", {"ResourceArn": "arn:aws:apigateway:us-east-1::/apis/x", "Tags": {"a": "b"}}),
    (
        "s3",
        "PutObject",
        {
            "Bucket": "b",
            "Key": "dir/a b+c.txt",
            "Body": b"hello",
            "Metadata": {"one": "1"},
            "ContentType": "text/plain",
        },
    ),
    ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "x/y"}),
    ("s3", "UploadPart", {"Bucket": "b", "Key": "k", "PartNumber": 2, "UploadId": "u", "Body": b"x"}),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/", "MaxKeys": 7}),
    ("s3", "GetBucketLocation", {"Bucket": "b"}),
    ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b&c"}], "Quiet": True}}),
    ("s3", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "k", "Value": "v"}]}}),
    (
        "s3",
        "CompleteMultipartUpload",
        {
            "Bucket": "b",
            "Key": "k",
            "UploadId": "u",
            "MultipartUpload": {"Parts": [{"ETag": "e", "PartNumber": 1}]},
        },
    ),
    ("s3", "GetObject", {"Bucket": "b", "Key": "k", "IfModifiedSince": _MOMENT, "Range": "bytes=0-1"}),
    ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "s", "DurationSeconds": 900}),
    (
        "sns",
        "Publish",
        {"TopicArn": "t", "Message": "m", "MessageAttributes": {"a": {"DataType": "String", "StringValue": "v"}}},
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "parameters"), _REQUESTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_request_of_botocore_is_read_as_it_was_meant(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    assert wire_of(service).read(_as_sent(service, operation, parameters)) == (operation, parameters)


_ANSWERS: list[tuple[str, str, dict[str, Any]]] = [
    ("logs", "DescribeLogGroups", {"logGroups": [{"logGroupName": "g", "creationTime": 5, "storedBytes": 0}]}),
    ("events", "DescribeRule", {"Name": "r", "ScheduleExpression": "rate(1 day)", "State": "ENABLED"}),
    ("ssm", "GetParameter", {"Parameter": {"Name": "/a", "Value": "v", "LastModifiedDate": _MOMENT}}),
    (
        "iam",
        "GetRole",
        {
            "Role": {
                "RoleName": "r",
                "Path": "/",
                "RoleId": "i",
                "Arn": "arn",
                "CreateDate": _MOMENT,
                "Tags": [{"Key": "a", "Value": "<&>"}],
            }
        },
    ),
    (
        "cloudformation",
        "DescribeStacks",
        {
            "Stacks": [
                {
                    "StackName": "s",
                    "CreationTime": _MOMENT,
                    "StackStatus": "CREATE_COMPLETE",
                    "Outputs": [{"OutputKey": "o", "OutputValue": "1"}],
                }
            ]
        },
    ),
    (
        "lambda",
        "GetFunctionConfiguration",
        {"FunctionName": "f", "Timeout": 3, "Environment": {"Variables": {"A": "b"}}},
    ),
    (
        "lambda",
        "Invoke",
        {"StatusCode": 200, "FunctionError": "Unhandled", "LogResult": "eA==", "ExecutedVersion": "$LATEST"},
    ),
    ("apigateway", "GetStages", {"item": [{"stageName": "dev", "createdDate": _MOMENT, "variables": {"a": "b"}}]}),
    ("apigatewayv2", "GetApi", {"ApiId": "a", "Name": "n", "ProtocolType": "HTTP", "CreatedDate": _MOMENT}),
    (
        "s3",
        "ListObjectsV2",
        {
            "Name": "b",
            "KeyCount": 1,
            "IsTruncated": False,
            "Contents": [{"Key": "a&b", "Size": 3, "LastModified": _MOMENT, "ETag": '"e"'}],
            "CommonPrefixes": [{"Prefix": "x/"}],
        },
    ),
    ("s3", "ListBuckets", {"Buckets": [{"Name": "b", "CreationDate": _MOMENT}], "Owner": {"ID": "o"}}),
    (
        "s3",
        "HeadObject",
        {
            "ContentLength": 5,
            "ETag": '"e"',
            "LastModified": _MOMENT,
            "Metadata": {"one": "1"},
            "ContentType": "text/plain",
        },
    ),
    ("s3", "CopyObject", {"CopyObjectResult": {"ETag": '"e"', "LastModified": _MOMENT}}),
    ("sts", "GetCallerIdentity", {"UserId": "u", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"}),
]


@pytest.mark.parametrize(
    ("service", "operation", "answer"), _ANSWERS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_answer_is_read_by_botocore_as_it_was_meant(service: str, operation: str, answer: dict[str, Any]) -> None:
    wire = wire_of(service)
    outgoing = wire.write(operation, answer, "id-1")
    model = service_model(service).operation_model(operation)
    response = {"status_code": outgoing.status, "headers": _Headers(outgoing.headers), "body": outgoing.body}
    if operation == "HeadObject":
        response["body"] = b""
    parsed = parsers.create_parser(wire.protocol).parse(response, model.output_shape)
    metadata = parsed.pop("ResponseMetadata")
    if operation == "Invoke":
        parsed.pop("Payload", None)
    assert parsed == answer
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == "id-1"


_ERRORS = [
    ("dynamodb", "GetItem", "ResourceNotFoundException", 400),
    ("logs", "DescribeLogStreams", "ResourceNotFoundException", 400),
    ("iam", "GetRole", "NoSuchEntityException", 404),
    ("lambda", "GetFunction", "ResourceNotFoundException", 404),
    ("apigatewayv2", "GetApi", "NotFoundException", 404),
    ("s3", "GetObject", "NoSuchKey", 404),
    ("cloudformation", "DescribeStacks", "ValidationError", 400),
]


@pytest.mark.parametrize(("service", "operation", "code", "status"), _ERRORS)
def test_an_error_is_read_by_botocore_under_its_name(service: str, operation: str, code: str, status: int) -> None:
    wire = wire_of(service)
    given = 404 if code == "NoSuchKey" else None
    outgoing = wire.write_error(AwsError(code, "It is <not> here.", status=given), "id-2", "/b/k")
    model = service_model(service).operation_model(operation)
    response = {"status_code": outgoing.status, "headers": _Headers(outgoing.headers), "body": outgoing.body}
    parsed = parsers.create_parser(wire.protocol).parse(response, model.output_shape)
    assert outgoing.status == status
    assert parsed["Error"]["Code"].removesuffix("Exception") == code.removesuffix("Exception")
    assert parsed["Error"]["Message"] == "It is <not> here."


def test_what_is_no_operation_is_refused_by_name() -> None:
    with pytest.raises(AwsError, match="MakeCoffee"):
        wire_of("logs").read(Incoming("POST", "/", lower={"x-amz-target": "Logs_20140328.MakeCoffee"}, body=b"{}"))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"logGroupName": {}}', b'{"limit": "many"}'])
def test_a_body_that_is_not_of_the_protocol_is_a_serialization_error(body: bytes) -> None:
    with pytest.raises(AwsError) as caught:
        wire_of("logs").read(
            Incoming("POST", "/", lower={"x-amz-target": "Logs_20140328.DescribeLogStreams"}, body=body)
        )
    assert caught.value.code == "SerializationException"


def test_entities_in_xml_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Tagging>&a;</Tagging>'
    with pytest.raises(AwsError):
        wire_of("s3").read(Incoming("PUT", "/b", query="tagging", body=bomb))


def test_a_chunked_upload_is_read_with_its_trailing_checksum() -> None:
    framed = b"5;chunk-signature=x\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    headers = {"content-encoding": "aws-chunked", "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
    body, found = plain_body(Incoming("PUT", "/b/k", lower=headers, body=framed))
    assert body == b"hello world"
    assert found["x-amz-checksum-crc32"] == "DUoRhQ=="
    assert "content-encoding" not in found


def test_a_chunked_upload_that_is_cut_short_is_refused() -> None:
    headers = {"content-encoding": "aws-chunked"}
    with pytest.raises(AwsError):
        plain_body(Incoming("PUT", "/b/k", lower=headers, body=b"ff\r\nhello"))


class _Headers(dict[str, str]):
    """As botocore's: names in any case."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__({name.lower(): value for name, value in pairs})

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key.lower())

    def __contains__(self, key: object) -> bool:
        return super().__contains__(str(key).lower())
