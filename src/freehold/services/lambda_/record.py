"""What the Lambda operations may touch, the documents' kinds, and how a caller's name of a function is read.

Documents: "lambda.function" (key region/name), "lambda.version" (region/name/number), "lambda.alias"
(region/name/alias), and those that the other files name. AWS: API reference, "FunctionName" of every operation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids
from freehold.engine import recursion
from freehold.engine.environment import InitFailed
from freehold.engine.functions import ALIAS, FUNCTION, LATEST, VERSION
from freehold.engine.invocation import Invocation, Invoker
from freehold.engine.packages import Packages
from freehold.services.lambda_.downloads import Downloads
from freehold.services.lambda_.states import Preparations
from freehold.state.blobs import Blobs
from freehold.state.change import change_document
from freehold.state.store import Document, Store, Stored

URL = "lambda.url"
LAYER_VERSION = "lambda.layer_version"
EVENT_INVOKE = "lambda.event_invoke_config"
PROVISIONED = "lambda.provisioned_concurrency"
RUNTIME_MANAGEMENT = "lambda.runtime_management"
RECURSION = recursion.KIND
MAPPING = "lambda.event_source_mapping"


class AsyncInvoker(Protocol):
    async def enqueue(self, invocation: Invocation, once: str = "") -> None:
        """On disk when it returns; what comes again under the name `once` is there already."""
        ...


class Provisioning(Protocol):
    def provisioned(self, version_key: str) -> tuple[int, str]:
        """How many provisioned environments are up; why no more come, or empty."""
        ...


class Snapshots(Protocol):
    async def snapshot(self, key: str, document: Json) -> tuple[bool, InitFailed | None]:
        """Runs the init of a version that is to be, for SnapStart: whether its environments will be forks of what has
        run it, and how it failed."""
        ...

    def drop_snapshot(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Lambda:
    store: Store
    blobs: Blobs
    packages: Packages
    downloads: Downloads
    invoker: Invoker
    async_invoker: AsyncInvoker
    provisioning: Provisioning
    snapshots: Snapshots
    preparations: Preparations
    clock: Clock
    ids: Ids
    bind: Bind
    endpoint: Callable[[], str]  # "http://127.0.0.1:4566": what URLs begin with where the client named no host.
    concurrency: int = 1000  # Of the account.
    # Services whose events somebody polls ("sqs", "dynamodb"); the set may grow while the server starts.
    event_sources: Collection[str] = ()
    allows_directories: bool = True  # Code may be a folder of this machine: see code.py.


@dataclass(frozen=True, slots=True)
class Name:
    """A function as a caller named it."""

    region: str
    account: str
    name: str
    qualifier: str | None  # As used by the caller; None: none.

    @property
    def key(self) -> str:
        return f"{self.region}/{self.name}"

    @property
    def arn(self) -> str:
        """Without a qualifier."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"

    @property
    def qualified_arn(self) -> str:
        """With the qualifier that was used, if any."""
        return f"{self.arn}:{self.qualifier}" if self.qualifier else self.arn


_NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<arn_account>\d{12}):function:"
    r"|(?P<account>\d{12}):(?:function:)?|function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)


def read_name(call: Call, text: str, qualifier: str | None = None) -> Name:
    """Raises AwsError for what is no name, another region's, or qualified twice and differently."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?"
            "(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
            status=400,
        )
    if match["region"] and match["region"] != call.region:
        raise AwsError(
            "ResourceNotFoundException",
            f"Functions from '{match['region']}' are not reachable in this region ('{call.region}')",
            status=404,
            fields={"Type": "User"},
        )
    named = match["qualifier"]
    if named and qualifier and named != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    account = match["arn_account"] or match["account"] or call.account
    return Name(call.region, account, match["name"], qualifier or named)


async def find_function(lambda_: Lambda, name: Name) -> Stored:
    """The function's own document. Raises ResourceNotFoundException."""
    stored = await lambda_.store.read(FUNCTION, name.key)
    if stored is None:
        raise not_found(f"Function not found: {name.qualified_arn}")
    return stored


async def change_function(lambda_: Lambda, name: Name, make: Callable[[Document], None]) -> Document:
    """As `change_document`. A stack may change one function from many resources at once, and none of them gives up."""
    return await change_document(lambda_.store, FUNCTION, lambda: find_function(lambda_, name), make, attempts=None)


async def find_version(lambda_: Lambda, name: Name) -> tuple[Stored, str]:
    """The document that runs for the name's qualifier (the main version of an alias), and its version."""
    function = await find_function(lambda_, name)
    if name.qualifier in (None, LATEST):
        return function, LATEST
    key = f"{name.key}/{name.qualifier}"
    alias = await lambda_.store.read(ALIAS, key)
    version = alias.document["FunctionVersion"] if alias else str(name.qualifier)
    if version == LATEST:
        return function, LATEST
    stored = await lambda_.store.read(VERSION, f"{name.key}/{version}")
    if stored is None:
        raise not_found(f"Function not found: {name.qualified_arn}")
    return stored, version


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, status=404, fields={"Type": "User"})


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, status=400, fields={"Type": "User"})


def conflict(message: str) -> AwsError:
    return AwsError("ResourceConflictException", message, status=409, fields={"Type": "User"})


def check_revision(request: Json, present: str | None) -> None:
    """RevisionId is the caller's word on what it saw last."""
    wanted = request.get("RevisionId")
    if wanted and wanted != present:
        raise AwsError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
            status=412,
            fields={"Type": "User"},
        )


def page(items: list[Json], request: Json, key: str, size: int = 50) -> tuple[list[Json], Json]:
    """One page by Marker and MaxItems: the items, and {"NextMarker"} when there are more. `key` orders them."""
    marker = request.get("Marker")
    start = next((i for i, item in enumerate(items) if str(item[key]) == marker), 0) if marker else 0
    end = start + min(request.get("MaxItems") or size, size)
    more: Json = {"NextMarker": str(items[end][key])} if end < len(items) else {}
    return items[start:end], more
