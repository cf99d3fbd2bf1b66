"""The consumer's side of a subscription: handlers, the iterator and its buffer. What is asked of the hub: `feed.py`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol

from .cursors import is_after, offset_of
from .envelope import Gap, HubEvent
from .errors import HubError
from .interest import Interest, Scalar
from .listeners import Lane, Listeners, Off, OnRaise

Since = str | Mapping[str, int]


@dataclass(frozen=True)
class Asked:
    topics: Sequence[str]
    types: Sequence[str] | None = None
    filter: Mapping[str, Scalar] | None = None
    since: Since | None = None
    batch_ms: int | None = None
    latest_only: bool = False


class SubscriptionHost(Protocol):
    buffer_limit: int
    on_raise: OnRaise

    def leave(self, subscription: Subscription) -> Awaitable[None]:
        """Tells the hub."""


class Subscription:
    """
    A subscription that outlives connections: each event that matches comes once, in journal order (I1, I2). Read it by `on` or by
    `async for`; what comes before the first of them, up to `buffer_limit` events, is kept for it. A reader that falls `buffer_limit`
    events behind is ended with QUEUE_FULL, and can go on from `cursor`. Left by `unsubscribe`, or at the end of `async with`.
    """

    def __init__(self, asked: Asked, host: SubscriptionHost) -> None:
        self.asked = asked
        self.topics: Sequence[str] = asked.topics
        #: The hub's id on the present connection; None while it is being made.
        self.id: str | None = None
        self.phase: Literal["reading", "live", "ended"] = "reading"
        # Everything up to here has come; what comes again is dropped. Of answers too, so not always an event's.
        self.position: str | None = None
        # Resolves with the hub's first answer.
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.error: HubError | None = None
        self._host = host
        self._handlers: Listeners[HubEvent] = Listeners(host.on_raise, limit=host.buffer_limit, on_full=self._fell_behind)
        self._gaps: Listeners[Gap] = Listeners(host.on_raise)
        self._ends: Listeners[HubError | None] = Listeners(host.on_raise)
        self._queue: deque[HubEvent] = deque()
        self._taken: str | None = None
        # `nobody`: kept for the first consumer. `spilled`: nobody came before the buffer was full.
        self._reader: Literal["nobody", "spilled", "handlers", "iterator"] = "nobody"
        self._changed = asyncio.Event()
        self._live = asyncio.Event()

    @property
    def interest(self) -> Interest:
        return Interest(self.topics, self.asked.types, self.asked.filter)

    @property
    def since(self) -> Since | None:
        """What to ask for next; None: only what is to come."""
        return self.position if self.position is not None else self.asked.since

    @property
    def cursor(self) -> str | None:
        """Behind the last event that the consumer is done with."""
        if self._queue:
            return self._taken
        lanes = self._handlers.lanes()
        return _earliest([lane.done.cursor if lane.done else self._taken for lane in lanes]) if lanes else self.position

    def on(self, handler: Callable[[HubEvent], object]) -> Off:
        """A plain or `async` handler; answers a function that takes it away again."""
        off = self._handlers.add(handler)
        if self._reader == "nobody":
            while self._queue:
                self._handlers.tell(self._queue.popleft())
        if self._reader == "spilled":
            self._host.on_raise(self._overflow())
        if self._reader != "iterator":
            self._reader = "handlers"
        return off

    def on_gap(self, handler: Callable[[Gap], object]) -> Off:
        """Events that can no longer be had."""
        return self._gaps.add(handler)

    def on_end(self, handler: Callable[[HubError | None], object]) -> Off:
        """Told once: with None when it was left or the client closed, else with the reason."""
        return self._ends.add(handler)

    async def live(self) -> None:
        """Returns when the history asked for was read and events come live; raises when the subscription ended before."""
        await self._live.wait()
        if self.phase == "ended":
            raise self.error or HubError("NOT_SUBSCRIBED", "The subscription was ended.")

    async def unsubscribe(self) -> None:
        if self.phase == "ended":
            return
        self.end()
        await self._host.leave(self)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> HubEvent:
        if self._reader == "spilled":
            await self._fail(self._overflow())
        self._reader = "iterator"
        while not self._queue:
            if self.error:
                raise self.error
            if self.phase == "ended":
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        event = self._queue.popleft()
        self._taken = event.cursor
        self._changed.set()
        return event

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.unsubscribe()

    # ---------------------------------------------------------------- the feed's side

    def deliver(self, event: HubEvent) -> None:
        """Hands on whatever lies behind the position."""
        if self.phase == "ended" or not is_after(event.cursor, self.position):
            return
        if self._taken is None and self._reader == "handlers":
            self._taken = self.position
        self.position = event.cursor
        self._handlers.tell(event)
        if self._reader in ("handlers", "spilled"):
            return
        # Pages wait for room (`has_room`), live events cannot.
        if self.phase == "live" and len(self._queue) >= self._host.buffer_limit:
            return self._spill()
        self._queue.append(event)
        self._changed.set()

    async def has_room(self) -> None:
        """Before the next page is asked for. Only an iterator makes the pages wait: nobody else would ever make room."""
        while self.is_pacing:
            self._changed.clear()
            await self._changed.wait()
        if self._reader == "nobody" and len(self._queue) >= 2 * self._host.buffer_limit:
            self._spill()

    @property
    def is_pacing(self) -> bool:
        return self._reader == "iterator" and self.phase != "ended" and len(self._queue) > self._host.buffer_limit / 2

    def gap(self, gap: Gap) -> None:
        self.position = gap.end
        self._gaps.tell(gap)

    def go_live(self, subscription_id: str | None) -> None:
        self.id = subscription_id
        self.phase = "live"
        self._live.set()

    def answer(self, error: HubError | None = None) -> None:
        if self.answered.done():
            return
        if error:
            self.answered.set_exception(error)
        else:
            self.answered.set_result(None)

    def end(self, error: HubError | None = None) -> None:
        if self.phase == "ended":
            return
        self.phase = "ended"
        self.error = error
        self._live.set()
        self._changed.set()
        self._ends.tell(error)

    def _spill(self) -> None:
        self._queue.clear()
        if self._reader != "iterator":
            self._reader = "spilled"
            return
        # So that a consumer can go on from `cursor`, behind what it took.
        self.position = self._taken
        self._fail_soon(self._overflow())

    def _fell_behind(self, lane: Lane[HubEvent]) -> None:
        self.position = self._taken = lane.done.cursor if lane.done else self._taken
        self._fail_soon(self._overflow())

    def _fail_soon(self, error: HubError) -> None:
        self.end(error)
        self._leaving = asyncio.ensure_future(self._host.leave(self))

    async def _fail(self, error: HubError) -> None:
        self.end(error)
        await self._host.leave(self)

    def _overflow(self) -> HubError:
        limit = self._host.buffer_limit
        text = f"The reader of {', '.join(self.topics)} fell {limit} events behind (buffer_limit); they were dropped."
        details: dict[str, Any] = {} if self._taken is None else {"cursor": self._taken}
        return HubError("QUEUE_FULL", text, details)


def _earliest(cursors: Sequence[str | None]) -> str | None:
    return min(cursors, key=offset_of)
