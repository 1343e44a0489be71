"""`msk` events: a Kafka cluster of AWS. Serverless Framework documentation, "MSK"."""

from __future__ import annotations

from typing import Any

from freehold.templates.serverless import names
from freehold.templates.serverless.compile.brokers import NETWORK_ACTIONS, mapping, pollers, require
from freehold.templates.serverless.compile.compilation import Compilation

_LONGEST_NAME = 79


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        clusters: list[Any] = []
        for event in function.of_kind("msk"):
            settings = require(compilation, function, event, ("arn", "topic"))
            arn, topic, group = settings["arn"], settings["topic"], settings.get("consumerGroupId")
            cluster = arn.split("/")[1] if isinstance(arn, str) else names.last_of_intrinsic(arn, separator="/")
            parts = [names.alphanumeric(each)[:_LONGEST_NAME] for each in (cluster, topic)]
            secret = settings.get("saslScram512")
            compilation.resources[names.event_source(function.key, "MSK", *parts)] = mapping(
                compilation,
                function,
                settings,
                EventSourceArn=arn,
                StartingPosition=settings.get("startingPosition") or "TRIM_HORIZON",
                StartingPositionTimestamp=settings.get("startingPositionTimestamp"),
                Topics=[topic],
                AmazonManagedKafkaEventSourceConfig={"ConsumerGroupId": group} if group else None,
                SourceAccessConfigurations=[{"Type": "SASL_SCRAM_512_AUTH", "URI": secret}] if secret else None,
                ProvisionedPollerConfig=pollers(settings),
            )
            clusters.append(arn)
        if clusters:
            compilation.allow(["kafka:DescribeCluster", "kafka:GetBootstrapBrokers"], clusters)
            compilation.allow(NETWORK_ACTIONS, "*")
