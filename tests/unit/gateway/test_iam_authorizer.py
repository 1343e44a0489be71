"""AWS_IAM: whoever signed and may, passes; nobody else, in each API kind's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gateway.signing import presigned, signed_headers
from tests.unit.gateway.world import FUNCTION, NOW_S, World, event_of, header

from freehold.aws.sigv4 import SignatureProblem, SignedRequest, check_scope, check_time, read_signature, verify
from freehold.http.messages import Response
from freehold.state.store import Put

MISMATCH = "The request signature we calculated does not match the signature you provided."
URL_PATH = "/_aws/lambda-url/abcdef123456/"
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})


def policy(resource: str = "*", action: str = "execute-api:Invoke", effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


async def call(world: World, service: str, operation: str, **request: Any) -> dict[str, Any]:
    return await world.operations.bind(world.call)(service, operation, request)


async def user(world: World, *policies: str, name: str = "ann") -> Credentials:
    await call(world, "iam", "CreateUser", UserName=name)
    for number, text in enumerate(policies):
        await call(world, "iam", "PutUserPolicy", UserName=name, PolicyName=f"p{number}", PolicyDocument=text)
    key = (await call(world, "iam", "CreateAccessKey", UserName=name))["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


async def http_path(world: World) -> str:
    api_id = await world.http_api("ANY /items/{proxy+}", "$default")
    for route in (await world.v2("GetRoutes", ApiId=api_id))["Items"]:
        await world.v2("UpdateRoute", ApiId=api_id, RouteId=route["RouteId"], AuthorizationType="AWS_IAM")
    return f"/_aws/execute-api/{api_id}"


async def rest_path(world: World) -> str:
    api_id = await world.rest_api(deploy=False)
    await world.rest_method(api_id, "ANY /items", authorizationType="AWS_IAM")
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return f"/_aws/execute-api/{api_id}/dev/items"


async def url(world: World, *statements: dict[str, Any]) -> None:
    document = {"FunctionArn": FUNCTION, "UrlId": "abcdef123456", "AuthType": "AWS_IAM", "InvokeMode": "BUFFERED"}
    policies = {"": {"statements": list(statements), "revision": "1"}}
    await world.store.write(
        Put("lambda.url", "us-east-1/hello/", document),
        Put("lambda.function", "us-east-1/hello", {"policies": policies}),
    )


async def get(world: World, credentials: Credentials, path: str, **options: Any) -> Response:
    return await world.send("GET", path, signed_headers(credentials, "GET", path, **options))


async def test_an_http_api_tells_the_function_who_signed(world: World) -> None:
    credentials = await user(world, policy())
    path = await http_path(world)
    for target in (
        "/items/a%20b/c~d",
        "/items/x?b=2&a=1&a=0&empty",
        "/other/",
        "/items/q?q=a%20b%2Bc",
        "/items/q?q=a+b",
    ):
        event = event_of(await get(world, credentials, path + target))
        assert event["requestContext"]["authorizer"]["iam"] == {
            "accessKey": credentials.access_key,
            "accountId": "000000000000",
            "callerId": event["requestContext"]["authorizer"]["iam"]["userId"],
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": "arn:aws:iam::000000000000:user/ann",
            "userId": event["requestContext"]["authorizer"]["iam"]["userId"],
        }
        assert event["requestContext"]["authorizer"]["iam"]["userId"].startswith("AIDA")


async def test_an_http_api_answers_every_failure_alike(world: World) -> None:
    credentials = await user(world, policy())
    path = await http_path(world) + "/items/a"
    stranger = Credentials("AKIANOBODY", credentials.secret_key)
    wrong = Credentials(credentials.access_key, "wrong")
    answers = [
        await world.get(path),
        await world.get(path, ("Authorization", "Bearer x")),
        await world.get(path, ("Authorization", "AWS4-HMAC-SHA256 Credential=x")),
        await get(world, stranger, path),
        await get(world, wrong, path),
        await get(world, credentials, path, at_s=NOW_S - 301),
        await get(world, credentials, path, region="eu-west-1"),
        await get(world, credentials, path, service="lambda"),
    ]
    assert [(each.status, each.body) for each in answers] == [(403, b'{"message":"Forbidden"}')] * len(answers)
    assert world.functions.invocations == []


async def test_a_rest_api_says_which_failure_it_was(world: World) -> None:
    credentials = await user(world, policy())
    path = await rest_path(world)
    identity = event_of(await get(world, credentials, path))["requestContext"]["identity"]
    assert (identity["userArn"], identity["accessKey"]) == (
        "arn:aws:iam::000000000000:user/ann",
        credentials.access_key,
    )

    def told(response: Response) -> tuple[int, str | None, str]:
        body = json.loads(response.body)
        return response.status, header(response, "x-amzn-ErrorType"), body.get("message") or body["Message"]

    assert told(await world.get(path)) == (
        403, "MissingAuthenticationTokenException", "Missing Authentication Token",
    )  # fmt: skip
    unknown = Credentials("AKIANOBODY", "x")
    assert told(await get(world, unknown, path)) == (
        403, "UnrecognizedClientException", "The security token included in the request is invalid.",
    )  # fmt: skip
    status, kind, message = told(await get(world, Credentials(credentials.access_key, "wrong"), path))
    assert (status, kind) == (403, "InvalidSignatureException")
    assert message.startswith(MISMATCH)
    assert "The Canonical String for this request should have been" in message
    status, kind, message = told(await get(world, credentials, path, at_s=NOW_S - 301))
    assert (kind, message) == (
        "InvalidSignatureException",
        "Signature expired: 20200304T185857Z is now earlier than 20200304T185858Z (20200304T190358Z - 5 min.)",
    )
    assert told(await get(world, credentials, path, at_s=NOW_S + 302))[2].startswith("Signature not yet current")
    assert told(await world.get(path, ("Authorization", "Bearer x")))[1] == "IncompleteSignatureException"


async def test_the_callers_policies_decide(world: World) -> None:
    path = await http_path(world)
    api_id = path.rpartition("/")[2]
    arn = f"arn:aws:execute-api:us-east-1:*:{api_id}"
    nothing = await user(world, name="nothing")
    assert (await get(world, nothing, f"{path}/items/a")).status == 403
    some = await user(
        world, policy(f"{arn}/$default/GET/items/*"), policy(f"{arn}/*/GET/items/admin", effect="Deny"), name="some"
    )
    assert (await get(world, some, f"{path}/items/a")).status == 200
    assert (await get(world, some, f"{path}/items/admin")).status == 403
    assert (await get(world, some, f"{path}/items/%61dmin")).status == 403
    assert (await get(world, some, f"{path}/other")).status == 403
    elsewhere = await user(
        world, policy(Condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}), name="elsewhere"
    )
    assert (await get(world, elsewhere, f"{path}/items/a")).status == 403
    here = await user(world, policy(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}), name="here")
    assert (await get(world, here, f"{path}/items/a")).status == 200
    managed = await user(world, name="managed")
    everything = "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess"
    await call(world, "iam", "AttachUserPolicy", UserName="managed", PolicyArn=everything)
    assert (await get(world, managed, f"{path}/items/a")).status == 200
    boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    await call(world, "iam", "PutUserPermissionsBoundary", UserName="managed", PermissionsBoundary=boundary)
    assert (await get(world, managed, f"{path}/items/a")).status == 403


async def test_a_group_gives_and_an_inactive_key_ends(world: World) -> None:
    path = f"{await http_path(world)}/items/a"
    credentials = await user(world)
    await call(world, "iam", "CreateGroup", GroupName="callers")
    await call(world, "iam", "PutGroupPolicy", GroupName="callers", PolicyName="p", PolicyDocument=policy())
    await call(world, "iam", "AddUserToGroup", GroupName="callers", UserName="ann")
    assert (await get(world, credentials, path)).status == 200
    await call(world, "iam", "UpdateAccessKey", UserName="ann", AccessKeyId=credentials.access_key, Status="Inactive")
    assert (await get(world, credentials, path)).status == 403


async def test_a_session_of_a_role_ends_and_its_policy_limits_it(world: World) -> None:
    path = await http_path(world)
    await call(world, "iam", "CreateRole", RoleName="caller", AssumeRolePolicyDocument=TRUST)
    await call(world, "iam", "PutRolePolicy", RoleName="caller", PolicyName="p", PolicyDocument=policy())
    role = {"RoleArn": "arn:aws:iam::000000000000:role/caller", "RoleSessionName": "me"}

    async def session(**more: Any) -> Credentials:
        made = (await call(world, "sts", "AssumeRole", **role, **more))["Credentials"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    credentials = await session()
    event = event_of(await get(world, credentials, f"{path}/items/a"))
    iam = event["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"] == "arn:aws:sts::000000000000:assumed-role/caller/me"
    limited = await session(Policy=policy("*/items/only"))
    assert (await get(world, limited, f"{path}/items/only")).status == 200
    assert (await get(world, limited, f"{path}/items/a")).status == 403
    other_token = Credentials(credentials.access_key, credentials.secret_key, limited.token)
    assert (await get(world, other_token, f"{path}/items/a")).status == 403
    assert (
        await get(world, Credentials(credentials.access_key, credentials.secret_key), f"{path}/items/a")
    ).status == 403
    world.clock.at_s += 3601
    assert (await get(world, credentials, f"{path}/items/a", at_s=world.clock.at_s)).status == 403


async def test_a_function_signs_as_a_session_of_its_role(world: World) -> None:
    path = f"{await http_path(world)}/items/a"
    issued = world.sessions.issue("arn:aws:iam::000000000000:role/path/caller", "hello")
    credentials = Credentials(issued.access_key, issued.secret, issued.token)
    assert (await get(world, credentials, path)).status == 403
    await call(world, "iam", "CreateRole", RoleName="caller", AssumeRolePolicyDocument=TRUST)
    await call(world, "iam", "PutRolePolicy", RoleName="caller", PolicyName="p", PolicyDocument=policy())
    event = event_of(await get(world, credentials, path))
    iam = event["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"] == "arn:aws:sts::000000000000:assumed-role/caller/hello"
    forged = Credentials(issued.access_key, issued.secret, issued.token[:-4] + "AAA=")
    assert (await get(world, forged, path)).status == 403


async def test_a_function_url_asks_for_both_its_actions(world: World) -> None:
    await url(world)
    wrong = await user(world, policy(), name="wrong")
    denied = await get(world, wrong, URL_PATH, service="lambda")
    assert (denied.status, denied.body) == (403, b'{"Message":"Forbidden"}')
    assert header(denied, "x-amzn-ErrorType") == "AccessDeniedException"
    half = await user(world, policy(FUNCTION, "lambda:InvokeFunctionUrl"), name="half")
    assert (await get(world, half, URL_PATH, service="lambda")).status == 403
    right = await user(world, policy(FUNCTION, "lambda:InvokeFunction*"), name="right")
    context = event_of(await get(world, right, URL_PATH, service="lambda"))["requestContext"]
    assert (context["accountId"], context["authorizer"]["iam"]["accessKey"]) == ("000000000000", right.access_key)
    bad = await get(world, Credentials(right.access_key, "no"), URL_PATH, service="lambda")
    assert (bad.status, header(bad, "x-amzn-ErrorType")) == (403, "InvalidSignatureException")
    assert json.loads(bad.body)["message"].endswith("Consult the service documentation for details.")


async def test_a_functions_policy_lets_a_user_in(world: World) -> None:
    ann = await user(world)
    named = {
        "Sid": "1", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:user/ann"},
        "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], "Resource": FUNCTION,
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
    }  # fmt: skip
    await url(world, {**named, "Principal": {"AWS": "arn:aws:iam::000000000000:root"}})
    assert (await get(world, ann, URL_PATH, service="lambda")).status == 403  # The account alone allows nobody.
    await url(world, named)
    assert (await get(world, ann, URL_PATH, service="lambda")).status == 200
    await url(world, named, {**named, "Sid": "2", "Effect": "Deny", "Principal": "*"})
    assert (await get(world, ann, URL_PATH, service="lambda")).status == 403


async def test_a_presigned_address_works_until_it_expires(world: World) -> None:
    credentials = await user(world, policy())
    path = await rest_path(world)
    address = presigned(credentials, f"{path}?a=b%20c&a=b")
    assert (await world.get(address)).status == 200
    assert (await world.get(address.replace("a=b%20c", "a=x"))).status == 403
    assert (await world.get(presigned(credentials, path, at_s=NOW_S - 61))).status == 403
    assert (await world.get(address.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))).status == 403
    assert (await world.get(address + "&X-Amz-Expires=604800")).status == 403


async def test_the_body_is_signed_and_no_header_says_otherwise(world: World) -> None:
    credentials = await user(world, policy())
    path = f"{await http_path(world)}/items/a"
    headers = signed_headers(credentials, "POST", path, b"body")
    assert (await world.send("POST", path, headers, b"body")).status == 200
    assert (await world.send("POST", path, headers, b"Body")).status == 403
    assert (await world.send("PUT", path, headers, b"body")).status == 403
    for value in ("UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        told = {"X-Amz-Content-SHA256": value}
        unsigned = signed_headers(credentials, "POST", path, b"body", **told)
        assert (await world.send("POST", path, unsigned, b"body")).status == 403


async def test_the_host_must_be_signed_and_be_the_one_that_was_called(world: World) -> None:
    credentials = await user(world, policy())
    path = f"{await http_path(world)}/items/a"
    headers = signed_headers(credentials, "GET", path)
    assert (await world.send("GET", path, headers, host="localhost:9999")).status == 403
    without = [(name, value.replace("SignedHeaders=host;", "SignedHeaders=")) for name, value in headers]
    assert (await world.send("GET", path, without)).status == 403


TEXT = st.text(st.characters(max_codepoint=255), max_size=200)


@given(TEXT, TEXT, TEXT, st.sampled_from(["", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, "]))
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_no_signature_and_no_crash(authorization: str, query: str, date: str, begin: str) -> None:
    lower = {"host": "a", "authorization": begin + authorization, "x-amz-date": date, "date": date}
    for headers, text in ((lower, query), ({"host": "a"}, "X-Amz-Algorithm=AWS4-HMAC-SHA256&" + query)):
        request = SignedRequest("GET", "/" + query, text, headers, b"")
        try:
            signature = read_signature(request)
            assert signature is not None
            check_scope(signature, "us-east-1", "execute-api")
            check_time(signature, NOW_S)
            verify(signature, request, "secret")
        except SignatureProblem:
            continue
        pytest.fail("nobody signed this")
