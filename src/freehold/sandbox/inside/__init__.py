"""What spawners load when they jail a program: each file stands alone, on Python 3.9 or newer.

Owns:    namespaces, mounts, capabilities, the system call filter, control groups.
Not:     when a jail is made, and for whom (spawner.py, jail.py).
Imports: nothing of ours
Start:   walls.py
"""
