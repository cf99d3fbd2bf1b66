"""
The parts of a client, put together here and nowhere else: a connection below, feed and outbox on it, the user's handlers above. What users
hold is `client.py`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp

from .calls import Calls
from .commands import Executor
from .connection import Connection
from .credentials import Credentials
from .envelope import Gap, HubEvent, Signal, Undecodable, event_of, gap_of, signal_of
from .errors import Dropped, HubError, as_error
from .feed import Feed, FeedHost
from .interest import type_matches
from .link import Answer, Heard, Held
from .listeners import Lane, Listeners
from .mail import Mail
from .options import Options
from .outbox import Outbox
from .state import TRANSITIONS, ClientState, StateInput

_log = logging.getLogger("hubbub")


class Core:
    def __init__(self, url: str, options: Options) -> None:
        self._options = options
        self._url = url.rstrip("/")
        self._credentials = Credentials(options)
        self._session = options.http_session
        self._connection: Connection | None = None
        self._state: ClientState = "connecting"
        # Why the client was closed, when it was not its user.
        self._end: HubError | None = None
        self._closing: asyncio.Task[None] | None = None
        self._events: dict[str, Listeners[HubEvent]] = {}
        self._errors: Listeners[HubError] = Listeners(lambda error: _log.error("an error handler raised", exc_info=error))
        self._states: Listeners[ClientState] = Listeners(self._raised)
        self._gaps: Listeners[Gap] = Listeners(self._raised)
        self._signals: Listeners[Signal] = Listeners(self._raised)
        self.mail = Mail()
        self._feed = Feed(FeedHost(
            request=self._request, is_open=self._is_open, event_of=self._event_of, buffer_limit=options.buffer_limit, backoff=options.reconnect, on_event=self._hand,
            on_gap=self._gaps.tell, on_error=self.trouble, on_raise=self._raised, on_reading=lambda reading: self._go("filling" if reading else "filled"),
        ))
        self._outbox = Outbox(self._request, self._is_open, options)
        self.calls = Calls(self._request, self._is_open, options.reconnect, options.publish_timeout, self._raised)
        self._executor = Executor(self.calls, self.trouble)

    # ---------------------------------------------------------------- what the connection reports

    def connecting(self) -> None:
        self._go("retry")

    def opened(self, held: Held) -> None:
        self._go("opened")
        self.calls.tell("opened")
        self._feed.opened(held)
        self._outbox.flush()

    def dropped(self) -> None:
        self._feed.dropped()
        self.calls.tell("dropped")
        self._go("dropped")

    def troubled(self, error: HubError) -> None:
        # An attempt that failed; with a connection, nothing changes.
        if not self._is_open():
            self._go("dropped")
        self.trouble(error)

    def gave_up(self, error: HubError) -> None:
        self._close(error)

    def asked(self, call: Mapping[str, Any]) -> Awaitable[dict[str, Any]]:
        return self._executor.carry_out(call)

    def message(self, name: str, args: tuple[Any, ...]) -> None:
        first, second = (*args, None, None)[:2]
        if name == "hub.cursor":
            self._feed.bookmark(first)
        elif name == "gap":
            gap = gap_of(first)
            if gap:
                self._feed.gap(gap)
        elif name == "signal":
            signal = signal_of(first)
            if signal:
                self._signals.tell(signal)
        elif name == "events" and isinstance(first, list):
            for placed in first:
                if isinstance(placed, Mapping):
                    self._event(placed.get("event"), placed.get("cursor"))
            self._feed.bookmark(second)
        else:
            self._event(first, second)

    def late(self, name: str, args: tuple[Any, ...]) -> None:
        """Events are read again on the new link; mail may come on this one only."""
        placed = args[0] if name == "events" and args and isinstance(args[0], list) else [{"event": args[0], "cursor": args[1]}] if len(args) == 2 else []
        for one in placed:
            event = self._event_of(one.get("event"), one.get("cursor")) if isinstance(one, Mapping) else None
            if event:
                self.mail.heard(event)

    def _event(self, raw: object, cursor: object) -> None:
        event = self._event_of(raw, cursor)
        if event is None:
            return
        self.mail.heard(event)
        self._feed.event(event)

    def _event_of(self, raw: object, cursor: object) -> HubEvent | None:
        if not isinstance(cursor, str):
            return None
        try:
            return event_of(raw, cursor)
        except Undecodable as error:
            # Handed on as it came: whoever gets it sees `compressed` in its metadata.
            self.trouble(HubError("INTERNAL_ERROR", f"An event could not be unpacked: {error}"))
            return event_of(raw, cursor, unpack=False)

    # ---------------------------------------------------------------- inside

    def _open_session(self) -> aiohttp.ClientSession:
        if self._state == "closed":
            raise self._end or HubError("UNAVAILABLE", "The client is closed.")
        if self._session is None:
            # Sticky sessions by cookie, also of hubs that are named by address.
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        return self._session

    def _is_open(self) -> bool:
        return self._connection is not None and self._connection.is_open

    async def _request(self, name: str, payload: Any, *, heard: Heard | None = None, patience: float = 0.0) -> Answer:
        if self._connection is None:
            raise Dropped("there is no connection")
        # The outbox looked at its own.
        if name != "publish":
            _check_writable(name, payload)
        return await self._connection.request(name, payload, heard=heard, patience=patience)

    def _hand(self, event: HubEvent) -> None:
        for pattern, listeners in list(self._events.items()):
            if type_matches(pattern, event.type):
                listeners.tell(event)

    def _fell_behind(self, lane: Lane[HubEvent]) -> None:
        details = {"cursor": lane.done.cursor} if lane.done else {}
        limit = self._options.buffer_limit
        self.trouble(HubError("QUEUE_FULL", f"A handler fell {limit} events behind (buffer_limit) and was taken away.", details))

    def _close(self, error: HubError | None) -> None:
        if self._state == "closed":
            return
        self._end = error
        self._go("close")
        self._feed.closed(error)
        self._outbox.close(error)
        self.calls.tell("closed", error)
        if error:
            self.trouble(error)
        self._closing = asyncio.get_running_loop().create_task(self._shut())

    async def _shut(self) -> None:
        if self._connection:
            await self._connection.close()
        if self._session and self._options.http_session is None:
            await self._session.close()

    def _go(self, input: StateInput) -> None:
        before, self._state = self._state, TRANSITIONS[self._state][input]
        if self._state != before:
            self._states.tell(self._state)

    def trouble(self, error: HubError) -> None:
        _log.info("%s", error)
        self._errors.tell(error)

    def _raised(self, error: BaseException) -> None:
        if len(self._errors) == 0:
            _log.error("a handler raised", exc_info=error)
        elif isinstance(error, HubError):
            self._errors.tell(error)
        else:
            self._errors.tell(as_error(error))


def _check_writable(name: str, payload: Any) -> None:
    """Of what JSON cannot carry a NaN would be sent all the same, and the hub would end the connection for it: this one, and each on which it is asked again."""
    try:
        json.dumps(payload, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise HubError("INVALID_MESSAGE", f"The payload of '{name}' cannot be written as JSON: {error}") from error
