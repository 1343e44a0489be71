"""AWS: "Configuring provisioned concurrency for a function", PutProvisionedConcurrencyConfig."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE
from tests.api.lambda_.test_invoke import until
from tests.live import LiveServer

Make = Callable[..., str]
_KIND = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
# Marks that it runs by a message, and runs until there is another queue.
_HOLD = """
import boto3, os
sqs = boto3.client('sqs')
def handler(event, context):
    if event:
        sqs.send_message(QueueUrl=event['runs'], MessageBody='one')
        while not sqs.list_queues(QueueNamePrefix=event['until']).get('QueueUrls'):
            pass
    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']
"""


def _ready(lambda_: Any, name: str, qualifier: str) -> Any:
    found: dict[str, Any] = {}

    def ask() -> bool:
        found.update(lambda_.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier))
        return found["Status"] != "IN_PROGRESS"

    until(ask)
    return found


def test_environments_are_up_before_anyone_asks_and_an_alias_takes_them_along(make: Make, lambda_: Any) -> None:
    name = make(_KIND)
    for _ in range(2):
        lambda_.publish_version(FunctionName=name)
        lambda_.update_function_configuration(FunctionName=name, Description="another")
    lambda_.publish_version(FunctionName=name)
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    begun = lambda_.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=2
    )
    assert (begun["Status"], begun["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    ready = _ready(lambda_, name, "live")
    assert ready["Status"] == "READY"
    assert ready["AllocatedProvisionedConcurrentExecutions"] == ready["AvailableProvisionedConcurrentExecutions"] == 2

    def kind(qualifier: str) -> Any:
        return json.loads(lambda_.invoke(FunctionName=name, Qualifier=qualifier)["Payload"].read())

    assert (kind("live"), kind("1"), kind("$LATEST")) == ("provisioned-concurrency",) * 2 + ("on-demand",)
    (listed,) = lambda_.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert (listed["FunctionArn"].rsplit(":", 1)[1], listed["Status"]) == ("live", "READY")
    lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert _ready(lambda_, name, "live")["Status"] == "READY"
    assert kind("2") == "provisioned-concurrency"
    lambda_.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    with pytest.raises(ClientError) as error:
        lambda_.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert error.value.response["Error"]["Code"] == "ProvisionedConcurrencyConfigNotFoundException"


def test_an_init_that_fails_is_told_with_its_reason(make: Make, lambda_: Any) -> None:
    name = make("1 / 0\n")
    lambda_.publish_version(FunctionName=name)
    lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    failed = _ready(lambda_, name, "1")
    assert (failed["Status"], failed["StatusReason"]) == ("FAILED", "FUNCTION_ERROR_INIT_FAILURE")


def test_what_is_beyond_it_spills_over(server: LiveServer, make: Make, lambda_: Any) -> None:
    sqs, name = server.client("sqs"), make(_HOLD, Timeout=60)
    runs = sqs.create_queue(QueueName="spill-runs")["QueueUrl"]
    lambda_.publish_version(FunctionName=name)
    lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    assert _ready(lambda_, name, "1")["Status"] == "READY"
    event = json.dumps({"runs": runs, "until": "spill-end"})
    kinds = []

    def call() -> None:
        kinds.append(json.loads(lambda_.invoke(FunctionName=name, Qualifier="1", Payload=event)["Payload"].read()))

    callers = [threading.Thread(target=call) for _ in range(2)]
    wanted = ["ApproximateNumberOfMessages"]
    for number, caller in enumerate(callers, 1):
        caller.start()
        until(
            lambda number=number: (
                int(sqs.get_queue_attributes(QueueUrl=runs, AttributeNames=wanted)["Attributes"][wanted[0]]) == number
            )
        )
    sqs.create_queue(QueueName="spill-end")
    for caller in callers:
        caller.join()
    assert sorted(kinds) == ["on-demand", "provisioned-concurrency"]


def test_where_all_of_the_reservation_is_provisioned_latest_is_throttled(make: Make, lambda_: Any) -> None:
    name = make(_KIND)
    lambda_.publish_version(FunctionName=name)
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    assert _ready(lambda_, name, "1")["Status"] == "READY"
    with pytest.raises(ClientError) as error:
        lambda_.invoke(FunctionName=name)
    assert error.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert lambda_.invoke(FunctionName=name, Qualifier="1")["StatusCode"] == 200
    with pytest.raises(ClientError, match=r" ReservedConcurrentExecutions  0 should not be lower than function's"):
        lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="should not be greater than the reservedConcurrentExecution"):
        lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=2)


def test_what_aws_refuses_is_refused(make: Make, lambda_: Any) -> None:
    name, other = make(_KIND), make(_KIND)
    for each in (name, other):
        lambda_.publish_version(FunctionName=each)
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    with pytest.raises(ClientError, match="cannot be applied to unpublished function versions"):
        lambda_.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )
    lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
    with pytest.raises(ClientError, match="on an already Provisioned version 1"):
        lambda_.put_provisioned_concurrency_config(FunctionName=name, Qualifier="1", ProvisionedConcurrentExecutions=1)
    lambda_.put_function_concurrency(FunctionName=other, ReservedConcurrentExecutions=800)
    try:
        with pytest.raises(ClientError, match=r"unreserved concurrency \[\d+\]"):
            lambda_.put_provisioned_concurrency_config(
                FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=101
            )
    finally:
        lambda_.delete_function_concurrency(FunctionName=other)


def _template(source: str) -> str:
    return json.dumps({
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "F": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "InlineCode": source,
                    "Handler": "index.handler",
                    "Runtime": "python3.11",
                    "Role": ROLE,
                    "AutoPublishAlias": "live",
                    "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2},
                },
            }
        },
        "Outputs": {"Name": {"Value": {"Ref": "F"}}},
    })  # fmt: skip


def test_a_template_is_deployed_when_its_environments_are_up(server: LiveServer, lambda_: Any) -> None:
    stacks = server.client("cloudformation")
    stacks.create_stack(StackName="provisioned", TemplateBody=_template(_KIND), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_create_complete").wait(StackName="provisioned", WaiterConfig={"Delay": 1})
    (output,) = stacks.describe_stacks(StackName="provisioned")["Stacks"][0]["Outputs"]
    found = lambda_.get_provisioned_concurrency_config(FunctionName=output["OutputValue"], Qualifier="live")
    assert (found["Status"], found["AvailableProvisionedConcurrentExecutions"]) == ("READY", 2)
    stacks.delete_stack(StackName="provisioned")
    stacks.get_waiter("stack_delete_complete").wait(StackName="provisioned", WaiterConfig={"Delay": 1})


def test_a_template_whose_init_fails_is_rolled_back_with_the_reason(server: LiveServer) -> None:
    stacks = server.client("cloudformation")
    stacks.create_stack(StackName="broken", TemplateBody=_template("1 / 0\n"), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    until(lambda: stacks.describe_stacks(StackName="broken")["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE")
    reasons = [event.get("ResourceStatusReason", "") for event in _events(stacks, "broken")]
    assert any("FUNCTION_ERROR_INIT_FAILURE" in reason for reason in reasons)
    stacks.delete_stack(StackName="broken")


def _events(stacks: Any, name: str) -> list[Any]:
    return list(stacks.describe_stack_events(StackName=name)["StackEvents"])
