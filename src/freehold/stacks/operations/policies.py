"""Stack policies and termination protection.

A stack policy is kept and shown; that it forbids updates is not enforced yet, as no IAM policy is.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.stacks.documents import change_stack, find_stack
from freehold.stacks.errors import validation_error
from freehold.stacks.record import Stacks
from freehold.stacks.transforms import fetch_template


async def set_stack_policy(stacks: Stacks, call: Call, request: Json) -> Json:
    stored = await find_stack(stacks, call, request["StackName"], deleted=False)
    if "StackPolicyBody" in request:
        policy = request["StackPolicyBody"]
    elif "StackPolicyURL" in request:
        policy = await fetch_template(request["StackPolicyURL"], stacks.bind(call))
    else:
        raise validation_error("Either StackPolicyBody or StackPolicyURL must be specified.")
    await change_stack(stacks, stored.key, {"policy": policy})
    return {}


async def get_stack_policy(stacks: Stacks, call: Call, request: Json) -> Json:
    stored = await find_stack(stacks, call, request["StackName"], deleted=False)
    return {"StackPolicyBody": stored.document["policy"]} if "policy" in stored.document else {}


async def update_termination_protection(stacks: Stacks, call: Call, request: Json) -> Json:
    stored = await find_stack(stacks, call, request["StackName"], deleted=False)
    await change_stack(stacks, stored.key, {"EnableTerminationProtection": request["EnableTerminationProtection"]})
    return {"StackId": stored.document["StackId"]}
