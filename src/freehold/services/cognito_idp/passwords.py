"""Passwords: what a pool's policy asks for, how one is kept (as a sealed SRP verifier) and how one is checked."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Callable

import orjson

from freehold.aws.errors import AwsError
from freehold.services.cognito_idp import srp
from freehold.services.cognito_idp.record import CognitoIdp, not_authorized, pool_name_of
from freehold.state.store import Document

# Developer Guide, "Adding user pool password requirements"; a space counts where it is not at an end.
_SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")
_MOST_CHARACTERS = 256
WRONG = "Incorrect username or password."


def check_policy(pool: Document, password: str) -> None:
    """Raises InvalidPasswordException."""
    policy = pool["Policies"]["PasswordPolicy"]
    rules = (
        (len(password) < policy["MinimumLength"], "Password not long enough"),
        (len(password) > _MOST_CHARACTERS, "Password must not be longer than 256 characters"),
        (
            policy["RequireUppercase"] and not set(password) & set(string.ascii_uppercase),
            "Password must have uppercase characters",
        ),
        (
            policy["RequireLowercase"] and not set(password) & set(string.ascii_lowercase),
            "Password must have lowercase characters",
        ),
        (policy["RequireNumbers"] and not set(password) & set(string.digits), "Password must have numeric characters"),
        (policy["RequireSymbols"] and not set(password.strip()) & _SYMBOLS, "Password must have symbol characters"),
    )
    for is_broken, words in rules:
        if is_broken:
            raise AwsError("InvalidPasswordException", f"Password did not conform with policy: {words}", status=400)


def made_up(service: CognitoIdp, pool: Document) -> str:
    """A temporary password that meets any policy."""
    length = max(pool["Policies"]["PasswordPolicy"]["MinimumLength"], 12)
    return f"Aa1!{service.ids.short(length - 4)}"


async def sealed_password(service: CognitoIdp, pool_id: str, username: str, password: str) -> str:
    """What a user's document keeps."""
    salt = f"1{service.ids.hex(srp.SALT_HEX_DIGITS - 1)}"  # No zeros in front: clients disagree about those.
    made = await asyncio.to_thread(srp.make_verifier, pool_name_of(pool_id), username, password, salt)
    return service.seal.close(orjson.dumps([made.salt, made.verifier]), _place(pool_id, username))


def open_verifier(service: CognitoIdp, pool_id: str, user: Document) -> srp.Verifier | None:
    """None: the user has no password."""
    sealed = user.get("Password")
    if sealed is None:
        return None
    salt, verifier = orjson.loads(service.seal.open(sealed, _place(pool_id, user["Username"])))
    return srp.Verifier(salt, verifier)


def decoy(service: CognitoIdp, pool_id: str, name: str) -> srp.Verifier:
    """In place of the verifier of who does not exist: the same each time, and met by no password."""
    mark = service.seal.mark(_place(pool_id, name))
    return srp.Verifier(f"1{mark[: srp.SALT_HEX_DIGITS - 1]}", mark)


async def check_password(service: CognitoIdp, pool_id: str, name: str, user: Document | None, password: str) -> None:
    """Raises NotAuthorizedException. Who asks for nobody (`user` is None) is told no sooner and in no other words."""

    def is_right(asked: srp.Verifier) -> bool:
        return srp.is_password(pool_name_of(pool_id), name, password, asked)

    await prove(service, pool_id, name, user, is_right)


async def prove(
    service: CognitoIdp, pool_id: str, name: str, user: Document | None, is_right: Callable[[srp.Verifier], bool]
) -> None:
    """Asks `is_right`, in a thread, of the user's verifier. Raises NotAuthorizedException; counts what is wrong, and
    locks out who guesses."""
    place = _place(pool_id, name)
    async with service.attempts.turn(place):
        refuse_locked(service, pool_id, name)
        known = open_verifier(service, pool_id, user) if user is not None else None
        is_proved = await asyncio.to_thread(is_right, known or decoy(service, pool_id, name))
        if known is None or not is_proved:
            service.attempts.failed(place, service.clock.now_s())
            raise not_authorized(WRONG)
        service.attempts.succeeded(place)


def forgive(service: CognitoIdp, pool_id: str, name: str) -> None:
    """A password that was set by other means ends the lock."""
    service.attempts.succeeded(_place(pool_id, name))


def refuse_locked(service: CognitoIdp, pool_id: str, username: str) -> None:
    if service.attempts.is_locked(_place(pool_id, username), service.clock.now_s()):
        raise not_authorized("Password attempts exceeded")


def set_password(user: Document, sealed: str, *, status: str, now_s: float) -> None:
    """A new password ends what was begun with the old one."""
    user["Password"] = sealed
    user["PasswordSet"] = now_s
    user["Status"] = status


def _place(pool_id: str, username: str) -> str:
    return f"{pool_id}/{username}"
