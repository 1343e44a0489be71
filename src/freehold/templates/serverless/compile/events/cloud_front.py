"""`cloudFront` events (Lambda@Edge) are not supported: there is no content delivery network here. An error by name."""

from __future__ import annotations

from freehold.templates.serverless.compile.compilation import Compilation


def compile_events(compilation: Compilation) -> None:
    for function in compilation.functions:
        for event in function.of_kind("cloudFront"):
            raise compilation.wrong_event(
                function,
                event.position,
                f'The function "{function.key}" has a cloudFront event (Lambda@Edge), which Freehold does not support.',
            )
