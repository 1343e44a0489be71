"""The function that an integration's or authorizer's URI names, in either form that AWS takes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from freehold.aws.errors import AwsError

_FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9_$-]+)?")
_INVOKE_PATH = re.compile(
    r"^arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/(?P<function>.+)/invocations$"
)
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


def function_arn(uri: str, variables: Mapping[str, str] | None) -> str:
    """`uri` is the function's ARN, or the invoke path of API Gateway around it. With stage variables put in; where the
    stage has no such variable, nothing is put in and the name is wrong. Raises AwsError, BadRequestException."""
    text = _VARIABLE.sub(lambda match: (variables or {}).get(match[1], ""), uri)
    path = _INVOKE_PATH.match(text)
    function = path["function"] if path else text
    if not _FUNCTION.fullmatch(function):
        raise AwsError("BadRequestException", f"Invalid function ARN or invocation URI: {uri}", status=400)
    return function


def has_variables(uri: str) -> bool:
    return _VARIABLE.search(uri) is not None
