"""Runs functions: finds a warm execution environment or starts one, and hands it the invocation.

Owns:    execution environments and concurrency, in memory.
Not:     HTTP shapes (gateway), configuration (services/lambda_), isolation (sandbox), languages (runtimes).
Imports: aws runtimes sandbox state
Start:   invocation.py, then dispatch.py
"""
