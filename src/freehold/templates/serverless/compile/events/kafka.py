"""`kafka` events: a Kafka cluster of one's own. Serverless Framework documentation, "Kafka"."""

from __future__ import annotations

from typing import Any

from freehold.aws.call import Json
from freehold.templates.serverless import names
from freehold.templates.serverless.compile.brokers import NETWORK_ACTIONS, mapping, pollers, require
from freehold.templates.serverless.compile.compilation import Compilation
from freehold.templates.serverless.service import Event, Function

_LONGEST_NAME = 158
# serverless.yml's name -> (AWS's name, what stands before the value)
_ACCESS = {
    "vpcSubnet": ("VPC_SUBNET", "subnet:"),
    "vpcSecurityGroup": ("VPC_SECURITY_GROUP", "security_group:"),
    "saslPlainAuth": ("BASIC_AUTH", ""),
    "saslScram256Auth": ("SASL_SCRAM_256_AUTH", ""),
    "saslScram512Auth": ("SASL_SCRAM_512_AUTH", ""),
    "clientCertificateTlsAuth": ("CLIENT_CERTIFICATE_TLS_AUTH", ""),
    "serverRootCaCertificate": ("SERVER_ROOT_CA_CERTIFICATE", ""),
}


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        secrets: list[Any] = []
        in_network = False
        for event in function.of_kind("kafka"):
            settings = require(compilation, function, event, ("accessConfigurations", "bootstrapServers", "topic"))
            access: Json = settings["accessConfigurations"]
            in_network = in_network or bool({"vpcSubnet", "vpcSecurityGroup"} & set(access))
            _compile(compilation, function, event, settings, secrets)
        if secrets:
            compilation.allow(["secretsmanager:GetSecretValue"], secrets)
        if in_network:
            compilation.allow(NETWORK_ACTIONS, "*")


def _compile(compilation: Compilation, function: Function, event: Event, settings: Json, secrets: list[Any]) -> None:
    configurations = []
    access: Json = settings["accessConfigurations"]
    if bool(access.get("vpcSubnet")) != bool(access.get("vpcSecurityGroup")):
        raise compilation.wrong_event(
            function, event.position, "A kafka event needs vpcSubnet and vpcSecurityGroup together."
        )
    for name, values in access.items():
        if name not in _ACCESS:
            raise compilation.wrong_event(
                function, event.position, f"The kafka access configuration {name} is unknown."
            )
        kind, prefix = _ACCESS[name]
        for value in values:
            configurations.append({"Type": kind, "URI": f"{prefix}{value}"})
            secrets += [] if prefix else [value]
    topic, group = settings["topic"], settings.get("consumerGroupId")
    failed = settings.get("onFailureDestination")
    logical_id = names.event_source(function.key, "Kafka", names.alphanumeric(topic)[:_LONGEST_NAME])
    compilation.resources[logical_id] = mapping(
        compilation,
        function,
        settings,
        StartingPosition=settings.get("startingPosition") or "TRIM_HORIZON",
        StartingPositionTimestamp=settings.get("startingPositionTimestamp"),
        SelfManagedEventSource={"Endpoints": {"KafkaBootstrapServers": settings["bootstrapServers"]}},
        Topics=[topic],
        SourceAccessConfigurations=configurations,
        SelfManagedKafkaEventSourceConfig={"ConsumerGroupId": group} if group else None,
        DestinationConfig={"OnFailure": {"Destination": failed}} if failed else None,
        ProvisionedPollerConfig=pollers(settings),
    )
