"""Which rules want an event: patterns compiled once, kept in step with the store. PutEvents reads no document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.aws.event_patterns import parse_pattern
from freehold.state.store import Change, Document, Store


@dataclass(frozen=True, slots=True)
class _Compiled:
    document: Document
    matches: Callable[[Any], bool]


class Router:
    """`follow` begins to keep step with the store's rules; what it returns ends it."""

    def __init__(self, kind: str = "events.rule") -> None:
        self._kind = kind
        self._rules: dict[str, dict[str, _Compiled]] = {}  # "region/bus" -> name -> rule.

    def follow(self, store: Store) -> Callable[[], None]:
        return store.follow([self._kind], self._on_changes)

    def matching(self, region: str, bus: str, event: dict[str, Any]) -> list[Document]:
        """The enabled rules that want the event, by name."""
        rules = self._rules.get(f"{region}/{bus}", {})
        return [rules[name].document for name in sorted(rules) if rules[name].matches(event)]

    def _on_changes(self, changes: Sequence[Change]) -> None:
        for change in changes:
            place, _, name = change.key.rpartition("/")
            rules = self._rules.setdefault(place, {})
            document = change.document
            if document is None or document["State"] == "DISABLED" or not document.get("EventPattern"):
                rules.pop(name, None)
            else:
                rules[name] = _Compiled(document, parse_pattern(document["EventPattern"]))
