"""Code that runs inside of helper functions of a stack, with boto3 and nothing of ours: it is packed, not imported.

Owns:    nothing.
Not:     the template around it (compile/custom_resources).
Imports: nothing of ours
Start:   existing_bucket.py
"""
