"""What routes call: a frozen record for each kind, with `answer(exchange)`. See the table in compile_http.py."""
