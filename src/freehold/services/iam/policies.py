"""Managed policies: the account's own with up to five versions, and AWS's, which are known by their ARN.

Source: IAM API Reference, CreatePolicy, CreatePolicyVersion; AWS Managed Policy Reference Guide.
"""

from __future__ import annotations

from collections import Counter

from freehold.aws.arn import parse_arn
from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.iam import aws_managed
from freehold.services.iam.documents import check_identity, encode
from freehold.services.iam.record import (
    GROUP,
    POLICY,
    ROLE,
    USER,
    Iam,
    change,
    create,
    delete_conflict,
    find,
    list_all,
    merge_tags,
    moment,
    new_document,
    no_such,
    page,
    read_tags,
    write_tags,
)
from freehold.state.store import Delete, Document, Stored

_VERSIONS = 5
_BYTES = 6144


async def create_policy(iam: Iam, call: Call, request: Json) -> Json:
    _check(request["PolicyDocument"])
    document = new_document(iam, call, POLICY, request["PolicyName"], request.get("Path"))
    document.update(tags=read_tags(request.get("Tags")), updatedMs=document["createdMs"], default="v1", next=2)
    document["versions"] = {"v1": {"document": request["PolicyDocument"], "createdMs": document["createdMs"]}}
    if request.get("Description"):
        document["description"] = request["Description"]
    await create(iam, POLICY, document)
    return {"Policy": _describe(document, 0)}


async def get_policy(iam: Iam, call: Call, request: Json) -> Json:
    arn = request["PolicyArn"]
    if aws_managed.is_aws(arn):
        return {"Policy": {**_describe_aws(arn), "AttachmentCount": len(await _users_of(iam, arn))}}
    document = (await _find(iam, arn)).document
    described = _describe(document, len(await _users_of(iam, arn)))
    return {"Policy": {**described, "Description": document.get("description")}}


async def delete_policy(iam: Iam, call: Call, request: Json) -> Json:
    arn = request["PolicyArn"]
    stored = await _find(iam, arn)
    if await _users_of(iam, arn):
        raise delete_conflict("Cannot delete a policy attached to entities.")
    if len(stored.document["versions"]) > 1:
        raise delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
            "The default version is deleted with the policy."
        )
    await iam.store.write(Delete(POLICY.kind, stored.key, if_revision=stored.revision))
    return {}


async def list_policies(iam: Iam, call: Call, request: Json) -> Json:
    scope, prefix = request.get("Scope") or "All", request.get("PathPrefix") or "/"
    found: list[Json] = []
    attached = Counter(
        [arn for thing in (ROLE, USER, GROUP) for d in await list_all(iam, thing) for arn in d["attached"]]
    )
    if scope in ("All", "Local"):
        found += [_describe(document, attached[document["arn"]]) for document in await list_all(iam, POLICY, prefix)]
    if scope in ("All", "AWS"):
        described = [{**_describe_aws(arn), "AttachmentCount": attached[arn]} for arn in aws_managed.arns()]
        found += [policy for policy in described if policy["Path"].startswith(prefix)]
    if request.get("OnlyAttached"):
        found = [policy for policy in found if policy["AttachmentCount"]]
    # An account may have a policy of the same name as one of AWS's: the ARN tells them apart.
    found.sort(key=lambda policy: str(policy["Arn"]).lower())
    shown, more = page(request, found, lambda policy: str(policy["Arn"]))
    return {"Policies": shown, **more}


async def create_policy_version(iam: Iam, call: Call, request: Json) -> Json:
    _check(request["PolicyDocument"])
    at_ms, version = now_ms(iam.clock), ""

    def edit(document: Document) -> None:
        nonlocal version
        if len(document["versions"]) >= _VERSIONS:
            raise AwsError(
                "LimitExceeded",
                "A managed policy can have up to 5 versions. Before you create a new version, you must delete an "
                "existing version.",
                status=409,
            )
        version = f"v{document['next']}"
        document["next"] += 1
        document["versions"][version] = {"document": request["PolicyDocument"], "createdMs": at_ms}
        document["updatedMs"] = at_ms
        if request.get("SetAsDefault"):
            document["default"] = version

    document = await change(iam, POLICY, _name(request["PolicyArn"]), edit)
    return {"PolicyVersion": _describe_version(document, version)}


async def get_policy_version(iam: Iam, call: Call, request: Json) -> Json:
    arn, version = request["PolicyArn"], request["VersionId"]
    if aws_managed.is_aws(arn):
        text = aws_managed.document(arn)
        return {"PolicyVersion": {"Document": encode(text), "VersionId": "v1", "IsDefaultVersion": True}}
    document = (await _find(iam, arn)).document
    if version not in document["versions"]:
        raise no_such(f"Policy {arn} version {version} does not exist or is not attachable.")
    described = _describe_version(document, version)
    return {"PolicyVersion": {**described, "Document": encode(document["versions"][version]["document"])}}


