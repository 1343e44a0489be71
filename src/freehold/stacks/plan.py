"""What a stack shall become: a template with its transforms done, parameters and conditions decided, all checked.

A plan is made from a request (CreateStack, UpdateStack, CreateChangeSet) before anything is made; it can be stored in
a change set and read back, and everything that the execution needs is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from freehold.aws.call import Aws, Json
from freehold.aws.errors import AwsError
from freehold.stacks.conditions import evaluate_conditions, prune
from freehold.stacks.documents import STACK
from freehold.stacks.errors import Source, validation_error
from freehold.stacks.graph import Graph, resource_graph
from freehold.stacks.intrinsics import Scope, resolve
from freehold.stacks.parameters import Parameters, resolve_parameters
from freehold.stacks.record import Stacks
from freehold.stacks.resources import is_custom
from freehold.stacks.rules import check_rules
from freehold.stacks.schema import coerce, load_schema
from freehold.stacks.template import check_frame, check_resources, read_body
from freehold.stacks.transforms import apply_transforms, needs_expansion

CAPABILITY_EXPAND = "CAPABILITY_AUTO_EXPAND"
CAPABILITY_IAM = "CAPABILITY_IAM"
CAPABILITY_NAMED_IAM = "CAPABILITY_NAMED_IAM"
_NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_IAM = frozenset({*_NAMED_IAM, "AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"})


@dataclass(frozen=True, slots=True)
class Target:
    """Which stack, under what terms: the parts of the request beside template and parameters."""

    stack_id: str
    stack_name: str
    tags: tuple[tuple[str, str], ...] = ()
    notification_arns: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    text: str  # The template as given.
    processed: Json
    parameters: Parameters
    conditions: dict[str, bool]
    resources: dict[str, Json]  # Those whose condition holds, Fn::If decided.
    outputs: dict[str, Json]
    graph: Graph
    scope: Scope  # Without resources.
    tags: tuple[tuple[str, str], ...]

    def properties(self, logical_id: str, scope: Scope) -> Json:
        """Resolved, of the schema's types, with the stack's tags. Raises ValidationError."""
        resource = self.resources[logical_id]
        properties = resolve(resource.get("Properties", {}), scope)
        if is_custom(resource["Type"]):
            return dict(properties)
        schema = load_schema(resource["Type"])
        properties = coerce(schema, properties)
        if schema.tags and self.tags:
            properties[schema.tags] = _merged_tags(properties.get(schema.tags), self.tags, schema.tags_as_map)
        return properties


async def make_plan(
    stacks: Stacks, aws: Aws, target: Target, text: str, given: Sequence[Json], previous: Mapping[str, str] | None
) -> Plan:
    """Raises ValidationError for what the user got wrong, TransformFailed when a transform says so."""
    body = read_body(text)
    if needs_expansion(body) and CAPABILITY_EXPAND not in target.capabilities:
        raise AwsError(
            "InsufficientCapabilitiesException", f"Requires capabilities : [{CAPABILITY_EXPAND}]", status=400
        )
    parameters = await resolve_parameters(body.get("Parameters") or {}, given, previous, lambda name: _ssm(aws, name))
    scope = Scope(
        region=aws.call.region,
        account=aws.call.account,
        stack_name=target.stack_name,
        stack_id=target.stack_id,
        parameters=parameters.values,
        mappings=body.get("Mappings") or {},
        exports=await exports(stacks, aws.call.region),
        notification_arns=target.notification_arns,
    )
    processed = await apply_transforms(body, parameters.values, scope, aws)
    return finish_plan(
        stacks, target, text, processed, parameters, replace(scope, mappings=processed.get("Mappings") or {})
    )


def finish_plan(
    stacks: Stacks, target: Target, text: str, processed: Json, parameters: Parameters, scope: Scope
) -> Plan:
    """From the processed template on: also for a plan that is read back from a change set."""
    source = Source(text)
    check_frame(processed, source)
    conditions = evaluate_conditions(processed, scope)
    left_out = {
        name for name, item in processed["Resources"].items() if not conditions.get(item.get("Condition", ""), True)
    }
    check_resources(processed, source, stacks.has_service, left_out)
    check_rules(processed, scope)
    pruned = prune(processed, conditions)
    _check_capabilities(pruned["Resources"], target.capabilities)
    return Plan(
        text=text,
        processed=processed,
        parameters=parameters,
        conditions=conditions,
        resources=pruned["Resources"],
        outputs=pruned["Outputs"],
        graph=resource_graph(pruned["Resources"]),
        scope=replace(scope, conditions=conditions),
        tags=target.tags,
    )


async def exports(stacks: Stacks, region: str) -> dict[str, str]:
    """Name -> value of everything that stacks of the region export."""
    found: dict[str, str] = {}
    for stored in await stacks.store.list_documents(STACK, f"{region}/"):
        if stored.document["StackStatus"] != "DELETE_COMPLETE":
            for output in stored.document.get("Outputs", []):
                if "ExportName" in output:
                    found[output["ExportName"]] = output["OutputValue"]
    return found


def missing_capabilities(resources: Mapping[str, Json], given: frozenset[str]) -> str:
    """The capability that a template with these resources needs and `given` lacks, or nothing."""
    if any(_NAMED_IAM.get(item["Type"], "") in item.get("Properties", {}) for item in resources.values()):
        return "" if CAPABILITY_NAMED_IAM in given else CAPABILITY_NAMED_IAM
    if any(item["Type"] in _IAM for item in resources.values()):
        return "" if {CAPABILITY_IAM, CAPABILITY_NAMED_IAM} & given else CAPABILITY_IAM
    return ""


def _check_capabilities(resources: Mapping[str, Json], given: frozenset[str]) -> None:
    missing = missing_capabilities(resources, given)
    if missing:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{missing}]", status=400)


async def _ssm(aws: Aws, name: str) -> str | None:
    try:
        return str((await aws("ssm", "GetParameter", {"Name": name, "WithDecryption": False}))["Parameter"]["Value"])
    except AwsError as error:
        if error.code == "ParameterNotFound":
            return None
        raise validation_error(f"Unable to fetch parameters [{name}] from parameter store: {error.message}") from error


def _merged_tags(own: Any, stack: tuple[tuple[str, str], ...], as_map: bool) -> Any:
    """The resource's tags win over the stack's."""
    if as_map:
        return {**dict(stack), **(own or {})}
    keys = {tag.get("Key") for tag in own or []}
    return [*(own or []), *({"Key": key, "Value": value} for key, value in stack if key not in keys)]
