"""Compiles a service to the CloudFormation template that `serverless package` (v3) writes. Pure: values in, dict out.

Owns:    nothing.
Not:     reading serverless.yml (load), zip files (templates/package), creating anything (stacks).
Imports: templates/serverless/{names,service}
Start:   template.py, then functions.py
Add:     an event: a module in events/ with `compile_events`, its line in EVENTS there, a golden case.
"""
