"""serverless.yml (Serverless Framework v3) -> CloudFormation template and zip files.

Owns:    nothing; the zip files lie in the folder the caller names.
Not:     deploying (cli, stacks); SAM (templates/sam).
Imports: aws, templates/package
Start:   service.py, load.py, then compile/
Add:     a variable source (variables/sources.py), an event (compile/events), a plugin (plugins).

>>> service = await load(directory, options={"stage": "dev"}, environ=os.environ, lookup=None)
>>> artifacts = package(service, output_dir)
>>> template = compile_template(service, artifacts, bucket="my-bucket")
"""

from freehold.templates.package.artifact import Artifact
from freehold.templates.serverless.compile.compilation import artifact_key
from freehold.templates.serverless.compile.template import compile_template
from freehold.templates.serverless.load import load
from freehold.templates.serverless.packaging import package
from freehold.templates.serverless.service import Event, Function, Layer, Service
from freehold.templates.serverless.stack_settings import StackSettings, stack_settings
from freehold.templates.serverless.variables.resolve import Lookup

__all__ = [
    "Artifact",
    "Event",
    "Function",
    "Layer",
    "Lookup",
    "Service",
    "StackSettings",
    "artifact_key",
    "compile_template",
    "load",
    "package",
    "stack_settings",
]
