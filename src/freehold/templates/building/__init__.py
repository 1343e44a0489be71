"""What `sam build` does: code with its dependencies installed (pip, npm) or bundled (esbuild), cached by content.

Owns:    the folder for builds and the cache of dependencies that the caller names.
Not:     zip files (templates/package), the plugins of serverless.yml (templates/serverless).
Imports: aws
Start:   plan.py (decides), then run.py (runs the tools)
Add:     a language: its function in plan.py and run.py.
"""

from freehold.templates.building.plan import Build, Method, plan_build
from freehold.templates.building.run import Progress, build_function, run_build

__all__ = ["Build", "Method", "Progress", "build_function", "plan_build", "run_build"]
