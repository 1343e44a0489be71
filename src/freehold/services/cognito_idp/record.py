"""What the operations of user pools may touch, and how a pool, a client and their documents are found.

Amazon Cognito User Pools API Reference. One decision to know: what a client keeps for us between two requests (a
session, a refresh token) is sealed with the data directory's key. So a sign-in writes nothing, and survives a restart.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import orjson

from freehold.aws.call import Bind, Call, Json
from freehold.aws.errors import AwsError
from freehold.clock import Clock, Ids, now_ms
from freehold.services.cognito_idp.attempts import Attempts, Spent
from freehold.services.cognito_idp.keys import PoolKeys
from freehold.state.change import TooManyChanges, change_document
from freehold.state.logs import LogEvent, LogSink
from freehold.state.seal import CannotOpen, Seal
from freehold.state.store import Document, Store, Stored

POOL = "cognito-idp.pool"
CLIENT = "cognito-idp.client"
DOMAIN = "cognito-idp.domain"
RESOURCE_SERVER = "cognito-idp.resourceserver"
GROUP = "cognito-idp.group"
USER = "cognito-idp.user"
ALIAS = "cognito-idp.alias"  # A name that leads to a user: an address, a number, the sub.
REVOKED = "cognito-idp.revoked"  # The origin_jti of tokens that were revoked before their time.
LOG_GROUPS = "/aws/cognito/userpools/"
LONGEST_PAGE = 60
_URL_SAFE, _STANDARD = str.maketrans("+/", "-_"), str.maketrans("-_", "+/")
Item = TypeVar("Item")
_POOL_ID = re.compile(r"(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)_[0-9a-zA-Z]+")


@dataclass(frozen=True, slots=True)
class CognitoIdp:
    store: Store
    seal: Seal
    keys: PoolKeys
    clock: Clock
    ids: Ids
    bind: Bind
    logs: LogSink
    attempts: Attempts = field(default_factory=Attempts)  # Wrong passwords, by user.
    spent: Spent = field(default_factory=Spent)  # Sessions and codes that were used once.
    endpoint: Callable[[], str] = str  # What a client on this machine calls us.


def pool_region(pool_id: str) -> str:
    """Empty when it is no id of a pool."""
    match = _POOL_ID.fullmatch(pool_id)
    return match["region"] if match else ""


def pool_name_of(pool_id: str) -> str:
    """What SRP calls the pool: its id without the region."""
    return pool_id.partition("_")[2]


def issuer(pool_id: str) -> str:
    """The `iss` of a pool's tokens is AWS's address, so that templates and code that name it work unchanged."""
    return f"https://cognito-idp.{pool_id.partition('_')[0]}.amazonaws.com/{pool_id}"


def log_group(pool_id: str) -> str:
    """Where what a mail would say is written."""
    return f"{LOG_GROUPS}{pool_id}"


def tell(service: CognitoIdp, pool: Document, line: str) -> None:
    """A line for the developer: a code, a password that no mail carries."""
    event = LogEvent(now_ms(service.clock), line)
    service.logs.append(pool["Id"].partition("_")[0], log_group(pool["Id"]), "messages", [event])


def key(pool_id: str, *parts: str) -> str:
    """ "us-east-1/us-east-1_a1b2c3d4e/..." """
    return "/".join((pool_id.partition("_")[0], pool_id, *parts))


async def find_pool(service: CognitoIdp, call: Call, pool_id: str) -> Stored:
    """A call that is not signed says no region: then the pool's id does."""
    is_here = not call.access_key or pool_id.partition("_")[0] == call.region
    found = await service.store.read(POOL, key(pool_id)) if is_here else None
    if found is None:
        raise AwsError("ResourceNotFoundException", f"User pool {pool_id} does not exist.", status=400)
    return found


async def find_client(service: CognitoIdp, client_id: str, pool_id: str | None = None) -> Stored:
    """Clients are found by their id alone, as a sign-in says nothing else; with `pool_id`, it must be that pool's."""
    found = await service.store.read(CLIENT, client_id)
    if found is None or (pool_id is not None and found.document["UserPoolId"] != pool_id):
        raise AwsError("ResourceNotFoundException", f"User pool client {client_id} does not exist.", status=400)
    return found


async def client_and_pool(
    service: CognitoIdp, call: Call, client_id: str, pool_id: str | None = None
) -> tuple[Document, Document]:
    """Wherever the call comes from: the client says which pool, and the pool which region."""
    client = (await find_client(service, client_id, pool_id)).document
    return client, (await find_pool(service, replace(call, access_key=""), client["UserPoolId"])).document


async def change(
    service: CognitoIdp, kind: str, find: Callable[[], Awaitable[Stored]], make: Callable[[Document], None]
) -> Document:
    """As `change_document`, in AWS's words."""
    try:
        return await change_document(service.store, kind, find, make)
    except TooManyChanges as error:
        raise too_many("The resource is being changed by too many at once.") from error


def close(service: CognitoIdp, content: Json, place: str) -> str:
    """Sealed text for a client to keep, in base64."""
    return service.seal.close(orjson.dumps(content), place)


def url_safe(sealed: str) -> str:
    """In the letters that AWS's tokens have; `open_sealed` takes either."""
    return sealed.translate(_URL_SAFE)


def open_sealed(service: CognitoIdp, text: str, place: str) -> Json | None:
    """None for what was not sealed by us, for this place."""
    try:
        content = orjson.loads(service.seal.open(text.translate(_STANDARD), place))
    except (CannotOpen, binascii.Error, ValueError):
        return None
    return content if isinstance(content, dict) else None


def page(
    items: Sequence[Item], name: Callable[[Item], str], request: Json, limit: str, token: str
) -> tuple[list[Item], dict[str, str]]:
    """A page of what is sorted by name. `limit` and `token` are the request's members; the answer's token is the last
    name of this page."""
    after = read_token(request.get(token))
    items = [item for item in items if name(item) > after]
    size = page_size(request.get(limit))
    shown = list(items[:size])
    return shown, {token: write_token(name(shown[-1]))} if len(items) > size else {}


def page_size(asked: int | None) -> int:
    return min(asked or LONGEST_PAGE, LONGEST_PAGE)


def read_token(token: str | None) -> str:
    """Raises InvalidParameterException."""
    try:
        return base64.urlsafe_b64decode((token or "").encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise invalid("Invalid pagination token.") from error


def write_token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message, status=400)


def not_authorized(message: str) -> AwsError:
    return AwsError("NotAuthorizedException", message, status=400)


def too_many(message: str) -> AwsError:
    return AwsError("TooManyRequestsException", message, status=400)


def unsupported(what: str) -> AwsError:
    """How an operation says what it cannot honour: by name."""
    return invalid(f"Freehold does not support {what} yet.")
