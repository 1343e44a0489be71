"""Variables: sources, fallbacks, nesting, and what is said when one has no value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.templates.serverless.services import HEAD, service

from freehold.aws.errors import AwsError
from freehold.templates.errors import TemplateError
from freehold.templates.serverless.variables.syntax import Text, Variable, VariableSyntaxError, parse


async def _custom(folder: Path, text: str, files: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    loaded = await service(folder, f"{HEAD}{text}", files, **more)
    return dict(loaded.custom)


def test_cloudformations_own_placeholders_are_left_alone() -> None:
    assert parse("arn:${AWS::Partition}:${Table.Arn}/${!Literal}") is None


def test_a_variable_inside_of_a_placeholder_of_cloudformation_is_found() -> None:
    text = parse("${AWS::Region}-${self:custom.a}")
    assert isinstance(text, Text)
    assert [isinstance(part, Variable) for part in text.parts] == [False, True]


def test_an_escaped_variable_is_text() -> None:
    text = parse(r"\${self:custom.a}")
    assert text is not None
    assert text.parts == ("${self:custom.a}",)


@pytest.mark.parametrize("raw", ["${self:a", "${self:a, oops}", "${file(x:y}", '${self:a, "b}'])
def test_broken_syntax_is_told(raw: str) -> None:
    with pytest.raises(VariableSyntaxError, match="not valid at character"):
        parse(raw)


async def test_the_first_source_with_a_value_wins(tmp_path: Path) -> None:
    custom = await _custom(
        tmp_path,
        "custom:\n  a: ${opt:missing, env:HERE, 'no'}\n  b: ${env:NOT, self:custom.none, 7}\n  c: ${opt:x, null}\n",
        environ={"HERE": "yes"},
    )
    assert custom == {"a": "yes", "b": 7, "c": None}


async def test_an_address_may_hold_variables(tmp_path: Path) -> None:
    text = "custom:\n  x:\n    prod:\n      y: 5\n  z: ${self:custom.x.${opt:stage}.y}\n"
    assert (await _custom(tmp_path, text, options={"stage": "prod"}))["z"] == 5


async def test_a_file_may_refer_back_to_the_document(tmp_path: Path) -> None:
    files = {"conf/dev.yml": "name: ${self:service}-x\nlist: [{k: v}]\n", "a.json": '{"b": [1, 2]}'}
    text = (
        "custom:\n  all: ${file(conf/${sls:stage}.yml)}\n  one: ${file(conf/dev.yml):list.0.k}\n"
        "  two: ${file(a.json):b.1}\n"
    )
    custom = await _custom(tmp_path, text, files)
    assert custom == {"all": {"name": "demo-x", "list": [{"k": "v"}]}, "one": "v", "two": 2}


async def test_parameters_of_the_command_line_come_before_those_of_the_stage(tmp_path: Path) -> None:
    text = "params:\n  default: {a: 1, b: 2, c: 3}\n  dev: {b: 20}\ncustom: {v: '${param:a}${param:b}${param:c}'}\n"
    custom = await _custom(tmp_path, text, options={"param": "c=30"})
    assert custom["v"] == "12030"


async def test_text_around_a_variable_makes_text(tmp_path: Path) -> None:
    custom = await _custom(tmp_path, "custom:\n  n: 1.0\n  t: true\n  s: ${self:custom.n}/${self:custom.t}\n")
    assert custom["s"] == "1/true"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("x: ${self:custom.none}", "has no value"),
        ("x: ${nowhere:a}", 'the variable source "nowhere"'),
        ("x: a-${self:custom}", "refers to itself"),
        ("x: ${self:custom.x}", "refers to itself"),
        ("x: ${ssm:/a}", "needs a running server"),
        ("x: ${strToBool(maybe)}", "strToBool takes"),
        ("x: ${sls:nothing}", "knows only stage"),
    ],
)
async def test_a_variable_without_a_value_is_named_with_its_line(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence) as caught:
        await _custom(tmp_path, f"custom:\n  {line}\n")
    assert str(caught.value).startswith("serverless.yml:6: ")


async def test_two_properties_that_refer_to_each_other_are_a_circle(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"custom\.a -> custom\.b -> custom\.a"):
        await _custom(tmp_path, "custom:\n  a: ${self:custom.b}\n  b: ${self:custom.a}\n")


async def test_a_file_that_includes_itself_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="more than 10 times"):
        await _custom(tmp_path, "custom: {a: '${file(a.yml)}'}\n", {"a.yml": "again: ${file(a.yml)}\n"})


async def test_the_clouds_sources_ask_the_lookup(tmp_path: Path) -> None:
    async def lookup(service: str, operation: str, request: dict[str, Any], region: str) -> dict[str, Any]:
        if operation == "GetCallerIdentity":
            return {"Account": "000000000000"}
        if operation == "DescribeStacks" and request["StackName"] == "other":
            return {"Stacks": [{"Outputs": [{"OutputKey": "Url", "OutputValue": "http://x"}]}]}
        if operation == "GetParameter" and request["Name"] == "/list":
            return {"Parameter": {"Type": "StringList", "Value": f"a,{region}"}}
        if operation == "GetParameter" and request["Name"] == "/json":
            return {"Parameter": {"Type": "SecureString", "Value": '{"k": 1}'}}
        if operation == "GetObject":
            return {"Body": b"text"}
        code = "ValidationError" if service == "cloudformation" else "ParameterNotFound"
        raise AwsError(code, "Stack with id none does not exist")

    text = """custom:
  account: ${aws:accountId}
  url: ${cf:other.Url}
  far: ${ssm(eu-west-1):/list}
  json: ${ssm:/json}
  raw: ${ssm(raw):/json}
  s3: ${s3:bucket/key}
  gone: ${ssm:/none, 'default'}
  none: ${cf:none.Url, 'default'}
"""
    assert await _custom(tmp_path, text, lookup=lookup) == {
        "account": "000000000000",
        "url": "http://x",
        "far": ["a", "eu-west-1"],
        "json": {"k": 1},
        "raw": '{"k": 1}',
        "s3": "text",
        "gone": "default",
        "none": "default",
    }


async def test_dotenv_fills_the_environment_and_never_replaces_it(tmp_path: Path) -> None:
    files = {".env": 'A=from file\nB=from file # comment\nexport C="x\\ny"\nD=$A!\n'}
    text = "useDotenv: true\ncustom: {a: '${env:A}', b: '${env:B}', c: '${env:C}', d: '${env:D}'}\n"
    custom = await _custom(tmp_path, text, files, environ={"A": "set"})
    assert custom == {"a": "set", "b": "from file", "c": "x\ny", "d": "set!"}


async def test_the_stages_own_dotenv_comes_first(tmp_path: Path) -> None:
    files = {".env": "A=all\n", ".env.prod": "A=prod\n"}
    custom = await _custom(tmp_path, "useDotenv: true\ncustom: {a: '${env:A}'}\n", files, options={"stage": "prod"})
    assert custom["a"] == "prod"
