"""CloudFormation's intrinsic functions, evaluated. Pure: everything they may look at is in `Scope`.

Sources: "Intrinsic function reference" and "Pseudo parameters reference" of the CloudFormation user guide.

One decision to know: a change set is made before its resources exist. What only their creation can tell is the text
`KNOWN_AFTER_APPLY`, as in AWS's own change sets, and a function of something unknown is unknown.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from freehold.aws.call import Json
from freehold.stacks.errors import template_error
from freehold.stacks.schema import text_of

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
ZONES = "abc"  # Availability zones of every region: us-east-1a, us-east-1b, us-east-1c.
_SUB_VARIABLE = re.compile(r"\$\{([^${}]*)\}")


class _NoValue:
    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class Known:
    """A resource as `Ref` and `Fn::GetAtt` see it."""

    physical_id: str
    attributes: Json
    any_attribute: bool = False  # A custom resource before it exists: what attributes it has, it alone knows.


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a template's functions can look at."""

    region: str
    account: str
    stack_name: str
    stack_id: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Json] = field(default_factory=dict)
    conditions: Mapping[str, bool] = field(default_factory=dict)
    resources: Mapping[str, Known] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    notification_arns: tuple[str, ...] = ()
    preview: bool = False  # An export or resource that is not there yet is unknown instead of an error.


