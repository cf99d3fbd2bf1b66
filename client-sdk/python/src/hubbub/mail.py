"""
An agent's mail, as it comes: the hub sends it from the connection on, without a subscription. It is handed on outside of the order of
events: history that some subscription reads must not hold up a delegation until it is given to somebody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from .envelope import HubEvent
from .listeners import Off

MailHandler = Callable[[HubEvent], None]

# Mail that comes before its reader is there; beyond it the oldest goes, and the hub offers those tasks again.
_KEPT = 1000
_INBOX = "inbox:"


class Mail:
    def __init__(self) -> None:
        self._readers: dict[str, MailHandler] = {}
        self._kept: deque[tuple[str, HubEvent]] = deque(maxlen=_KEPT)

    def read(self, agent_id: str, handler: MailHandler) -> Off:
        """Hands on what came so far, and everything to come; one reader an agent."""
        self._readers[agent_id] = handler
        kept = list(self._kept)
        self._kept.clear()
        for reader, event in kept:
            self._deliver(reader, event)

        def off() -> None:
            if self._readers.get(agent_id) is handler:
                del self._readers[agent_id]

        return off

    def heard(self, event: HubEvent) -> None:
        """Looks at every event that comes; most are nobody's mail."""
        for topic in event.topics:
            if topic.startswith(_INBOX):
                self._deliver(topic[len(_INBOX) :], event)

    def _deliver(self, agent_id: str, event: HubEvent) -> None:
        reader = self._readers.get(agent_id)
        if reader:
            reader(event)
        else:
            self._kept.append((agent_id, event))
