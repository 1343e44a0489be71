"""AWS's own managed policies: which there are, and what those say that functions use.

One decision to know: that a policy exists is known from the list that the SAM translator ships; the text only of those
in the table below (AWS Managed Policy Reference Guide). Asking for the text of another is refused by name.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import orjson

from freehold.aws.errors import AwsError

_PREFIX = "arn:aws:iam::aws:policy/"
_LOG = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
# Name with its path -> what it allows on every resource.
_ACTIONS: dict[str, tuple[str, ...]] = {
    "AdministratorAccess": ("*",),
    "AmazonAPIGatewayInvokeFullAccess": ("execute-api:Invoke", "execute-api:ManageConnections"),
    "AmazonDynamoDBReadOnlyAccess": (
        *("dynamodb:BatchGetItem", "dynamodb:Describe*", "dynamodb:List*", "dynamodb:GetItem"),
        *("dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:GetResourcePolicy"),
    ),
    "AmazonS3FullAccess": ("s3:*", "s3-object-lambda:*"),
    "AmazonS3ReadOnlyAccess": (
        *("s3:Get*", "s3:List*", "s3:Describe*"),
        *("s3-object-lambda:Get*", "s3-object-lambda:List*"),
    ),
    "AmazonSNSFullAccess": ("sns:*",),
    "AmazonSQSFullAccess": ("sqs:*",),
    "AWSXRayDaemonWriteAccess": (
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules"),
        *("xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"),
    ),
    "AWSXrayWriteOnlyAccess": (
        *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules"),
        *("xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"),
    ),
    "CloudWatchLogsFullAccess": ("logs:*", "cloudwatch:GenerateQuery"),
    "service-role/AWSLambdaBasicExecutionRole": _LOG,
    "service-role/AWSLambdaVPCAccessExecutionRole": (*_LOG, *_NETWORK),
    "service-role/AWSLambdaENIManagementAccess": _NETWORK,
    "service-role/AWSLambdaDynamoDBExecutionRole": (
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
        *_LOG,
    ),
    "service-role/AWSLambdaKinesisExecutionRole": (
        *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords"),
        *("kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard"),
        *_LOG,
    ),
    "service-role/AWSLambdaSQSQueueExecutionRole": (
        *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *_LOG,
    ),
    "service-role/AWSLambdaRole": ("lambda:InvokeFunction",),
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": (
        *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams"),
        *("logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents"),
    ),
}


def is_aws(arn: str) -> bool:
    return arn.startswith(_PREFIX)


@lru_cache(maxsize=1)
def arns() -> tuple[str, ...]:
    spec = find_spec("samtranslator")
    assert spec is not None
    assert spec.submodule_search_locations
    file = Path(spec.submodule_search_locations[0]) / "internal" / "data" / "aws_managed_policies.json"
    listed = set(orjson.loads(file.read_bytes())["aws"].values())
    return tuple(sorted(listed | {_PREFIX + name for name in _ACTIONS}))


def require(arn: str) -> None:
    """NoSuchEntity."""
    if arn not in _known():
        raise missing(arn)


def missing(arn: str) -> AwsError:
    return AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", status=404)


def document(arn: str) -> str:
    require(arn)
    actions = _ACTIONS.get(arn.removeprefix(_PREFIX))
    if actions is None:
        raise AwsError("NotImplemented", f"Freehold does not have the text of AWS's policy {arn}.", status=501)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return orjson.dumps({"Version": "2012-10-17", "Statement": [statement]}).decode()


def managed_policy_text(arn: str) -> str | None:
    """Of one of AWS's policies; None where its text is not here."""
    return document(arn) if arn.removeprefix(_PREFIX) in _ACTIONS else None


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(arns())
