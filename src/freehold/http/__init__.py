"""Bytes <-> values: the HTTP server, and the listener that speaks the AWS protocols.

Owns:    listening sockets and the connections on them.
Not:     what an AWS operation does (services), which API a request is for (gateway).
Imports: aws
Start:   messages.py, then server.py, then aws_api.py
"""
