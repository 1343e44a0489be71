"""Replaces `${source:address}` everywhere in a serverless.yml.

Owns:    nothing; a Resolver works on the document it is given.
Not:     CloudFormation's own `${}` in Fn::Sub, which it leaves alone.
Imports: nothing of ours above templates/serverless/documents
Start:   syntax.py, resolve.py
Add:     a source: a function in sources.py (or a file beside it) and its line in SOURCES.
"""
