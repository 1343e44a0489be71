"""The table of commands. A command's file is imported when it is called: starting up must not cost what others need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

import freehold


@dataclass(frozen=True, slots=True)
class Entry:
    module: str  # In freehold.cli.commands.
    summary: str  # One line of `freehold --help`.
    attribute: str = "command"


Table = Mapping[str, "Entry | Group"]


@dataclass(frozen=True, slots=True)
class Group:
    summary: str
    commands: Table
    instead: Mapping[str, str] = field(default_factory=dict)  # For commands of the original that are not here.


_SERVERLESS = {
    "deploy": Entry("deploy", "Deploy the service of this folder.", "serverless_command"),
    "deploy function": Entry("deploy_function", "Replace the code of one function."),
    "info": Entry("info", "Show the service's endpoints and functions."),
    "invoke": Entry("invoke", "Invoke a deployed function."),
    "invoke local": Entry("invoke_local", "Invoke a function from the folder's files, without a deploy."),
    "logs": Entry("logs", "Show or follow a function's log."),
    "offline": Entry("dev", "Run the service locally: the same as `freehold dev`."),
    "offline start": Entry("dev", "Run the service locally: the same as `freehold dev`."),
    "package": Entry("build", "Make the zip files and the template, deploy nothing."),
    "print": Entry("template", "Print the CloudFormation template that would be deployed."),
    "remove": Entry("remove", "Remove the service."),
}

_SAM_LOCAL = {
    "invoke": Entry("invoke_local", "Invoke a function from the folder's files, without a deploy."),
    "start-api": Entry("dev", "Run the API locally: the same as `freehold dev`."),
}

_FOLLOWED = "`freehold dev` brings every edit into force."
_PLUGINS = "Plugins need no installation: what Freehold knows of them is built in, others are named when you deploy."
_INSTEAD_OF_SERVERLESS = {
    "create": "Copy a folder of Freehold's examples/ to begin with.",
    "deploy list": "`freehold list` shows the stacks, `freehold info` what one holds.",
    "dev": _FOLLOWED,
    "login": "Nobody has to log in.",
    "metrics": "Each invocation's REPORT line in `freehold logs NAME` has its duration and memory.",
    "plugin": _PLUGINS,
    "prune": "Put custom.prune.automatic into serverless.yml: each deploy then removes old versions.",
    "rollback": "Deploy the sources of the version that you want back.",
    "test": "The Serverless Framework's own tests ran in its cloud.",
}
_INSTEAD_OF_SAM = {
    "init": "Copy a folder of Freehold's examples/ to begin with.",
    "pipeline": "`freehold sam deploy` runs in any CI; it needs no account.",
    "publish": "There is no application repository here.",
    "remote": "`freehold invoke NAME` invokes a deployed function.",
    "sync": _FOLLOWED,
    "traces": "There are no traces; `freehold sam logs` shows each invocation with its duration.",
}
_INSTEAD_OF_SAM_LOCAL = {
    "generate-event": "events/ of Freehold's examples/items-sam holds one to change.",
    "start-lambda": "`freehold dev` serves Lambda's API too, at the AWS endpoint that it prints.",
}

_SAM: Table = {
    "build": Entry("build", "Build the functions' code and layers."),
    "delete": Entry("remove", "Delete the stack.", "sam_command"),
    "deploy": Entry("deploy", "Deploy the template of this folder.", "sam_command"),
    "list": Entry("list_", "List the stacks."),
    "list endpoints": Entry("list_of_stack", "List the addresses of a stack's APIs.", "endpoints_command"),
    "list resources": Entry("list_of_stack", "List the resources of a stack.", "resources_command"),
    "list stack-outputs": Entry("list_of_stack", "List the outputs of a stack.", "outputs_command"),
    "local": Group("Run functions and the API of a template locally.", _SAM_LOCAL, _INSTEAD_OF_SAM_LOCAL),
    "logs": Entry("logs", "Show or follow the log of a function, or of all of a stack.", "sam_command"),
    "package": Entry("build", "Build the functions' code and layers."),
    "validate": Entry("template", "Check the template; print what it compiles to.", "validate_command"),
}

COMMANDS: Table = {
    "build": Entry("build", "Build the functions' code and layers of a folder."),
    "deploy": Entry("deploy", "Deploy a folder's serverless.yml, SAM or CloudFormation template."),
    "deploy function": Entry("deploy_function", "Replace the code of one function, nothing else."),
    "dev": Entry("dev", "Run a folder's app as a live API that follows your edits."),
    "doctor": Entry("doctor", "Show what this machine offers: runtimes, data, ports, isolation, tools."),
    "info": Entry("info", "Show a stack's endpoints, functions and outputs."),
    "invoke": Entry("invoke", "Invoke a deployed function."),
    "list": Entry("list_", "List the stacks."),
    "logs": Entry("logs", "Show or follow a function's log."),
    "package": Entry("build", "Build the functions' code and layers of a folder."),
    "remove": Entry("remove", "Delete a stack and what it made."),
    "sam": Group("The AWS SAM CLI's commands, as people know them.", _SAM, _INSTEAD_OF_SAM),
    "serve": Entry("serve", "Run a server that deployed apps live on."),
    "serverless": Group(
        "The Serverless Framework's commands, as people know them.", _SERVERLESS, _INSTEAD_OF_SERVERLESS
    ),
    "sls": Group("Short for `serverless`.", _SERVERLESS, _INSTEAD_OF_SERVERLESS),
}


class LazyGroup(click.Group):
    """Commands of a table; a name may have two words ("deploy function"), and the longest that fits is meant."""

    def __init__(self, table: Table, instead: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.table = table
        self.instead = instead or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self.table.get(cmd_name)
        if found is None:
            return None
        if isinstance(found, Group):
            return LazyGroup(found.commands, found.instead, name=cmd_name, help=found.summary, no_args_is_help=True)
        command: click.Command = getattr(import_module(f"freehold.cli.commands.{found.module}"), found.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        two_words = " ".join(args[:2])
        if two_words in self.table:
            return two_words, self.get_command(ctx, two_words), args[2:]
        for words in (two_words, args[0] if args else ""):
            if words in self.instead:
                ctx.fail(f"There is no command {words!r}. {self.instead[words]}")
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            close = get_close_matches(args[0], [name for name in self.table if " " not in name], 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table: click's own would import every command to print its first line."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.table[name].summary) for name in self.list_commands(ctx)])


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"freehold {freehold.__version__}")
        ctx.exit()


_HELP = """Run apps written for AWS Lambda, API Gateway and DynamoDB, unchanged, on machines you own.

\b
Examples:
  freehold dev                          this folder's app, live on http://localhost:3000
  freehold serve                        a server on http://127.0.0.1:4566
  freehold deploy --stage dev           deploy this folder's app to it
  freehold COMMAND --help               what a command does, with examples
"""

program = LazyGroup(
    COMMANDS,
    name="freehold",
    help=_HELP,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            help="Print the version and exit.",
            callback=_print_version,
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
)
