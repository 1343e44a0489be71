"""What a backend does with a WebSocket connection. This table is the API: to find an operation, look here.

Owns:    nothing: connections are the gateway's.
Not:     connections and their messages (gateway/websockets), WebSocket APIs (services/apigatewayv2).
Imports: aws
Start:   connections.py
"""

from __future__ import annotations

from freehold.aws.call import Operation
from freehold.services.apigatewaymanagementapi import connections
from freehold.services.apigatewaymanagementapi.connections import ApiGatewayManagementApi

__all__ = ["OPERATIONS", "ApiGatewayManagementApi"]

OPERATIONS: dict[str, Operation] = {
    "PostToConnection": connections.post_to_connection,
    "GetConnection": connections.get_connection,
    "DeleteConnection": connections.delete_connection,
}
