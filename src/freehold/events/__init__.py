"""What invokes functions without a request: schedules and event source mappings, a file a source.

Owns:    the documents "events.schedule" (when a rule was due last) and "events.position" (how far a mapping has read).
Not:     rules and PutEvents (services/events), running functions (engine).
Imports: aws engine state
Start:   schedules.py, mappings.py
Add:     an event source: a file here with a class that is a Source (mappings.py), named in app.py.
"""
