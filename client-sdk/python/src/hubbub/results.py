"""What the hub answers, where that is more than one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from .envelope import Gap, HubEvent


class PublishResult(TypedDict, total=False):
    """`offset` is there when the commit was awaited; `duplicate` when the event stood in the journal already. The rest: receipts of reports."""

    id: str
    type: str
    offset: str
    duplicate: bool
    status: str
    taskId: str
    progress: float
    nextHeartbeat: str
    completedAt: str


@dataclass(frozen=True)
class History:
    """`more`: ask again with `since=cursor`."""

    events: Sequence[HubEvent]
    cursor: str
    more: bool
    gap: Gap | None
