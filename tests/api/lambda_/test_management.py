"""Runtime updates and recursive loops of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped

ECHO = "def handler(event, context):\n    return event\n"


def test_runtime_updates_are_kept_by_version_and_a_pinned_runtime_is_refused_by_name(
    lambda_: Any, make: Callable[..., str]
) -> None:
    name = make(ECHO)
    assert lambda_.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    set_ = lambda_.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
    assert set_["FunctionArn"].endswith(f":{name}:$LATEST")
    assert lambda_.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "FunctionUpdate"
    version = lambda_.publish_version(FunctionName=name)["Version"]
    found = lambda_.get_runtime_management_config(FunctionName=name, Qualifier=version)
    assert found["UpdateRuntimeOn"] == "Auto"
    with pytest.raises(ClientError, match="Manual, which pins a runtime version of AWS, is not supported"):
        lambda_.put_runtime_management_config(
            FunctionName=name,
            UpdateRuntimeOn="Manual",
            RuntimeVersionArn="arn:aws:lambda:us-east-1::runtime:8eeff65f6809a3ce81507fe733fe09b835899b99481ba22fd75b5a7338290ec1",
        )


def test_the_treatment_of_recursive_loops_is_kept_until_the_function_goes(
    lambda_: Any, make: Callable[..., str]
) -> None:
    name = make(ECHO)
    assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    lambda_.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
    lambda_.delete_function(FunctionName=name)
    lambda_.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": ECHO})},
    )
    assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
