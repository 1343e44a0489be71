"""SAM templates: their transform to CloudFormation, the local files they name, what `sam build` is told about them.

Owns:    nothing; dict in, dict out.
Not:     building code (templates/building), zip files (templates/package), making a stack (stacks).
Imports: aws
Start:   transform.py (on the server), artifacts.py (on the client)
"""
