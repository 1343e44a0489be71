"""The logical ids and names that the Serverless Framework gives to what it makes.

People refer to them from `resources` and deployed stacks hold them, so they are a contract. Serverless Framework
documentation, "AWS - Resources", section "AWS CloudFormation Resource Reference".
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

ROLE = "IamRoleLambdaExecution"
BUCKET = "ServerlessDeploymentBucket"
BUCKET_POLICY = "ServerlessDeploymentBucketPolicy"
BUCKET_OUTPUT = "ServerlessDeploymentBucketName"
HTTP_API = "HttpApi"
HTTP_API_STAGE = "HttpApiStage"
HTTP_API_LOG_GROUP = "HttpApiLogGroup"
REST_API = "ApiGatewayRestApi"
REST_API_LOG_GROUP = "ApiGatewayLogGroup"
WEBSOCKETS_API = "WebsocketsApi"
WEBSOCKETS_STAGE = "WebsocketsDeploymentStage"
WEBSOCKETS_LOG_GROUP = "WebsocketsLogGroup"
CUSTOM_RESOURCES_ROLE = "IamRoleCustomResourcesLambdaExecution"

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


def upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def alphanumeric(text: str) -> str:
    return upper_first(re.sub(r"[^0-9A-Za-z]", "", text))


def start_case(text: str) -> str:
    return "".join(upper_first(word) for word in _WORD.findall(text))


def camel_case(text: str) -> str:
    words = [word.lower() for word in _WORD.findall(text)]
    return "".join(words[:1] + [upper_first(word) for word in words[1:]])


def resource(key: str) -> str:
    """A function's or layer's key as the beginning of logical ids."""
    return upper_first(key.replace("-", "Dash").replace("_", "Underscore"))


def lambda_function(key: str) -> str:
    return f"{resource(key)}LambdaFunction"


def log_group(key: str) -> str:
    return f"{resource(key)}LogGroup"


def log_group_name(function_name: str) -> str:
    return f"/aws/lambda/{function_name}"


def lambda_version(key: str, digest: str) -> str:
    return f"{resource(key)}LambdaVersion{re.sub('[^0-9a-zA-Z]', '', digest)}"


def lambda_layer(key: str) -> str:
    return f"{resource(key)}LambdaLayer"


def permission(key: str, suffix: str) -> str:
    return f"{resource(key)}LambdaPermission{suffix}"


def path_part(raw: str) -> str:
    """/users/{id} -> UsersIdVar; every segment on its own."""
    text = raw.lower().replace("-", "Dash")
    text = re.sub(r"\{(.*)\}", r"\1Var", text)
    return upper_first(re.sub(r"[^0-9A-Za-z]", "", text))


def path(raw: str) -> str:
    return "".join(path_part(part) for part in raw.split("/"))


def http_api_route(route_key: str) -> str:
    return "HttpApiRouteDefault" if route_key == "*" else f"HttpApiRoute{path(route_key)}"


def rest_method(resource_name: str, method: str) -> str:
    return f"ApiGatewayMethod{resource_name}{upper_first(method.lower())}"


def rest_resource(raw_path: str) -> str:
    return f"ApiGatewayResource{path(raw_path)}"


def websockets_route(route: str) -> str:
    words = {"$": "S", "/": "Slash", "-": "Dash", "_": "Underscore", ".": "Period"}
    return "".join(words.get(character, character) for character in route) + "WebsocketsRoute"


def event_source(key: str, kind: str, *names: str) -> str:
    return f"{resource(key)}EventSourceMapping{kind}{''.join(alphanumeric(name) for name in names)}"


def shortened(name: str, suffix: str) -> str:
    """Rule and target names may have 64 characters: a longer one ends in its own hash."""
    if len(name) <= 64:
        return name
    return f"{name[: 31 - len(suffix)]}{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()}-{suffix}"


def last_of_intrinsic(arn: Any, *, separator: str) -> str:
    """The name that stands for an ARN in a logical id, whether the ARN is text or one of CloudFormation's functions."""
    if isinstance(arn, dict):
        if "Fn::GetAtt" in arn:
            return str(arn["Fn::GetAtt"][0])
        if "Fn::ImportValue" in arn:
            return str(arn["Fn::ImportValue"])
        if "Fn::Join" in arn:
            return str(arn["Fn::Join"][1][-1])
        if "Ref" in arn:
            return str(arn["Ref"])
        if "Fn::Sub" in arn:
            sub = arn["Fn::Sub"]
            return str(sub if isinstance(sub, str) else sub[0]).split(separator)[-1]
    return str(arn).split(separator)[-1]
