"""What is wrong with a template or its files: one sentence, with the place where there is one."""

from __future__ import annotations

from pathlib import Path


class TemplateError(Exception):
    """The user's mistake. `str()` is the whole line to print: `serverless.yml:12: ...`."""

    def __init__(self, message: str, file: Path | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def __str__(self) -> str:
        if self.file is None:
            return self.message
        place = self.file.name if self.line is None else f"{self.file.name}:{self.line}"
        return f"{place}: {self.message}"
