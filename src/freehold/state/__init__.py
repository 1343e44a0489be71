"""Everything that survives a restart: documents, the queue, blobs, logs.

Owns:    control.db, queue.db, blobs/ and logs/ in the data directory.
Not:     DynamoDB's items (tables).
Imports: nothing of ours but clock
Start:   store.py
Add:     a backend: a file beside sqlite_store.py and its line in tests/contract.
"""
