"""An external extension: registers, follows events, and does what the function's variable MODE says.

Every event is printed as "NAME got {...}". With TELEMETRY ("http", "tcp" or "logs") it also listens, and prints what
came.
"""

import http.client
import http.server
import json
import os
import socketserver
import sys
import threading
import time

NAME = os.path.basename(sys.argv[0])
MODE = os.environ.get("MODE", "")
API = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
identifier = None


def call(method, path, body=None, headers=None, prefix="/2020-01-01/extension/"):
    named = {"Lambda-Extension-Identifier": identifier} if identifier else {}
    API.request(method, prefix + path, body, {**named, **(headers or {})})
    answer = API.getresponse()
    return answer, answer.read()


def say(*words):
    print(NAME, *words, flush=True)


class Telemetry(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for event in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            say("told", json.dumps(event))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            say("told", line.decode().strip())


def subscribe(kind):
    if kind == "tcp":
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lines)
        destination = {"protocol": "TCP", "port": server.server_address[1]}
    else:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Telemetry)
        destination = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{server.server_address[1]}/in"}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path, version = ("/2020-08-15/logs", "2021-03-18") if kind == "logs" else ("/2022-07-01/telemetry", "2022-12-13")
    request = {
        "schemaVersion": version,
        "types": ["platform", "function"],
        "buffering": {"timeoutMs": 25, "maxItems": 1000, "maxBytes": 262144},
        "destination": destination,
    }
    answer, body = call("PUT", "", json.dumps(request), prefix=path)
    say("subscribed", answer.status, body.decode())


def main():
    global identifier
    if MODE == "exit early":
        sys.exit(3)
    events = ["INVOKE"] if MODE == "no shutdown" else ["INVOKE", "SHUTDOWN"]
    headers = {"Lambda-Extension-Name": NAME, "Lambda-Extension-Accept-Feature": "accountId"}
    answer, body = call("POST", "register", json.dumps({"events": events}), headers)
    identifier = answer.headers["Lambda-Extension-Identifier"]
    say("registered", body.decode())
    say("sees", sorted(name for name in os.environ if name.startswith(("_", "LAMBDA_", "AWS_EXECUTION", "MINE"))))
    if os.environ.get("TELEMETRY"):
        subscribe(os.environ["TELEMETRY"])
    if MODE == "init error":
        call("POST", "init/error", "{}", {"Lambda-Extension-Function-Error-Type": "Extension.NoConfig"})
        sys.exit(1)
    while True:
        answer, body = call("GET", "event/next")
        event = json.loads(body)
        say("got", json.dumps(event))
        if event["eventType"] == "SHUTDOWN":
            if MODE == "stays":
                time.sleep(600)
            say("goodbye", event["shutdownReason"])
            return
        if MODE == "crash":
            os._exit(7)
        if MODE == "exit error":
            call("POST", "exit/error", "{}", {"Lambda-Extension-Function-Error-Type": "Extension.Broken"})
            sys.exit(1)
        if MODE == "slow":
            time.sleep(float(os.environ["SLOW"]))
        if MODE == "wait":
            while not os.path.exists(os.environ["UNTIL"]):
                time.sleep(0.005)


main()
