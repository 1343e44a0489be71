"""What a function is told about a request, and how its answer is read: one pure module for each format.

v2.py: payload format 2.0 of HTTP APIs and function URLs. v1.py: format 1.0 of HTTP APIs and the REST APIs' events.
"""
