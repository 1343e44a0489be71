"""What can call a function, a module each. `compile_events(compilation)` adds everything an event kind needs.

Owns:    nothing.
Not:     the settings an event may have (serverless/schema), serving events (gateway, events).
Imports: templates/serverless/{compile/compilation,names,service}
Start:   the table below, then schedule.py
Add:     a module and its line in EVENTS; the order is that of the statements in the shared role.
"""

from types import ModuleType

from freehold.templates.serverless.compile.events import http_api, schedule

EVENTS: dict[str, ModuleType] = {
    "schedule": schedule,
    "httpApi": http_api,
}
