"""The compiler from above: the parts in the order in which they build on each other."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from freehold.aws.call import Json
from freehold.templates.package.artifact import Artifact
from freehold.templates.serverless import names
from freehold.templates.serverless.compile import functions, layers, resources, roles
from freehold.templates.serverless.compile.compilation import Compilation, present, ref, tag_list
from freehold.templates.serverless.compile.events import EVENTS
from freehold.templates.serverless.plugins import plugins_of
from freehold.templates.serverless.service import Service


def compile_template(service: Service, artifacts: Sequence[Artifact], *, bucket: str | None = None) -> Json:
    """The CloudFormation template of a service.

    Its functions and layers name their code as `artifact_key(service, artifact)` in `bucket`: put the zip files there
    before the template is deployed. Without `bucket` it is `provider.deploymentBucket`, else a bucket that the stack
    itself makes, as in the framework. Raises TemplateError for what cannot be compiled.
    """
    service = copy.deepcopy(service)
    by_owner = {owner: artifact for artifact in artifacts for owner in artifact.owners}
    compilation = Compilation(service, _core(service, bucket), by_owner)
    roles.compile_log_groups(compilation)
    roles.compile_role(compilation)
    layers.compile_layers(compilation)
    functions.compile_functions(compilation)
    for event in dict.fromkeys(EVENTS.values()):
        event.compile_events(compilation)
    for plugin in plugins_of(service):
        plugin.after_compile(compilation)
    resources.add_exports(compilation)
    resources.merge_resources(compilation)
    return resources.without_nulls(compilation.template)


def _core(service: Service, bucket: str | None) -> Json:
    """The deployment bucket, and nothing else yet."""
    settings = service.provider.get("deploymentBucket")
    options: Mapping[str, Any] = settings if isinstance(settings, dict) else {}
    name = bucket or (options.get("name") if isinstance(settings, dict) else settings)
    template: Json = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The AWS CloudFormation template for this Serverless application",
        "Resources": {},
        "Outputs": {names.BUCKET_OUTPUT: {"Value": name or ref(names.BUCKET)}},
    }
    if not name:
        template["Resources"][names.BUCKET] = {"Type": "AWS::S3::Bucket", "Properties": _bucket(options)}
        if not options.get("skipPolicySetup"):
            template["Resources"][names.BUCKET_POLICY] = _bucket_policy()
    return template


def _bucket(options: Mapping[str, Any]) -> Json:
    flags = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return present(
        {
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
            "Tags": tag_list(options["tags"]) if options.get("tags") else None,
            "PublicAccessBlockConfiguration": dict.fromkeys(flags, True) if options.get("blockPublicAccess") else None,
            "VersioningConfiguration": {"Status": "Enabled"} if options.get("versioning") else None,
        }
    )


def _bucket_policy() -> Json:
    arn = ["arn:", ref("AWS::Partition"), ":s3:::", ref(names.BUCKET)]
    statement = {
        "Action": "s3:*",
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [{"Fn::Join": ["", [*arn, "/*"]]}, {"Fn::Join": ["", arn]}],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": ref(names.BUCKET), "PolicyDocument": {"Statement": [statement]}},
    }
