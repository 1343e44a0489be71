"""`activemq` and `rabbitmq` events. Serverless Framework documentation, "ActiveMQ" and "RabbitMQ"."""

from __future__ import annotations

from typing import Any

from freehold.templates.serverless import names
from freehold.templates.serverless.compile.brokers import NETWORK_ACTIONS, mapping, require
from freehold.templates.serverless.compile.compilation import Compilation

_LONGEST_NAME = 150
_KINDS = {"activemq": "ActiveMQ", "rabbitmq": "RabbitMQ"}


def compile_events(compilation: Compilation) -> None:
    for kind, label in _KINDS.items():
        for function in compilation.functions:
            secrets: list[Any] = []
            brokers: list[Any] = []
            for event in function.of_kind(kind):
                settings = require(compilation, function, event, ("arn", "basicAuthArn", "queue"))
                access = [{"Type": "BASIC_AUTH", "URI": settings["basicAuthArn"]}]
                if kind == "rabbitmq" and settings.get("virtualHost"):
                    access.append({"Type": "VIRTUAL_HOST", "URI": settings["virtualHost"]})
                queue = names.alphanumeric(settings["queue"])[:_LONGEST_NAME]
                compilation.resources[names.event_source(function.key, label, queue)] = mapping(
                    compilation,
                    function,
                    settings,
                    EventSourceArn=settings["arn"],
                    Queues=[settings["queue"]],
                    SourceAccessConfigurations=access,
                )
                secrets.append(settings["basicAuthArn"])
                brokers.append(settings["arn"])
            if brokers:
                compilation.allow(["secretsmanager:GetSecretValue"], secrets)
                compilation.allow(["mq:DescribeBroker"], brokers)
                compilation.allow(NETWORK_ACTIONS, "*")
