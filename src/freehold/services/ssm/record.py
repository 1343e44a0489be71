"""What Parameter Store's operations may touch, and how a parameter, its versions and their values are kept.

One decision to know: a parameter's document is its latest version with what belongs to the whole (tags), so that most
reads are one; each version, the latest too, has a document of its own for the history.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from freehold.aws.arn import Arn, parse_arn
from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock
from freehold.state.seal import Seal
from freehold.state.store import Document, Store, Stored

PARAMETER = "ssm.parameter"
VERSION = "ssm.version"
DEFAULT_KEY = "alias/aws/ssm"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Ssm:
    store: Store
    seal: Seal
    clock: Clock
    bind: Bind


def parameter_key(call: Call, name: str) -> str:
    return f"{call.region}/{name}"


def version_key(call: Call, name: str, version: int) -> str:
    # A colon is in no name: the versions of "a" are not among those of "a/b".
    return f"{call.region}/{name}:{version:012}"


def plain_name(text: str) -> str:
    """A parameter's name out of its ARN; a name stays itself."""
    arn = parse_arn(text)
    if arn is None or arn.service != "ssm":
        return text
    path = arn.resource.removeprefix("parameter/")
    return f"/{path}" if "/" in path else path


def parameter_arn(call: Call, name: str) -> str:
    return str(Arn("ssm", call.region, call.account, f"parameter/{name.removeprefix('/')}"))


def not_found() -> AwsError:
    # AWS answers this error without a message.
    return AwsError("ParameterNotFound", "", status=400)


async def find_parameter(ssm: Ssm, call: Call, name: str) -> Stored:
    found = await ssm.store.read(PARAMETER, parameter_key(call, name))
    if found is None:
        raise not_found()
    return found


async def list_versions(ssm: Ssm, call: Call, name: str) -> list[Stored]:
    return await ssm.store.list_documents(VERSION, f"{call.region}/{name}:")


def value_of(ssm: Ssm, call: Call, document: Document, decrypt: bool) -> str:
    """A SecureString that is not decrypted is given as it lies on disk."""
    value = str(document["Value"])
    if document["Type"] != "SecureString" or not decrypt:
        return value
    return ssm.seal.open(value, version_key(call, document["Name"], document["Version"])).decode()


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message, status=400)


def page(
    items: Sequence[Item], name: Callable[[Item], str], request: Json, most: int
) -> tuple[list[Item], dict[str, str]]:
    """A page of what is sorted by name, and the answer's NextToken: the last name of this page."""
    start, size = request.get("NextToken"), request.get("MaxResults") or most
    if start:
        try:
            after = base64.urlsafe_b64decode(start.encode()).decode()
        except (binascii.Error, UnicodeError) as error:
            raise AwsError("InvalidNextToken", "The specified token is not valid.", status=400) from error
        items = [item for item in items if name(item) > after]
    shown = list(items[:size])
    if len(items) <= size:
        return shown, {}
    return shown, {"NextToken": base64.urlsafe_b64encode(name(shown[-1]).encode()).decode()}


_RULES = (
    'can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by '
    "slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_"
)
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_LEVELS = 15
_NAME_CHARACTERS = 1011


def check_name(name: str) -> None:
    """Source: Systems Manager API Reference, PutParameter, "Name"."""
    first = name.lstrip("/").lower()
    if first.startswith("aws"):
        raise AwsError("AccessDeniedException", f"No access to reserved parameter name: {name}.", status=400)
    if first.startswith("ssm") or not _NAME.fullmatch(name):
        raise invalid(f"Parameter name: {_RULES}")
    if "/" in name and not name.startswith("/"):
        raise invalid("Parameter name must be a fully qualified name.")
    if name.endswith("/") or "//" in name:
        raise invalid(f"Parameter name: {_RULES}")
    if name.count("/") > _LEVELS:
        raise AwsError(
            "HierarchyLevelLimitExceededException",
            f"A hierarchy can have a maximum of {_LEVELS} levels, and {name} has {name.count('/')}.",
            status=400,
        )
    if len(name) > _NAME_CHARACTERS:
        raise invalid(f"The maximum length of a parameter name is {_NAME_CHARACTERS} characters.")
