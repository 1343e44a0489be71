"""A mapping template: compiled when its API is deployed, rendered for each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from freehold.aws.errors import AwsError
from freehold.gateway.mapping.evaluate import Evaluation
from freehold.gateway.mapping.parser import Node, TemplateProblem, parse
from freehold.gateway.mapping.variables import Util


@dataclass(frozen=True, slots=True)
class Template:
    nodes: tuple[Node, ...]

    def render(self, variables: Mapping[str, Any]) -> str:
        """Raises TemplateFailure. What `variables` hold may be changed: `$context.responseOverride.status`."""
        return Evaluation({"util": Util(), **variables}).render(self.nodes)


def compile_template(text: str, what: str) -> Template:
    """`what` names the place in the refusal. Raises AwsError, BadRequestException."""
    try:
        return Template(parse(text))
    except TemplateProblem as error:
        raise AwsError(
            "BadRequestException", f"Invalid mapping template specified: {what}: {error}", status=400
        ) from None
    except RecursionError:
        raise AwsError(
            "BadRequestException", f"Invalid mapping template specified: {what}: nested too deeply", status=400
        ) from None
