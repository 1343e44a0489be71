"""What a stage writes down of each request: access logs (all kinds of APIs), execution logs (REST and WebSocket APIs).

A stage has a RequestLog for each; a stage that logs nothing has none, and nothing is looked at or measured for it.
Writing never waits: the lines go to the sink that functions' own output goes to.
"""
