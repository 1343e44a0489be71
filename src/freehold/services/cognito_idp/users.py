"""A user of a pool: how one is found by any of its names, made, changed and told.

Developer Guide, "Customizing sign-in attributes": a user signs in by username, sub, or an address that the pool takes
as a username (unique from the start) or as an alias (from the moment on when it is verified).
One decision to know: each name beside the username has a document of its own, written in one batch with the user, so
that no two users can have one name, and finding a user reads two documents at most.
"""

from __future__ import annotations

from collections.abc import Callable

from freehold.aws.call import Json
from freehold.aws.errors import AwsError
from freehold.services.cognito_idp.clients import hides_users
from freehold.services.cognito_idp.record import ALIAS, USER, CognitoIdp, invalid, key, too_many
from freehold.services.cognito_idp.schema import is_email, is_phone, listed
from freehold.state.change import TooManyChanges, change_document
from freehold.state.store import Conflict, Delete, Document, Put, Stored, Write

ERA_DIGITS = 8
_ALIASES = ("email", "phone_number", "preferred_username")
_WHAT = {"email": "email", "phone_number": "phone number", "preferred_username": "preferred username"}


def no_such_user() -> AwsError:
    return AwsError("UserNotFoundException", "User does not exist.", status=400)


def folded(pool: Document, name: str) -> str:
    """The form in which names are compared. The API's default is that case tells names apart."""
    is_sensitive = (pool.get("UsernameConfiguration") or {}).get("CaseSensitive", True)
    return name if is_sensitive else name.lower()


def user_key(pool: Document, username: str) -> str:
    return key(pool["Id"], folded(pool, username))


async def find_user(service: CognitoIdp, pool: Document, name: str) -> Stored:
    """By username, sub or alias. Raises UserNotFoundException."""
    found = await service.store.read(USER, user_key(pool, name))
    if found is not None:
        return found
    for attribute in ("sub", *_ALIASES):
        alias = await service.store.read(ALIAS, _alias_key(pool, attribute, name))
        if alias is not None:
            found = await service.store.read(USER, user_key(pool, alias.document["Username"]))
            if found is not None:
                return found
    raise no_such_user()


async def find_unless_hidden(service: CognitoIdp, pool: Document, client: Document, name: str) -> Document | None:
    """None when there is no such user and the client keeps that to itself; else UserNotFoundException."""
    try:
        return (await find_user(service, pool, name)).document
    except AwsError:
        if hides_users(client):
            return None
        raise


async def alias_owner(service: CognitoIdp, pool: Document, attribute: str, value: str) -> str | None:
    """The username of who has that address as a name to sign in with."""
    found = await service.store.read(ALIAS, _alias_key(pool, attribute, value))
    return None if found is None else str(found.document["Username"])


def new_name(pool: Document, username: str, sub: str, attributes: dict[str, str]) -> str:
    """The username of a new user who gave `username`; in a pool of addresses it is the sub, and the address an
    attribute. Raises InvalidParameterException."""
    by_address = pool.get("UsernameAttributes") or ()
    if not by_address:
        if "email" in (pool.get("AliasAttributes") or ()) and is_email(username):
            raise invalid("Username cannot be of email format, since user pool is configured for email alias.")
        if "phone_number" in (pool.get("AliasAttributes") or ()) and is_phone(username):
            raise invalid("Username cannot be of phone number format, since user pool is configured for phone alias.")
        return username
    if "email" in by_address and is_email(username):
        attributes.setdefault("email", username)
    elif "phone_number" in by_address and is_phone(username):
        attributes.setdefault("phone_number", username)
    elif len(by_address) > 1:
        raise invalid("Username should be either an email or a phone number.")
    else:
        raise invalid(
            "Username should be an email." if by_address == ["email"] else "Username should be a phone number."
        )
    return sub


def alias_names(pool: Document, user: Document) -> dict[tuple[str, str], str]:
    """(attribute, value) of every name that leads to the user -> username."""
    names = {("sub", user["Sub"]): user["Username"]}
    attributes = user["Attributes"]
    for attribute in _ALIASES:
        value = attributes.get(attribute)
        if not value:
            continue
        is_username = attribute in (pool.get("UsernameAttributes") or ())
        is_alias = attribute in (pool.get("AliasAttributes") or ())
        verified = attributes.get(f"{attribute}_verified") == "true" or (
            attribute == "preferred_username" and user["Status"] != "UNCONFIRMED"
        )
        if is_username or (is_alias and verified):
            names[attribute, value] = user["Username"]
    return names


