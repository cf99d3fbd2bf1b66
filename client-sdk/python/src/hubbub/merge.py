"""
One journal order out of several sources (I1, I2): the live stream of the connection, and each subscription that still reads what it
missed, page by page. An event is handed on when every source has come as far; one that two sources bring is handed on once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .cursors import ORIGIN, Offset, epoch_of, is_after, offset_of
from .envelope import HubEvent


class Merge:
    def __init__(self, hand: Callable[[HubEvent], None]) -> None:
        self._hand_on = hand
        # Of the last event handed on. Not of a bookmark: history asked for later may lie before it.
        self._handed: Offset | None = None
        # The connection brought everything up to here.
        self._live: str | None = None
        # Each reading source has brought everything up to here.
        self._reading: dict[int, str | None] = {}
        self._held: list[tuple[Offset, HubEvent]] = []
        # Limit of the last release: while it stands still there is nothing to release, and a long reading costs no scans.
        self._released: Offset | None = None
        self._jumped: str | None = None

    @property
    def cursor(self) -> str | None:
        """Everything up to here was handed on: a new client that starts from it misses nothing."""
        places = [self._live, *(cursor for cursor in self._reading.values() if cursor is not None)]
        known = [cursor for cursor in places if cursor is not None]
        return min(known, key=offset_of, default=None)

    def opened(self) -> None:
        """A new connection: a gap is told again by each subscription that meets it."""
        self._jumped = None

    def live(self, cursor: str, event: HubEvent | None = None) -> None:
        # A link of single requests may go back to where an agent's mail begins; in another epoch offsets may start over.
        if is_after(cursor, self._live) or epoch_of(cursor) != epoch_of(self._live):
            self._live = cursor
        if event:
            self._held.append((offset_of(cursor), event))
        self._release()

    def join(self, source: object, start: str | None) -> None:
        """A source begins to read behind `start`; None: from somewhere in the past."""
        self._reading[id(source)] = start
        self._released = None

    def page(self, source: object, events: Iterable[HubEvent], cursor: str) -> None:
        """A page of a source, complete up to `cursor`."""
        if id(source) not in self._reading:
            return
        self._held.extend((offset_of(event.cursor), event) for event in events)
        self._reading[id(source)] = cursor
        self._release()

    def leave(self, source: object) -> None:
        """The source reads no more: it has joined the live stream, or is gone."""
        if id(source) in self._reading:
            del self._reading[id(source)]
            self._release()

    def jump(self, to: str) -> None:
        """
        Nothing between is to be had. After a lost branch of the journal (`epoch`) offsets start over, possibly lower: what is held was
        sent before that and goes first. Several subscriptions meet the same gap; it is one jump.
        """
        if to == self._jumped:
            return
        self._jumped = to
        self._released = None
        held, self._held = self._held, []
        self._hand(held)
        self._handed = offset_of(to)
        self._live = to

    def _release(self) -> None:
        if not self._held:
            return
        limit = self._limit()
        # The live stream brings what lies at its end in the same call as the end itself: only a reading source stands still.
        if limit == self._released and all(offset > limit for offset, _ in self._held[-1:]):
            return
        self._released = limit
        ready = [held for held in self._held if held[0] <= limit]
        if not ready:
            return
        self._held = [] if len(ready) == len(self._held) else [held for held in self._held if held[0] > limit]
        self._hand(ready)

    def _limit(self) -> Offset:
        return min([offset_of(self._live), *(offset_of(cursor) for cursor in self._reading.values())], default=ORIGIN)

    def _hand(self, events: list[tuple[Offset, HubEvent]]) -> None:
        if len(events) > 1:
            events.sort(key=lambda held: held[0])
        for offset, event in events:
            if self._handed is not None and offset <= self._handed:
                continue
            self._handed = offset
            self._hand_on(event)
