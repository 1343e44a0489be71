"""Custom::S3: lets a bucket of another stack call a function, without touching its other notifications."""

# It runs alone in a function, beside answer.py at the top of the zip file.
# mypy: ignore-errors

import hashlib
import json

import boto3
from answer import answering
from botocore.exceptions import ClientError


def _change(request_type, properties, old, context):
    bucket, function = properties["BucketName"], properties["FunctionName"]
    arn = _function_arn(function, context)
    if request_type == "Update" and (old.get("BucketName"), old.get("FunctionName")) != (bucket, function):
        _remove(old["BucketName"], _function_arn(old["FunctionName"], context), old["FunctionName"])
    if request_type == "Delete":
        _remove(bucket, arn, function)
    else:
        _allow(bucket, function, context)
        _write(bucket, arn, [_notification(arn, config) for config in properties["BucketConfigs"]])
    return f"{bucket}-{function}"


def _function_arn(function, context):
    return ":".join([*context.invoked_function_arn.split(":")[:6], function])


def _notification(arn, config):
    rules = [{"Name": name, "Value": value} for rule in config.get("Rules") or [] for name, value in rule.items()]
    text = json.dumps([arn, config], sort_keys=True)
    notification = {
        "Id": f"{arn.split(':')[-1]}-{hashlib.sha256(text.encode()).hexdigest()[:32]}",
        "LambdaFunctionArn": arn,
        "Events": [config["Event"]],
    }
    return {**notification, "Filter": {"Key": {"FilterRules": rules}}} if rules else notification


def _write(bucket, arn, notifications):
    s3 = boto3.client("s3")
    current = s3.get_bucket_notification_configuration(Bucket=bucket)
    current.pop("ResponseMetadata", None)
    others = [each for each in current.get("LambdaFunctionConfigurations", []) if each["LambdaFunctionArn"] != arn]
    current["LambdaFunctionConfigurations"] = others + notifications
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=current)


def _statement_id(bucket, function):
    return f"{function}-{hashlib.sha256(bucket.encode()).hexdigest()[:16]}-s3"


def _allow(bucket, function, context):
    partition, account = context.invoked_function_arn.split(":")[1], context.invoked_function_arn.split(":")[4]
    try:
        boto3.client("lambda").add_permission(
            FunctionName=function,
            StatementId=_statement_id(bucket, function),
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:{partition}:s3:::{bucket}",
            SourceAccount=account,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceConflictException":
            raise


def _remove(bucket, arn, function):
    try:
        _write(bucket, arn, [])
        boto3.client("lambda").remove_permission(FunctionName=function, StatementId=_statement_id(bucket, function))
    except ClientError as error:
        # The bucket or the function went first: nothing is left to take away.
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "ResourceNotFoundException"):
            raise


handler = answering(_change)