async def make_user(
    service: CognitoIdp, pool: Document, user: Document, exists: str, *, force_alias: bool = False
) -> None:
    """Writes a new user with its names. Raises AliasExistsException, or UsernameExistsException (`exists` says it)."""
    writes: list[Write] = [Put(USER, user_key(pool, user["Username"]), user, 0)]
    writes += await _alias_writes(service, pool, None, user, force_alias)
    try:
        await service.store.write(*writes)
    except Conflict as conflict:
        if conflict.kind == ALIAS:
            raise _taken(pool, conflict.key.split("/")[2]) from conflict
        raise AwsError("UsernameExistsException", exists, status=400) from conflict


async def change_user(
    service: CognitoIdp,
    pool: Document,
    name: str,
    make: Callable[[Document], None],
    *,
    force_alias: bool = False,
) -> Document:
    """Makes the change on a copy; the names that lead to the user follow its attributes. The user as it is then."""

    def make_now(user: Document) -> None:
        make(user)
        user["Modified"] = service.clock.now_s()

    async def names(before: Document, after: Document) -> list[Write]:
        return await _alias_writes(service, pool, before, after, force_alias)

    try:
        return await change_document(service.store, USER, lambda: find_user(service, pool, name), make_now, names)
    except TooManyChanges as error:
        raise too_many("The user is being changed by too many at once.") from error


async def delete_user(service: CognitoIdp, pool: Document, name: str) -> None:
    stored = await find_user(service, pool, name)
    names = alias_names(pool, stored.document)
    mine = [await _own_alias(service, pool, alias, stored.document["Username"]) for alias in names]
    await service.store.write(Delete(USER, stored.key), *(each for each in mine if each is not None))


def new_user(service: CognitoIdp, username: str, sub: str, attributes: dict[str, str], status: str) -> Document:
    now_s = service.clock.now_s()
    return {
        "Username": username,
        "Sub": sub,
        "Era": new_era(service),
        "Attributes": attributes,
        "Status": status,
        "Enabled": True,
        "Created": now_s,
        "Modified": now_s,
    }


def set_attributes(user: Document, attributes: dict[str, str]) -> None:
    """An empty value takes the attribute away. A new address is not verified, unless the same change says so."""
    known = user["Attributes"]
    for name in ("email", "phone_number"):
        if name in attributes and attributes[name] != known.get(name):
            known.pop(f"{name}_verified", None)
            if attributes[name]:
                known[f"{name}_verified"] = "false"
    for name, value in attributes.items():
        if value:
            known[name] = value
        else:
            known.pop(name, None)


def new_era(service: CognitoIdp) -> str:
    """Tokens tell the era that they are of: see tokens.py."""
    return service.ids.hex(ERA_DIGITS)


def told(user: Document, attributes: str = "Attributes") -> Json:
    """As AdminGetUser (attributes="UserAttributes") and ListUsers tell it."""
    return {
        "Username": user["Username"],
        attributes: listed({**user["Attributes"], "sub": user["Sub"]}),
        "UserCreateDate": user["Created"],
        "UserLastModifiedDate": user["Modified"],
        "Enabled": user["Enabled"],
        "UserStatus": user["Status"],
    }


def event_attributes(user: Document) -> dict[str, str]:
    """`userAttributes` of a trigger's event."""
    return {"sub": user["Sub"], "cognito:user_status": user["Status"], **user["Attributes"]}


async def _alias_writes(
    service: CognitoIdp, pool: Document, old: Document | None, new: Document, force: bool
) -> list[Write]:
    before = alias_names(pool, old) if old is not None else {}
    after = alias_names(pool, new)
    writes: list[Write] = []
    for alias in before:
        gone = None if alias in after else await _own_alias(service, pool, alias, new["Username"])
        if gone is not None:
            writes.append(gone)
    for alias, username in after.items():
        if alias in before:
            continue
        place = _alias_key(pool, *alias)
        taken = await service.store.read(ALIAS, place)
        if taken is not None and not force and taken.document["Username"] != username:
            raise _taken(pool, alias[0])
        writes.append(
            Put(ALIAS, place, {"Username": username}, None if taken and force else (taken.revision if taken else 0))
        )
    return writes


async def _own_alias(service: CognitoIdp, pool: Document, alias: tuple[str, str], username: str) -> Delete | None:
    """The write that takes the name away, unless it leads to another user by now."""
    found = await service.store.read(ALIAS, _alias_key(pool, *alias))
    return Delete(ALIAS, found.key) if found is not None and found.document["Username"] == username else None


def _taken(pool: Document, attribute: str) -> AwsError:
    what = _WHAT.get(attribute, attribute)
    if attribute in (pool.get("UsernameAttributes") or ()):
        return AwsError("UsernameExistsException", f"An account with the given {what} already exists.", status=400)
    return AwsError("AliasExistsException", f"An account with the {what} already exists.", status=400)


def _alias_key(pool: Document, attribute: str, value: str) -> str:
    return key(pool["Id"], attribute, folded(pool, value))
