"""AWS's wire protocols: a module each, with `read` (bytes -> the operation's dict) and `write`, `write_error` back.

Owns:    nothing; all pure functions over botocore's shapes.
Not:     which service and operation a request is for (wire.py).
Imports: nothing of ours but aws
Start:   values.py (the exchange), then json_.py
Add:     a module and its line in wire.PROTOCOLS.
"""
