"""What the golden cases cannot show: ids that change with their content, buckets, layers, plugins."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

from tests.conformance.serverless.compile_service import artifacts_of
from tests.unit.templates.serverless.services import HEAD, service, template

from freehold.templates.serverless import artifact_key, compile_template

FUNCTION = "functions:\n  hello:\n    handler: app.main\n"


async def test_a_functions_version_changes_with_its_code_and_its_settings_only(tmp_path: Path) -> None:
    loaded = await service(tmp_path, HEAD + FUNCTION)
    artifact = artifacts_of(loaded)[0]
    changed = replace(artifact, sha256=base64.b64encode(b"1" * 32).decode())

    def version(*artifacts: object) -> str:
        resources = compile_template(loaded, list(artifacts))["Resources"]  # type: ignore[arg-type]
        return next(name for name in resources if "LambdaVersion" in name)

    assert version(artifact) == version(artifact)
    assert version(artifact) != version(changed)
    other = await service(tmp_path, HEAD + FUNCTION + "    timeout: 9\n")
    names = template(other)["Resources"]
    assert version(artifact) not in names


async def test_the_code_lies_where_the_key_says(tmp_path: Path) -> None:
    loaded = await service(tmp_path, HEAD + FUNCTION)
    artifact = artifacts_of(loaded)[0]
    compiled = compile_template(loaded, [artifact], bucket="mine")
    code = compiled["Resources"]["HelloLambdaFunction"]["Properties"]["Code"]
    assert code == {"S3Bucket": "mine", "S3Key": artifact_key(loaded, artifact)}
    assert "ServerlessDeploymentBucket" not in compiled["Resources"]


async def test_a_rest_apis_deployment_is_new_when_the_file_changes(tmp_path: Path) -> None:
    text = HEAD + FUNCTION + "    events: [{http: GET /a}]\n"
    first = template(await service(tmp_path, text))["Resources"]
    same = template(await service(tmp_path, text))["Resources"]
    changed = template(await service(tmp_path, text.replace("/a", "/b")))["Resources"]

    def deployment(resources: dict[str, object]) -> str:
        return next(name for name in resources if name.startswith("ApiGatewayDeployment"))

    assert deployment(first) == deployment(same) != deployment(changed)


async def test_layers_are_versions_with_permissions_and_outputs(tmp_path: Path) -> None:
    text = f"{HEAD}layers:\n  shared: {{path: lib, allowedAccounts: ['*']}}\n  kept: {{path: lib, retain: true}}\n"
    compiled = template(await service(tmp_path, text, {"lib/x.py": ""}))
    assert compiled["Resources"]["SharedLambdaLayer"]["Properties"]["LayerName"] == "shared"
    assert compiled["Resources"]["SharedWildLambdaLayerPermission"]["Properties"]["Principal"] == "*"
    kept = next(name for name in compiled["Resources"] if name.startswith("KeptLambdaLayer"))
    assert len(kept) == len("KeptLambdaLayer") + 40
    assert compiled["Resources"][kept]["DeletionPolicy"] == "Retain"
    assert compiled["Outputs"]["SharedLambdaLayerQualifiedArn"]["Value"] == {"Ref": "SharedLambdaLayer"}


async def test_quotes_in_a_schedules_input_survive(tmp_path: Path) -> None:
    text = HEAD + FUNCTION + "    events: [{schedule: {rate: rate(1 day), input: {a: 'b \"c\"'}}}]\n"
    rule = template(await service(tmp_path, text))["Resources"]["HelloEventsRuleSchedule1"]
    assert rule["Properties"]["Targets"][0]["Input"] == '{"a":"b \\"c\\""}'


async def test_the_prune_plugin_says_how_many_versions_stay(tmp_path: Path) -> None:
    text = f"{HEAD}plugins: [serverless-prune-plugin]\ncustom: {{prune: {{automatic: true, number: 3}}}}\n"
    assert (await service(tmp_path, text)).prune == 3


async def test_a_function_with_statements_has_a_role_of_its_own(tmp_path: Path) -> None:
    text = (
        f"{HEAD}plugins: [serverless-iam-roles-per-function]\n{FUNCTION}"
        "    iamRoleStatements: [{Effect: Allow, Action: 's3:*', Resource: '*'}]\n"
    )
    resources = template(await service(tmp_path, text))["Resources"]
    assert resources["HelloLambdaFunction"]["Properties"]["Role"] == {
        "Fn::GetAtt": ["HelloIamRoleLambdaExecution", "Arn"]
    }
    statements = resources["HelloIamRoleLambdaExecution"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert statements[-1]["Action"] == "s3:*"


async def test_the_dotenv_plugin_fills_the_functions_environment(tmp_path: Path) -> None:
    text = f"{HEAD}plugins: [serverless-dotenv-plugin]\n{FUNCTION}"
    loaded = await service(tmp_path, text, {".env": "A=1\n"})
    properties = template(loaded)["Resources"]["HelloLambdaFunction"]["Properties"]
    assert properties["Environment"] == {"Variables": {"A": "1"}}


async def test_pseudo_parameters_become_substitutions(tmp_path: Path) -> None:
    text = f"{HEAD}  environment: {{A: 'x-#{{AWS::AccountId}}'}}\nplugins: [serverless-pseudo-parameters]\n{FUNCTION}"
    properties = template(await service(tmp_path, text))["Resources"]["HelloLambdaFunction"]["Properties"]
    assert properties["Environment"]["Variables"]["A"] == {"Fn::Sub": "x-${AWS::AccountId}"}
