"""DynamoDB's requests as raw HTTP, for the benches: a table of items of 1 KB, ten in a partition."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

_SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
_DATA = "x" * 950
_START_LIMIT_S = 60.0
PARTITION = 10  # Items that a Query reads.
Json = dict[str, Any]


def headers(operation: str) -> dict[str, str]:
    return {
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": _SCOPE,
        "X-Amz-Date": "20260101T000000Z",
    }


def lua_script(port: int, operation: str, documents: list[Json]) -> str:
    """wrk's: the requests one after the other, from the first again after the last."""
    texts = [_raw_request(port, operation, document).decode() for document in documents]
    quoted = ",\n".join(f"[=[{text}]=]" for text in texts)
    # A long bracket keeps every byte but a carriage return, which Lua reads as an end of line.
    return (
        f"local sent = {{{quoted}}}\n"
        'for i = 1, #sent do sent[i] = sent[i]:gsub("\\n", "\\r\\n") end\n'
        "local last = 0\n"
        "function request() last = last % #sent + 1; return sent[last] end\n"
    )


def _raw_request(port: int, operation: str, document: Json) -> bytes:
    body = json.dumps(document).encode()
    told = "".join(f"{name}: {value}\r\n" for name, value in headers(operation).items())
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{told}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def ask(port: int, operation: str, document: Json, client: http.client.HTTPConnection | None = None) -> tuple[int, Any]:
    """(status, answer), over `client`'s connection or one of its own."""
    connection = client or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/", json.dumps(document).encode(), headers(operation))
    answer = connection.getresponse()
    body = answer.read()
    if client is None:
        connection.close()
    return answer.status, json.loads(body) if body else None


def create_table(port: int) -> None:
    table = {
        "TableName": "bench",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "c", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "c", "AttributeType": "N"},
        ],
    }
    status, answer = ask(port, "CreateTable", table)
    assert status == 200, answer
    end = time.perf_counter() + _START_LIMIT_S
    while time.perf_counter() < end:
        if ask(port, "DescribeTable", {"TableName": "bench"})[1]["Table"]["TableStatus"] == "ACTIVE":
            return
        time.sleep(0.02)
    raise TimeoutError("the table did not become active")


def item(number: int) -> Json:
    return {**key(number), "data": {"S": _DATA}, "n": {"N": "12"}}


def key(number: int) -> Json:
    return {"p": {"S": f"p{number // PARTITION:06d}"}, "c": {"N": str(number % PARTITION)}}
