"""What CloudFormation answers when a template or a request is wrong: nearly always ValidationError, with a sentence."""

from __future__ import annotations

from freehold.aws.errors import AwsError
from freehold.templates.yaml_reader import Lines


class Source:
    """The text of a template, to tell the line of what is wrong. Empty text: no line is told."""

    def __init__(self, text: str = "") -> None:
        self._lines = Lines(text) if text else None

    def at(self, section: str, name: str, *rest: str | int) -> str:
        """The text ` (line 12)`, or nothing where the text does not have `section`/`name`: a transform made it."""
        if self._lines is None:
            return ""
        above = self._lines.of([section])
        line = self._lines.of([section, name, *rest])
        return "" if line is None or line == above else f" (line {line})"


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationError", message, status=400)


def format_error(message: str) -> AwsError:
    return validation_error(f"Template format error: {message}")


def template_error(message: str) -> AwsError:
    return validation_error(f"Template error: {message}")
