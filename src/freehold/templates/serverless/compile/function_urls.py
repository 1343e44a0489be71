"""`url:` of a function. Serverless Framework documentation, "AWS Lambda Functions", section "Lambda Function URLs"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.compilation import Compilation, get_att, present, resource
from freehold.templates.serverless.service import Function

_DEFAULT_HEADERS = [
    "Content-Type",
    "X-Amz-Date",
    "Authorization",
    "X-Api-Key",
    "X-Amz-Security-Token",
    "X-Amzn-Trace-Id",
]
# serverless.yml's name, AWS's name, default
_LISTS: list[tuple[str, str, list[str] | None]] = [
    ("allowedOrigins", "AllowOrigins", ["*"]),
    ("allowedHeaders", "AllowHeaders", _DEFAULT_HEADERS),
    ("allowedMethods", "AllowMethods", ["*"]),
    ("exposedResponseHeaders", "ExposeHeaders", None),
]


def compile_url(compilation: Compilation, function: Function) -> None:
    url = function.settings.get("url")
    if not url:
        return
    options: Json = url if isinstance(url, dict) else {}
    auth = "AWS_IAM" if options.get("authorizer") == "aws_iam" else "NONE"
    logical_id = f"{names.resource(function.key)}LambdaFunctionUrl"
    alias = compilation.alias_id(function.key)
    compilation.resources[logical_id] = resource(
        "AWS::Lambda::Url",
        {
            "AuthType": auth,
            "TargetFunctionArn": compilation.target(function.key),
            "Cors": _cors(options["cors"]) if options.get("cors") else None,
            "InvokeMode": "RESPONSE_STREAM" if options.get("invokeMode") == "RESPONSE_STREAM" else None,
        },
        DependsOn=alias,
    )
    compilation.outputs[logical_id] = {
        "Description": "Lambda Function URL",
        "Value": get_att(logical_id, "FunctionUrl"),
    }
    if auth == "NONE":
        # Lambda Developer Guide, "Control access to Lambda function URLs": a public URL needs both permissions.
        url_permission = compilation.permission(function.key, "*", FunctionUrlAuthType=auth)
        url_permission["Properties"]["Action"] = "lambda:InvokeFunctionUrl"
        compilation.resources[names.permission(function.key, "FnUrl")] = url_permission
        compilation.resources[names.permission(function.key, "Fn")] = compilation.permission(
            function.key, "*", InvokedViaFunctionUrl=True
        )


def _cors(cors: Any) -> Json:
    given: Json = cors if isinstance(cors, dict) else {}
    result: Json = {"AllowCredentials": True if given.get("allowCredentials") else None, "MaxAge": given.get("maxAge")}
    for key, property_, default in _LISTS:
        # An explicit null takes the default away.
        value = given.get(key, default)
        result[property_] = list(dict.fromkeys(value)) if value else None
    return present(result)
