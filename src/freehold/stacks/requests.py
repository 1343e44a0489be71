"""From a request to a plan and to a stack's document: what CreateStack, UpdateStack and change sets share."""

from __future__ import annotations

from freehold.aws.call import Aws, Call, Json
from freehold.stacks.documents import stack_arn
from freehold.stacks.errors import validation_error
from freehold.stacks.parameters import Parameters
from freehold.stacks.plan import Plan, Target, make_plan
from freehold.stacks.record import Stacks
from freehold.stacks.template import MAX_BODY_BYTES, MAX_URL_BODY_BYTES
from freehold.stacks.transforms import fetch_template

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED")


async def template_text(aws: Aws, request: Json, stack: Json | None = None) -> str:
    """TemplateBody, TemplateURL or the stack's own. Raises ValidationError."""
    if "TemplateBody" in request:
        text: str = request["TemplateBody"]
        if len(text.encode()) > MAX_BODY_BYTES:
            raise validation_error(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MAX_BODY_BYTES}"
            )
        return text
    if "TemplateURL" in request:
        text = await fetch_template(request["TemplateURL"], aws)
        if len(text.encode()) > MAX_URL_BODY_BYTES:
            raise validation_error(f"Template may not exceed {MAX_URL_BODY_BYTES} bytes in size.")
        return text
    if stack is not None and (request.get("UsePreviousTemplate") or "text" in stack):
        return str(stack["text"])
    raise validation_error("Either Template URL or Template Body must be specified.")


def target_of(request: Json, stack_id: str, stack_name: str, stack: Json | None = None) -> Target:
    """Tags and notification ARNs that the request leaves out stay as the stack has them."""
    known = stack or {}
    tags: list[Json] = request.get("Tags") or known.get("Tags") or []
    topics: list[str] = request.get("NotificationARNs") or known.get("NotificationARNs") or []
    return Target(
        stack_id=stack_id,
        stack_name=stack_name,
        tags=tuple((tag["Key"], tag["Value"]) for tag in tags),
        notification_arns=tuple(topics),
        capabilities=frozenset(request.get("Capabilities", [])),
    )


async def plan_request(stacks: Stacks, aws: Aws, request: Json, target: Target, stack: Json | None) -> Plan:
    """`stack` is the document of the stack that is updated. Raises ValidationError and TransformFailed."""
    text = await template_text(aws, request, stack)
    previous = stack.get("given", {}) if stack else None
    return await make_plan(stacks, aws, target, text, request.get("Parameters", []), previous)


def new_stack(stacks: Stacks, call: Call, name: str, request: Json) -> Json:
    """The document of a stack of which nothing is made yet, without its status."""
    document: Json = {
        "StackId": stack_arn(call, name, stacks.ids.uuid()),
        "StackName": name,
        "CreationTime": stacks.clock.now_s(),
        "RollbackConfiguration": request.get("RollbackConfiguration", {}),
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "EnableTerminationProtection": request.get("EnableTerminationProtection", False),
        "DisableRollback": request.get("DisableRollback", False),
        "Tags": request.get("Tags", []),
        "NotificationARNs": request.get("NotificationARNs", []),
        "endpoint": {"host": call.host, "scheme": call.scheme},
    }
    for member in ("TimeoutInMinutes", "RoleARN"):
        if member in request:
            document[member] = request[member]
    if "ClientRequestToken" in request:
        document["client_request_token"] = request["ClientRequestToken"]
    if "StackPolicyBody" in request:
        document["policy"] = request["StackPolicyBody"]
    parent = request.get("ParentId")
    if parent:
        document.update(ParentId=parent, RootId=request["RootId"])
    return document


def planned(plan: Plan, request: Json, target: Target) -> Json:
    """What a stack's document takes over from a plan."""
    document: Json = {
        "text": plan.text,
        "processed": plan.processed,
        "given": plan.parameters.given,
        "Parameters": plan.parameters.shown,
        "Capabilities": sorted(target.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in target.tags],
        "NotificationARNs": list(target.notification_arns),
    }
    if isinstance(plan.processed.get("Description"), str):
        document["Description"] = plan.processed["Description"]
    if "RoleARN" in request:
        document["RoleARN"] = request["RoleARN"]
    return document


def pack_parameters(parameters: Parameters) -> Json:
    return {"given": parameters.given, "values": parameters.values, "shown": parameters.shown}


def unpack_parameters(packed: Json) -> Parameters:
    return Parameters(packed["given"], packed["values"], packed["shown"])


def check_updatable(stack: Json) -> None:
    status = stack["StackStatus"]
    if status not in UPDATABLE:
        raise validation_error(f"Stack:{stack['StackId']} is in {status} state and can not be updated.")
