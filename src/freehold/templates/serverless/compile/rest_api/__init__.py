"""`http` events: a REST API with its resources, methods, authorizers, models, keys and deployment.

Owns:    nothing.
Not:     HTTP APIs (compile/events/http_api), serving them (gateway).
Imports: templates/serverless/{compile/compilation,names,service}
Start:   endpoints.py (reads the events), then methods.py
Add:     an integration: integrations.py.
"""
