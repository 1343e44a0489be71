"""A pool's attributes: the standard ones of OpenID Connect, its own ("custom:tenant"), and what values they take.

Amazon Cognito Developer Guide, "Working with user attributes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from freehold.aws.call import Json
from freehold.services.cognito_idp.record import invalid, not_authorized
from freehold.state.store import Document

_TEXT = {"AttributeDataType": "String", "StringAttributeConstraints": {"MinLength": "0", "MaxLength": "2048"}}
_FLAG = {"AttributeDataType": "Boolean"}
_DATE = {"AttributeDataType": "String", "StringAttributeConstraints": {"MinLength": "10", "MaxLength": "10"}}
_TIME = {"AttributeDataType": "Number", "NumberAttributeConstraints": {"MinValue": "0"}}
_SUB = {"AttributeDataType": "String", "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "2048"}}
_STANDARD: dict[str, Json] = {
    "sub": _SUB,
    **dict.fromkeys(
        (
            "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
            "website", "email", "gender", "zoneinfo", "locale", "phone_number", "address", "identities",
        ),
        _TEXT,
    ),
    "email_verified": _FLAG,
    "phone_number_verified": _FLAG,
    "birthdate": _DATE,
    "updated_at": _TIME,
}  # fmt: skip
_MOST_CUSTOM = 50
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9]\d{1,14}")


def pool_schema(given: Sequence[Json], *, only_custom: bool = False) -> list[Json]:
    """`SchemaAttributes` of a pool whose template gave `Schema`."""
    schema: dict[str, Json] = {}
    if not only_custom:
        for name, shape in _STANDARD.items():
            fixed = name == "sub"
            schema[name] = {
                "Name": name,
                "DeveloperOnlyAttribute": False,
                "Mutable": not fixed,
                "Required": fixed,
                **shape,
            }
    for attribute in given:
        name = str(attribute.get("Name") or "")
        if not name:
            raise invalid("Name is required for schema attributes.")
        if name in _STANDARD and not only_custom:
            schema[name] = {**schema[name], **{k: v for k, v in attribute.items() if k != "AttributeDataType"}}
            continue
        if attribute.get("Required"):
            raise invalid("Required custom attributes are not supported currently.")
        full: str = f"{'dev' if attribute.get('DeveloperOnlyAttribute') else 'custom'}:{name.removeprefix('custom:')}"
        schema[full] = {
            "AttributeDataType": "String",
            "DeveloperOnlyAttribute": False,
            "Mutable": True,
            "Required": False,
            **attribute,
            "Name": full,
        }
    if sum(":" in name for name in schema) > _MOST_CUSTOM:
        raise invalid(f"A user pool can have at most {_MOST_CUSTOM} custom attributes.")
    return list(schema.values())


def named(attributes: Sequence[Json] | None) -> dict[str, str]:
    """`[{Name, Value}]` as a mapping."""
    return {attribute["Name"]: attribute.get("Value", "") for attribute in attributes or ()}


def listed(attributes: Mapping[str, str]) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def check_writable(client: Document, attributes: Mapping[str, str]) -> None:
    """Raises NotAuthorizedException for what this client may not write."""
    writable = client.get("WriteAttributes")
    for name in attributes:
        if name.endswith("_verified") or (writable is not None and name not in writable):
            raise not_authorized("A client attempted to write unauthorized attribute")


def check_attributes(
    pool: Document, attributes: Mapping[str, str], *, new: bool, by_admin: bool, immutable: bool | None = None
) -> None:
    """Raises InvalidParameterException in AWS's words. `new`: what is required must be there. `immutable`: attributes
    that never change may be set, as they may of a new user."""
    schema = {attribute["Name"]: attribute for attribute in pool["SchemaAttributes"]}
    problems = []
    for name, value in attributes.items():
        known = schema.get(name)
        if known is None or name in ("sub", "identities"):
            problems.append(
                f"{name}: Attribute does not exist in the schema.\n"
                if known is None
                else f"{name}: A client attempted to write unauthorized attribute\n"
            )
            continue
        if not (new if immutable is None else immutable) and not known["Mutable"]:
            raise invalid(f"user.{name}: Attribute cannot be updated.\n")
        if name.startswith("dev:") and not by_admin:
            raise invalid(f"A client attempted to write unauthorized attribute {name}")
        problem = _problem(known, value)
        if problem:
            problems.append(f"{name}: {problem}\n")
    if new:
        problems += [f"{name}: The attribute is required\n" for name in missing_attributes(pool, attributes)]
    if problems:
        raise invalid(f"Attributes did not conform to the schema: {''.join(problems)}")
    if attributes.get("email") and not is_email(attributes["email"]):
        raise invalid("Invalid email address format.")
    if attributes.get("phone_number") and not is_phone(attributes["phone_number"]):
        raise invalid("Invalid phone number format.")


def missing_attributes(pool: Document, attributes: Mapping[str, str]) -> list[str]:
    """Names of those that the pool requires and that are not there."""
    required = [known["Name"] for known in pool["SchemaAttributes"] if known["Required"] and known["Name"] != "sub"]
    return [name for name in required if not attributes.get(name)]


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    return _PHONE.fullmatch(text) is not None


def _problem(attribute: Json, value: str) -> str:
    kind = attribute["AttributeDataType"]
    if kind == "String":
        limits = attribute.get("StringAttributeConstraints") or {}
        if len(value) > int(limits.get("MaxLength", 2048)):
            return "String must be no longer than " + str(limits.get("MaxLength", 2048)) + " characters"
        if value and len(value) < int(limits.get("MinLength", 0)):
            return "String must be at least " + str(limits["MinLength"]) + " characters"
    elif kind == "Number":
        limits = attribute.get("NumberAttributeConstraints") or {}
        try:
            number = float(value)
        except ValueError:
            return "Attribute value is not a number"
        if "MinValue" in limits and number < float(limits["MinValue"]):
            return f"Number must be at least {limits['MinValue']}"
        if "MaxValue" in limits and number > float(limits["MaxValue"]):
            return f"Number must be at most {limits['MaxValue']}"
    elif kind == "Boolean" and value.lower() not in ("true", "false"):
        return "Attribute value is not a boolean"
    return ""
