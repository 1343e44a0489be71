"""AWS's names of runtimes, and what each one means here.

AWS: "Lambda runtimes". A name of the table without a language is AWS's, but Freehold cannot run it:
it is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["python", "node", "custom"]


@dataclass(frozen=True, slots=True)
class Runtime:
    name: str  # AWS's: "python3.12", "nodejs22.x", "provided.al2023".
    language: Language | None  # None: known to AWS, not to us.
    version: tuple[int, int] = (0, 0)  # Of the interpreter; Node's second number is 0.


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        *(Runtime(f"python3.{minor}", "python", (3, minor)) for minor in range(6, 16)),
        *(Runtime(f"nodejs{major}.x", "node", (major, 0)) for major in range(10, 27, 2)),
        *(Runtime(name, "custom") for name in ("provided", "provided.al2", "provided.al2023")),
        *(
            Runtime(name, None)
            for name in (
                "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "python2.7",
                "java8", "java8.al2", "java11", "java17", "java21", "java25",
                "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet6", "dotnet8", "dotnet10",
                "go1.x", "ruby2.5", "ruby2.7", "ruby3.2", "ruby3.3", "ruby3.4", "ruby4.0",
                "java8.al2023", "java11.al2023", "java17.al2023",
            )
        ),
    )
}  # fmt: skip


def find_runtime(name: str) -> Runtime | None:
    """None for a name that AWS does not know either."""
    return RUNTIMES.get(name)
