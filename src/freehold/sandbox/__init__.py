"""A jail for one process tree: starts it, limits it, ends all of it.

Owns:    the spawner processes and what they started.
Not:     what runs inside (runtimes), when to start or end it (engine).
Imports: nothing of ours but clock
Start:   sandbox.py, then plain.py, then jail.py; layers.py chooses between them
Add:     an isolation: a class that meets `Sandbox` and its line in tests/contract/test_sandbox.py.
"""
