"""Groups of users, which tokens tell as `cognito:groups`. Developer Guide, "Adding groups to a user pool".

One decision to know: a user's document names its groups, so that a sign-in reads those alone; who asks for the members
of a group reads the pool's users.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.record import (
    GROUP,
    USER,
    CognitoIdp,
    change,
    find_pool,
    key,
    page,
)
from freehold.services.cognito_idp.users import change_user, find_user, told
from freehold.state.store import Conflict, Delete, Document, Put, Stored

_SETTINGS = ("Description", "Precedence", "RoleArn")
MOST_GROUPS = 100  # A user can be in; the page on quotas.
_LAST = 2**31  # Groups without a precedence come after those that have one.


async def create_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool_id, name = request["UserPoolId"], request["GroupName"]
    await find_pool(service, call, pool_id)
    now_s = service.clock.now_s()
    group: Document = {
        "GroupName": name,
        "UserPoolId": pool_id,
        "CreationDate": now_s,
        "LastModifiedDate": now_s,
        **{each: request[each] for each in _SETTINGS if request.get(each) is not None},
    }
    try:
        await service.store.write(Put(GROUP, key(pool_id, name), group, 0))
    except Conflict:
        raise AwsError("GroupExistsException", "A group with the name already exists.", status=400) from None
    return {"Group": group}


async def get_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    return {"Group": (await _find(service, call, request)).document}


async def update_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    def make(group: Document) -> None:
        group.update({each: request[each] for each in _SETTINGS if request.get(each) is not None})
        group["LastModifiedDate"] = service.clock.now_s()

    return {"Group": await change(service, GROUP, lambda: _find(service, call, request), make)}


async def delete_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    found = await _find(service, call, request)
    await service.store.write(Delete(GROUP, found.key))
    for user in await _members(service, pool, request["GroupName"]):
        await change_user(service, pool, user["Username"], lambda changed: _leave(changed, request["GroupName"]))
    return {}


async def list_groups(service: CognitoIdp, call: Call, request: Json) -> Json:
    await find_pool(service, call, request["UserPoolId"])
    groups = [each.document for each in await service.store.list_documents(GROUP, key(request["UserPoolId"], ""))]
    shown, more = page(groups, lambda group: str(group["GroupName"]), request, "Limit", "NextToken")
    return {"Groups": shown, **more}


async def admin_add_user_to_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    await _find(service, call, request)

    def make(user: Document) -> None:
        _leave(user, request["GroupName"])
        user.setdefault("Groups", []).append(request["GroupName"])
        if len(user["Groups"]) > MOST_GROUPS:
            raise AwsError("LimitExceededException", f"A user can be in at most {MOST_GROUPS} groups.", status=400)

    await change_user(service, pool, request["Username"], make)
    return {}


async def admin_remove_user_from_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    await _find(service, call, request)
    await change_user(service, pool, request["Username"], lambda user: _leave(user, request["GroupName"]))
    return {}


async def admin_list_groups_for_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    user = (await find_user(service, pool, request["Username"])).document
    groups = sorted(await _groups(service, pool, user), key=lambda group: str(group["GroupName"]))
    shown, more = page(groups, lambda group: str(group["GroupName"]), request, "Limit", "NextToken")
    return {"Groups": shown, **more}


async def list_users_in_group(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    await _find(service, call, request)
    members = await _members(service, pool, request["GroupName"])
    shown, more = page(members, lambda member: str(member["Username"]), request, "Limit", "NextToken")
    return {"Users": [told(user) for user in shown], **more}


async def groups_of(service: CognitoIdp, pool: Document, user: Document) -> tuple[list[str], list[str]]:
    """Names by precedence, and the roles of those that have one."""
    groups = await _groups(service, pool, user)
    groups.sort(key=lambda group: (group.get("Precedence", _LAST), group["GroupName"]))
    return [group["GroupName"] for group in groups], [group["RoleArn"] for group in groups if group.get("RoleArn")]


async def _groups(service: CognitoIdp, pool: Document, user: Document) -> list[Document]:
    found = [await service.store.read(GROUP, key(pool["Id"], name)) for name in user.get("Groups") or ()]
    return [stored.document for stored in found if stored is not None]


async def _members(service: CognitoIdp, pool: Document, name: str) -> list[Document]:
    users = [stored.document for stored in await service.store.list_documents(USER, key(pool["Id"], ""))]
    return sorted((user for user in users if name in (user.get("Groups") or ())), key=lambda user: user["Username"])


def _leave(user: Document, name: str) -> None:
    user["Groups"] = [each for each in user.get("Groups") or () if each != name]


async def _find(service: CognitoIdp, call: Call, request: Json) -> Stored:
    await find_pool(service, call, request["UserPoolId"])
    found = await service.store.read(GROUP, key(request["UserPoolId"], request["GroupName"]))
    if found is None:
        raise AwsError("ResourceNotFoundException", "Group not found.", status=400)
    return found