def resolve(value: Any, scope: Scope) -> Any:
    """The value with every function evaluated; NO_VALUE where that is all it is. Raises ValidationError."""
    if isinstance(value, list):
        items = [resolve(item, scope) for item in value]
        return [item for item in items if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        function = FUNCTIONS.get(name)
        # {"Condition": {...}} is a section of an IAM policy; {"Condition": "Name"} as a value is a condition's.
        if function and (name != "Condition" or (isinstance(argument, str) and argument in scope.conditions)):
            return function(argument, scope)
        if name.startswith("Fn::") and name != "Fn::Transform":
            raise template_error(f"unsupported function: {name}")
    resolved = {key: resolve(item, scope) for key, item in value.items()}
    return {key: item for key, item in resolved.items() if item is not NO_VALUE}


def is_unknown(value: Any) -> bool:
    if isinstance(value, str):
        return KNOWN_AFTER_APPLY in value
    if isinstance(value, dict):
        return any(is_unknown(item) for item in value.values())
    return isinstance(value, list) and any(is_unknown(item) for item in value)


def pseudo_parameters(scope: Scope) -> Json:
    china = scope.region.startswith("cn-")
    return {
        "AWS::AccountId": scope.account,
        "AWS::NotificationARNs": list(scope.notification_arns),
        "AWS::NoValue": NO_VALUE,
        "AWS::Partition": "aws-cn" if china else "aws-us-gov" if scope.region.startswith("us-gov-") else "aws",
        "AWS::Region": scope.region,
        "AWS::StackId": scope.stack_id,
        "AWS::StackName": scope.stack_name,
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
    }


def _ref(name: Any, scope: Scope) -> Any:
    if not isinstance(name, str):
        name = resolve(name, scope)
    if name in scope.parameters:
        return scope.parameters[name]
    if name in scope.resources:
        return scope.resources[name].physical_id
    pseudo = pseudo_parameters(scope)
    if name in pseudo:
        return pseudo[name]
    raise template_error(f"Unresolved resource dependencies [{name}] in the Resources block of the template")


def _get_att(argument: Any, scope: Scope) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2:
        raise template_error("Fn::GetAtt object requires two non-empty parameters, the resource name and the attribute")
    name = parts[0]
    attribute = ".".join(text_of(resolve(part, scope)) for part in parts[1:])
    if name not in scope.resources:
        raise template_error(f"instance of Fn::GetAtt references undefined resource {name}")
    return attribute_of(name, scope.resources[name], attribute)


def attribute_of(name: str, known: Known, attribute: str) -> Any:
    if attribute in known.attributes:
        return known.attributes[attribute]
    if known.any_attribute:
        return KNOWN_AFTER_APPLY
    value: Any = known.attributes
    for step in attribute.split("."):
        if not isinstance(value, dict) or step not in value:
            raise template_error(f"Requested attribute {attribute} does not exist in schema for {name}")
        value = value[step]
    return value


def _sub(argument: Any, scope: Scope) -> Any:
    variables: Json = {}
    text = argument
    if isinstance(argument, list):
        if len(argument) != 2 or not isinstance(argument[0], str) or not isinstance(argument[1], dict):
            raise template_error(
                "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
                "argument, and an optional second argument to specify a mapping of values to replace in the string"
            )
        text = argument[0]
        variables = {key: resolve(item, scope) for key, item in argument[1].items()}
    if not isinstance(text, str):
        raise template_error(
            "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
            "argument, and an optional second argument to specify a mapping of values to replace in the string"
        )

    def replace(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in variables:
            value = variables[name]
        elif "." in name:
            value = _get_att(name, scope)
        else:
            value = _ref(name, scope)
        if value is NO_VALUE:
            return ""
        if isinstance(value, list):
            # A list parameter in text is its comma-delimited self.
            return ",".join(text_of(item) for item in value)
        return text_of(value)

    return _SUB_VARIABLE.sub(replace, text)


def _join(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
        raise template_error("every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list")
    items = resolve(argument[1], scope)
    if is_unknown(items):
        return KNOWN_AFTER_APPLY
    if not isinstance(items, list):
        raise template_error("every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list")
    if any(isinstance(item, dict | list) for item in items):
        raise template_error("every value for Fn::Join must be a string")
    return argument[0].join(text_of(item) for item in items)


def _select(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        raise template_error("Fn::Select requires a list argument with two elements: an integer index and a list")
    index = resolve(argument[0], scope)
    items = resolve(argument[1], scope)
    if items == KNOWN_AFTER_APPLY or is_unknown(index):
        return KNOWN_AFTER_APPLY
    try:
        number = int(index)
    except (TypeError, ValueError) as error:
        raise template_error("Fn::Select requires a list argument with a valid index value") from error
    if not isinstance(items, list):
        raise template_error("Fn::Select requires a list argument with two elements: an integer index and a list")
    if not 0 <= number < len(items):
        raise template_error(f"Fn::Select cannot select nonexistent value at index {number}")
    return items[number]


def _split(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
        raise template_error("every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string")
    text = resolve(argument[1], scope)
    if is_unknown(text):
        return KNOWN_AFTER_APPLY
    if not isinstance(text, str):
        raise template_error("every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string")
    return text.split(argument[0])


def _find_in_map(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) not in (3, 4):
        raise template_error("every Fn::FindInMap object requires three parameters, the map name, map key and the key")
    keys = [resolve(item, scope) for item in argument[:3]]
    if any(is_unknown(key) for key in keys):
        return KNOWN_AFTER_APPLY
    value: Any = scope.mappings
    for key in keys:
        value = value.get(text_of(key)) if isinstance(value, Mapping) else None
    if value is not None:
        return resolve(value, scope)
    if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
        return resolve(argument[3]["DefaultValue"], scope)
    raise template_error(f"Unable to get mapping for {'::'.join(text_of(key) for key in keys)}")


def _base64(argument: Any, scope: Scope) -> Any:
    text = resolve(argument, scope)
    if is_unknown(text):
        return KNOWN_AFTER_APPLY
    if isinstance(text, dict | list):
        raise template_error("every Fn::Base64 object must have a String-typed value")
    return base64.b64encode(text_of(text).encode()).decode()


def _cidr(argument: Any, scope: Scope) -> Any:
    arguments = resolve(argument, scope)
    if is_unknown(arguments):
        return KNOWN_AFTER_APPLY
    try:
        block, count, bits = (*arguments, 8)[:3] if len(arguments) == 2 else arguments
        network = ipaddress.ip_network(block)
        prefix = network.max_prefixlen - int(bits)
        subnets = network.subnets(new_prefix=prefix)
        return [str(next(subnets)) for _ in range(int(count))]
    except (TypeError, ValueError, StopIteration) as error:
        raise template_error(f"Fn::Cidr cannot divide {arguments}: {error}") from error


def _get_azs(argument: Any, scope: Scope) -> list[str]:
    region = resolve(argument, scope) or scope.region
    return [f"{region}{zone}" for zone in ZONES]


def _import_value(argument: Any, scope: Scope) -> Any:
    name = resolve(argument, scope)
    if is_unknown(name):
        return KNOWN_AFTER_APPLY
    if name not in scope.exports:
        raise template_error(f"No export named {name} found. Rollback requested by user.")
    return scope.exports[name]


def _if(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise template_error("Fn::If requires a list argument with three elements")
    if argument[0] not in scope.conditions:
        raise template_error(f"Unresolved condition dependency {argument[0]} in the Resources block of the template")
    return resolve(argument[1] if scope.conditions[argument[0]] else argument[2], scope)


def _truth(value: Any, scope: Scope) -> bool:
    resolved = resolve(value, scope)
    if isinstance(resolved, str) and resolved.lower() in ("true", "false"):
        return resolved.lower() == "true"
    if not isinstance(resolved, bool):
        raise template_error("every condition must be a boolean: Fn::And, Fn::Or, Fn::Not, Fn::Equals or Condition")
    return resolved


def _and(argument: Any, scope: Scope) -> bool:
    return all(_truth(item, scope) for item in _conditions(argument, "Fn::And"))


def _or(argument: Any, scope: Scope) -> bool:
    return any(_truth(item, scope) for item in _conditions(argument, "Fn::Or"))


def _conditions(argument: Any, name: str) -> list[Any]:
    if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
        raise template_error(f"every {name} object requires a list of at least 2 and at most 10 boolean parameters.")
    return argument


def _not(argument: Any, scope: Scope) -> bool:
    if not isinstance(argument, list) or len(argument) != 1:
        raise template_error("Fn::Not requires a list argument with one element")
    return not _truth(argument[0], scope)


def _equals(argument: Any, scope: Scope) -> bool:
    if not isinstance(argument, list) or len(argument) != 2:
        raise template_error("Fn::Equals requires a list argument with two elements")
    left, right = (resolve(item, scope) for item in argument)
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return bool(left == right)
    return text_of(left) == text_of(right)


def _condition(name: Any, scope: Scope) -> bool:
    return scope.conditions[name]


def _length(argument: Any, scope: Scope) -> Any:
    value = resolve(argument, scope)
    if value == KNOWN_AFTER_APPLY:
        return KNOWN_AFTER_APPLY
    if not isinstance(value, list):
        raise template_error("Fn::Length requires a list argument")
    return len(value)


def _to_json_string(argument: Any, scope: Scope) -> Any:
    value = resolve(argument, scope)
    if not isinstance(value, dict | list):
        raise template_error("Fn::ToJsonString requires an object or an array")
    return orjson.dumps(value).decode()


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Condition": _condition,
    "Fn::And": _and,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Not": _not,
    "Fn::Or": _or,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
}
