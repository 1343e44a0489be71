"""Mapping templates of REST APIs: the Velocity Template Language with `$input`, `$util` and `$context`.

Owns:    the language (parser, evaluate, methods) and what API Gateway gives a template (variables, paths).
Not:     when a template runs (integrations), payloads of proxy integrations (payloads).
Imports: aws
Start:   template.py, then parser.py and evaluate.py
"""
