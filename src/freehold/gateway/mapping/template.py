"""A mapping template: compiled when its API is deployed, rendered for each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from freehold.aws.errors import AwsError
from freehold.gateway.mapping.evaluate import Evaluation
from freehold.gateway.mapping.parser import Node, TemplateProblem, parse
from freehold.gateway.mapping.variables import Util

JSON_TYPE = "application/json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Template:
    nodes: tuple[Node, ...]
    has_context: bool = True  # Whether it may name `$context`.

    def render(self, variables: Mapping[str, Any]) -> str:
        """Raises TemplateFailure. What `variables` hold may be changed: `$context.responseOverride.status`."""
        return Evaluation({"util": Util(), **variables}).render(self.nodes)


def compile_template(text: str, what: str) -> Template:
    """`what` names the place in the refusal. Raises AwsError, BadRequestException."""
    try:
        return Template(parse(text), "context" in text)
    except TemplateProblem as error:
        raise AwsError(
            "BadRequestException", f"Invalid mapping template specified: {what}: {error}", status=400
        ) from None
    except RecursionError:
        raise AwsError(
            "BadRequestException", f"Invalid mapping template specified: {what}: nested too deeply", status=400
        ) from None


def choose_template(templates: Mapping[str, T], accept: str) -> tuple[str, T | None]:
    """Of an answer: the first content type that the client accepts, else JSON, else the first."""
    for wanted in accept.split(","):
        media_type = wanted.partition(";")[0].strip()
        if media_type in templates:
            return media_type, templates[media_type]
    if not templates or JSON_TYPE in templates:
        return JSON_TYPE, templates.get(JSON_TYPE)
    return next(iter(templates.items()))
