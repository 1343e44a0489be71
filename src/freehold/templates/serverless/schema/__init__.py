"""Which settings serverless.yml may have, and what each may be.

Owns:    nothing.
Not:     whether the settings make sense together (checks.py, compile).
Imports: templates/serverless/{documents,variables}
Start:   configuration.py, then shapes.py
Add:     a setting: its line in provider.py, function.py or events.py.
"""

from freehold.templates.serverless.schema.configuration import check_configuration

__all__ = ["check_configuration"]
