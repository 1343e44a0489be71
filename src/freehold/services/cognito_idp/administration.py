"""What who runs the app does with its users: the Admin operations, and ListUsers.

User Pools API Reference, "AdminCreateUser" and its neighbours.
"""

from __future__ import annotations

from freehold.aws.call import Call, Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import codes, mfa, passwords
from freehold.services.cognito_idp.filters import compile_filter
from freehold.services.cognito_idp.record import (
    USER,
    CognitoIdp,
    find_pool,
    key,
    not_authorized,
    page_size,
    read_token,
    write_token,
)
from freehold.services.cognito_idp.schema import check_attributes, named
from freehold.services.cognito_idp.sign_up import ask_post_confirmation, ask_pre_sign_up
from freehold.services.cognito_idp.users import (
    change_user,
    delete_user,
    find_user,
    make_user,
    new_era,
    new_name,
    new_user,
    set_attributes,
    told,
)
from freehold.state.store import Document, Stored

_INVITATION = "CustomMessage_AdminCreateUser"
_BATCH = 200  # Documents read at once.
FORCED = "FORCE_CHANGE_PASSWORD"


async def admin_create_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    if request.get("MessageAction") == "RESEND":
        return await _invite_again(service, call, pool, request)
    attributes = named(request.get("UserAttributes"))
    sub = service.ids.uuid()
    name = new_name(pool, request["Username"], sub, attributes)
    check_attributes(pool, attributes, new=False, by_admin=True, immutable=True)
    password = request.get("TemporaryPassword") or passwords.made_up(service, pool)
    passwords.check_policy(pool, password)
    user = new_user(service, name, sub, attributes, FORCED)
    validation, metadata = named(request.get("ValidationData")), request.get("ClientMetadata")
    await ask_pre_sign_up(service, call, pool, user, "PreSignUp_AdminCreateUser", None, validation, metadata)
    await _give_password(service, pool, user, password, FORCED)
    force = bool(request.get("ForceAliasCreation"))
    await make_user(service, pool, user, "User account already exists", force_alias=force)
    if request.get("MessageAction") != "SUPPRESS":
        await codes.tell_invitation(service, call, pool, user, _INVITATION, password, metadata)
    return {"User": told(user)}


async def admin_get_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    user = (await find_user(service, pool, request["Username"])).document
    return {**told(user, "UserAttributes"), **mfa.told(user)}


async def admin_delete_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    await delete_user(service, pool, request["Username"])
    return {}


async def admin_set_user_password(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    user = (await find_user(service, pool, request["Username"])).document
    passwords.check_policy(pool, request["Password"])
    status = "CONFIRMED" if request.get("Permanent") else FORCED
    sealed = await passwords.sealed_password(service, pool["Id"], user["Username"], request["Password"])
    now_s = service.clock.now_s()
    await change_user(
        service,
        pool,
        user["Username"],
        lambda changed: passwords.set_password(changed, sealed, status=status, now_s=now_s),
    )
    passwords.forgive(service, pool["Id"], user["Username"])
    return {}


async def admin_confirm_sign_up(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document

    def make(user: Document) -> None:
        if user["Status"] != "UNCONFIRMED":
            raise not_authorized(f"User cannot be confirmed. Current status is {user['Status']}")
        codes.forget_code(user, codes.SIGN_UP)
        user["Status"] = "CONFIRMED"

    user = await change_user(service, pool, request["Username"], make)
    await ask_post_confirmation(service, call, pool, None, user, "ConfirmSignUp", request.get("ClientMetadata"))
    return {}


async def admin_update_user_attributes(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    attributes = named(request["UserAttributes"])
    check_attributes(pool, attributes, new=False, by_admin=True)
    await change_user(service, pool, request["Username"], lambda user: set_attributes(user, attributes))
    return {}


async def admin_delete_user_attributes(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    gone = dict.fromkeys(request["UserAttributeNames"], "")
    check_attributes(pool, gone, new=False, by_admin=True)
    await change_user(service, pool, request["Username"], lambda user: set_attributes(user, gone))
    return {}


async def admin_enable_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    await change_user(service, pool, request["Username"], lambda user: user.update({"Enabled": True}))
    return {}


async def admin_disable_user(service: CognitoIdp, call: Call, request: Json) -> Json:
    """Ends the user's tokens too, as the page says."""
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    off = {"Enabled": False, "Era": new_era(service)}
    await change_user(service, pool, request["Username"], lambda user: user.update(off))
    return {}


async def admin_user_global_sign_out(service: CognitoIdp, call: Call, request: Json) -> Json:
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    era = new_era(service)
    await change_user(service, pool, request["Username"], lambda user: user.update({"Era": era}))
    return {}


async def list_users(service: CognitoIdp, call: Call, request: Json) -> Json:
    """In the order of their names; a page reads no more users than it must look at."""
    pool = (await find_pool(service, call, request["UserPoolId"])).document
    matches = compile_filter(request.get("Filter") or "")
    size, after = page_size(request.get("Limit")), read_token(request.get("PaginationToken"))
    found: list[Stored] = []
    while len(found) <= size:
        batch = await service.store.list_documents(USER, key(pool["Id"], ""), after=after, limit=_BATCH)
        found += [stored for stored in batch if matches(stored.document)]
        if len(batch) < _BATCH:
            break
        after = batch[-1].key
    answer: Json = {
        "Users": [_with_only(told(stored.document), request.get("AttributesToGet")) for stored in found[:size]]
    }
    if len(found) > size:
        answer["PaginationToken"] = write_token(found[size - 1].key)
    return answer


def _with_only(user: Json, wanted: list[str] | None) -> Json:
    if wanted is None:
        return user
    return {**user, "Attributes": [each for each in user["Attributes"] if each["Name"] in wanted]}


async def _invite_again(service: CognitoIdp, call: Call, pool: Document, request: Json) -> Json:
    user = (await find_user(service, pool, request["Username"])).document
    if user["Status"] != FORCED:
        message = "Resend not possible. " + request["Username"] + " status is not FORCE_CHANGE_PASSWORD"
        raise AwsError("UnsupportedUserStateException", message, status=400)
    password = request.get("TemporaryPassword") or passwords.made_up(service, pool)
    passwords.check_policy(pool, password)
    fresh = dict(user)
    await _give_password(service, pool, fresh, password, FORCED)
    sealed, now_s = fresh["Password"], fresh["PasswordSet"]
    user = await change_user(
        service,
        pool,
        user["Username"],
        lambda changed: passwords.set_password(changed, sealed, status=FORCED, now_s=now_s),
    )
    await codes.tell_invitation(service, call, pool, user, _INVITATION, password, request.get("ClientMetadata"))
    return {"User": told(user)}


async def _give_password(service: CognitoIdp, pool: Document, user: Document, password: str, status: str) -> None:
    sealed = await passwords.sealed_password(service, pool["Id"], user["Username"], password)
    passwords.set_password(user, sealed, status=status, now_s=service.clock.now_s())
