"""
What comes in: keeps the hub's subscriptions in step with the user's over all connections, and hands events on.

Backfill travels in answers, live in messages. A subscription reads its answers, page by page, until one of them has joined it to the
live stream; what comes live before that is not yet its business, and after it everything is. So a subscription's own order needs no
waiting; the order over all of them is `Merge`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .cursors import is_after, is_cursor
from .envelope import Gap, HubEvent, gap_of
from .errors import Dropped, HubError, error_of, retry_after
from .http_api import take
from .interest import matches
from .link import Answer, Heard, Held
from .listeners import OnRaise
from .merge import Merge
from .state import Backoff
from .subscription import Asked, Subscription


@dataclass
class FeedHost:
    """`request` raises `Dropped`; `event_of` reads an event of an answer."""

    request: Callable[..., Coroutine[Any, Any, Answer]]
    is_open: Callable[[], bool]
    event_of: Callable[[object, object], HubEvent | None]
    buffer_limit: int
    backoff: Backoff
    on_event: Callable[[HubEvent], None]
    on_gap: Callable[[Gap], None]
    on_error: Callable[[HubError], None]
    on_raise: OnRaise
    #: Some subscription began to read, or the last one went live.
    on_reading: Callable[[bool], None]


class Feed:
    def __init__(self, host: FeedHost) -> None:
        self._host = host
        self.buffer_limit = host.buffer_limit
        self.on_raise = host.on_raise
        self._subscriptions: dict[int, Subscription] = {}
        self._merge = Merge(host.on_event)
        # Raised with each connection: what was asked on an older one is void.
        self._round = 0
        # A change of subscriptions was under way when the connection ended: what the hub holds is not known.
        self._is_unclear = False
        self._told_gap = ""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def cursor(self) -> str | None:
        return self._merge.cursor

    @property
    def is_reading(self) -> bool:
        return any(subscription.phase == "reading" and subscription.since is not None for subscription in self._subscriptions.values())

    async def subscribe(self, asked: Asked) -> Subscription:
        """Returns with the hub's first answer; without a connection that is when there is one."""
        subscription = Subscription(asked, self)
        self._subscriptions[id(subscription)] = subscription
        if self._host.is_open():
            self._start(self._read(subscription, self._round))
        try:
            await subscription.answered
        except asyncio.CancelledError:
            await subscription.unsubscribe()
            raise
        return subscription

    # ---------------------------------------------------------------- the link's side

    def opened(self, held: Held) -> None:
        """Where the hub holds the older connection's subscriptions, it brings by itself what they missed."""
        self._round += 1
        self._merge.opened()
        self._told_gap = ""
        is_known = held == "known" and not self._is_unclear
        for subscription in self._subscriptions.values():
            if is_known and subscription.phase == "live":
                continue
            subscription.phase = "reading"
            subscription.id = None
            if subscription.since is not None:
                self._merge.join(subscription, subscription.position)
        self._host.on_reading(self.is_reading)
        self._start(self._read_all(self._round, drop=held != "none" and not is_known))

    async def _read_all(self, round: int, drop: bool) -> None:
        if drop:
            await self._tell_left({})
        if round != self._round:
            return
        self._is_unclear = False
        for subscription in list(self._subscriptions.values()):
            if subscription.phase == "reading":
                self._start(self._read(subscription, round))

    def dropped(self) -> None:
        self._round += 1

    def event(self, event: HubEvent) -> None:
        for subscription in list(self._subscriptions.values()):
            if subscription.phase != "live" or not is_after(event.cursor, subscription.position):
                continue
            if matches(subscription.interest, event):
                subscription.deliver(event)
            else:
                subscription.position = event.cursor
        self._merge.live(event.cursor, event)

    def bookmark(self, cursor: object) -> None:
        """Everything up to here has come, for all that is live."""
        if not isinstance(cursor, str) or not is_cursor(cursor):
            return
        for subscription in self._subscriptions.values():
            if subscription.phase == "live" and is_after(cursor, subscription.position):
                subscription.position = cursor
        self._merge.live(cursor)

    def gap(self, gap: Gap) -> None:
        live = [subscription for subscription in self._subscriptions.values() if subscription.phase == "live"]
        # At the beginning of a connection it is about the session before, for clients that do not read again. We do: each answer says
        # whether anything is missing.
        if not live or gap.reason == "session":
            return
        for subscription in live:
            # Over HTTP it may be about what only others have yet to hear.
            if gap.reason != "trimmed" or is_after(gap.end, subscription.position):
                subscription.gap(gap)
        self._tell_gap(gap, True)
        self._merge.live(gap.end)

    def closed(self, error: HubError | None = None) -> None:
        self._round += 1
        for subscription in list(self._subscriptions.values()):
            subscription.answer(error or HubError("UNAVAILABLE", "The client was closed."))
            subscription.end(error)
        self._subscriptions.clear()
        for task in self._tasks:
            task.cancel()

    async def leave(self, subscription: Subscription) -> None:
        self._forget(subscription)
        # Without an id its answer is still under way, and `_take` tells the hub.
        if not self._host.is_open():
            self._is_unclear = True
        elif subscription.id is not None:
            await self._tell_left({"subscriptionId": subscription.id})

    # ---------------------------------------------------------------- asking the hub

    async def _read(self, subscription: Subscription, round: int) -> None:
        """Reads one subscription until it is live, or the connection is another."""
        if subscription.since is not None:
            self._merge.join(subscription, subscription.position)
        self._host.on_reading(self.is_reading)
        attempt = 0
        while round == self._round and id(subscription) in self._subscriptions:
            try:
                more = await self._ask(subscription, round)
            except Dropped:
                return
            except HubError as error:
                if round != self._round:
                    return
                if not error.retryable:
                    return self._refused(subscription, error)
                asked = retry_after(error)
                await asyncio.sleep(asked if asked is not None else self._host.backoff.delay(attempt))
                attempt += 1
                continue
            attempt = 0
            if not more:
                break
            # History read at a consumer's pace would hold up the events of all others.
            if subscription.is_pacing:
                self._merge.leave(subscription)
            await subscription.has_room()
        if round == self._round:
            self._host.on_reading(self.is_reading)

    async def _ask(self, subscription: Subscription, round: int) -> bool:
        asked = subscription.asked
        given: dict[str, Any] = {"types": asked.types, "filter": asked.filter, "since": subscription.since, "batchMs": asked.batch_ms}
        request = {"topics": list(asked.topics), **{name: value for name, value in given.items() if value is not None}}
        if asked.latest_only:
            request["latestOnly"] = True

        def heard(answer: Answer) -> None:
            if answer.get("ok") and round == self._round:
                self._take(subscription, answer)

        result = take(await self._change("subscribe", request, heard))
        return bool(result.get("more"))

    def _take(self, subscription: Subscription, result: Answer) -> None:
        """In the answer's own turn: an event right behind it is the subscription's already (I2)."""
        subscription_id, cursor, more = result.get("subscriptionId"), result["cursor"], bool(result.get("more"))
        if subscription.phase == "ended":
            if subscription_id is not None:
                self._start(self._tell_left({"subscriptionId": subscription_id}))
            return
        subscription.topics = result["topics"]
        gap = gap_of(result.get("gap"))
        if gap:
            was_here = subscription.position is not None
            subscription.gap(gap)
            self._tell_gap(gap, was_here)
        placed = ((one.get("event"), one.get("cursor")) for one in result.get("events") or [])
        events = [event for event in (self._host.event_of(raw, at) for raw, at in placed) if event]
        for event in events:
            subscription.deliver(event)
        if is_after(cursor, subscription.position):
            subscription.position = cursor
        if not more:
            subscription.go_live(subscription_id)
        self._merge.page(subscription, events, cursor)
        if not more:
            self._merge.leave(subscription)
        subscription.answer()

    def _refused(self, subscription: Subscription, error: HubError) -> None:
        was_waiting = not subscription.answered.done()
        self._forget(subscription)
        if was_waiting:
            subscription.answer(error)
        else:
            self._host.on_error(error)
        subscription.end(error)

    def _forget(self, subscription: Subscription) -> None:
        self._subscriptions.pop(id(subscription), None)
        self._merge.leave(subscription)
        self._host.on_reading(self.is_reading)

    async def _tell_left(self, which: dict[str, str]) -> None:
        """`{}`: all of them."""
        try:
            answer = await self._change("unsubscribe", which)
        except Dropped:
            return
        if not answer.get("ok"):
            error = error_of(answer.get("error"))
            if error.code != "NOT_SUBSCRIBED":
                self._host.on_error(error)

    async def _change(self, name: str, payload: dict[str, Any], heard: Heard | None = None) -> Answer:
        try:
            return await self._host.request(name, payload, heard=heard)
        except Dropped:
            self._is_unclear = True
            raise

    def _tell_gap(self, gap: Gap, was_here: bool) -> None:
        """`was_here`: what this client was given is concerned, and not only an old cursor that a user brought along."""
        if was_here and gap.reason != "trimmed":
            self._merge.jump(gap.end)
        key = f"{gap.reason} {gap.start}"
        if key != self._told_gap:
            self._host.on_gap(gap)
        self._told_gap = key

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