async def list_policy_versions(iam: Iam, call: Call, request: Json) -> Json:
    arn = request["PolicyArn"]
    if aws_managed.is_aws(arn):
        aws_managed.require(arn)
        return {"Versions": [{"VersionId": "v1", "IsDefaultVersion": True}], "IsTruncated": False}
    document = (await _find(iam, arn)).document
    newest_first = sorted(document["versions"], key=lambda version: int(version[1:]), reverse=True)
    return {"Versions": [_describe_version(document, version) for version in newest_first], "IsTruncated": False}


async def delete_policy_version(iam: Iam, call: Call, request: Json) -> Json:
    version = request["VersionId"]

    def edit(document: Document) -> None:
        if version == document["default"]:
            raise delete_conflict("Cannot delete the default version of a policy.")
        if document["versions"].pop(version, None) is None:
            raise no_such(f"Policy {document['arn']} version {version} does not exist or is not attachable.")

    await change(iam, POLICY, _name(request["PolicyArn"]), edit)
    return {}


async def set_default_policy_version(iam: Iam, call: Call, request: Json) -> Json:
    def edit(document: Document) -> None:
        if request["VersionId"] not in document["versions"]:
            raise no_such(f"Policy {document['arn']} version {request['VersionId']} does not exist.")
        document["default"] = request["VersionId"]

    await change(iam, POLICY, _name(request["PolicyArn"]), edit)
    return {}


async def list_entities_for_policy(iam: Iam, call: Call, request: Json) -> Json:
    arn = request["PolicyArn"]
    await require_attachable(iam, arn)
    answer: Json = {"PolicyRoles": [], "PolicyUsers": [], "PolicyGroups": [], "IsTruncated": False}
    wanted = request.get("EntityFilter")
    for thing, document in await _users_of(iam, arn):
        if wanted in (None, thing):
            answer[f"Policy{thing}s"].append({f"{thing}Name": document["name"], f"{thing}Id": document["id"]})
    return answer


async def tag_policy(iam: Iam, call: Call, request: Json) -> Json:
    name = _name(request["PolicyArn"])
    await change(iam, POLICY, name, lambda document: merge_tags(document, request["Tags"]))
    return {}


async def untag_policy(iam: Iam, call: Call, request: Json) -> Json:
    def edit(document: Document) -> None:
        for key in request["TagKeys"]:
            document["tags"].pop(key, None)

    await change(iam, POLICY, _name(request["PolicyArn"]), edit)
    return {}


async def list_policy_tags(iam: Iam, call: Call, request: Json) -> Json:
    tags = (await _find(iam, request["PolicyArn"])).document["tags"]
    return {"Tags": write_tags(tags), "IsTruncated": False}


async def require_attachable(iam: Iam, arn: str) -> None:
    """NoSuchEntity for a policy that is neither the account's nor AWS's."""
    if aws_managed.is_aws(arn):
        aws_managed.require(arn)
    else:
        await _find(iam, arn)


def _check(text: str) -> None:
    check_identity(text)
    if len("".join(text.split())) > _BYTES:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {_BYTES}", status=409)


async def _find(iam: Iam, arn: str) -> Stored:
    stored = await find(iam, POLICY, _name(arn))
    if stored.document["arn"] != arn:
        raise aws_managed.missing(arn)
    return stored


def _name(arn: str) -> str:
    parsed = parse_arn(arn)
    if parsed is None or not parsed.resource.startswith("policy/"):
        raise AwsError("ValidationError", f"ARN {arn} is not valid.", status=400)
    return parsed.resource.rpartition("/")[2]


async def _users_of(iam: Iam, arn: str) -> list[tuple[str, Document]]:
    return [
        (thing.noun, document)
        for thing in (ROLE, USER, GROUP)
        for document in await list_all(iam, thing)
        if arn in document["attached"]
    ]


def _describe(document: Document, attachments: int) -> Json:
    described: Json = {
        "PolicyName": document["name"],
        "PolicyId": document["id"],
        "Arn": document["arn"],
        "Path": document["path"],
        "DefaultVersionId": document["default"],
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": moment(document["createdMs"]),
        "UpdateDate": moment(document["updatedMs"]),
    }
    if document["tags"]:
        described["Tags"] = write_tags(document["tags"])
    return described


def _describe_version(document: Document, version: str) -> Json:
    return {
        "VersionId": version,
        "IsDefaultVersion": version == document["default"],
        "CreateDate": moment(document["versions"][version]["createdMs"]),
    }


def _describe_aws(arn: str) -> Json:
    aws_managed.require(arn)
    path, _, name = arn.split(":policy", 1)[1].rpartition("/")
    return {
        "PolicyName": name,
        "Arn": arn,
        "Path": f"{path}/",
        "DefaultVersionId": "v1",
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
    }
