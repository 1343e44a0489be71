"""`cognitoUserPool` events: a user pool that the stack makes, with functions as its triggers.

Serverless Framework documentation, "Cognito User Pool". With `existing: true`: cognito_existing.py.
"""

from __future__ import annotations

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, resource
from freehold.templates.serverless.compile.events import cognito_existing
from freehold.templates.serverless.service import Event, Function

SENDERS = ("CustomSMSSender", "CustomEmailSender")
_TOKEN_VERSIONS = ("V1_0", "V2_0", "V3_0")


def compile_events(compilation: Compilation) -> None:
    pools: dict[str, list[tuple[Function, Event]]] = {}
    for function in compilation.functions:
        for event in function.of_kind("cognitoUserPool"):
            if not isinstance(event.settings, dict) or not event.settings.get("pool"):
                raise compilation.wrong_event(function, event.position, "A cognitoUserPool event needs a pool.")
            check_version(compilation, function, event)
            if not event.settings.get("existing"):
                pools.setdefault(event.settings["pool"], []).append((function, event))
    for pool, uses in pools.items():
        _compile_pool(compilation, pool, uses)
    cognito_existing.compile_events(compilation)


def check_version(compilation: Compilation, function: Function, event: Event) -> None:
    trigger, version = event.settings.get("trigger"), event.settings.get("lambdaVersion")
    known = ("V1_0",) if trigger in SENDERS else _TOKEN_VERSIONS if trigger == "PreTokenGeneration" else ()
    if version and version not in known:
        words = f"takes {', '.join(known)}" if known else "has no lambdaVersion"
        raise compilation.wrong_event(function, event.position, f"The trigger {trigger} {words}, not {version}.")
    if trigger in SENDERS and not event.settings.get("kmsKeyId"):
        raise compilation.wrong_event(function, event.position, f"The trigger {trigger} needs a kmsKeyId.")


def _compile_pool(compilation: Compilation, pool: str, uses: list[tuple[Function, Event]]) -> None:
    logical_id = f"CognitoUserPool{names.alphanumeric(pool)}"
    config: Json = {}
    waits = []
    for function, event in uses:
        trigger, version = event.settings["trigger"], event.settings.get("lambdaVersion")
        target = compilation.target(function.key)
        if trigger in SENDERS:
            config[trigger] = {"LambdaArn": target, "LambdaVersion": version or "V1_0"}
            config["KMSKeyID"] = event.settings["kmsKeyId"]
        elif trigger == "PreTokenGeneration" and version:
            config["PreTokenGenerationConfig"] = {"LambdaArn": target, "LambdaVersion": version}
        else:
            config[trigger] = target
        waits.append(compilation.alias_id(function.key) or function.logical_id)
        suffix = f"CognitoUserPool{names.alphanumeric(pool)}TriggerSource{names.alphanumeric(trigger)}"
        compilation.resources[names.permission(function.key, suffix)] = compilation.permission(
            function.key, "cognito-idp.amazonaws.com", SourceArn=get_att(logical_id, "Arn")
        )
    compilation.resources[logical_id] = resource(
        "AWS::Cognito::UserPool", {"UserPoolName": pool, "LambdaConfig": config}, DependsOn=waits
    )
