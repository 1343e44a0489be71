"""The filter of ListUsers: `email ^= "ann"`. Developer Guide, "Managing and searching for user accounts"."""

from __future__ import annotations

import re
from collections.abc import Callable

from freehold.services.cognito_idp.record import invalid
from freehold.state.store import Document

_FILTER = re.compile(r'\s*"?(?P<name>[a-z:_]+)"?\s*(?P<how>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*')
_ATTRIBUTES = frozenset(
    {"email", "phone_number", "name", "given_name", "family_name", "preferred_username"}
)  # Custom attributes cannot be searched.


def compile_filter(text: str) -> Callable[[Document], bool]:
    """Raises InvalidParameterException."""
    if not text.strip():
        return lambda user: True
    match = _FILTER.fullmatch(text)
    if match is None:
        raise invalid("Error while parsing filter.")
    name, value = match["name"], re.sub(r"\\(.)", r"\1", match["value"])
    read = _reader(name)
    if match["how"] == "=":
        return lambda user: read(user) == value
    return lambda user: read(user).startswith(value)


def _reader(name: str) -> Callable[[Document], str]:
    if name == "username":
        return lambda user: str(user["Username"])
    if name == "sub":
        return lambda user: str(user["Sub"])
    if name == "cognito:user_status":
        return lambda user: str(user["Status"])
    if name == "status":
        return lambda user: "Enabled" if user["Enabled"] else "Disabled"
    if name in _ATTRIBUTES:
        return lambda user: str(user["Attributes"].get(name, ""))
    raise invalid(f"Invalid search attribute: {name}")
