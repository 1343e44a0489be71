"""serverless-pseudo-parameters: `#{AWS::AccountId}` in any text of the template means what it does in Fn::Sub."""

from __future__ import annotations

import re
from typing import Any

from freehold.templates.serverless.compile.compilation import Compilation, sub
from freehold.templates.serverless.plugins.plugin import Plugin

_PARAMETER = re.compile(r"#\{([A-Za-z0-9:.]+)\}")


def after_compile(compilation: Compilation) -> None:
    for section in (compilation.resources, compilation.outputs, compilation.service.configuration.get("resources")):
        if isinstance(section, dict):
            for key, value in section.items():
                section[key] = _replaced(value)


def _replaced(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return sub(_PARAMETER.sub(r"${\1}", value["Fn::Sub"]))
        return {key: _replaced(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each) for each in value]
    if isinstance(value, str) and _PARAMETER.search(value):
        return sub(_PARAMETER.sub(r"${\1}", value))
    return value


PLUGIN = Plugin(after_compile=after_compile)
