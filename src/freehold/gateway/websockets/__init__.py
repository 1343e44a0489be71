"""WebSocket APIs at work: connections, the messages on them, and what `@connections` does with them.

Owns:    open connections, in memory: none survives a restart.
Not:     frames (http/websocket.py), routes and integrations (gateway), the operations of `@connections`
         (services/apigatewaymanagementapi), which call what is here.
Imports: aws engine http
Start:   sockets.py, then connection.py
"""
