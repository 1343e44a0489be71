"""What AWS fixed on the wire: requests and answers of every protocol from botocore's models, errors, ARNs, signatures.

Owns:    nothing; all of it is values and pure functions.
Not:     sockets (http), what an operation does (services).
Imports: nothing of ours but clock
Start:   call.py, errors.py, then wire.py
Add:     a protocol: a module in protocols/ and its line in PROTOCOLS.
"""
