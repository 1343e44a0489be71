"""Calls a WSGI app (PEP 3333) with what API Gateway (both payload formats) or a load balancer sends.

It runs alone in a function, packed by the built-in serverless-wsgi; beside it lies .serverless-wsgi, like
{"app": "app.app"}.
"""

# mypy: ignore-errors

import base64
import importlib
import io
import json
import os
import sys
from urllib.parse import unquote, urlencode

_HERE = os.path.dirname(os.path.abspath(__file__))
_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "application/vnd.api+json")

with open(os.path.join(_HERE, ".serverless-wsgi")) as _file:
    _SETTINGS = json.load(_file)


def _load():
    module, _, name = _SETTINGS["app"].rpartition(".")
    folder, _, module = module.rpartition("/")
    sys.path.insert(0, os.path.join(_HERE, folder))
    return getattr(importlib.import_module(module), name)


_APP = _load()


def handler(event, context):
    environ = _environ(event, context)
    started = {}

    def start_response(status, headers, exc_info=None):
        started.update(status=int(status.split()[0]), headers=headers)
        return lambda data: written.append(data)

    written = []
    answer = _APP(environ, start_response)
    try:
        body = b"".join([*answer])
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return _answer(event, started["status"], started["headers"], b"".join(written) + body)


def _environ(event, context):
    second = event.get("version") == "2.0"
    request = event["requestContext"].get("http", {}) if second else event
    headers = _headers(event)
    body = event.get("body") or ""
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8")
    path, script = _paths(event, request, headers, second)
    host = headers.get("host", "localhost")
    environ = {
        "REQUEST_METHOD": request["method"] if second else event["httpMethod"],
        "SCRIPT_NAME": script,
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": _query(event, second),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": _address(event, request, second),
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": headers.get("x-forwarded-port", "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": headers.get("x-forwarded-proto", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "serverless.event": event,
        "serverless.context": context,
        "serverless.authorizer": event["requestContext"].get("authorizer"),
    }
    for name, value in headers.items():
        if name not in ("content-type", "content-length"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def _headers(event):
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    for name, values in (event.get("multiValueHeaders") or {}).items():
        headers[name.lower()] = ("; " if name.lower() == "cookie" else ",").join(values)
    if event.get("cookies"):
        headers["cookie"] = "; ".join(event["cookies"])
    return headers


def _paths(event, request, headers, second):
    stage = event["requestContext"].get("stage") or ""
    if second:
        path = event.get("rawPath") or "/"
        script = f"/{stage}"
        if stage != "$default" and (path == script or path.startswith(f"{script}/")):
            return path[len(script) :] or "/", script
        return path, ""
    own = ".amazonaws.com" in headers.get("host", "") and not _SETTINGS.get("strip_stage_path")
    return event.get("path") or "/", f"/{stage}" if own and stage else ""


def _query(event, second):
    if second:
        return event.get("rawQueryString") or ""
    several = event.get("multiValueQueryStringParameters")
    if several:
        return urlencode([(name, value) for name, values in several.items() for value in values])
    return urlencode(event.get("queryStringParameters") or {})


def _address(event, request, second):
    if second:
        return request.get("sourceIp", "127.0.0.1")
    return (event["requestContext"].get("identity") or {}).get("sourceIp", "127.0.0.1")


def _answer(event, status, headers, body):
    several = {}
    for name, value in headers:
        several.setdefault(name, []).append(value)
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    encoded = any(name.lower() == "content-encoding" for name, _ in headers)
    kind = content_type.partition(";")[0].strip()
    is_text = kind.startswith(_TEXT) or kind.endswith(("+json", "+xml")) or kind in _SETTINGS.get("text_mime_types", [])
    answer = {"statusCode": status}
    if body and (encoded or (kind and not is_text)):
        answer |= {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}
    else:
        answer |= {"body": body.decode("utf-8"), "isBase64Encoded": False}
    if event.get("version") == "2.0":
        cookies = [value for name, values in several.items() if name.lower() == "set-cookie" for value in values]
        single = {name: ",".join(values) for name, values in several.items() if name.lower() != "set-cookie"}
        return {**answer, "headers": single, **({"cookies": cookies} if cookies else {})}
    if "multiValueHeaders" in event:
        return {**answer, "multiValueHeaders": several}
    return {**answer, "headers": {name: values[-1] for name, values in several.items()}}
