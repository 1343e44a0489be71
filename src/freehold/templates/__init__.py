"""Makes CloudFormation templates of what people write: serverless.yml and SAM; and the zip files beside them.

Owns:    nothing that survives; the cache of zip files lies in the folder the caller names.
Not:     creating what a template describes (stacks), commands (cli).
Imports: aws
Start:   errors.py, then serverless/service.py
Add:     a kind of template: a folder here.
"""
