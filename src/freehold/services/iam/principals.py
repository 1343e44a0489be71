"""What roles, users and groups do alike: inline policies, attached policies, tags, permissions boundaries.

Source: IAM API Reference, PutRolePolicy, AttachRolePolicy, TagRole and their likes. One decision to know: the
operations are made for each of the three from one function, so they cannot differ by accident.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json, Operation
from freehold.aws.errors import AwsError
from freehold.services.iam.documents import check_identity, encode
from freehold.services.iam.policies import require_attachable
from freehold.services.iam.record import Iam, Thing, change, find, merge_tags, no_such, page, write_tags
from freehold.state.store import Document

_ATTACHED = 20  # AWS's highest quota: 10 without asking for more.
_INLINE_BYTES = {"Role": 10_240, "User": 2_048, "Group": 5_120}


def policy_operations(thing: Thing) -> dict[str, Operation]:
    noun, member = thing.noun, thing.member

    async def put(iam: Iam, call: Call, request: Json) -> Json:
        name, text = request["PolicyName"], request["PolicyDocument"]
        check_identity(text)

        def edit(document: Document) -> None:
            document["inline"][name] = text
            # Quotas count without white space.
            size = sum(len("".join(one.split())) for one in document["inline"].values())
            if size > _INLINE_BYTES[noun]:
                raise AwsError(
                    "LimitExceeded",
                    f"Maximum policy size of {_INLINE_BYTES[noun]} bytes exceeded for {noun.lower()} "
                    f"{document['name']}",
                    status=409,
                )

        await change(iam, thing, request[member], edit)
        return {}

    async def get(iam: Iam, call: Call, request: Json) -> Json:
        document = (await find(iam, thing, request[member])).document
        text = document["inline"].get(request["PolicyName"])
        if text is None:
            raise _no_inline(noun, request["PolicyName"])
        return {member: document["name"], "PolicyName": request["PolicyName"], "PolicyDocument": encode(text)}

    async def delete(iam: Iam, call: Call, request: Json) -> Json:
        def edit(document: Document) -> None:
            if document["inline"].pop(request["PolicyName"], None) is None:
                raise _no_inline(noun, request["PolicyName"])

        await change(iam, thing, request[member], edit)
        return {}

    async def list_inline(iam: Iam, call: Call, request: Json) -> Json:
        document = (await find(iam, thing, request[member])).document
        shown, more = page(request, sorted(document["inline"], key=str.lower), str)
        return {"PolicyNames": shown, **more}

    async def attach(iam: Iam, call: Call, request: Json) -> Json:
        arn = request["PolicyArn"]
        await require_attachable(iam, arn)

        def edit(document: Document) -> None:
            if arn not in document["attached"]:
                document["attached"].append(arn)
            if len(document["attached"]) > _ATTACHED:
                raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{noun}: {_ATTACHED}", status=409)

        await change(iam, thing, request[member], edit)
        return {}

    async def detach(iam: Iam, call: Call, request: Json) -> Json:
        def edit(document: Document) -> None:
            if request["PolicyArn"] not in document["attached"]:
                raise no_such(f"Policy {request['PolicyArn']} was not found.")
            document["attached"].remove(request["PolicyArn"])

        await change(iam, thing, request[member], edit)
        return {}

    async def list_attached(iam: Iam, call: Call, request: Json) -> Json:
        document = (await find(iam, thing, request[member])).document
        found = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in document["attached"]]
        prefix = request.get("PathPrefix") or "/"
        chosen = [entry for entry in found if _path(entry["PolicyArn"]).startswith(prefix)]
        shown, more = page(request, sorted(chosen, key=_name_key), lambda entry: entry["PolicyName"])
        return {"AttachedPolicies": shown, **more}

    return {
        f"Put{noun}Policy": put,
        f"Get{noun}Policy": get,
        f"Delete{noun}Policy": delete,
        f"List{noun}Policies": list_inline,
        f"Attach{noun}Policy": attach,
        f"Detach{noun}Policy": detach,
        f"ListAttached{noun}Policies": list_attached,
    }


def tag_operations(thing: Thing) -> dict[str, Operation]:
    """Tag, Untag and List...Tags of whatever is found by its name."""
    noun, member = thing.noun, thing.member

    async def tag(iam: Iam, call: Call, request: Json) -> Json:
        await change(iam, thing, request[member], lambda document: merge_tags(document, request["Tags"]))
        return {}

    async def untag(iam: Iam, call: Call, request: Json) -> Json:
        def edit(document: Document) -> None:
            for key in request["TagKeys"]:
                document["tags"].pop(key, None)

        await change(iam, thing, request[member], edit)
        return {}

    async def list_tags(iam: Iam, call: Call, request: Json) -> Json:
        tags = (await find(iam, thing, request[member])).document["tags"]
        shown, more = page(request, sorted(write_tags(tags), key=_tag_key), _tag_key)
        return {"Tags": shown, **more}

    return {f"Tag{noun}": tag, f"Untag{noun}": untag, f"List{noun}Tags": list_tags}


def boundary_operations(thing: Thing) -> dict[str, Operation]:
    noun, member = thing.noun, thing.member

    async def put(iam: Iam, call: Call, request: Json) -> Json:
        await require_attachable(iam, request["PermissionsBoundary"])

        def edit(document: Document) -> None:
            document["boundary"] = request["PermissionsBoundary"]

        await change(iam, thing, request[member], edit)
        return {}

    async def delete(iam: Iam, call: Call, request: Json) -> Json:
        def edit(document: Document) -> None:
            if document.pop("boundary", None) is None:
                raise no_such(f"{noun} {document['name']} has no permissions boundary.")

        await change(iam, thing, request[member], edit)
        return {}

    return {f"Put{noun}PermissionsBoundary": put, f"Delete{noun}PermissionsBoundary": delete}


def describe_boundary(document: Document) -> Json:
    if "boundary" not in document:
        return {}
    return {
        "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": document["boundary"]}
    }


def _no_inline(noun: str, name: str) -> AwsError:
    return no_such(f"The {noun.lower()} policy with name {name} cannot be found.")


def _path(arn: str) -> str:
    return "/" + "/".join(arn.split(":", 5)[5].split("/")[1:-1])


def _name_key(entry: Json) -> str:
    return str(entry["PolicyName"]).lower()


def _tag_key(entry: Json) -> str:
    return str(entry["Key"]).lower()
