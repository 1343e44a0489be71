"""Functions, versions, aliases, layers and what hangs on them, as boto3 sees Lambda's control plane."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.api.lambda_.conftest import ROLE, zipped

ECHO = "def handler(event, context):\n    return event\n"
Make = Callable[..., str]


def refused(call: Callable[..., Any], /, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**request)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_a_function_has_lambdas_defaults(lambda_: Any, make: Make) -> None:
    name = make(ECHO)
    found = lambda_.get_function(FunctionName=name)
    configuration = found["Configuration"]
    assert configuration["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert {key: configuration[key] for key in ("Timeout", "MemorySize", "Version", "PackageType", "State")} == {
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "PackageType": "Zip",
        "State": "Active",
    }
    assert configuration["Architectures"] == ["x86_64"]
    assert configuration["TracingConfig"] == {"Mode": "PassThrough"}
    assert configuration["EphemeralStorage"] == {"Size": 512}
    assert configuration["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    with urllib.request.urlopen(found["Code"]["Location"]) as answer:
        assert answer.read() == zipped({"app.py": ECHO})
    with pytest.raises(urllib.error.HTTPError, match="403") as caught:
        urllib.request.urlopen(found["Code"]["Location"].replace("Expires=1", "Expires=2"))
    caught.value.close()


def test_a_name_is_taken_once(lambda_: Any, make: Make) -> None:
    name = make(ECHO)
    again = {"Runtime": "python3.11", "Handler": "a.b", "Role": ROLE, "Code": {"ZipFile": zipped({"a.py": ""})}}
    assert refused(lambda_.create_function, FunctionName=name, **again) == (
        "ResourceConflictException",
        f"Function already exist: {name}",
    )


def test_a_function_that_is_not_there_is_named(lambda_: Any) -> None:
    assert refused(lambda_.get_function, FunctionName="nobody") == (
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody",
    )
    assert refused(lambda_.invoke, FunctionName="nobody")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"Runtime": "cobol85"}, "cobol85"),
        ({"MemorySize": 20_000}, "MemorySize"),
        ({"Timeout": 901}, "timeout"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "AWS_REGION"),
        ({"Environment": {"Variables": {"BIG": "x" * 5000}}}, "4KB"),
        ({"Role": "not-an-arn"}, "role"),
        ({"Code": {"ZipFile": b"this is no zip"}}, "unzip"),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]}, "layer:none:1"),
        (
            {"Layers": ["arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV2:32"]},
            "is of another AWS account, whose layers Freehold cannot fetch",
        ),
    ],
    ids=[
        "runtime",
        "memory",
        "timeout",
        "reserved variable",
        "big environment",
        "role",
        "no zip",
        "no layer",
        "public layer",
    ],
)
def test_a_bad_setting_is_refused_and_nothing_is_made(lambda_: Any, settings: dict[str, Any], part: str) -> None:
    good = {
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Role": ROLE,
        "Code": {"ZipFile": zipped({"app.py": ECHO})},
    }
    name = f"refused-{abs(hash(str(settings)))}"
    code, message = refused(lambda_.create_function, FunctionName=name, **{**good, **settings})
    assert code in {"InvalidParameterValueException", "ValidationException"}
    assert part in message
    assert refused(lambda_.get_function, FunctionName=name)[0] == "ResourceNotFoundException"


def test_configuration_and_code_change_and_the_next_call_sees_it(lambda_: Any, make: Make) -> None:
    source = "import os\ndef handler(event, context):\n    return [os.environ.get('COLOUR'), 1]\n"
    name = make(source)
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "red"}}, Timeout=9)
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert call(lambda_, name) == ["red", 1]
    lambda_.update_function_code(FunctionName=name, ZipFile=zipped({"app.py": source.replace("1]", "2]")}))
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert call(lambda_, name) == ["red", 2]
    assert lambda_.get_function_configuration(FunctionName=name)["Timeout"] == 9


def test_a_dry_run_changes_nothing(lambda_: Any, make: Make) -> None:
    name = make(ECHO)
    before = lambda_.get_function_configuration(FunctionName=name)["CodeSha256"]
    lambda_.update_function_code(FunctionName=name, ZipFile=zipped({"app.py": "x = 1"}), DryRun=True)
    assert lambda_.get_function_configuration(FunctionName=name)["CodeSha256"] == before


def test_a_version_stays_as_it_was_published(lambda_: Any, make: Make) -> None:
    name = make("def handler(event, context):\n    return [context.function_version, 'first']\n")
    assert lambda_.publish_version(FunctionName=name, Description="one")["Version"] == "1"
    # Nothing changed since: the same version again.
    assert lambda_.publish_version(FunctionName=name)["Version"] == "1"
    second = "def handler(event, context):\n    return [context.function_version, 'second']\n"
    lambda_.update_function_code(FunctionName=name, ZipFile=zipped({"app.py": second}))
    assert lambda_.publish_version(FunctionName=name)["Version"] == "2"
    assert call(lambda_, name, Qualifier="1") == ["1", "first"]
    assert call(lambda_, name, Qualifier="2") == ["2", "second"]
    assert call(lambda_, name) == ["$LATEST", "second"]
    assert [each["Version"] for each in lambda_.list_versions_by_function(FunctionName=name)["Versions"]] == [
        "$LATEST",
        "1",
        "2",
    ]


def test_an_alias_points_to_a_version_and_may_split(lambda_: Any, make: Make) -> None:
    name = make("def handler(event, context):\n    return [context.function_version, context.invoked_function_arn]\n")
    lambda_.publish_version(FunctionName=name)
    made = lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert made["AliasArn"].endswith(f":function:{name}:live")
    assert call(lambda_, name, Qualifier="live") == ["1", made["AliasArn"]]
    assert (
        refused(lambda_.create_alias, FunctionName=name, Name="live", FunctionVersion="1")[0]
        == "ResourceConflictException"
    )
    lambda_.update_function_configuration(FunctionName=name, Description="changed")
    lambda_.publish_version(FunctionName=name)
    lambda_.update_alias(
        FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}}, FunctionVersion="1"
    )
    answer = lambda_.invoke(FunctionName=name, Qualifier="live")
    assert answer["ExecutedVersion"] == "2"
    lambda_.delete_alias(FunctionName=name, Name="live")
    assert refused(lambda_.get_alias, FunctionName=name, Name="live")[0] == "ResourceNotFoundException"


def test_a_layer_is_under_opt(lambda_: Any, make: Make) -> None:
    layer = lambda_.publish_layer_version(
        LayerName="shared", Content={"ZipFile": zipped({"python/shared_part.py": "VALUE = 'from the layer'"})}
    )
    name = make(
        "import shared_part\ndef handler(event, context):\n    return shared_part.VALUE\n",
        Layers=[layer["LayerVersionArn"]],
    )
    assert call(lambda_, name) == "from the layer"
    assert lambda_.list_layers()["Layers"][0]["LatestMatchingVersion"]["Version"] == layer["Version"]
    lambda_.delete_layer_version(LayerName="shared", VersionNumber=layer["Version"])
    assert call(lambda_, name) == "from the layer"


def test_a_policy_is_made_of_its_statements(lambda_: Any, make: Make) -> None:
    name = make(ECHO)
    lambda_.add_permission(
        FunctionName=name, StatementId="one", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    statement = json.loads(lambda_.get_policy(FunctionName=name)["Policy"])["Statement"][0]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"].endswith(f":function:{name}")
    again = {"StatementId": "one", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    assert refused(lambda_.add_permission, FunctionName=name, **again)[0] == "ResourceConflictException"
    lambda_.remove_permission(FunctionName=name, StatementId="one")
    assert refused(lambda_.get_policy, FunctionName=name)[0] == "ResourceNotFoundException"


def test_tags_go_on_and_off(lambda_: Any, make: Make) -> None:
    arn = lambda_.get_function_configuration(FunctionName=make(ECHO, Tags={"team": "a"}))["FunctionArn"]
    lambda_.tag_resource(Resource=arn, Tags={"stage": "dev"})
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"team": "a", "stage": "dev"}
    lambda_.untag_resource(Resource=arn, TagKeys=["team"])
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"stage": "dev"}


def test_functions_are_listed_in_pages(lambda_: Any, make: Make) -> None:
    names = {make(ECHO) for _ in range(3)}
    pages = list(lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) > 1
    assert names <= {each["FunctionName"] for page in pages for each in page["Functions"]}


def call(lambda_: Any, name: str, **more: Any) -> Any:
    answer = lambda_.invoke(FunctionName=name, **more)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())
