"""Invoke: what comes back of a call that ends well, badly, late or not at all."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped
from tests.live import LiveServer

Make = Callable[..., str]


def test_the_event_goes_in_and_the_answer_comes_out(lambda_: Any, make: Make) -> None:
    name = make(
        "def handler(event, context):\n    return {'got': event, 'ms': context.get_remaining_time_in_millis()}\n"
    )
    answer = lambda_.invoke(FunctionName=name, Payload=json.dumps({"a": ["ü", 1.5, None]}))
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    found = json.loads(answer["Payload"].read())
    assert found["got"] == {"a": ["ü", 1.5, None]}
    assert 0 < found["ms"] <= 3000


def test_an_exception_is_told_with_its_type_and_trace(lambda_: Any, make: Make) -> None:
    answer = lambda_.invoke(FunctionName=make("def handler(event, context):\n    raise KeyError('no such thing')\n"))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    found = json.loads(answer["Payload"].read())
    assert (found["errorType"], found["errorMessage"]) == ("KeyError", "'no such thing'")
    assert 'app.py", line 2, in handler' in found["stackTrace"][0]
    assert found["requestId"] == answer["ResponseMetadata"]["RequestId"]


def test_a_function_that_takes_too_long_is_ended(lambda_: Any, make: Make) -> None:
    name = make("import time\ndef handler(event, context):\n    time.sleep(event['s'])\n    return 'done'\n", Timeout=1)
    late = lambda_.invoke(FunctionName=name, Payload=b'{"s": 30}')
    assert late["FunctionError"] == "Unhandled"
    found = json.loads(late["Payload"].read())
    assert found["errorType"] == "Sandbox.Timedout"
    assert found["errorMessage"] == (
        f"RequestId: {late['ResponseMetadata']['RequestId']} Error: Task timed out after 1.00 seconds"
    )
    again = lambda_.invoke(FunctionName=name, Payload=b'{"s": 0}')
    assert json.loads(again["Payload"].read()) == "done"


def test_a_process_that_exits_is_told_and_replaced(lambda_: Any, make: Make) -> None:
    name = make(
        "import os\ndef handler(event, context):\n    os._exit(3) if event['die'] else None\n    return 'alive'\n"
    )
    dead = lambda_.invoke(FunctionName=name, Payload=b'{"die": true}')
    found = json.loads(dead["Payload"].read())
    assert found["errorType"] == "Runtime.ExitError"
    assert found["errorMessage"].endswith("Error: Runtime exited with error: exit status 3")
    alive = lambda_.invoke(FunctionName=name, Payload=b'{"die": false}')
    assert json.loads(alive["Payload"].read()) == "alive"


def test_the_tail_of_the_log_comes_with_the_answer(lambda_: Any, make: Make) -> None:
    name = make("def handler(event, context):\n    print('a line of my own')\n")
    answer = lambda_.invoke(FunctionName=name, LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert "a line of my own" in lines
    assert f"END RequestId: {request_id}" in lines
    assert lines[-1].startswith(f"REPORT RequestId: {request_id}\tDuration: ")


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def handler(event, context):\n    return {1, 2}\n", "Runtime.MarshalError"),
        ("import no_such_module\n", "Runtime.ImportModuleError"),
        ("def other(event, context):\n    pass\n", "Runtime.HandlerNotFound"),
        ("def handler(event, context)\n    pass\n", "Runtime.UserCodeSyntaxError"),
    ],
    ids=["no JSON", "no module", "no handler", "no syntax"],
)
def test_code_that_cannot_run_says_why(lambda_: Any, make: Make, source: str, error: str) -> None:
    answer = lambda_.invoke(FunctionName=make(source))
    assert json.loads(answer["Payload"].read())["errorType"] == error


def test_payloads_have_lambdas_limits(lambda_: Any, make: Make) -> None:
    name = make("def handler(event, context):\n    return 'x' * event['size']\n")
    with pytest.raises(ClientError) as error:
        lambda_.invoke(FunctionName=name, Payload=json.dumps({"pad": "x" * 6 * 1024 * 1024}))
    assert error.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
    big = lambda_.invoke(FunctionName=name, Payload=json.dumps({"size": 7_000_000}))
    assert json.loads(big["Payload"].read())["errorType"] == "Function.ResponseSizeTooLarge"
    with pytest.raises(ClientError) as error:
        lambda_.invoke(FunctionName=name, Payload=b"{this is not json")
    assert error.value.response["Error"]["Code"] == "InvalidRequestContentException"


def test_a_dry_run_runs_nothing(lambda_: Any, make: Make) -> None:
    answer = lambda_.invoke(FunctionName=make("raise SystemExit\n"), InvocationType="DryRun")
    assert answer["StatusCode"] == 204


def test_an_event_is_accepted_and_runs_also_after_a_kill(own_server: LiveServer) -> None:
    lambda_, tables = own_server.client("lambda"), own_server.client("dynamodb")
    tables.create_table(
        TableName="seen",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    source = (
        "import boto3\ntable = boto3.resource('dynamodb').Table('seen')\n"
        "def handler(event, context):\n    table.put_item(Item={'id': event['id']})\n"
    )
    lambda_.create_function(
        FunctionName="writer",
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Timeout=20,
        Code={"ZipFile": zipped({"app.py": source})},
    )
    accepted = [str(number) for number in range(5)]
    for each in accepted:
        answer = lambda_.invoke(FunctionName="writer", InvocationType="Event", Payload=json.dumps({"id": each}))
        assert answer["StatusCode"] == 202
    own_server.kill()
    own_server.start()
    until(lambda: tables.scan(TableName="seen")["Count"] == 5)


def test_no_reserved_concurrency_is_a_429(lambda_: Any, make: Make) -> None:
    name = make("def handler(event, context):\n    pass\n")
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as error:
        lambda_.invoke(FunctionName=name)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert (response["Error"]["Code"], response["Reason"]) == (
        "TooManyRequestsException",
        "ReservedFunctionConcurrentInvocationLimitExceeded",
    )
    lambda_.delete_function_concurrency(FunctionName=name)
    assert lambda_.invoke(FunctionName=name)["StatusCode"] == 200


def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Asks again until it is so: each question is a request, so nothing spins."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come"
