"""Custom::CognitoUserPool: sets the triggers of a user pool of another stack, without touching its other settings."""

# It runs alone in a function, beside answer.py at the top of the zip file.
# mypy: ignore-errors

import hashlib

import boto3
from answer import answering
from botocore.exceptions import ClientError

# What DescribeUserPool tells that UpdateUserPool would take away if it were not said again.
_KEPT = (
    "Policies",
    "DeletionProtection",
    "AutoVerifiedAttributes",
    "SmsVerificationMessage",
    "EmailVerificationMessage",
    "EmailVerificationSubject",
    "VerificationMessageTemplate",
    "SmsAuthenticationMessage",
    "UserAttributeUpdateSettings",
    "MfaConfiguration",
    "DeviceConfiguration",
    "EmailConfiguration",
    "SmsConfiguration",
    "UserPoolTags",
    "AdminCreateUserConfig",
    "UserPoolAddOns",
    "AccountRecoverySetting",
)


def _change(request_type, properties, old, context):
    pool_name, function = properties["UserPoolName"], properties["FunctionName"]
    arn = ":".join([*context.invoked_function_arn.split(":")[:6], function])
    cognito = boto3.client("cognito-idp")
    if request_type == "Update" and old.get("UserPoolName") != pool_name:
        _set(cognito, _find(cognito, old["UserPoolName"]), arn, [])
    pool = _find(cognito, pool_name)
    configs = [] if request_type == "Delete" else properties["UserPoolConfigs"]
    if pool is None:
        if request_type == "Delete":
            return f"{pool_name}-{function}"
        raise LookupError(f"There is no user pool {pool_name}.")
    if configs:
        _allow(pool, function)
    _set(cognito, pool, arn, configs)
    return f"{pool_name}-{function}"


def _find(cognito, name):
    for page in cognito.get_paginator("list_user_pools").paginate(MaxResults=60):
        for pool in page["UserPools"]:
            if pool["Name"] == name:
                return cognito.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
    return None


def _set(cognito, pool, arn, configs):
    if pool is None:
        return
    triggers = {}
    for key, value in (pool.get("LambdaConfig") or {}).items():
        target = value.get("LambdaArn") if isinstance(value, dict) else value
        if target != arn:
            triggers[key] = value
    for config in configs:
        trigger, version = config["Trigger"], config.get("LambdaVersion")
        if version and trigger == "PreTokenGeneration":
            triggers["PreTokenGenerationConfig"] = {"LambdaArn": arn, "LambdaVersion": version}
        elif version:
            triggers |= {trigger: {"LambdaArn": arn, "LambdaVersion": version}, "KMSKeyID": config["KMSKeyID"]}
        else:
            triggers[trigger] = arn
    kept = {key: pool[key] for key in _KEPT if pool.get(key) is not None}
    cognito.update_user_pool(UserPoolId=pool["Id"], LambdaConfig=triggers, **kept)


def _allow(pool, function):
    statement = f"{function}-{hashlib.sha256(pool['Id'].encode()).hexdigest()[:16]}-cognito"
    try:
        boto3.client("lambda").add_permission(
            FunctionName=function,
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal="cognito-idp.amazonaws.com",
            SourceArn=pool["Arn"],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceConflictException":
            raise


handler = answering(_change)
