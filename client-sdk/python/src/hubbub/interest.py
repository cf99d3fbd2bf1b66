"""What a subscription asks for, and whether an event is it: the same reading as the hub's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from ._names import ALIASES
from .envelope import HubEvent

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Interest:
    topics: Sequence[str]
    types: Sequence[str] | None = None
    filter: Mapping[str, Scalar] | None = None


def topic_matches(pattern: str, topic: str) -> bool:
    """`*` takes everything but mail: an inbox is only ever matched by a pattern that names the family (I6)."""
    if pattern == topic:
        return True
    if pattern == "*":
        return not topic.startswith("inbox:")
    return pattern.endswith("*") and topic.startswith(pattern[:-1])


def type_matches(pattern: str, event_type: str) -> bool:
    """`task.progress`, `task.*`, `*`."""
    return pattern in (event_type, "*") or (pattern.endswith("*") and event_type.startswith(pattern[:-1]))


def canonical_type(name: str) -> str:
    """`agent_status` and other older names as the hub calls them; any other name and pattern as it is."""
    known = ALIASES.get(name)
    if known is not None:
        return known
    return f"pipeline.{name[9:]}" if name.startswith("pipeline:") else name


def matches(interest: Interest, event: HubEvent) -> bool:
    """Topic, type and filter must all fit."""
    if not any(topic_matches(pattern, topic) for pattern in interest.topics for topic in event.topics):
        return False
    if interest.types is not None and not any(type_matches(pattern, event.type) for pattern in interest.types):
        return False
    return interest.filter is None or all(_holds(event.data, key, value) for key, value in interest.filter.items())


_FIELDS = {"capability": "capabilities", "agentTypes": "agentType"}
_ABSENT = object()


def _holds(data: Any, key: str, expected: Scalar) -> bool:
    value = _look_up(data, _FIELDS.get(key, key))
    return any(_equal(item, expected) for item in value) if isinstance(value, list) else _equal(value, expected)


def _equal(value: Any, expected: Scalar) -> bool:
    """As in JSON: `true` is not 1."""
    return value == expected and _is_flag(value) == _is_flag(expected)


def _is_flag(value: Any) -> TypeGuard[bool]:
    return isinstance(value, bool)


def _look_up(data: Any, path: str) -> Any:
    value = data
    for step in path.removeprefix("data.").split("."):
        if not isinstance(value, dict) or step not in value:
            return _ABSENT
        value = value[step]
    return value
