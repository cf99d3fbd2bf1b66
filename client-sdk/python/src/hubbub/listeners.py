"""
Handlers of one kind, plain or `async`. One that raises stops neither the others nor the stream of events. A plain one is called in the
turn in which the thing came; an `async` one gets a lane of its own, so that it too sees one after the other, in order, and a slow one
holds up nobody else.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Off = Callable[[], None]
OnRaise = Callable[[BaseException], None]


class Lane(Generic[T]):
    """What an `async` handler has not done yet. The one in hand stays at the head until it is done."""

    def __init__(self, handler: Callable[[T], object], on_raise: OnRaise) -> None:
        self._handler = handler
        self._on_raise = on_raise
        self.waiting: deque[T] = deque()
        self.done: T | None = None
        self._task: asyncio.Task[None] | None = None

    def add(self, thing: T, begun: Awaitable[object] | None = None) -> None:
        self.waiting.append(thing)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(begun))

    async def _run(self, begun: Awaitable[object] | None) -> None:
        while self.waiting:
            thing = self.waiting[0]
            try:
                result = begun if begun is not None else self._handler(thing)
                begun = None
                if inspect.isawaitable(result):
                    await result
            except Exception as error:
                self._on_raise(error)
            # Cleared meanwhile, for it was too far behind.
            if self.waiting and self.waiting[0] is thing:
                self.waiting.popleft()
                self.done = thing


class _Entry(Generic[T]):
    def __init__(self, handler: Callable[[T], object], on_raise: OnRaise) -> None:
        self._handler = handler
        self._on_raise = on_raise
        self.lane: Lane[T] | None = Lane(handler, on_raise) if is_async(handler) else None

    def tell(self, thing: T) -> None:
        if self.lane is not None:
            return self.lane.add(thing)
        try:
            result = self._handler(thing)
        except Exception as error:
            return self._on_raise(error)
        if inspect.isawaitable(result):
            # A lambda around a coroutine function, for example: known only now.
            self.lane = Lane(self._handler, self._on_raise)
            self.lane.add(thing, result)


class Listeners(Generic[T]):
    def __init__(self, on_raise: OnRaise, *, limit: int = 10_000, on_full: Callable[[Lane[T]], None] | None = None) -> None:
        """`limit`: things that wait for an `async` handler; one more takes the handler away, and `on_full` is told its lane."""
        self._entries: list[_Entry[T]] = []
        self._on_raise = on_raise
        self._limit = limit
        self._on_full = on_full

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, handler: Callable[[T], object]) -> Off:
        """The same handler added twice is called twice, and taken away once."""
        entry = _Entry(handler, self._on_raise)
        self._entries.append(entry)

        def off() -> None:
            if entry in self._entries:
                self._entries.remove(entry)

        return off

    def tell(self, thing: T) -> None:
        for entry in list(self._entries):
            lane = entry.lane
            if lane is None or len(lane.waiting) < self._limit:
                entry.tell(thing)
                continue
            if entry in self._entries:
                self._entries.remove(entry)
            if self._on_full:
                self._on_full(lane)
            lane.waiting.clear()

    def lanes(self) -> list[Lane[T]]:
        """Those that are behind."""
        return [entry.lane for entry in self._entries if entry.lane is not None and entry.lane.waiting]


def is_async(handler: Any) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(getattr(handler, "__call__", None))
