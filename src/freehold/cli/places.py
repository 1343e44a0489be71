"""Where in the app's file the part stands that the server complains about: `serverless.yml:12: ...`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freehold.aws.errors import AwsError
from freehold.cli.deployment import Package
from freehold.cli.failure import Failure, sentence
from freehold.cli.project import Project

if TYPE_CHECKING:
    from freehold.templates.serverless import Service

_IDS = re.compile(r"[A-Za-z0-9]+")


def places_of(service: Service) -> dict[str, str]:
    """Logical id -> its place, of what the file itself names: functions and resources."""
    resources = service.configuration.get("resources") or {}
    paths: dict[str, tuple[str, ...]] = {}
    for section in ("extensions", "Resources", "Outputs"):
        paths |= {str(name): ("resources", section, str(name)) for name in resources.get(section) or {}}
    paths |= {function.logical_id: ("functions", function.key) for function in service.functions.values()}
    lines = {name: service.document.line(path) for name, path in paths.items()}
    return {name: f"{service.file.name}:{line}" for name, line in lines.items() if line is not None}


def explained(error: AwsError | Failure, project: Project, package: Package) -> Failure:
    """The same complaint with its place, where it names a part of the file."""
    words = error.message if isinstance(error, Failure) else sentence(error)
    if project.is_serverless:
        place = next((package.places[word] for word in _IDS.findall(words) if word in package.places), "")
        return Failure(f"{place}: {words}" if place else words)
    if isinstance(error, Failure) and not words.startswith(("Transform ", "No transform named ")):
        return Failure(words)
    from freehold.cli.packaging_sam import located

    return Failure(located("; ".join(words.splitlines()), project))
