"""One file a command: its options, its help with examples, and what it does in a few calls of the files above.

Owns:    nothing.
Not:     how a deploy works (cli/deployment.py), live reload (cli/dev).
Imports: app config templates http aws
Start:   deploy.py
Add:     a file with `command`, and its line in program.py's table.
"""
