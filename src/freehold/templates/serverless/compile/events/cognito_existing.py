"""`cognitoUserPool` events with `existing: true`: a helper function sets the triggers of a pool of another stack."""

from __future__ import annotations

from itertools import pairwise

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, present, sub
from freehold.templates.serverless.compile.custom_resources import HELPERS, add_helper
from freehold.templates.serverless.service import Event, Function

_SENDERS = ("CustomSMSSender", "CustomEmailSender")


def compile_events(compilation: Compilation) -> None:
    statements: list[Json] = []
    by_pool: dict[str, list[str]] = {}
    for function in compilation.functions:
        events = [each for each in function.of_kind("cognitoUserPool") if each.settings.get("existing")]
        if not events:
            continue
        pool = events[0].settings["pool"]
        for event in events:
            if event.settings["pool"] != pool:
                raise compilation.wrong_event(
                    function,
                    event.position,
                    f'The function "{function.key}" can have events of one existing user pool, not of several.',
                )
        key = events[0].settings.get("kmsKeyId")
        if key and events[0].settings.get("trigger") in _SENDERS:
            statements.append({"Effect": "Allow", "Resource": key, "Action": ["kms:CreateGrant"]})
        statements.append(_pool_statement())
        logical_id = f"{names.resource(function.key)}CustomCognitoUserPool1"
        compilation.resources[logical_id] = _custom_resource(function, pool, events)
        by_pool.setdefault(pool, []).append(logical_id)
        statements.append(
            {
                "Effect": "Allow",
                "Resource": sub(f"arn:${{AWS::Partition}}:lambda:*:*:function:{function.name}"),
                "Action": ["lambda:AddPermission", "lambda:RemovePermission"],
            }
        )
    for users in by_pool.values():
        for before, after in pairwise(users):
            compilation.resources[after]["DependsOn"].append(before)
    if statements:
        functions = sub("arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*")
        statements += [
            {"Effect": "Allow", "Resource": functions, "Action": ["lambda:RemovePermission"]},
            {"Effect": "Allow", "Resource": sub("arn:${AWS::Partition}:iam::*:role/*"), "Action": ["iam:PassRole"]},
        ]
        add_helper(compilation, "cognitoUserPool", statements)


def _pool_statement() -> Json:
    actions = ["cognito-idp:ListUserPools", "cognito-idp:DescribeUserPool", "cognito-idp:UpdateUserPool"]
    return {"Effect": "Allow", "Resource": "*", "Action": actions}


def _custom_resource(function: Function, pool: str, events: list[Event]) -> Json:
    helper = names.lambda_function(names.resource(HELPERS["cognitoUserPool"].name))
    configurations = []
    for event in events:
        trigger, version = event.settings["trigger"], event.settings.get("lambdaVersion")
        sends = trigger in _SENDERS
        configurations.append(
            present(
                {
                    "Trigger": trigger,
                    "LambdaVersion": version or ("V1_0" if sends else None),
                    "KMSKeyID": event.settings.get("kmsKeyId") if sends else None,
                }
            )
        )
    return {
        "Type": "Custom::CognitoUserPool",
        "Version": 1,
        "DependsOn": [function.logical_id, helper],
        "Properties": {
            "ServiceToken": get_att(helper, "Arn"),
            "FunctionName": function.name,
            "UserPoolName": pool,
            "UserPoolConfigs": configurations,
        },
    }
