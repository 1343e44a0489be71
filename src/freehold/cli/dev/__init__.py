"""`freehold dev`: an embedded server, the app's API at one port, and a loop that follows edits.

Owns:    .freehold/ in the app's folder, through the server in it.
Not:     how a deploy works (cli/deployment.py): an edit takes the same path as `freehold deploy`.
Imports: app config templates http aws
Start:   session.py, then reload.py
Add:     a key of the menu: a line in keys.py's table.
"""
