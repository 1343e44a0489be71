"""What invokes functions without a request: schedules and event source mappings, a file a source.

Owns:    the documents "events.schedule": when each scheduled rule was due last.
Not:     rules and PutEvents (services/events), running functions (engine).
Imports: aws engine state
Start:   schedules.py
Add:     an event source: a file here, made and started in app.py.
"""
