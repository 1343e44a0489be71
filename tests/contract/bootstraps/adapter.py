"""The web adapter pattern: a web server that knows nothing of Lambda, behind a bootstrap that makes requests of events.

`python adapter.py COMMAND...` starts the server, waits until it listens on $PORT, and passes each event on to it, with
the answer streamed back as aws-lambda-web-adapter does: a JSON head, eight NUL bytes, the body in chunks.
"""

import http.client
import json
import os
import socket
import subprocess
import sys

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
PORT = int(os.environ["PORT"])
PREFIX = "/2018-06-01/runtime/invocation/"


def main():
    server = subprocess.Popen(sys.argv[1:])
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
            break
        except ConnectionRefusedError:
            continue
    while server.poll() is None:
        runtime = http.client.HTTPConnection(API)
        runtime.request("GET", PREFIX + "next")
        work = runtime.getresponse()
        event = json.loads(work.read())
        answer(runtime, work.headers["Lambda-Runtime-Aws-Request-Id"], event)
    sys.exit(server.returncode)


def answer(runtime, request_id, event):
    web = http.client.HTTPConnection("127.0.0.1", PORT)
    web.request(event["method"], event["path"], event.get("body"))
    page = web.getresponse()
    head = json.dumps({"statusCode": page.status, "headers": {"content-type": page.headers["Content-Type"]}}).encode()

    def parts():
        yield head
        yield bytes(8)
        while part := page.read(1000):
            yield part

    headers = {
        "Content-Type": "application/vnd.awslambda.http-integration-response",
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
    }
    runtime.request("POST", PREFIX + request_id + "/response", parts(), headers, encode_chunked=True)
    assert runtime.getresponse().read() == b'{"status":"OK"}'
    runtime.close()


main()
