"""Instance profiles, as templates name them; no machine here takes a role from one."""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.iam import roles
from freehold.services.iam.record import (
    PROFILE,
    ROLE,
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
from freehold.state.store import Delete, Document


async def create_instance_profile(iam: Iam, call: Call, request: Json) -> Json:
    document = new_document(iam, call, PROFILE, request["InstanceProfileName"], request.get("Path"))
    document.update(tags=read_tags(request.get("Tags")), roles=[])
    await create(iam, PROFILE, document)
    return {"InstanceProfile": await _describe(iam, document)}


async def get_instance_profile(iam: Iam, call: Call, request: Json) -> Json:
    stored = await find(iam, PROFILE, request["InstanceProfileName"])
    return {"InstanceProfile": await _describe(iam, stored.document)}


async def delete_instance_profile(iam: Iam, call: Call, request: Json) -> Json:
    stored = await find(iam, PROFILE, request["InstanceProfileName"])
    if stored.document["roles"]:
        raise delete_conflict("Cannot delete entity, must remove roles from instance profile first.")
    await iam.store.write(Delete(PROFILE.kind, stored.key, if_revision=stored.revision))
    return {}


async def list_instance_profiles(iam: Iam, call: Call, request: Json) -> Json:
    return await _page(iam, request, await list_all(iam, PROFILE, request.get("PathPrefix")))


async def list_instance_profiles_for_role(iam: Iam, call: Call, request: Json) -> Json:
    role = (await find(iam, ROLE, request["RoleName"])).document["name"]
    return await _page(iam, request, [profile for profile in await list_all(iam, PROFILE) if role in profile["roles"]])


async def add_role_to_instance_profile(iam: Iam, call: Call, request: Json) -> Json:
    role = (await find(iam, ROLE, request["RoleName"])).document["name"]

    def edit(document: Document) -> None:
        if document["roles"]:
            raise AwsError("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", status=409)
        document["roles"] = [role]

    await change(iam, PROFILE, request["InstanceProfileName"], edit)
    return {}


async def remove_role_from_instance_profile(iam: Iam, call: Call, request: Json) -> Json:
    def edit(document: Document) -> None:
        if request["RoleName"] not in document["roles"]:
            raise no_such(f"The role {request['RoleName']} is not in the instance profile {document['name']}.")
        document["roles"] = []

    await change(iam, PROFILE, request["InstanceProfileName"], edit)
    return {}


async def _page(iam: Iam, request: Json, found: list[Document]) -> Json:
    shown, more = page(request, found, lambda document: str(document["name"]))
    return {"InstanceProfiles": [await _describe(iam, profile) for profile in shown], **more}


async def _describe(iam: Iam, profile: Document) -> Json:
    described: Json = {
        "Path": profile["path"],
        "InstanceProfileName": profile["name"],
        "InstanceProfileId": profile["id"],
        "Arn": profile["arn"],
        "CreateDate": moment(profile["createdMs"]),
        "Roles": [roles.describe((await find(iam, ROLE, name)).document) for name in profile["roles"]],
    }
    return {**described, "Tags": write_tags(profile["tags"])} if profile["tags"] else described
