"""MOCK of REST APIs: answers without calling anybody, as CORS preflights do.

Developer Guide, "Mock integrations for REST APIs": the request template's `statusCode` chooses the answer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from freehold.aws.call import Json
from freehold.gateway.exchange import Exchange, Refused
from freehold.gateway.integrations.mapped import (
    AnswerMapping,
    RequestMapping,
    compile_answers,
    compile_request,
    map_answer,
    map_request,
    select,
)
from freehold.http.messages import Response

# AWS reads this leniently: {statusCode:200} and single quotes do.
_STATUS = re.compile(r"""["']?statusCode["']?\s*:\s*["']?(\d{3})\b""")


@dataclass(frozen=True, slots=True)
class Mock:
    request: RequestMapping
    answers: tuple[AnswerMapping, ...]

    async def answer(self, exchange: Exchange) -> Response:
        mapped = map_request(exchange, self.request)
        status = read_status(mapped.body.decode("utf-8", "replace"))
        if status is None:
            # The request passes through unmapped, and has no status for us to answer.
            raise Refused("API_CONFIGURATION_ERROR")
        return map_answer(exchange, select(self.answers, status), b"", {})


def read_status(mapped: str) -> str | None:
    try:
        document = json.loads(mapped)
    except ValueError:
        match = _STATUS.search(mapped)
        return match[1] if match else None
    status = document.get("statusCode") if isinstance(document, dict) else None
    return str(status) if isinstance(status, int | str) and re.fullmatch(r"\d{3}", str(status)) else None


def compile_mock(integration: Json, what: str) -> Mock:
    """`what` names the method in refusals. Raises AwsError."""
    return Mock(compile_request(integration, what), compile_answers(integration, what))
