"""Any integration of an HTTP API behind parameter mappings: it is sent a changed request, and its answer is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from freehold.gateway.compiled import Integration
from freehold.gateway.exchange import Exchange
from freehold.gateway.integrations.http_proxy import HttpApiProxy
from freehold.gateway.parameter_changes import Changes, change_answer, change_request
from freehold.http.messages import Response


@dataclass(frozen=True, slots=True)
class Changed:
    inner: Integration
    request: Changes
    answers: Mapping[int, Changes]  # By the status that the integration answers.

    async def answer(self, exchange: Exchange) -> Response:
        inner = self.inner
        sent, full_path = exchange.request, exchange.full_path
        try:
            if self.request:
                request, path = change_request(exchange, self.request)
                if isinstance(inner, HttpApiProxy):
                    inner = inner.changed(path, request.host if request.host != sent.host else "")
                elif path is not None:
                    exchange.full_path = path
                exchange.request = request
            response = await inner.answer(exchange)
        finally:
            # Logs tell of what the client sent.
            exchange.request, exchange.full_path = sent, full_path
        changes = self.answers.get(response.status)
        return response if changes is None else change_answer(exchange, response, changes)
