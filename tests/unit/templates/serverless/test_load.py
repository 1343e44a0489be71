"""What load reads of serverless.yml, its defaults, and one sentence with a line for each mistake."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.unit.templates.serverless.services import HEAD, service, template, write

from freehold.templates.errors import TemplateError
from freehold.templates.serverless import load

FUNCTION = "functions:\n  hello:\n    handler: app.main\n"


async def test_the_frameworks_defaults_are_1024_mb_and_6_s(tmp_path: Path) -> None:
    loaded = await service(tmp_path, HEAD + FUNCTION)
    function = loaded.functions["hello"]
    assert (function.memory_mb, function.timeout_s, function.name) == (1024, 6, "demo-dev-hello")
    assert (loaded.stage, loaded.region, loaded.stack_name, loaded.prune) == ("dev", "us-east-1", "demo-dev", None)
    assert function.logical_id == "HelloLambdaFunction"


async def test_options_of_the_command_line_name_stage_and_region(tmp_path: Path) -> None:
    loaded = await service(tmp_path, HEAD + FUNCTION, options={"s": "prod", "region": "eu-west-1"})
    assert (loaded.stage, loaded.region, loaded.functions["hello"].name) == ("prod", "eu-west-1", "demo-prod-hello")


async def test_text_where_a_number_belongs_is_a_number(tmp_path: Path) -> None:
    loaded = await service(tmp_path, HEAD + FUNCTION + "    timeout: '9'\n    environment: {N: 5, B: true}\n")
    assert loaded.functions["hello"].timeout_s == 9
    assert dict(loaded.functions["hello"].environment) == {"N": "5", "B": "true"}


async def test_a_json_file_is_read_too(tmp_path: Path) -> None:
    write(tmp_path, {"serverless.json": '{"service": "demo", "provider": {"name": "aws"}}'})
    assert (await load(tmp_path, options={}, environ={}, lookup=None)).name == "demo"


_IN_JAVASCRIPT = {
    "serverless.js": "module.exports = {service: 'demo', provider: {name: 'aws', runtime: 'nodejs20.x'}};",
    "serverless.cjs": "module.exports = Promise.resolve({service: 'demo', provider: {name: 'aws'}});",
    "serverless.mjs": "import path from 'path'; export default {service: path.basename('/x/demo'), provider: 'aws'};",
    "serverless.ts": (
        "interface Service { service: string; provider: { name: string } }\n"
        "const configuration: Service = { service: 'demo', provider: { name: 'aws' } };\n"
        "module.exports = configuration;"
    ),
}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", _IN_JAVASCRIPT)
async def test_a_configuration_in_javascript_or_typescript_is_what_it_exports(tmp_path: Path, name: str) -> None:
    if name.endswith(".ts"):
        _bring_a_compiler(tmp_path)
    text = _IN_JAVASCRIPT[name].replace("provider: 'aws'", "provider: {name: 'aws', stage: '${opt:stage, \"live\"}'}")
    write(tmp_path, {name: text})
    loaded = await load(tmp_path, options={"stage": "live"}, environ={"PATH": os.environ["PATH"]}, lookup=None)
    assert (loaded.name, loaded.stage) == ("demo", "live")


def _bring_a_compiler(directory: Path) -> None:
    """The app's own, as npm would install it: here one that knows the one thing this file needs."""
    package = directory / "node_modules" / "typescript"
    package.mkdir(parents=True)
    (package / "index.js").write_text(
        "exports.ModuleKind = {CommonJS: 1};\n"
        "exports.transpileModule = (code) =>\n"
        "  ({outputText: code.replace(/^interface.*$/m, '').replace(': Service', '')});\n"
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
async def test_a_configuration_in_javascript_that_fails_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, {"serverless.js": "module.exports = {service: missing};"})
    with pytest.raises(TemplateError, match=r"The file cannot be loaded: missing is not defined") as caught:
        await load(tmp_path, options={}, environ={"PATH": os.environ["PATH"]}, lookup=None)
    assert str(caught.value).startswith("serverless.js: ")


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (f"{HEAD}{FUNCTION}    memroySize: 1\n", 8, 'unknown. Did you mean "memorySize"?'),
        (f"{HEAD}  tiemout: 3\n{FUNCTION}", 5, 'The key "tiemout" in provider is unknown'),
        (f"{HEAD}{FUNCTION}    timeout: 1000\n", 8, "from 1 to 900"),
        (f"{HEAD}{FUNCTION}    runtime: python9\n", 8, 'The runtime "python9"'),
        (f"{HEAD}functions:\n  hello:\n    handler: gone.main\n", 7, "there is no file gone.py"),
        (f"{HEAD}{FUNCTION}    events:\n      - httpApy: GET /\n", 9, 'Did you mean "httpApi"?'),
        (f"{HEAD}plugins:\n  - serverless-offline\n  - serverless-unheard-of\n", 7, "serverless-unheard-of"),
        (f"{HEAD}  timeout: 3\n  timeout: 4\n", 6, "stands twice"),
        ("service: demo\nprovider: [unclosed\n", 3, "not valid YAML"),
        ("service: {name: demo}\nprovider: aws\n", 1, "name itself"),
        (f"{HEAD}{FUNCTION}    image: x\n", 8, "container image"),
        ("service: demo\nprovider:\n  name: google\n", 3, "is not aws"),
    ],
)
async def test_a_mistake_is_one_sentence_with_file_and_line(
    tmp_path: Path, text: str, line: int, sentence: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        await service(tmp_path, text)
    assert str(caught.value).startswith(f"serverless.yml:{line}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_unknown_keys_are_warnings_when_the_file_says_so(tmp_path: Path) -> None:
    loaded = await service(tmp_path, f"{HEAD}  tiemout: 3\n{FUNCTION}configValidationMode: warn\n")
    assert loaded.warnings == ('serverless.yml:5: The key "tiemout" in provider is unknown. Did you mean "timeout"?',)


async def test_an_ignored_plugin_is_ignored(tmp_path: Path) -> None:
    text = f"{HEAD}plugins: [my-plugin]\ncustom: {{freehold: {{ignoredPlugins: [my-plugin]}}}}\n"
    assert (await service(tmp_path, text)).plugins == ("my-plugin",)


async def test_two_functions_on_one_route_are_refused(tmp_path: Path) -> None:
    text = HEAD + FUNCTION + "    events: [{httpApi: GET /a}]\n  other:\n    handler: app.main\n    events:\n"
    loaded = await service(tmp_path, text + "      - httpApi: get /a\n")
    with pytest.raises(TemplateError, match='"hello" and "other" are both on the route GET /a') as caught:
        template(loaded)
    assert str(caught.value).startswith("serverless.yml:12: ")


async def test_two_functions_on_one_rest_route_are_refused(tmp_path: Path) -> None:
    text = HEAD + FUNCTION + "    events: [{http: GET /a}, {http: get a}]\n"
    with pytest.raises(TemplateError, match="twice on the route GET /a"):
        template(await service(tmp_path, text))


async def test_lambda_at_the_edge_is_refused_by_name(tmp_path: Path) -> None:
    text = HEAD + FUNCTION + "    events: [{cloudFront: {eventType: viewer-request, origin: https://a}}]\n"
    with pytest.raises(TemplateError, match="Lambda@Edge"):
        template(await service(tmp_path, text))


async def test_yaml_reads_as_yaml_1_2_does(tmp_path: Path) -> None:
    text = f"{HEAD}custom: {{a: yes, b: 2012-10-17, c: 0o17, d: 1e3, e: !Ref X, f: !GetAtt A.B.C, 1: one}}\n"
    loaded = await service(tmp_path, text)
    assert loaded.custom == {
        "a": "yes",
        "b": "2012-10-17",
        "c": 15,
        "d": 1000,
        "e": {"Ref": "X"},
        "f": {"Fn::GetAtt": ["A", "B.C"]},
        "1": "one",
    }


async def test_a_directory_without_a_service_is_told(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"no serverless\.yml"):
        await load(tmp_path, options={}, environ={}, lookup=None)
