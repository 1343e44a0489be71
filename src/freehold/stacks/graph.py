"""What depends on what, in which order to make it, and running that order with bounded concurrency.

Order is AWS's: a resource waits for those that its properties reference (Ref, Fn::GetAtt, Fn::Sub) and its DependsOn.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from freehold.aws.call import Json
from freehold.stacks.errors import validation_error

Graph = Mapping[str, frozenset[str]]
"""Logical id -> the logical ids that must be there before it."""

VARIABLE = re.compile(r"\$\{([^!${}][^${}]*)\}")


def references(value: Any) -> Iterator[str]:
    """The names that `value` refers to: logical ids, parameters and pseudo parameters alike."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
        return
    if not isinstance(value, dict):
        return
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref" and isinstance(argument, str):
            yield argument
            return
        if name == "Fn::GetAtt":
            yield from _get_att(argument)
            return
        if name == "Fn::Sub":
            yield from _sub(argument)
            return
    for item in value.values():
        yield from references(item)


def _get_att(argument: Any) -> Iterator[str]:
    if isinstance(argument, str):
        yield argument.split(".", 1)[0]
    elif isinstance(argument, list) and argument and isinstance(argument[0], str):
        yield argument[0]
        yield from references(argument[1:])


def _sub(argument: Any) -> Iterator[str]:
    text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    yield from references(variables)
    for name in VARIABLE.findall(text if isinstance(text, str) else ""):
        name = name.strip()
        if name not in variables:
            yield name.split(".", 1)[0]


def depends_on(resource: Json) -> list[str]:
    listed = resource.get("DependsOn") or []
    return [listed] if isinstance(listed, str) else list(listed)


def resource_graph(resources: Mapping[str, Json]) -> Graph:
    """Raises ValidationError naming the resources of a cycle."""
    graph = {
        name: frozenset(
            other
            for other in (*references(resource.get("Properties", {})), *depends_on(resource))
            if other in resources and (other != name or other in references(resource.get("Properties", {})))
        )
        for name, resource in resources.items()
    }
    cycle = find_cycle(graph)
    if cycle:
        raise validation_error(f"Circular dependency between resources: [{', '.join(sorted(cycle))}]")
    return graph


def find_cycle(graph: Graph) -> set[str]:
    """The nodes that lie on a cycle or between cycles; empty: there is none."""
    left = {name: set(needs) & set(graph) for name, needs in graph.items()}
    # Nodes that need nothing, and then nodes that nobody needs, lie on no cycle.
    for _ in range(2):
        ready = [name for name, needs in left.items() if not needs]
        while ready:
            for name in ready:
                del left[name]
            for needs in left.values():
                needs.difference_update(ready)
            ready = [name for name, needs in left.items() if not needs]
        left = {name: {other for other in left if name in left[other]} for name in left}
    return set(left)


def reversed_graph(graph: Graph) -> Graph:
    """For deleting: each waits for those that need it."""
    turned: dict[str, set[str]] = {name: set() for name in graph}
    for name, needs in graph.items():
        for other in needs:
            if other in turned:
                turned[other].add(name)
    return {name: frozenset(others) for name, others in turned.items()}


async def walk(graph: Graph, visit: Callable[[str], Awaitable[bool]], limit: int, *, go_on: bool = False) -> set[str]:
    """Visits each node after those it needs, at most `limit` at once. Returns the nodes whose visit said False.

    After a failure what runs is finished and nothing new begins; with `go_on`, only what needs the failed is left out.
    """
    left = {name: set(needs) & set(graph) for name, needs in graph.items()}
    running: dict[asyncio.Task[bool], str] = {}
    failed: set[str] = set()
    try:
        while left or running:
            if go_on or not failed:
                for name in [name for name, needs in left.items() if not needs][: limit - len(running)]:
                    del left[name]
                    running[asyncio.ensure_future(visit(name))] = name
            if not running:
                break
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                name = running.pop(task)
                if not task.result():
                    failed.add(name)
                    continue
                for needs in left.values():
                    needs.discard(name)
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
    return failed
