"""Brings an edit into force: packs, tries the new code, deploys through a change set.

Two decisions to know. Functions that share one zip file are told apart: one that the edit does not concern stays on the
file it has, and so stays warm. And new code takes over only after it has initialised in an environment of its own: a
broken edit leaves the last good version serving.
"""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from freehold.aws.errors import AwsError
from freehold.cli import deployment
from freehold.cli.deployment import Event
from freehold.cli.dev.closure import concerns
from freehold.cli.failure import Failure
from freehold.cli.packaging import Source, Wishes, make_package, template_parameters
from freehold.cli.places import explained
from freehold.cli.project import Project
from freehold.http.aws_client import AwsClient
from freehold.templates.errors import TemplateError

if TYPE_CHECKING:
    from freehold.templates.package.artifact import Artifact

_REHEARSALS = 4  # At a time: each starts a process.


class Rehearse(Protocol):
    """(FunctionName, handler, zip file) -> what is wrong with it, or None."""

    async def __call__(self, function: str, handler: str, path: Path) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    stack_name: str
    functions: Mapping[str, str]  # The user's name of a function -> its logical id.
    changed: tuple[str, ...]  # Logical ids that the deploy touched.
    broken: Mapping[str, str]  # Owner of code that does not start -> why.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Code:
    artifact: Artifact
    contents: Mapping[str, tuple[int, int]]  # Kept, as the zip file's place is written again by the next edit.


@dataclass(slots=True)
class Reloader:
    project: Project
    wishes: Wishes
    aws: AwsClient
    rehearse: Rehearse
    _in_force: dict[str, _Code] = field(default_factory=dict)  # By owner.
    _names: dict[str, str] = field(default_factory=dict)  # Logical id of a deployed function -> its name.

    async def deploy(self) -> Outcome:
        """Brings what the folder holds now into force. Raises TemplateError, Failure, AwsError."""
        broken: dict[str, str] = {}
        chosen: list[_Code] = []

        async def choose(made: Sequence[Artifact], sources: Mapping[str, Source]) -> Sequence[Artifact]:
            contents = await asyncio.to_thread(lambda: {each.path: _contents(each.path) for each in made})
            new = [_Code(replace(each, owners=(owner,)), contents[each.path]) for each in made for owner in each.owners]
            gate = asyncio.Semaphore(_REHEARSALS)
            chosen[:] = await asyncio.gather(
                *(self._choose(each, sources.get(each.artifact.owners[0]), broken, gate) for each in new)
            )
            return [each.artifact for each in chosen]

        package = await make_package(self.project, self.wishes, self.aws, choose)
        parameters = template_parameters(package, self.wishes, self.project)
        touched: dict[str, Event] = {}

        def on_event(event: Event) -> None:
            touched[event.logical_id] = event
            if event.type == "AWS::Lambda::Function":
                self._names[event.logical_id] = event.physical_id

        try:
            await deployment.deploy(self.aws, package, parameters, on_event=on_event)
        except (AwsError, Failure) as error:
            raise explained(error, self.project, package) from error
        self._in_force = {each.artifact.owners[0]: each for each in chosen}
        names = tuple(name for name, event in touched.items() if event.type != "AWS::CloudFormation::Stack")
        return Outcome(package.stack_name, package.functions, names, broken, package.warnings)

    def know(self, names: Mapping[str, str]) -> None:
        """The deployed functions, by logical id."""
        self._names = dict(names)

    async def _choose(
        self, new: _Code, source: Source | None, broken: dict[str, str], gate: asyncio.Semaphore
    ) -> _Code:
        owner = new.artifact.owners[0]
        old = self._in_force.get(owner)
        if old is None or source is None or old.artifact.sha256 == new.artifact.sha256:
            return new
        # What differs from the code in force, and not from the last save, which may have been broken.
        changed = {name for name, _ in old.contents.items() ^ new.contents.items()}
        if not concerns([source.root / name for name in changed], source.root, source.handler):
            return old
        name = self._names.get(source.logical_id)
        if name is None:
            return new
        async with gate:
            problem = await self.rehearse(name, source.handler, new.artifact.path)
        if problem is None:
            return new
        broken[owner.partition(":")[2]] = problem
        return old


def _contents(path: Path) -> Mapping[str, tuple[int, int]]:
    """What tells the files of a zip file apart from those of another: checksums and modes, by name."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {each.filename: (each.CRC, each.external_attr) for each in archive.infolist()}
    except zipfile.BadZipFile:
        raise TemplateError(f"{path} is not a zip file.") from None
