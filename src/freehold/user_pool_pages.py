"""What user pools show beside their API: keys and discovery, and the pages of their domains, on the one port.

The service is loaded by the first request that may be for one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freehold.aws.call import OperationTable
from freehold.http.messages import Request, Response

if TYPE_CHECKING:
    from freehold.services.cognito_idp import CognitoIdp

_DOCUMENTS = "/.well-known/"  # In every path of what the world may know of a user pool.
_SIGN_IN_PAGES, _SIGN_IN_HOSTS = "/_aws/cognito-idp/", ".auth."


@dataclass(frozen=True, slots=True)
class UserPoolPages:
    operations: OperationTable
    endpoint: Callable[[], str]  # Ours, for requests that do not say how they call us.

    def may_be(self, request: Request) -> bool:
        path = request.raw_path
        return _DOCUMENTS in path or path.startswith(_SIGN_IN_PAGES) or _SIGN_IN_HOSTS in request.host

    async def answer(self, request: Request) -> Response | None:
        """None: it is none of theirs; an object of S3 may have such a name or host, too."""
        from freehold.services.cognito_idp import discovery, hosted

        place = hosted.find_place(request.raw_path, request.host)
        if place is not None:
            pools = await self._load()
            page = await hosted.serve(pools, place, request.method, request.query, request.lower, request.body)
            return Response(page.status, page.headers, page.body)
        if request.method != "GET":
            return None
        start = f"{request.scheme}://{request.host}" if request.host else self.endpoint()
        found = await discovery.find(await self._load(), request.raw_path, start)
        if found is None:
            return None
        return Response(200, [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")], found)

    async def find_document(self, url: str) -> bytes | None:
        """What AWS would say at an address of a user pool of ours; None for any other address."""
        if _DOCUMENTS not in url:
            return None
        from freehold.services.cognito_idp import discovery

        return await discovery.find_own(await self._load(), url)

    def is_mail(self, log_group: str) -> bool:
        """Whether its lines are what user pools would send by mail: Freehold sends none."""
        if self.operations.service("cognito-idp") is None:
            return False
        from freehold.services.cognito_idp import LOG_GROUPS

        return log_group.startswith(LOG_GROUPS)

    async def _load(self) -> CognitoIdp:
        service = await self.operations.load("cognito-idp")
        assert service is not None
        record: CognitoIdp = service.record
        return record
