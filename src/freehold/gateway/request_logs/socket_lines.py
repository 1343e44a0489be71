"""The lines of a WebSocket API's execution log: a handshake, a message, a goodbye.

Developer Guide, "Configure logging for WebSocket APIs in API Gateway". Their words are believed, as developers quote
them. What a client said, and was told, is written with data trace alone.
"""

from __future__ import annotations

from freehold.gateway.exchange import Exchange, Refused
from freehold.http.messages import Response


def socket_group(exchange: Exchange) -> str:
    return f"/aws/apigateway/{exchange.api.id}/{exchange.stage.name}"


def socket_lines(exchange: Exchange, response: Response, refused: Refused | None, traces_data: bool) -> list[str]:
    turn, route, notes, api_id = exchange.turn, exchange.route, exchange.notes, exchange.api.id
    assert turn is not None
    assert route is not None
    client = f"client [Connection Id: {turn.caller.connection_id}]"
    lines = [
        f"Extended Request Id: {exchange.extended_id}",
        f"Starting execution for request: {exchange.request_id}",
        f"WebSocket Request Route: [{route.key}]",
    ]
    if turn.event_type == "CONNECT":
        who = f"[UserAgent: {turn.caller.user_agent}, SourceIp: {turn.caller.source_ip}]"
        lines.append(f"Client {who} is connecting to WebSocket API [{api_id}].")
    elif turn.event_type == "MESSAGE" and traces_data:
        text = exchange.request.body.decode("utf-8", "replace")
        lines.append(f"WebSocket API [{api_id}] received message from {client}. Message: [{text}]")
    if notes is not None and notes.integration_latency_ms is not None:
        status = notes.integration_status if notes.integration_status is not None else "none"
        lines.append(f"Received response. Status: {status}, Integration latency: {notes.integration_latency_ms} ms")
    if refused is not None:
        why = refused.message or refused.detail or (notes.integration_error if notes is not None else None)
        return [*lines, f"Execution failed: {refused.response_type}" + (f": {why}" if why else "")]
    if turn.event_type == "CONNECT" and 200 <= response.status < 300:
        lines.append(f"Client [Connection Id: {turn.caller.connection_id}] connected to API [{api_id}] successfully.")
    elif turn.event_type == "DISCONNECT":
        lines.append(f"Client [Connection Id: {turn.caller.connection_id}] disconnected from API [{api_id}].")
    elif route.is_two_way and traces_data:
        text = response.body.decode("utf-8", "replace")
        lines.append(f"WebSocket API [{api_id}] sending message to {client}. Message: [{text}]")
    return [*lines, f"Route completed with status: {response.status}"]
