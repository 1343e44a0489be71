"""Users and their access keys. Source: IAM API Reference, CreateUser, CreateAccessKey and their likes."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import now_ms
from freehold.services.iam.policies import require_attachable
from freehold.services.iam.principals import describe_boundary
from freehold.services.iam.record import (
    GROUP,
    USER,
    Iam,
    change,
    create,
    delete_conflict,
    find,
    list_all,
    moment,
    new_document,
    no_such,
    page,
    read_tags,
    write_tags,
)
from freehold.state.store import Delete, Document, Put

ACCESS_KEY = "iam.access_key"  # Key: the access key id.
_KEYS = 2


async def create_user(iam: Iam, call: Call, request: Json) -> Json:
    document = new_document(iam, call, USER, request["UserName"], request.get("Path"))
    document.update(tags=read_tags(request.get("Tags")), inline={}, attached=[])
    if request.get("PermissionsBoundary"):
        await require_attachable(iam, request["PermissionsBoundary"])
        document["boundary"] = request["PermissionsBoundary"]
    await create(iam, USER, document)
    return {"User": describe(document)}


async def get_user(iam: Iam, call: Call, request: Json) -> Json:
    if not request.get("UserName"):
        return {
            "User": {
                "Path": "/",
                "UserName": "root",
                "UserId": call.account,
                "Arn": f"arn:aws:iam::{call.account}:root",
                "CreateDate": moment(0),
            }
        }
    return {"User": describe((await find(iam, USER, request["UserName"])).document)}


async def list_users(iam: Iam, call: Call, request: Json) -> Json:
    found = await list_all(iam, USER, request.get("PathPrefix"))
    shown, more = page(request, found, lambda document: str(document["name"]))
    return {"Users": [describe(document) for document in shown], **more}


async def delete_user(iam: Iam, call: Call, request: Json) -> Json:
    stored = await find(iam, USER, request["UserName"])
    user = stored.document
    if user["attached"]:
        raise delete_conflict("Cannot delete entity, must detach all policies first.")
    if user["inline"]:
        raise delete_conflict("Cannot delete entity, must delete policies first.")
    if await _keys(iam, user["name"]):
        raise delete_conflict("Cannot delete entity, must delete access keys first.")
    if any(user["name"] in group["users"] for group in await list_all(iam, GROUP)):
        raise delete_conflict("Cannot delete entity, must remove users from group first.")
    await iam.store.write(Delete(USER.kind, stored.key, if_revision=stored.revision))
    return {}


async def create_access_key(iam: Iam, call: Call, request: Json) -> Json:
    user = (await find(iam, USER, _user_name(request))).document["name"]
    if len(await _keys(iam, user)) >= _KEYS:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {_KEYS}", status=409)
    key = {
        "id": "AKIA" + iam.ids.hex(16).upper(),
        "secret": iam.ids.hex(40),
        "user": user,
        "status": "Active",
        "createdMs": now_ms(iam.clock),
    }
    await iam.store.write(Put(ACCESS_KEY, str(key["id"]), key))
    return {"AccessKey": {**_describe_key(key), "SecretAccessKey": key["secret"]}}


async def list_access_keys(iam: Iam, call: Call, request: Json) -> Json:
    user = (await find(iam, USER, _user_name(request))).document["name"]
    found = await _keys(iam, user)
    return {"AccessKeyMetadata": [_describe_key(key) for key in found], "IsTruncated": False}


async def update_access_key(iam: Iam, call: Call, request: Json) -> Json:
    key = await _find_key(iam, request["AccessKeyId"])
    await iam.store.write(Put(ACCESS_KEY, request["AccessKeyId"], {**key, "status": request["Status"]}))
    return {}


async def delete_access_key(iam: Iam, call: Call, request: Json) -> Json:
    await _find_key(iam, request["AccessKeyId"])
    await iam.store.write(Delete(ACCESS_KEY, request["AccessKeyId"]))
    return {}


async def get_access_key_last_used(iam: Iam, call: Call, request: Json) -> Json:
    key = await _find_key(iam, request["AccessKeyId"])
    return {"UserName": key["user"], "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}


async def create_group(iam: Iam, call: Call, request: Json) -> Json:
    document = new_document(iam, call, GROUP, request["GroupName"], request.get("Path"))
    document.update(inline={}, attached=[], users=[])
    await create(iam, GROUP, document)
    return {"Group": describe_group(document)}


async def get_group(iam: Iam, call: Call, request: Json) -> Json:
    group = (await find(iam, GROUP, request["GroupName"])).document
    shown, more = page(request, sorted(group["users"], key=str.lower), str)
    users = [describe((await find(iam, USER, name)).document) for name in shown]
    return {"Group": describe_group(group), "Users": users, **more}


async def list_groups(iam: Iam, call: Call, request: Json) -> Json:
    found = await list_all(iam, GROUP, request.get("PathPrefix"))
    shown, more = page(request, found, lambda document: str(document["name"]))
    return {"Groups": [describe_group(document) for document in shown], **more}


async def delete_group(iam: Iam, call: Call, request: Json) -> Json:
    stored = await find(iam, GROUP, request["GroupName"])
    for name, message in (
        ("users", "must remove users from group first."),
        ("attached", "must detach all policies first."),
        ("inline", "must delete policies first."),
    ):
        if stored.document[name]:
            raise delete_conflict(f"Cannot delete entity, {message}")
    await iam.store.write(Delete(GROUP.kind, stored.key, if_revision=stored.revision))
    return {}


async def add_user_to_group(iam: Iam, call: Call, request: Json) -> Json:
    user = (await find(iam, USER, request["UserName"])).document["name"]

    def edit(document: Document) -> None:
        if user not in document["users"]:
            document["users"].append(user)

    await change(iam, GROUP, request["GroupName"], edit)
    return {}


async def remove_user_from_group(iam: Iam, call: Call, request: Json) -> Json:
    user = (await find(iam, USER, request["UserName"])).document["name"]

    def edit(document: Document) -> None:
        if user not in document["users"]:
            raise no_such(f"User {user} is not in group {document['name']}.")
        document["users"].remove(user)

    await change(iam, GROUP, request["GroupName"], edit)
    return {}


async def list_groups_for_user(iam: Iam, call: Call, request: Json) -> Json:
    user = (await find(iam, USER, request["UserName"])).document["name"]
    found = [group for group in await list_all(iam, GROUP) if user in group["users"]]
    shown, more = page(request, found, lambda document: str(document["name"]))
    return {"Groups": [describe_group(document) for document in shown], **more}


def describe(user: Document) -> Json:
    described: Json = {
        "Path": user["path"],
        "UserName": user["name"],
        "UserId": user["id"],
        "Arn": user["arn"],
        "CreateDate": moment(user["createdMs"]),
        **describe_boundary(user),
    }
    return {**described, "Tags": write_tags(user["tags"])} if user["tags"] else described


def describe_group(group: Document) -> Json:
    return {
        "Path": group["path"],
        "GroupName": group["name"],
        "GroupId": group["id"],
        "Arn": group["arn"],
        "CreateDate": moment(group["createdMs"]),
    }


def _user_name(request: Json) -> str:
    name = request.get("UserName")
    if not name:
        raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials", status=400)
    return str(name)


async def _keys(iam: Iam, user: str) -> list[Document]:
    return [key.document for key in await iam.store.list_documents(ACCESS_KEY) if key.document["user"] == user]


async def _find_key(iam: Iam, key_id: str) -> Document:
    stored = await iam.store.read(ACCESS_KEY, key_id)
    if stored is None:
        raise no_such(f"The Access Key with id {key_id} cannot be found.")
    return stored.document


def _describe_key(key: Document) -> Json:
    return {
        "UserName": key["user"],
        "AccessKeyId": key["id"],
        "Status": key["status"],
        "CreateDate": moment(key["createdMs"]),
    }
