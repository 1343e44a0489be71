"""How a language starts in a sandbox: which interpreter, which bootstrap, which environment variables.

Owns:    the table of runtimes; the bootstraps that run inside environments; the runtimes' own SDKs.
Not:     isolation (sandbox), when an environment starts (engine).
Imports: sandbox
Start:   names.py, then launch.py
Add:     a language: its line in names.RUNTIMES and a `launch_*` function in launch.py.
"""
