"""The SDKs' waiters, on functions and versions of a running server. AWS: "Lambda function states"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped

Make = Callable[..., str]
_SOON = {"Delay": 1, "MaxAttempts": 30}


def test_every_waiter_of_functions_ends(make: Make, lambda_: Any) -> None:
    name = make("def handler(event, context):\n    return 1\n")
    for waiter in (
        "function_exists",
        "function_active",
        "function_active_v2",
        "function_updated",
        "function_updated_v2",
    ):
        lambda_.get_waiter(waiter).wait(FunctionName=name, WaiterConfig=_SOON)
    lambda_.update_function_configuration(FunctionName=name, MemorySize=256)
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=_SOON)
    version = lambda_.publish_version(FunctionName=name)["Version"]
    lambda_.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version, WaiterConfig=_SOON)
    shown = lambda_.get_function_configuration(FunctionName=name, Qualifier=version)
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in shown


def test_a_function_made_and_published_at_once_is_active(make: Make, lambda_: Any) -> None:
    name = make("def handler(event, context):\n    return 1\n", Publish=True)
    assert lambda_.get_function_configuration(FunctionName=name, Qualifier="1")["State"] == "Active"
    assert lambda_.invoke(FunctionName=name, Qualifier="1")["Payload"].read() == b"1"


def test_the_states_of_listed_functions_are_not_told(make: Make, lambda_: Any) -> None:
    name = make("def handler(event, context):\n    return 1\n")
    pages = lambda_.get_paginator("list_functions").paginate()
    (shown,) = [each for page in pages for each in page["Functions"] if each["FunctionName"] == name]
    assert not {"State", "StateReason", "StateReasonCode", "LastUpdateStatus"} & set(shown)


def test_a_name_that_is_free_again_makes_another_function(make: Make, lambda_: Any) -> None:
    first = make("def handler(event, context):\n    return 1\n")
    lambda_.delete_function(FunctionName=first)
    with pytest.raises(ClientError) as error:
        lambda_.invoke(FunctionName=first)
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    lambda_.create_function(
        FunctionName=first,
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": zipped({"app.py": "def handler(event, context):\n    return 2\n"})},
    )
    assert lambda_.invoke(FunctionName=first)["Payload"].read() == b"2"
