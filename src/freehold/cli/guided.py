"""The questions of `sam deploy --guided`, in the SAM CLI's order, and what samconfig.toml remembers of the answers.

One decision to know: the SAM CLI also asks whether each route may be without an authorizer, and gives up on Enter. That
one is not asked: nothing is put on the internet here.

AWS SAM Developer Guide, "Using sam deploy" and "Deploying with AWS SAM: guided".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import click

from freehold.aws.call import Json
from freehold.cli import interrupts, samconfig
from freehold.cli.failure import Failure
from freehold.cli.project import Project

_NAMES_OF_IAM = ("RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName")
_NESTED = ("AWS::Serverless::Application", "AWS::CloudFormation::Stack")


@dataclass(frozen=True, slots=True)
class Answers:
    stack_name: str
    region: str
    parameters: Mapping[str, str]
    capabilities: Sequence[str]
    confirm: bool
    disable_rollback: bool


def ask(project: Project, known: Answers, environment: str, file: str | None) -> Answers:
    """`known` holds the defaults. Raises TemplateError, Failure; click.Abort where the input ends."""
    from freehold.templates.sam.packaging import read_file

    template = read_file(project.file)
    click.echo(f"Deploying {project.file.name}: Enter takes the value in brackets.")
    stack_name = click.prompt("Stack Name", default=known.stack_name)
    region = click.prompt("AWS Region", default=known.region)
    parameters, hidden = _parameters(template, known.parameters)
    confirm = click.confirm("Confirm changes before deploy", default=known.confirm)
    capabilities = known.capabilities or needed_capabilities(template)
    if not click.confirm("Allow SAM CLI IAM role creation", default=True):
        capabilities = click.prompt("Capabilities", default=" ".join(capabilities)).split()
    disable_rollback = click.confirm("Disable rollback", default=known.disable_rollback)
    answers = Answers(stack_name, region, parameters, capabilities, confirm, disable_rollback)
    if click.confirm("Save arguments to configuration file", default=True):
        name = click.prompt("SAM configuration file", default=file or samconfig.FILE)
        chosen = click.prompt("SAM configuration environment", default=environment)
        if not name.endswith(".toml"):
            raise Failure(f"The answers are kept as TOML, so {name} must end with .toml.")
        samconfig.write(project.directory, _remembered(answers, hidden), chosen, name)
        click.echo(f"Saved in {name}: the next time, `freehold sam deploy` is enough.")
    return answers


def needed_capabilities(template: Json) -> list[str]:
    """What CloudFormation wants acknowledged of a template like this one."""
    resources = template.get("Resources")
    found = [each for each in (resources if isinstance(resources, dict) else {}).values() if isinstance(each, dict)]
    named = any(name in (each.get("Properties") or {}) for each in found for name in _NAMES_OF_IAM)
    nested = any(each.get("Type") in _NESTED for each in found)
    return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM", *(["CAPABILITY_AUTO_EXPAND"] if nested else [])]


def _parameters(template: Json, known: Mapping[str, str]) -> tuple[dict[str, str], set[str]]:
    """Values by name, and the names of those that nobody may read."""
    declared = template.get("Parameters")
    found, hidden = {}, set()
    for name, settings in (declared if isinstance(declared, dict) else {}).items():
        settings = settings if isinstance(settings, dict) else {}
        is_hidden = str(settings.get("NoEcho", "")).lower() == "true"
        default = known.get(name, settings.get("Default"))
        choices = [_text(each) for each in settings.get("AllowedValues") or []]
        # Ctrl-C must not leave a terminal that shows no letters.
        with interrupts.raised() if is_hidden else nullcontext():
            found[name] = click.prompt(
                f"Parameter {name}",
                default=None if default is None else _text(default),
                type=click.Choice(choices) if choices else str,
                hide_input=is_hidden,
            )
        if is_hidden:
            hidden.add(name)
    unknown = [name for name in known if name not in found]
    if unknown:
        raise Failure(f"The template has no parameter {unknown[0]}.")
    return found, hidden


def _text(value: object) -> str:
    """YAML reads `true` as a truth value, and CloudFormation as the word."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _remembered(answers: Answers, hidden: set[str]) -> dict[str, str | bool]:
    values: dict[str, str | bool] = {
        "stack_name": answers.stack_name,
        "resolve_s3": True,
        "s3_prefix": answers.stack_name,
        "region": answers.region,
        "confirm_changeset": answers.confirm,
        "capabilities": " ".join(answers.capabilities),
        "disable_rollback": answers.disable_rollback,
    }
    kept = {name: value for name, value in answers.parameters.items() if name not in hidden}
    if kept:
        values["parameter_overrides"] = samconfig.write_pairs(kept)
    return values
