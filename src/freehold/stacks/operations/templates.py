"""Templates: read back, checked, summed up.

Sources: "GetTemplate", "GetTemplateSummary", "ValidateTemplate".
"""

from __future__ import annotations

import orjson

from freehold.aws.call import Call, Json
from freehold.stacks.documents import CHANGE_SET, find_stack
from freehold.stacks.errors import validation_error
from freehold.stacks.parameters import is_no_echo
from freehold.stacks.plan import CAPABILITY_EXPAND, missing_capabilities
from freehold.stacks.record import Stacks
from freehold.stacks.requests import template_text
from freehold.stacks.schema import text_of
from freehold.stacks.template import read_body
from freehold.stacks.transforms import transforms_of


async def get_template(stacks: Stacks, call: Call, request: Json) -> Json:
    if "StackName" not in request:
        raise validation_error("StackName must be specified.")
    stored = await find_stack(stacks, call, request["StackName"])
    source = stored.document
    wanted = request.get("ChangeSetName")
    if wanted or "text" not in source:
        for change_set in await stacks.store.list_documents(CHANGE_SET, f"{stored.key}/"):
            names = (change_set.document["ChangeSetName"], change_set.document["ChangeSetId"])
            if (not wanted or wanted in names) and "text" in change_set.document:
                source = change_set.document
    if "text" not in source:
        raise validation_error(f"No template of {request['StackName']} is there yet")
    stages = ["Original", "Processed"]
    if request.get("TemplateStage") == "Processed":
        return {"TemplateBody": orjson.dumps(source["processed"]).decode(), "StagesAvailable": stages}
    return {"TemplateBody": source["text"], "StagesAvailable": stages}


async def validate_template(stacks: Stacks, call: Call, request: Json) -> Json:
    body = read_body(await template_text(stacks.bind(call), request))
    return {
        "Parameters": [
            {name: value for name, value in item.items() if name not in ("ParameterType", "ParameterConstraints")}
            for item in _parameters(body)
        ],
        **_summary(body),
    }


async def get_template_summary(stacks: Stacks, call: Call, request: Json) -> Json:
    if "StackName" in request:
        stored = await find_stack(stacks, call, request["StackName"], deleted=False)
        body = read_body(stored.document.get("text", ""))
    else:
        body = read_body(await template_text(stacks.bind(call), request))
    resources = body["Resources"]
    summary = {
        "Parameters": _parameters(body),
        "ResourceTypes": list(dict.fromkeys(item["Type"] for item in resources.values() if "Type" in item)),
        **_summary(body),
    }
    if "AWSTemplateFormatVersion" in body:
        summary["Version"] = body["AWSTemplateFormatVersion"]
    if "Metadata" in body:
        summary["Metadata"] = orjson.dumps(body["Metadata"]).decode()
    return summary


def _summary(body: Json) -> Json:
    summary: Json = {}
    if isinstance(body.get("Description"), str):
        summary["Description"] = body["Description"]
    declared = transforms_of(body)
    resources = {name: item for name, item in body["Resources"].items() if isinstance(item, dict) and "Type" in item}
    capabilities, needing = [], []
    missing = missing_capabilities(resources, frozenset())
    if missing:
        capabilities.append(missing)
        needing = [item["Type"] for item in resources.values() if item["Type"].startswith("AWS::IAM::")]
    if declared:
        summary["DeclaredTransforms"] = declared
        capabilities.append(CAPABILITY_EXPAND)
    if capabilities:
        summary["Capabilities"] = capabilities
    if needing:
        summary["CapabilitiesReason"] = (
            f"The following resource(s) require capabilities: [{', '.join(dict.fromkeys(needing))}]"
        )
    return summary


def _parameters(body: Json) -> list[Json]:
    found = []
    for name, declaration in (body.get("Parameters") or {}).items():
        item: Json = {
            "ParameterKey": name,
            "ParameterType": declaration.get("Type", "String"),
            "NoEcho": is_no_echo(declaration),
            "ParameterConstraints": {},
        }
        if "Default" in declaration:
            item["DefaultValue"] = text_of(declaration["Default"])
        if "Description" in declaration:
            item["Description"] = declaration["Description"]
        if "AllowedValues" in declaration:
            item["ParameterConstraints"] = {"AllowedValues": [text_of(v) for v in declaration["AllowedValues"]]}
        found.append(item)
    return found
