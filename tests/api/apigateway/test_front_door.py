"""What stands in front of a REST API's methods, asked over HTTP of a live server. The methods are MOCKs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.e2e.conftest import fetch
from tests.live import LiveServer

Client = Callable[..., Any]


@pytest.fixture
def rest(client: Client) -> Any:
    return client("apigateway")


@pytest.fixture
def api(rest: Any) -> Iterator[str]:
    made = rest.create_rest_api(name="door")["id"]
    yield made
    rest.delete_rest_api(restApiId=made)


def put_mock(rest: Any, api: str, verb: str, path: str, **method: Any) -> dict[str, Any]:
    root = rest.get_rest_api(restApiId=api)["rootResourceId"]
    resource = rest.create_resource(restApiId=api, parentId=root, pathPart=path)["id"]
    where = {"restApiId": api, "resourceId": resource, "httpMethod": verb}
    rest.put_method(**{**where, "authorizationType": "NONE", **method})
    rest.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    rest.put_method_response(**where, statusCode="200")
    answer = {"application/json": '{"passed": true}'}
    rest.put_integration_response(**where, statusCode="200", responseTemplates=answer)
    return where


def test_a_validator_keeps_wrong_requests_out(rest: Any, api: str, server: LiveServer) -> None:
    schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    rest.create_model(restApiId=api, name="Item", contentType="application/json", schema=json.dumps(schema))
    validator = rest.create_request_validator(
        restApiId=api, name="all", validateRequestBody=True, validateRequestParameters=True
    )
    put_mock(
        rest,
        api,
        "POST",
        "items",
        requestValidatorId=validator["id"],
        requestModels={"application/json": "Item"},
        requestParameters={"method.request.querystring.page": True},
    )
    rest.create_deployment(restApiId=api, stageName="dev")
    url = f"{server.endpoint}/_aws/execute-api/{api}/dev/items"
    missing = fetch(url, "POST", {"name": "a"})
    assert (missing.status, missing.json) == (400, {"message": "Missing required request parameters: [page]"})
    wrong = fetch(f"{url}?page=1", "POST", {"name": 1})
    assert (wrong.status, wrong.json) == (400, {"message": "Invalid request body"})
    assert fetch(f"{url}?page=1", "POST", {"name": "a"}).json == {"passed": True}
    patches = [{"op": "replace", "path": "/validateRequestBody", "value": "false"}]
    rest.update_request_validator(restApiId=api, requestValidatorId=validator["id"], patchOperations=patches)
    assert fetch(f"{url}?page=1", "POST", {"name": 1}).status == 400  # Deployments are snapshots.
    rest.create_deployment(restApiId=api, stageName="dev")
    assert fetch(f"{url}?page=1", "POST", {"name": 1}).status == 200


def test_keys_quotas_and_usage_survive_a_restart(own_server: LiveServer) -> None:
    rest = own_server.client("apigateway")
    api = rest.create_rest_api(name="metered")["id"]
    put_mock(rest, api, "GET", "items", apiKeyRequired=True)
    rest.create_deployment(restApiId=api, stageName="dev")
    stages = [{"apiId": api, "stage": "dev"}]
    plan = rest.create_usage_plan(name="p", apiStages=stages, quota={"limit": 3, "period": "MONTH"})["id"]
    table = (
        f"name,key,description,Enabled,usageplanIds\nimported,{'k' * 30},some words,TRUE,{plan}\nagain,{'k' * 30},,,"
    )
    imported = rest.import_api_keys(body=table.encode(), format="csv")
    assert (len(imported["ids"]), imported["warnings"]) == (1, ["API Key already exists, at row 2"])

    def ask(key: str | None) -> tuple[int, Any]:
        headers = {"x-api-key": key} if key else {}
        answer = fetch(f"{own_server.endpoint}/_aws/execute-api/{api}/dev/items", headers=headers)
        return answer.status, answer.json

    assert ask(None) == (403, {"message": "Forbidden"})
    assert [ask("k" * 30)[0] for _ in range(2)] == [200, 200]
    own_server.restart()
    assert ask("k" * 30) == (200, {"passed": True})
    assert ask("k" * 30) == (429, {"message": "Limit Exceeded"})
    own_server.restart()
    today = datetime.now(UTC).date().isoformat()
    usage = rest.get_usage(usagePlanId=plan, startDate=today, endDate=today)
    assert usage["items"] == {imported["ids"][0]: [[3, 0]]}
    remaining = [{"op": "replace", "path": "/remaining", "value": "1"}]
    rest.update_usage(usagePlanId=plan, keyId=imported["ids"][0], patchOperations=remaining)
    assert [ask("k" * 30)[0] for _ in range(2)] == [200, 429]


def put_backed(rest: Any, api: str, verb: str, path: str, answers: dict[str, Any], **integration: Any) -> None:
    root = rest.get_rest_api(restApiId=api)["rootResourceId"]
    resource = rest.create_resource(restApiId=api, parentId=root, pathPart=path)["id"]
    where = {"restApiId": api, "resourceId": resource, "httpMethod": verb}
    rest.put_method(**where, authorizationType="NONE")
    rest.put_integration(**where, integrationHttpMethod="POST", **integration)
    for status, answer in answers.items():
        rest.put_method_response(**where, statusCode=status)
        rest.put_integration_response(**where, statusCode=status, **answer)


def test_tables_and_queues_stand_behind_an_api_without_a_function(
    rest: Any, api: str, client: Client, server: LiveServer
) -> None:
    role = "arn:aws:iam::000000000000:role/gateway"
    client("dynamodb").create_table(
        TableName="behind",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    queue = client("sqs").create_queue(QueueName="behind")["QueueUrl"]
    put_backed(
        rest,
        api,
        "POST",
        "items",
        {"200": {}, "400": {"selectionPattern": r"4\d{2}"}},
        type="AWS",
        uri="arn:aws:apigateway:us-east-1:dynamodb:action/PutItem",
        credentials=role,
        requestTemplates={"application/json": '{"TableName": "behind", "Item": {"id": {"S": $input.json("$.id")}}}'},
    )
    account = queue.split("/")[-2]
    put_backed(
        rest,
        api,
        "POST",
        "jobs",
        {"200": {}},
        type="AWS",
        uri=f"arn:aws:apigateway:us-east-1:sqs:path/{account}/behind",
        credentials=role,
        requestParameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
        requestTemplates={"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
    )
    rest.create_deployment(restApiId=api, stageName="dev")
    url = f"{server.endpoint}/_aws/execute-api/{api}/dev"
    assert fetch(f"{url}/items", "POST", {"id": "7"}).status == 200
    assert client("dynamodb").get_item(TableName="behind", Key={"id": {"S": "7"}})["Item"] == {"id": {"S": "7"}}
    assert fetch(f"{url}/items", "POST", {"id": 7}).status == 400  # DynamoDB's own word.
    sent = fetch(f"{url}/jobs", "POST", {"do": "it"})
    assert sent.status == 200, sent.json
    message = client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    assert json.loads(message["Body"]) == {"do": "it"}
    assert sent.json["SendMessageResponse"]["SendMessageResult"]["MessageId"] == message["MessageId"]
    client("dynamodb").delete_table(TableName="behind")
    client("sqs").delete_queue(QueueUrl=queue)


def test_a_stage_logs_its_requests_where_cloudwatch_finds_them(
    rest: Any, api: str, client: Client, server: LiveServer
) -> None:
    put_mock(rest, api, "GET", "things")
    rest.create_deployment(restApiId=api, stageName="dev")
    logs = client("logs")
    logs.create_log_group(logGroupName="/front/door")
    arn = logs.describe_log_groups(logGroupNamePrefix="/front/door")["logGroups"][0]["arn"]
    patches = [
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn.removesuffix(":*")},
        {
            "op": "replace",
            "path": "/accessLogSettings/format",
            "value": '{"id":"$context.requestId","s":$context.status}',
        },
        {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
    ]
    rest.update_stage(restApiId=api, stageName="dev", patchOperations=patches)
    answer = fetch(f"{server.endpoint}/_aws/execute-api/{api}/dev/things")
    assert answer.status == 200
    lines = [each["message"] for each in logs.filter_log_events(logGroupName="/front/door")["events"]]
    assert [json.loads(line)["s"] for line in lines] == [200]
    request_id = json.loads(lines[0])["id"]
    group = f"API-Gateway-Execution-Logs_{api}/dev"
    found = logs.filter_log_events(logGroupName=group, filterPattern=f'"{request_id}"')["events"]
    assert found[-1]["message"] == f"({request_id}) Method completed with status: 200"
