"""Serves deployed APIs: finds API, stage and route of a request, guards it, and has the integration answer.

Owns:    compiled copies of APIs, in memory; caches of authorizers; counters of throttling.
Not:     the AWS operations that configure APIs (services/apigateway, services/apigatewayv2), sockets (http).
Imports: aws engine http state
Start:   gateway.py, then pipeline.py
Add:     a step: a module with a function, and its line in pipeline.py; an integration or authorizer: a file and its
         line in the table of compile_http.py or compile_rest.py.
"""
