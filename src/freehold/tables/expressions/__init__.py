"""DynamoDB's expressions: parsed once, compiled to closures, kept by their text.

Owns:    the grammars of condition, filter, key condition, projection and update expressions, and what they mean.
Not:     which request may carry which expression (services/dynamodb).
Imports: aws
Start:   programs.py (what callers use), nodes.py, parser.py, then conditions.py
Add:     a function: its name in nodes.py, its check and its closure in conditions.py or updates.py.
"""
