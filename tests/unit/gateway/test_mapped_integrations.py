"""Non-proxy integrations of REST APIs: templates make the event, selection patterns and templates make the answer.

Developer Guide, "Set up Lambda custom integrations", "Integration passthrough behaviors", "Mapping parameters".
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.world import FUNCTION, World, header, invoke_uri

from freehold.aws.errors import AwsError

JSON = "application/json"
ROLE = {"credentials": "arn:aws:iam::000000000000:role/gateway"}


@pytest.fixture
def world() -> World:
    return World()


async def mapped(world: World, answers: dict[str, dict[str, Any]], **integration: Any) -> str:
    """An API whose POST /things calls the function through templates; the URL of the method."""
    api_id = await world.rest_api("GET /other", deploy=False)
    where = {"restApiId": api_id, "resourceId": await world.rest_resource(api_id, "/things"), "httpMethod": "POST"}
    await world.rest("PutMethod", **where, authorizationType="NONE")
    settings = {"type": "AWS", "integrationHttpMethod": "POST", "uri": invoke_uri(FUNCTION), **integration}
    await world.rest("PutIntegration", **where, **settings)
    for status, answer in answers.items():
        await world.rest("PutIntegrationResponse", **where, statusCode=status, **answer)
    await world.rest("CreateDeployment", restApiId=api_id, stageName="dev")
    return f"/_aws/execute-api/{api_id}/dev/things"


def answering(world: World, answer: Any) -> None:
    name = FUNCTION.split(":")[6]

    def run(event: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    world.functions.answers[name] = run


async def test_templates_make_the_event_and_the_answer(world: World) -> None:
    template = '{"name": $input.json(\'$.name\'), "page": "$input.params(\'page\')", "stage": "$context.stage"}'
    url = await mapped(
        world,
        {"200": {"responseTemplates": {JSON: '{"said": "$input.path(\'$.text\')"}'}}},
        requestTemplates={JSON: template},
    )
    answering(world, {"text": "hello"})
    response = await world.send("POST", f"{url}?page=3", [("Content-Type", JSON)], b'{"name": "Ada"}')
    assert world.functions.events == [{"name": "Ada", "page": "3", "stage": "dev"}]
    assert (response.status, json.loads(response.body)) == (200, {"said": "hello"})
    assert header(response, "content-type") == JSON


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [("[404] no such thing", 404, {"message": "[404] no such thing"}), ("something else", 200, {})],
    ids=["selected", "default"],
)
async def test_an_errors_message_selects_the_answer(world: World, error: str, status: int, body: Any) -> None:
    url = await mapped(
        world,
        {
            "200": {"responseTemplates": {JSON: "{}"}},
            "404": {
                "selectionPattern": r"\[404\].*",
                "responseTemplates": {JSON: '{"message": "$input.path(\'$.errorMessage\')"}'},
            },
        },
    )
    answering(world, ValueError(error))
    response = await world.send("POST", url, [("Content-Type", JSON)], b"{}")
    assert (response.status, json.loads(response.body)) == (status, body)


async def test_an_answers_headers_and_status_come_from_where_the_mapping_says(world: World) -> None:
    url = await mapped(
        world,
        {
            "200": {
                "responseParameters": {
                    "method.response.header.X-Static": "'text'",
                    "method.response.header.X-Body": "integration.response.body.place",
                    "method.response.header.X-Stage": "context.stage",
                    "method.response.header.X-Nothing": "integration.response.body.none",
                },
                "responseTemplates": {
                    JSON: "#set($context.responseOverride.status = 201)"
                    "#set($context.responseOverride.header.X-Static = 'changed')$input.json('$')"
                },
            }
        },
    )
    answering(world, {"place": "/things/1"})
    response = await world.send("POST", url, [("Content-Type", JSON)], b"{}")
    assert response.status == 201
    assert [header(response, name) for name in ("x-static", "x-body", "x-stage", "x-nothing")] == [
        "changed",
        "/things/1",
        "dev",
        None,
    ]


@pytest.mark.parametrize(
    ("behaviour", "templates", "status"),
    [
        ("WHEN_NO_MATCH", {JSON: "{}"}, 200),
        ("WHEN_NO_TEMPLATES", {JSON: "{}"}, 415),
        ("WHEN_NO_TEMPLATES", {}, 200),
        ("NEVER", {}, 415),
    ],
)
async def test_a_type_without_a_template_passes_as_the_behaviour_says(
    world: World, behaviour: str, templates: dict[str, str], status: int
) -> None:
    url = await mapped(world, {"200": {}}, passthroughBehavior=behaviour, requestTemplates=templates)
    answering(world, {})
    response = await world.send("POST", url, [("Content-Type", "application/other")], b'{"as": "sent"}')
    assert response.status == status
    assert world.functions.events == ([{"as": "sent"}] if status == 200 else [])


async def test_a_template_that_fails_is_an_internal_error(world: World) -> None:
    url = await mapped(world, {"200": {"responseTemplates": {JSON: "#set($s = 'a')$s.substring(9)"}}})
    answering(world, {})
    response = await world.send("POST", url, [("Content-Type", JSON)], b"{}")
    assert (response.status, json.loads(response.body)) == (500, {"message": "Internal server error"})


@pytest.mark.parametrize(
    ("integration", "answer", "words"),
    [
        ({"requestParameters": {"integration.request.header.X": "method.other.x"}}, {}, "method.other.x"),
        ({"requestParameters": {"integration.request.cookie.X": "'a'"}}, {}, "integration.request.cookie.X"),
        ({"contentHandling": "CONVERT_TO_BINARY"}, {}, "CONVERT_TO_BINARY"),
        ({"uri": "arn:aws:apigateway:us-east-1:sqs:path/000000000000/q"}, {}, "Role ARN must be specified"),
        ({**ROLE, "uri": "arn:aws:apigateway:us-east-1:kinesis:action/PutRecord"}, {}, "service kinesis"),
        ({**ROLE, "uri": "arn:aws:apigateway:us-east-1:dynamodb:action/Bake"}, {}, "Unknown action Bake"),
        ({**ROLE, "uri": "arn:aws:apigateway:us-east-1:dynamodb:PutItem"}, {}, "must contain path or action"),
        ({"type": "HTTP", "uri": "ftp://example.com"}, {}, "Invalid HTTP endpoint"),
        ({"tlsConfig": {"insecureSkipVerification": True}}, {}, "tlsConfig.insecureSkipVerification"),
        ({}, {"responseParameters": {"method.response.header.X": "somewhere.else"}}, "somewhere.else"),
        ({}, {"selectionPattern": "(("}, "Invalid selection pattern"),
    ],
    ids=[
        "parameters source",
        "parameters place",
        "binary",
        "no role",
        "no such service",
        "no such action",
        "no path nor action",
        "no http",
        "no verification",
        "source",
        "pattern",
    ],
)
async def test_what_cannot_be_honoured_does_not_deploy(
    world: World, integration: dict[str, Any], answer: dict[str, Any], words: str
) -> None:
    with pytest.raises(AwsError) as error:
        await mapped(world, {"200": answer}, **integration)
    assert words in error.value.message
    assert "POST /things" in error.value.message
