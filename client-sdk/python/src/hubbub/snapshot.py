"""The state of what topics name, page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cursors import is_after

Entity = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """Entities as of one moment, kind by kind. The events behind `cursor` are not in it; a subscription `since` it brings them."""

    cursor: str
    entities: Sequence[Entity]
    _index: Mapping[tuple[str, str], Entity] = field(default_factory=dict, repr=False, compare=False)

    def get(self, kind: str, id: str) -> Entity | None:
        """`agent`, `task`, `pipeline`, `stream`, `checkpoint`, `run`, `task_type`."""
        return self._index.get((kind, id))

    def list(self, kind: str) -> list[Entity]:
        return [entity for entity in self.entities if entity.get("kind") == kind]


async def read_snapshot(topics: Sequence[str], ask: Callable[[dict[str, Any]], Awaitable[Mapping[str, Any]]]) -> Snapshot:
    """Asks until there is no more. Of an entity that two pages show, the later one is the younger."""
    page = await ask({"topics": list(topics)})
    cursor = str(page["cursor"])
    held: dict[tuple[str, str], Entity] = {}
    while True:
        for entity in page["entities"]:
            key = (str(entity["kind"]), str(entity["id"]))
            known = held.get(key)
            if known is None or is_after(f"e.{entity['revision']}", f"e.{known['revision']}"):
                held[key] = dict(entity)
        after = page.get("next")
        if after is None:
            return Snapshot(cursor, list(held.values()), held)
        page = await ask({"topics": list(topics), "after": after})
