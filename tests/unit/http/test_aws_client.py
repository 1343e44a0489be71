"""What our commands send and how they read answers, against a stub in the place of the connection."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from freehold.aws.errors import AwsError
from freehold.http.aws_client import AwsClient
from freehold.http.client import HttpClient
from freehold.http.messages import Response


class Recorded(HttpClient):
    """Answers from a list, and keeps what was sent."""

    def __init__(self, *answers: Response) -> None:
        super().__init__()
        self.answers = list(answers)
        self.sent: list[tuple[str, str, dict[str, str], bytes]] = []

    async def send(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        timeout_s: float | None = None,
    ) -> Response:
        self.sent.append((method, url, dict(headers), body))
        return self.answers.pop(0)


def client_of(*answers: Response, region: str = "us-east-1") -> tuple[AwsClient, Recorded]:
    http = Recorded(*answers)
    return AwsClient("http://localhost:4566/", region, http), http


async def test_a_cloudformation_call_is_a_form_and_its_answer_lists_and_dicts() -> None:
    client, http = client_of(
        Response(
            200,
            body=b"""<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <DescribeStacksResult><Stacks><member><StackName>s</StackName><Outputs/></member></Stacks></DescribeStacksResult>
            </DescribeStacksResponse>""",
        )
    )
    request = {
        "StackName": "s",
        "Capabilities": ["A", "B"],
        "Parameters": [{"ParameterKey": "K"}],
        "X": True,
        "N": None,
    }
    answer = await client("cloudformation", "DescribeStacks", request)
    assert answer == {"Stacks": [{"StackName": "s", "Outputs": ""}]}
    method, url, headers, body = http.sent[0]
    assert (method, url) == ("POST", "http://localhost:4566/")
    assert body == (
        b"Action=DescribeStacks&Version=2010-05-15&StackName=s&Capabilities.member.1=A&Capabilities.member.2=B"
        b"&Parameters.member.1.ParameterKey=K&X=true"
    )
    assert "/us-east-1/cloudformation/aws4_request" in headers["Authorization"]


async def test_a_logs_call_is_json_with_its_target() -> None:
    client, http = client_of(Response(200, body=b'{"events": []}'), region="eu-west-1")
    assert await client("logs", "FilterLogEvents", {"logGroupName": "g"}) == {"events": []}
    headers, body = http.sent[0][2:]
    assert headers["X-Amz-Target"] == "Logs_20140328.FilterLogEvents"
    assert "/eu-west-1/logs/aws4_request" in headers["Authorization"]
    assert orjson.loads(body) == {"logGroupName": "g"}


async def test_an_invocation_sends_the_event_as_body_and_reads_the_headers() -> None:
    client, http = client_of(
        Response(200, [("X-Amz-Function-Error", "Unhandled"), ("X-Amz-Log-Result", "bG9n")], b'{"errorType": "E"}')
    )
    answer = await client("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}", "LogType": "Tail"})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["LogResult"] == "bG9n"
    assert answer["Payload"] == b'{"errorType": "E"}'
    method, url, headers, body = http.sent[0]
    assert (method, url) == ("POST", "http://localhost:4566/2015-03-31/functions/f/invocations")
    assert (headers["X-Amz-Log-Type"], body) == ("Tail", b"{}")


async def test_members_of_the_path_and_the_query_string_leave_the_body() -> None:
    client, http = client_of(Response(200, body=b"{}"), Response(200, body=b"{}"))
    await client("lambda", "UpdateFunctionCode", {"FunctionName": "a:b", "ZipFile": b"zip"})
    await client("lambda", "GetFunction", {"FunctionName": "f", "Qualifier": "live"})
    assert http.sent[0][1] == "http://localhost:4566/2015-03-31/functions/a%3Ab/code"
    assert orjson.loads(http.sent[0][3]) == {"ZipFile": "emlw"}
    assert http.sent[1][1] == "http://localhost:4566/2015-03-31/functions/f?Qualifier=live"
    assert http.sent[1][3] == b""


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (
            b"<R xmlns='x'><Error><Code>ValidationError</Code><Message>No</Message></Error></R>",
            "ValidationError",
            "No",
        ),
        (
            b'{"__type": "com.amazonaws.logs#ResourceNotFoundException", "message": "m"}',
            "ResourceNotFoundException",
            "m",
        ),
        (b"a proxy's page", "HTTP 400", "a proxy's page"),
    ],
)
async def test_errors_of_every_protocol_have_code_and_message(answer: bytes, code: str, message: str) -> None:
    client, _ = client_of(Response(400, body=answer))
    with pytest.raises(AwsError) as caught:
        await client("cloudformation", "DescribeStacks", {})
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_a_missing_bucket_is_made_once_and_the_upload_repeated() -> None:
    missing = Response(404, body=b"<Error><Code>NoSuchBucket</Code><Message>m</Message></Error>")
    client, http = client_of(missing, Response(200), Response(200), region="eu-west-1")
    await client.put_object("b", "a b/c.zip", b"zip")
    assert [(method, url) for method, url, _, _ in http.sent] == [
        ("PUT", "http://localhost:4566/b/a%20b/c.zip"),
        ("PUT", "http://localhost:4566/b"),
        ("PUT", "http://localhost:4566/b/a%20b/c.zip"),
    ]
    assert b"<LocationConstraint>eu-west-1</LocationConstraint>" in http.sent[1][3]


async def test_an_object_is_there_or_not() -> None:
    client, _ = client_of(Response(200), Response(404))
    assert await client.has_object("b", "k")
    assert not await client.has_object("b", "k")


async def test_an_operation_that_the_client_does_not_know_is_refused_by_name() -> None:
    client, _ = client_of()
    with pytest.raises(AwsError, match="sqs:SendMessage"):
        await client("sqs", "SendMessage", {})
