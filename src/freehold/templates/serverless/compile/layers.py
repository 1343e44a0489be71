"""`layers:` of a service. Serverless Framework documentation, "AWS Lambda Layers"."""

from __future__ import annotations

import hashlib
import json

from freehold.templates.package.artifact import Artifact
from freehold.templates.serverless.compile.compilation import Compilation, ref, resource
from freehold.templates.serverless.service import Layer


def compile_layers(compilation: Compilation) -> None:
    for layer in compilation.service.layers.values():
        _compile(compilation, layer, compilation.artifact(f"layer:{layer.key}"))


def _compile(compilation: Compilation, layer: Layer, artifact: Artifact | None) -> None:
    settings = layer.settings
    key = compilation.s3_key(artifact) if artifact else f"{layer.key}.zip"
    version = resource(
        "AWS::Lambda::LayerVersion",
        {
            "Content": {"S3Bucket": compilation.bucket, "S3Key": key},
            "LayerName": settings.get("name") or layer.key,
            "Description": settings.get("description") or None,
            "LicenseInfo": settings.get("licenseInfo") or None,
            "CompatibleRuntimes": settings.get("compatibleRuntimes") or None,
            "CompatibleArchitectures": settings.get("compatibleArchitectures") or None,
        },
        DeletionPolicy="Retain" if settings.get("retain") else None,
    )
    counted = {name: value for name, value in version["Properties"].items() if name != "Content"}
    text = json.dumps([artifact.sha256 if artifact else "", counted], sort_keys=True)
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    suffix = digest if settings.get("retain") else ""
    logical_id = f"{layer.logical_id}{suffix}"
    compilation.resources[logical_id] = version
    for account in settings.get("allowedAccounts") or []:
        name = f"{layer.logical_id.removesuffix('LambdaLayer')}{str(account).replace('*', 'Wild')}"
        compilation.resources[f"{name}LambdaLayerPermission{suffix}"] = resource(
            "AWS::Lambda::LayerVersionPermission",
            {"Action": "lambda:GetLayerVersion", "LayerVersionArn": ref(logical_id), "Principal": account},
            DeletionPolicy="Retain" if settings.get("retain") else None,
        )
    for output, description, value in (
        ("QualifiedArn", "Current Lambda layer version", ref(logical_id)),
        ("Hash", "Current Lambda layer hash", digest),
        ("S3Key", "Current Lambda layer S3Key", key),
    ):
        compilation.outputs[f"{layer.logical_id}{output}"] = {"Description": description, "Value": value}
