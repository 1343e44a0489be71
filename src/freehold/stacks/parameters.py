"""Template parameters: types, constraints, defaults, previous values, SSM parameter types.

Sources: "CloudFormation template Parameters syntax", "Supported AWS-specific parameter types", and the texts that
CloudFormation answers.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import format_error, validation_error
from freehold.stacks.schema import text_of

MASK = "****"

_BASIC = ("String", "Number", "List<Number>", "CommaDelimitedList", "List<String>")
_AWS_TYPES = frozenset(
    [
        "AWS::EC2::AvailabilityZone::Name",
        "AWS::EC2::Image::Id",
        "AWS::EC2::Instance::Id",
        "AWS::EC2::KeyPair::KeyName",
        "AWS::EC2::SecurityGroup::GroupName",
        "AWS::EC2::SecurityGroup::Id",
        "AWS::EC2::Subnet::Id",
        "AWS::EC2::Volume::Id",
        "AWS::EC2::VPC::Id",
        "AWS::Route53::HostedZone::Id",
        "AWS::SSM::Parameter::Name",
    ]
)
_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_LIST = re.compile(r"List<(.+)>")
# Character classes that Java's patterns have and Python's have not, as members of a bracket.
_JAVA_CLASS = re.compile(r"\\p\{(\w+)\}")
_JAVA_CLASSES = {
    "ASCII": r"\x00-\x7f",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "L": "a-zA-Z\u00c0-\u024f",
    "Lower": "a-z",
    "N": "0-9",
    "Print": r"\x20-\x7e",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\s",
    "Upper": "A-Z",
    "XDigit": "0-9a-fA-F",
}
_KEYS = frozenset(
    [
        "Type",
        "Default",
        "NoEcho",
        "AllowedValues",
        "AllowedPattern",
        "MaxLength",
        "MinLength",
        "MaxValue",
        "MinValue",
        "Description",
        "ConstraintDescription",
    ]
)

FetchParameter = Callable[[str], Awaitable[str | None]]  # An SSM parameter's value by name; None: there is none.


@dataclass(frozen=True, slots=True)
class Parameters:
    given: dict[str, str]  # As text, before SSM is asked; with defaults.
    values: dict[str, Any]  # What `Ref` gives: text, or a list of texts.
    shown: list[Json]  # For DescribeStacks: NoEcho masked, ResolvedValue for SSM types.


async def resolve_parameters(
    declared: Mapping[str, Json],
    given: Sequence[Json],
    previous: Mapping[str, str] | None,
    fetch: FetchParameter,
) -> Parameters:
    """`given` is the request's Parameters; `previous` that of the stack which is updated. Raises ValidationError."""
    _check_declarations(declared)
    texts = _choose(declared, given, previous)
    values: dict[str, Any] = {}
    shown: list[Json] = []
    for name, text in texts.items():
        declaration = declared[name]
        entry: Json = {"ParameterKey": name, "ParameterValue": MASK if is_no_echo(declaration) else text}
        kind = str(declaration["Type"])
        ssm = _SSM_VALUE.fullmatch(kind)
        _check_value(name, declaration, text, "String" if ssm else kind)
        if ssm:
            fetched = await fetch(text)
            if fetched is None:
                raise validation_error(f"Unable to fetch parameters [{text}] from parameter store for this account.")
            entry["ResolvedValue"] = MASK if is_no_echo(declaration) else fetched
            kind, text = ssm[1], fetched
        values[name] = (
            [item.strip() for item in text.split(",")] if is_list(kind) and text else [] if is_list(kind) else text
        )
        shown.append(entry)
    return Parameters(texts, values, shown)


def is_no_echo(declaration: Json) -> bool:
    return str(declaration.get("NoEcho", False)).lower() == "true"


def is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or _LIST.fullmatch(kind) is not None


