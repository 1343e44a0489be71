"""The AWS APIs, a folder each: its `__init__.py` is the table of operations and the record they may touch.

Owns:    the documents of its kinds ("lambda.function", "s3.bucket").
Not:     the wire (aws), serving deployed APIs (gateway), CloudFormation (stacks).
Imports: aws engine state tables
Start:   any folder's OPERATIONS
Add:     a service: a folder, its record in app.py, its tests in tests/api.
"""
