"""
Questions to the hub that are neither publishes nor subscriptions. How often one may be asked decides what a lost answer means: `now` is
for what has a meaning on this connection only, `once` for what must not be done twice, `again` for what may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from .errors import Dropped, HubError, retry_after
from .http_api import take
from .link import Answer
from .listeners import Off, OnRaise
from .state import Backoff

# With these the hub did nothing, or will recognise what it did.
_PASSING = frozenset(("RATE_LIMITED", "UNAVAILABLE", "STORE_FULL", "OUTCOME_UNKNOWN"))


class Calls:
    def __init__(
        self, request: Callable[..., Coroutine[Any, Any, Answer]], is_open: Callable[[], bool], backoff: Backoff, patience: float, on_raise: OnRaise,
    ) -> None:
        """`patience`: seconds for which a refusal that may pass is tried again."""
        self._request = request
        self._is_open = is_open
        self._backoff = backoff
        self._patience = patience
        self._on_raise = on_raise
        self._handlers: dict[str, list[Callable[[], None]]] = {"opened": [], "dropped": [], "closed": []}
        self._change = asyncio.Event()
        self.end: HubError | None = None

    @property
    def is_open(self) -> bool:
        return self._is_open()

    @property
    def is_closed(self) -> bool:
        return self.end is not None

    def on(self, moment: str, handler: Callable[[], None]) -> Off:
        """`opened` and `dropped` with each connection, `closed` once."""
        handlers = self._handlers[moment]
        handlers.append(handler)
        return lambda: handlers.remove(handler) if handler in handlers else None

    def tell(self, moment: str, error: HubError | None = None) -> None:
        if moment == "closed":
            self.end = error or HubError("UNAVAILABLE", "The client is closed.")
        change, self._change = self._change, asyncio.Event()
        change.set()
        for handler in list(self._handlers[moment]):
            try:
                handler()
            except Exception as raised:
                self._on_raise(raised)

    async def open(self, seconds: float | None = None) -> None:
        """Until there is a connection. Raises when the client is closed, and UNAVAILABLE after `seconds`."""
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        while not self.is_open:
            if self.end:
                raise self.end
            left = None if until is None else until - loop.time()
            try:
                await asyncio.wait_for(self._change.wait(), left)
            except asyncio.TimeoutError:
                raise HubError("UNAVAILABLE", f"There was no connection within {seconds:g} s.") from None

    async def pause(self, seconds: float) -> None:
        """Raises when the client is closed meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            if self.end:
                raise self.end
            try:
                await asyncio.wait_for(self._change.wait(), left)
            except asyncio.TimeoutError:
                return

    async def now(self, name: str, payload: Any) -> dict[str, Any]:
        """On the present connection; UNAVAILABLE without one, or when it ends before the answer."""
        try:
            return take(await self._request(name, payload))
        except Dropped as error:
            raise HubError("UNAVAILABLE", f"There is no connection, and '{name}' is not kept for the next.") from error

    async def once(self, name: str, payload: Any, seconds: float, patience: float) -> dict[str, Any]:
        """Waits for a connection and the answer; OUTCOME_UNKNOWN when the connection ends before the answer."""
        await self.open(seconds)
        try:
            return take(await self._request(name, payload, patience=patience))
        except Dropped as error:
            raise HubError("OUTCOME_UNKNOWN", "The connection ended before the answer: the hub may have done it or not.") from error

    async def again(self, name: str, payload: Any, patience: float = 0.0) -> dict[str, Any]:
        """Over as many connections as it takes."""
        loop = asyncio.get_running_loop()
        until: float | None = None
        attempt = 0
        while True:
            await self.open()
            try:
                return take(await self._request(name, payload, patience=patience))
            except Dropped:
                # The link may need a moment to notice its end.
                await asyncio.sleep(0)
            except HubError as error:
                until = loop.time() + self._patience if until is None else until
                if error.code not in _PASSING or loop.time() > until:
                    raise
                await self.pause(self.delay(error, attempt))
                attempt += 1

    def delay(self, error: HubError, attempt: int) -> float:
        """Seconds before what was refused for now is tried again."""
        asked = retry_after(error)
        return asked if asked is not None else self._backoff.delay(attempt)
