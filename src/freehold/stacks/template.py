"""A template's body: read from text, and every check that needs no stack: sections, references, types, properties.

Sources: "Template anatomy", "CloudFormation quotas", and the texts that CloudFormation answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import Source, format_error, template_error, validation_error
from freehold.stacks.graph import VARIABLE, depends_on, references, resource_graph
from freehold.stacks.intrinsics import FUNCTIONS
from freehold.stacks.resources import ResourceType, find_type, is_custom
from freehold.stacks.schema import is_function, load_schema, problems
from freehold.templates.yaml_reader import TemplateSyntaxError, read_template

HasService = Callable[[str], bool]  # Whether this server has an AWS service, by botocore's name.

MAX_BODY_BYTES = 51_200
MAX_URL_BODY_BYTES = 1_000_000
MAX_RESOURCES = 500
MAX_PARAMETERS = 200
MAX_OUTPUTS = 200
MAX_MAPPINGS = 200

_SECTIONS = frozenset(
    [
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    ]
)
_SAM_SECTIONS = _SECTIONS | {"Globals"}
_RESOURCE_KEYS = frozenset(
    [
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Description",
        "Metadata",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "CreationPolicy",
        "UpdatePolicy",
    ]
)
_SAM_RESOURCE_KEYS = _RESOURCE_KEYS | {"Connectors", "IgnoreGlobals"}
_DELETION_POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
_PSEUDO = frozenset(
    f"AWS::{name}"
    for name in ["AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix"]
)
_OF_AWS = re.compile(r"AWS::(?!Serverless::)[A-Za-z0-9]+::[A-Za-z0-9]+")
_OUTPUT_KEYS = frozenset(("Value", "Export", "Description", "Condition"))


def read_body(text: str) -> Json:
    """The template as written. Raises ValidationError for what is no template at all."""
    try:
        body = read_template(text)
    except TemplateSyntaxError as error:
        kind = "JSON not well-formed." if text.lstrip().startswith("{") else "YAML not well-formed."
        place = f" (line {error.line}, column {error.column})" if error.line else ""
        raise format_error(f"{kind}{place} {error.reason}".strip()) from error
    if not isinstance(body, dict):
        raise format_error("unsupported structure.")
    check_sections(body, Source(text), _SAM_SECTIONS, _SAM_RESOURCE_KEYS)
    return body


def check_sections(
    body: Json, source: Source, sections: frozenset[str] = _SECTIONS, resource_keys: frozenset[str] = _RESOURCE_KEYS
) -> None:
    unknown = [name for name in body if name not in sections and not name.startswith("Fn::")]
    if unknown:
        raise validation_error(
            f"Invalid template property or properties [{', '.join(unknown)}]{source.at(unknown[0], '')}"
        )
    version = body.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        raise format_error(f"{version} is not a supported value for AWSTemplateFormatVersion.")
    for name in ("Parameters", "Mappings", "Conditions", "Outputs", "Resources", "Rules"):
        if name in body and not isinstance(body[name], dict):
            if body[name] is None and name != "Resources":
                body[name] = {}
                continue
            raise format_error(
                f"{name} must be an object"
                if name != "Resources"
                else "[/Resources] 'null' values are not allowed in templates"
            )
    resources = body.get("Resources")
    if not resources:
        raise format_error("At least one Resources member must be defined.")
    _check_limits(body)
    for name, resource in resources.items():
        if not name.startswith("Fn::"):
            _check_resource(name, resource, source, resource_keys)


def _check_limits(body: Json) -> None:
    for section, limit in (
        ("Resources", MAX_RESOURCES),
        ("Parameters", MAX_PARAMETERS),
        ("Outputs", MAX_OUTPUTS),
        ("Mappings", MAX_MAPPINGS),
    ):
        count = len(body.get(section) or {})
        if count > limit:
            raise format_error(f"Number of {section.lower()}, {count}, is greater than maximum allowed, {limit}")


def _check_resource(name: str, resource: Any, source: Source, keys: frozenset[str]) -> None:
    at = source.at("Resources", name)
    if not name.isalnum() or len(name) > 255:
        raise format_error(f"Resource name {name} is non alphanumeric.{at}")
    if not isinstance(resource, dict):
        raise format_error(f"[/Resources/{name}] resource definition is malformed{at}")
    if not isinstance(resource.get("Type"), str):
        raise format_error(f"[/Resources/{name}] Every Resources object must contain a Type member.{at}")
    # The SAM transform knows its own resources' attributes, and drops what it does not.
    known = keys | {"Version"} if is_custom(resource["Type"]) else keys
    unknown = [] if resource["Type"].startswith("AWS::Serverless::") else [key for key in resource if key not in known]
    if unknown:
        raise validation_error(
            f"Invalid template resource property '{unknown[0]}'{source.at('Resources', name, unknown[0])}"
        )
    if resource.get("Properties") is None:
        resource.pop("Properties", None)
    elif not isinstance(resource["Properties"], dict):
        raise format_error(f"[/Resources/{name}/Properties] 'Properties' must be an object{at}")
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(key, "Delete")
        if isinstance(policy, str) and policy not in _DELETION_POLICIES:
            raise format_error(f"Unrecognized {key} {policy} for resource {name}{source.at('Resources', name, key)}")


def check_frame(body: Json, source: Source) -> None:
    """A template whose transforms are done, so far that its conditions can be evaluated. Raises ValidationError."""
    check_sections(body, source)
    _check_conditions(body, source)


def check_resources(body: Json, source: Source, has_service: HasService, left_out: Container[str] = ()) -> None:
    """Every other check. Raises ValidationError; nothing has been made yet.

    `left_out`: the resources whose condition is false. Nobody makes them, so their types need not be ours: a template
    with a domain name and a certificate for production deploys where it asks for none.
    """
    resources: dict[str, Json] = body["Resources"]
    _check_types(resources, source, has_service, left_out)
    _check_references(body, source)
    found = [problem for name, item in resources.items() for problem in _property_problems(name, item, source)]
    if found:
        raise validation_error("\n".join(found))
    resource_graph(resources)


def _property_problems(name: str, resource: Json, source: Source) -> Iterator[str]:
    type_name = resource["Type"]
    properties = resource.get("Properties", {})
    found = find_type(type_name)
    if is_custom(type_name) or found is None:
        return
    for problem in problems(load_schema(type_name), properties):
        at = source.at("Resources", name, "Properties", *problem.path)
        yield f"Properties validation failed for resource {name} with message: {problem}{at}"
    if isinstance(found, ResourceType) and found.supported:
        for key in load_schema(type_name).properties:
            if key in properties and key not in found.supported:
                at = source.at("Resources", name, "Properties", key)
                yield f"{name}: Freehold does not support the property {key} of {type_name} yet{at}"


def _check_types(
    resources: Mapping[str, Json], source: Source, has_service: HasService, left_out: Container[str]
) -> None:
    unsupported = []
    for name, resource in resources.items():
        found = find_type(resource["Type"])
        if found is None and name in left_out and _OF_AWS.fullmatch(resource["Type"]):
            continue
        if found is None or not all(has_service(service) for service in found.services):
            why = "Freehold does not support this type yet"
            if resource["Type"].startswith("AWS::Serverless::"):
                why = "the template needs the line Transform: AWS::Serverless-2016-10-31"
            unsupported.append(f"{resource['Type']} ({name}{source.at('Resources', name)}): {why}")
    if unsupported:
        raise format_error(f"Unrecognized resource types: [{'; '.join(unsupported)}]")


def _check_conditions(body: Json, source: Source) -> None:
    conditions = body.get("Conditions") or {}
    parameters = {**(body.get("Parameters") or {})}
    for name, condition in conditions.items():
        others = [other for other in references(condition) if other not in parameters and other not in _PSEUDO]
        if others:
            raise format_error(
                f"Unresolved dependencies [{', '.join(others)}]. Cannot reference resources in the Conditions block of "
                f"the template{source.at('Conditions', name)}"
            )
        for other in condition_names(condition):
            if other not in conditions:
                raise format_error(
                    f"Unresolved condition dependency {other} in the Conditions block of the template"
                    f"{source.at('Conditions', name)}"
                )
    for section in ("Resources", "Outputs"):
        for name, item in (body.get(section) or {}).items():
            used = [item["Condition"]] if isinstance(item.get("Condition"), str) else []
            used += [argument[0] for argument in _calls(item, "Fn::If") if isinstance(argument, list) and argument]
            for condition in used:
                if condition not in conditions:
                    raise format_error(
                        f"Unresolved condition dependency {condition} in the {section} block of the template"
                        f"{source.at(section, name)}"
                    )


def condition_names(value: Any) -> Iterator[str]:
    """The conditions that a condition is made of."""
    for argument in _calls(value, "Condition"):
        if isinstance(argument, str):
            yield argument
    for argument in _calls(value, "Fn::If"):
        if isinstance(argument, list) and argument and isinstance(argument[0], str):
            yield argument[0]


def _calls(value: Any, function: str) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _calls(item, function)
    elif isinstance(value, dict):
        if len(value) == 1 and function in value:
            yield value[function]
        for item in value.values():
            yield from _calls(item, function)


def _check_references(body: Json, source: Source) -> None:
    resources: dict[str, Json] = body["Resources"]
    parameters = body.get("Parameters") or {}
    known = {*resources, *parameters, *_PSEUDO}
    for name, resource in resources.items():
        _check_functions(name, resource.get("Properties", {}), "Resources", source)
        missing = [other for other in references(resource.get("Properties", {})) if other not in known]
        missing += [other for other in depends_on(resource) if other not in resources]
        if missing:
            raise format_error(
                f"Unresolved resource dependencies [{', '.join(dict.fromkeys(missing))}] in the Resources block of the "
                f"template{source.at('Resources', name)}"
            )
        _check_attributes(name, resource.get("Properties", {}), resources, source, "Resources")
    for name, output in (body.get("Outputs") or {}).items():
        _check_output(name, output, known, resources, source)


def _check_output(name: str, output: Any, known: set[str], resources: dict[str, Json], source: Source) -> None:
    at = source.at("Outputs", name)
    if not isinstance(output, dict) or "Value" not in output:
        raise format_error(f"Every Outputs member must contain a Value object{at}")
    if not name.isalnum():
        raise format_error(f"Output name {name} is non alphanumeric.{at}")
    unknown = [key for key in output if key not in _OUTPUT_KEYS]
    if unknown:
        raise validation_error(f"Invalid template output property '{unknown[0]}'{at}")
    _check_functions(name, output, "Outputs", source)
    missing = [other for other in references(output) if other not in known]
    if missing:
        raise format_error(
            f"Unresolved resource dependencies [{', '.join(dict.fromkeys(missing))}] in the Outputs block of the "
            f"template{at}"
        )
    _check_attributes(name, output, resources, source, "Outputs")


def _check_functions(name: str, value: Any, section: str, source: Source) -> None:
    if isinstance(value, list):
        for item in value:
            _check_functions(name, item, section, source)
    elif isinstance(value, dict):
        if is_function(value):
            (function,) = value
            if function not in FUNCTIONS:
                raise template_error(f"unsupported function {function} in {name}{source.at(section, name)}")
        for item in value.values():
            _check_functions(name, item, section, source)


def _check_attributes(name: str, value: Any, resources: dict[str, Json], source: Source, section: str) -> None:
    for other, attribute in attributes_used(value):
        if other not in resources:
            raise template_error(
                f"instance of Fn::GetAtt references undefined resource {other}{source.at(section, name)}"
            )
        type_name = resources[other]["Type"]
        found = find_type(type_name)
        if found is None or found.has_attribute(attribute):
            continue
        raise template_error(
            f"resource {other} does not support attribute type {attribute} in Fn::GetAtt: {type_name} has "
            f"{', '.join(sorted(found.attributes)) or 'no attributes'}{source.at(section, name)}"
        )


def attributes_used(value: Any) -> Iterator[tuple[str, str]]:
    """(logical id, attribute) of each Fn::GetAtt and ${X.Y} whose attribute stands there as text."""
    for argument in _calls(value, "Fn::GetAtt"):
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and len(parts) >= 2 and all(isinstance(part, str) for part in parts):
            yield parts[0], ".".join(parts[1:])
    for argument in _calls(value, "Fn::Sub"):
        yield from _sub_attributes(argument)


def _sub_attributes(argument: Any) -> Iterator[tuple[str, str]]:
    text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    for name in VARIABLE.findall(text if isinstance(text, str) else ""):
        name = name.strip()
        if "." in name and name not in variables:
            logical_id, attribute = name.split(".", 1)
            yield logical_id, attribute
