"""The DynamoDB storage engine: items, expressions, indexes, streams, time to live, on SQLite.

Owns:    tables.db in the data directory; what a value, a key, an expression means.
Not:     the DynamoDB API's operations and their requests (services/dynamodb).
Imports: aws state clock
Start:   storage.py (the seam), items.py (what a write changes), reading.py (what a page of a query is)
Add:     a backend: a file beside sqlite.py and its line in tests/contract/test_table_storage.py.
"""
