"""May API Gateway invoke the function? Its resource policy decides, or the role that the integration names.

Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda"; API Gateway Developer Guide, "Control access to
HTTP APIs with AWS Lambda authorizers" and "Permissions for API Gateway to invoke ...".
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from tests.unit.gateway.test_http_integrations import ROLE, allow, role
from tests.unit.gateway.test_iam_authorizer import get, policy, user
from tests.unit.gateway.test_parameter_mapping import api
from tests.unit.gateway.world import AUTHORIZER, FUNCTION, World, header, invoke_uri

HTTP_500 = (500, b'{"message":"Internal Server Error"}')
REST_500 = (500, b'{"message": "Internal server error"}')


@pytest.mark.parametrize(
    ("source", "passes"),
    [
        ("arn:aws:execute-api:us-east-1:000000000000:{api}/*", True),
        ("arn:aws:execute-api:us-east-1:000000000000:{api}/*/*/pets/*", True),
        ("arn:aws:execute-api:us-east-1:000000000000:{api}/$default/GET/pets/{{petId}}", True),
        ("arn:aws:execute-api:us-east-1:000000000000:{api}/*/POST/pets/*", False),
        ("arn:aws:execute-api:us-east-1:000000000000:{api}/dev/*", False),
        ("arn:aws:execute-api:us-east-1:000000000000:other/*", False),
        ("arn:aws:execute-api:eu-west-1:000000000000:{api}/*", False),
    ],
)
async def test_a_permission_is_for_the_routes_that_it_names(world: World, source: str, passes: bool) -> None:
    url = await api(world)
    world.permit(FUNCTION, source=source.format(api=url.rpartition("/")[2]))
    response = await world.get(f"{url}/pets/1")
    assert response.status == 200 if passes else (response.status, response.body) == HTTP_500
    assert len(world.functions.invocations) == passes


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::000000000000:root"}},
        {"Action": "lambda:GetFunction"},
        {"Resource": f"{FUNCTION}:live"},
        {"Effect": "Deny"},
        {"Condition": {"StringEquals": {"AWS:SourceAccount": "111111111111"}}},
        {"Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}},
    ],
)
async def test_another_permission_does_not_do(world: World, change: dict[str, Any]) -> None:
    url = await api(world)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
    }
    world.set_policy(FUNCTION, {**statement, "Condition": {"StringEquals": {"AWS:SourceAccount": "000000000000"}}})
    assert (await world.get(f"{url}/pets/1")).status == 200
    world.set_policy(FUNCTION, {**statement, **change})
    response = await world.get(f"{url}/pets/1")
    assert (response.status, response.body) == HTTP_500
    world.set_policy(FUNCTION)
    assert (await world.get(f"{url}/pets/1")).status == 500
    assert len(world.functions.invocations) == 1


async def test_an_aliases_permission_is_its_own(world: World) -> None:
    url = await api(world, IntegrationUri=f"{FUNCTION}:live")
    assert (await world.get(f"{url}/pets/1")).status == 500
    world.permit(f"{FUNCTION}:live")
    assert (await world.get(f"{url}/pets/1")).status == 200


async def test_logs_tell_why(world: World) -> None:
    url = await api(world)
    destination = "arn:aws:logs:us-east-1:000000000000:log-group:access"
    settings = {"DestinationArn": destination, "Format": "$context.requestId $context.integrationErrorMessage"}
    await world.v2("UpdateStage", ApiId=url.rpartition("/")[2], StageName="$default", AccessLogSettings=settings)
    world.set_policy(FUNCTION)
    await world.get(f"{url}/pets/1")
    assert "API Gateway doesn't have permissions to call the integration" in world.logged[0][1]


async def test_rest_apis_ask_it_too(world: World) -> None:
    api_id = await world.rest_api("GET /items/{id}")
    url = f"/_aws/execute-api/{api_id}/dev/items/7"
    world.permit(FUNCTION, source=f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/*/GET/items/*")
    assert (await world.get(url)).status == 200
    world.permit(FUNCTION, source=f"arn:aws:execute-api:us-east-1:000000000000:{api_id}/*/POST/items/*")
    response = await world.get(url)
    assert (response.status, response.body) == REST_500
    assert header(response, "x-amzn-ErrorType") == "InternalServerErrorException"
    await world.rest("PutGatewayResponse", restApiId=api_id, responseType="API_CONFIGURATION_ERROR", statusCode="503")
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    assert (await world.get(url)).status == 503


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
async def test_custom_integrations_of_rest_apis_ask_it_too(world: World, kind: str) -> None:
    api_id = await world.rest_api(deploy=False)
    where = {"restApiId": api_id, "resourceId": await world.rest_resource(api_id, "/items"), "httpMethod": "GET"}
    await world.rest("PutMethod", **where, authorizationType="NONE")
    parameters = {"integration.request.header.X-Amz-Invocation-Type": f"'{kind}'"}
    await world.rest(
        "PutIntegration",
        **where,
        type="AWS",
        integrationHttpMethod="POST",
        uri=invoke_uri(FUNCTION),
        requestParameters=parameters,
    )
    await world.rest("PutIntegrationResponse", **where, statusCode="200")
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    world.set_policy(FUNCTION)
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items")
    assert (response.status, response.body) == REST_500
    assert (world.functions.invocations, world.asked) == ([], [])


async def test_authorizers_ask_it_for_themselves(world: World) -> None:
    api_id = await world.http_api()
    authorizer = await world.v2(
        "CreateAuthorizer",
        ApiId=api_id,
        Name="gate",
        AuthorizerType="REQUEST",
        AuthorizerUri=invoke_uri(AUTHORIZER),
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
        IdentitySource=["$request.header.Authorization"],
    )
    target = f"integrations/{(await world.v2('GetIntegrations', ApiId=api_id))['Items'][0]['IntegrationId']}"
    await world.v2(
        "CreateRoute",
        ApiId=api_id,
        RouteKey="GET /items",
        Target=target,
        AuthorizationType="CUSTOM",
        AuthorizerId=authorizer["AuthorizerId"],
    )
    world.functions.answers["gatekeeper"] = lambda event: {"isAuthorized": True}
    url, signed = f"/_aws/execute-api/{api_id}/items", ("Authorization", "me")
    start = f"arn:aws:execute-api:us-east-1:000000000000:{api_id}"
    world.permit(AUTHORIZER, source=f"{start}/authorizers/{authorizer['AuthorizerId']}")
    assert (await world.get(url, signed)).status == 200
    world.permit(AUTHORIZER, source=f"{start}/*/GET/items")
    response = await world.get(url, signed)
    assert (response.status, response.body) == HTTP_500
    assert len(world.functions.invocations) == 2


async def test_a_rest_authorizer_without_permission_is_a_configuration_error(world: World) -> None:
    api_id = await world.rest_api(deploy=False)
    made = await world.rest(
        "CreateAuthorizer",
        restApiId=api_id,
        name="gate",
        type="TOKEN",
        authorizerUri=invoke_uri(AUTHORIZER),
        identitySource="method.request.header.Authorization",
    )
    await world.rest_method(api_id, "GET /items", authorizationType="CUSTOM", authorizerId=made["id"])
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    world.set_policy(AUTHORIZER)
    response = await world.get(f"/_aws/execute-api/{api_id}/dev/items", ("Authorization", "me"))
    assert (response.status, response.body) == (500, b'{"message":null}')
    assert header(response, "x-amzn-ErrorType") == "AuthorizerConfigurationException"
    assert world.functions.invocations == []


async def test_a_role_stands_in_for_the_functions_permission(world: World) -> None:
    url = await api(world, CredentialsArn=ROLE)
    assert (await world.get(f"{url}/pets/1")).status == 500
    await role(world, allow("lambda:InvokeFunction", FUNCTION))
    world.set_policy(FUNCTION)
    assert (await world.get(f"{url}/pets/1")).status == 200
    policy = orjson.dumps({"Statement": [allow("lambda:InvokeFunction", f"{FUNCTION}:live")]}).decode()
    request = {"RoleName": "gateway", "PolicyName": "p", "PolicyDocument": policy}
    await world.operations.bind(world.call)("iam", "PutRolePolicy", request)
    assert (await world.get(f"{url}/pets/1")).status == 500


async def test_the_callers_own_permissions_may_stand_in_for_a_role(world: World) -> None:
    """`arn:aws:iam::*:user/*`: whoever signed the request must be allowed to invoke the function."""
    url = await api(world, CredentialsArn="arn:aws:iam::*:user/*")
    assert (await world.get(f"{url}/pets/1")).status == 500
    api_id = url.rpartition("/")[2]
    (route,) = (await world.v2("GetRoutes", ApiId=api_id))["Items"]
    await world.v2("UpdateRoute", ApiId=api_id, RouteId=route["RouteId"], AuthorizationType="AWS_IAM")
    world.set_policy(FUNCTION)
    may = await user(world, policy(), policy(FUNCTION, action="lambda:InvokeFunction"), name="may")
    may_not = await user(world, policy(), name="maynot")
    assert (await get(world, may, f"{url}/pets/1")).status == 200
    refused = await get(world, may_not, f"{url}/pets/1")
    assert (refused.status, refused.body) == HTTP_500
    assert len(world.functions.invocations) == 1