def _check_declarations(declared: Mapping[str, Json]) -> None:
    for name, declaration in declared.items():
        if not isinstance(declaration, dict) or "Type" not in declaration:
            raise format_error(f"Every Parameters object must contain a Type member. ({name})")
        unknown = [key for key in declaration if key not in _KEYS]
        if unknown:
            raise validation_error(f"Invalid template parameter property '{unknown[0]}' ({name})")
        kind = str(declaration["Type"])
        inner = _SSM_VALUE.fullmatch(kind)
        kind = inner[1] if inner else kind
        item = _LIST.fullmatch(kind)
        if kind not in _BASIC and kind not in _AWS_TYPES and not (item and item[1] in _AWS_TYPES):
            raise format_error(f"Unrecognized parameter type: {declaration['Type']} ({name})")
        default = declaration.get("Default")
        if isinstance(default, dict | list):
            raise format_error("Every Default member must be a string.")


def _choose(declared: Mapping[str, Json], given: Sequence[Json], previous: Mapping[str, str] | None) -> dict[str, str]:
    unknown = [item["ParameterKey"] for item in given if item.get("ParameterKey") not in declared]
    if unknown:
        raise validation_error(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    chosen: dict[str, str] = {}
    for item in given:
        name = item["ParameterKey"]
        if item.get("UsePreviousValue"):
            if previous is None or name not in previous:
                raise validation_error(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter "
                    "key not in the previous template"
                )
            chosen[name] = previous[name]
        elif "ParameterValue" in item:
            chosen[name] = item["ParameterValue"]
    missing = [name for name in declared if name not in chosen and declared[name].get("Default") is None]
    if missing:
        raise validation_error(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: chosen[name] if name in chosen else text_of(declared[name]["Default"]) for name in declared}


def _check_value(name: str, declaration: Json, text: str, kind: str) -> None:
    if kind in ("CommaDelimitedList", "List<Number>", "List<String>"):
        for item in text.split(",") if text else []:
            _check_one(name, declaration, item.strip(), "Number" if kind == "List<Number>" else "String")
        return
    _check_one(name, declaration, text, kind)


def _check_one(name: str, declaration: Json, text: str, kind: str) -> None:
    message = _violation(name, declaration, text, kind)
    if message is None:
        return
    described = declaration.get("ConstraintDescription")
    if described and "must be a number" not in message:
        raise validation_error(f"Parameter {name} failed to satisfy constraint: {described}")
    raise validation_error(message)


def _violation(name: str, declaration: Json, text: str, kind: str) -> str | None:
    allowed = declaration.get("AllowedValues")
    if allowed is not None and text not in [text_of(value) for value in allowed]:
        return f"Parameter '{name}' must be one of AllowedValues"
    if kind == "Number":
        try:
            number = float(text)
        except ValueError:
            return f"Parameter '{name}' must be a number."
        if "MinValue" in declaration and number < float(declaration["MinValue"]):
            return f"Parameter '{name}' must be a number not less than {declaration['MinValue']}"
        if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
            return f"Parameter '{name}' must be a number not greater than {declaration['MaxValue']}"
        return None
    if "MinLength" in declaration and len(text) < int(declaration["MinLength"]):
        return f"Parameter '{name}' must contain at least {declaration['MinLength']} characters"
    if "MaxLength" in declaration and len(text) > int(declaration["MaxLength"]):
        return f"Parameter '{name}' must contain at most {declaration['MaxLength']} characters"
    pattern = declaration.get("AllowedPattern")
    if pattern is not None and not _matches(name, str(pattern), text):
        return f"Parameter '{name}' must match pattern {pattern}"
    return None


def _python_class(match: re.Match[str]) -> str:
    r"""`\p{Alnum}` stands inside of brackets mostly; alone it gets brackets of its own."""
    members = _JAVA_CLASSES.get(match[1])
    if members is None:
        return match[0]
    before = match.string[: match.start()]
    inside = before.count("[") - before.count("\\[") > before.count("]") - before.count("\\]")
    return members if inside else f"[{members}]"


def _matches(name: str, pattern: str, text: str) -> bool:
    """The whole value, as AWS's (Java's) matcher does."""
    try:
        return re.fullmatch(_JAVA_CLASS.sub(_python_class, pattern), text) is not None
    except re.error as error:
        raise format_error(f"Parameter '{name}' has an invalid AllowedPattern: {error}") from error
