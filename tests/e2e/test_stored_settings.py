"""serverless.yml that reads its settings from the server's own Parameter Store."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import CommandLine
from tests.live import LiveServer

_SERVICE = """
service: settings
frameworkVersion: "3"
provider:
  name: aws
  runtime: python3.11
  environment:
    TABLE: ${ssm:/settings/table}
    HOSTS: ${ssm(us-east-1, raw):/settings/hosts}
    PASSWORD: ${ssm:/settings/password}
    FALLBACK: ${ssm:/settings/none, 'fallback'}
functions:
  read:
    handler: app.read
"""


def test_a_service_takes_its_settings_from_the_parameter_store(own_server: LiveServer, tmp_path: Path) -> None:
    ssm = own_server.client("ssm")
    ssm.put_parameter(Name="/settings/table", Value="orders", Type="String")
    ssm.put_parameter(Name="/settings/hosts", Value="a,b", Type="StringList")
    ssm.put_parameter(Name="/settings/password", Value="hunter2", Type="SecureString")
    (tmp_path / "serverless.yml").write_text(_SERVICE)
    (tmp_path / "app.py").write_text("import os\ndef read(event, context):\n    return dict(os.environ)\n")
    run = CommandLine(tmp_path)
    run("deploy", "--endpoint-url", own_server.endpoint)
    answer = own_server.client("lambda").get_function_configuration(FunctionName="settings-dev-read")
    assert answer["Environment"]["Variables"] == {
        "TABLE": "orders",
        "HOSTS": "a,b",
        "PASSWORD": "hunter2",
        "FALLBACK": "fallback",
    }
