"""
The client's connection: one link after the other. From the best transport down to the one that works, and up again as soon as a better one does:

    websocket, `tries` times  -->  polling  -->  http  -->  (from the start)
        ^                             |            |
        +------- tried now and then --+------------+

Every end leads to the next attempt, unless the hub refused for good.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import aiohttp

from .credentials import Credentials
from .errors import Dropped, HubError, as_error, retry_after
from .http_api import HttpApi
from .http_link import HttpLink
from .link import Answer, Heard, Held, Link, LinkEvents
from .options import Options, Transport
from .socket_link import Session, SocketLink

# A connection that lived so long ends a row of failures, s.
_STABLE = 5.0
# HTTP statuses of failures that no other transport would change.
_FOR_GOOD = (401, 403)


class _TokenFailed(HubError):
    """The token function raised: it may do better the next time."""


class ConnectionEvents(LinkEvents, Protocol):
    def connecting(self) -> None: ...

    def opened(self, held: Held) -> None:
        """On a new link; nothing that an older one was told counts here, unless it is `known`."""

    def dropped(self) -> None: ...

    def gave_up(self, error: HubError) -> None:
        """The hub refused for good."""


class Connection:
    def __init__(self, url: str, options: Options, credentials: Credentials, session: aiohttp.ClientSession, events: ConnectionEvents) -> None:
        self._api = HttpApi(session, url, credentials)
        self._url = url
        self._options = options
        self._credentials = credentials
        self._session = session
        self._events = events
        self._link: Link | None = None
        self._main: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        # Resolves with the first connection; raises why there is none.
        self._first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._attempt = 0
        self._why: HubError | None = None
        # Seconds, by the last refusal.
        self._asked_to_wait: float | None = None
        # The hub refused the credential, and the token function was not asked since.
        self._is_last_chance = False
        # Of the last connection over Socket.IO.
        self._resume: Session | None = None
        # No other link was there since.
        self._is_resume_fresh = False
        # What carried the last connection: the others failed before it did.
        self._last: Transport = options.transports[0]

    @property
    def is_open(self) -> bool:
        return self._link is not None and self._link.is_open

    @property
    def transport(self) -> Transport | None:
        return self._link.transport if self._link is not None and self._link.is_open else None

    async def open(self, wait: bool) -> None:
        """`wait`: for as long as it takes; without it raises when every transport was tried. Raises the hub's refusal in any case."""
        loop = asyncio.get_running_loop()
        if self._main is None or self._main.done():
            self._first = loop.create_future()
            self._attempt = 0
            self._main = loop.create_task(self._run(wait))
        await asyncio.shield(self._first)

    async def request(self, name: str, payload: Any, *, heard: Heard | None = None, patience: float = 0.0) -> Answer:
        if self._link is None:
            raise Dropped("there is no connection")
        return await self._link.request(name, payload, heard=heard, patience=patience)

    async def close(self) -> None:
        for task in (self._main, self._renewal, *self._retiring):
            if task and task is not asyncio.current_task():
                task.cancel()
        if self._link:
            await self._link.close()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        if not self._first.done():
            self._first.set_exception(HubError("UNAVAILABLE", "The client was closed."))
        # Whoever does not ask need not hear.
        self._first.exception()

    # ---------------------------------------------------------------- one link after the other

    async def _run(self, wait: bool) -> None:
        try:
            while True:
                link = await self._descend()
                if link:
                    await self._hold(link)
                elif not wait and not self._first.done():
                    return self._first.set_exception(self._why or HubError("UNAVAILABLE", "There is no hub."))
        except HubError as error:
            self._events.gave_up(error)
            if not self._first.done():
                self._first.set_exception(error)

    async def _descend(self) -> Link | None:
        """The first transport that works; None when none does. Raises when the hub refuses for good."""
        for transport in self._options.transports:
            tries = self._options.tries if transport == self._last == "websocket" else 1
            for _ in range(tries):
                await self._pause()
                self._events.connecting()
                try:
                    return await self._try(transport)
                except _TokenFailed as error:
                    self._why = error
                    self._events.troubled(error)
                except Exception as error:
                    self._trouble(as_error(error))
        self._last = self._options.transports[0]
        return None

    async def _try(self, transport: Transport) -> Link:
        try:
            auth = await self._credentials.auth()
        except HubError as error:
            raise _TokenFailed(error.code, error.message) from error
        if transport == "http":
            return await HttpLink.open(self._api, self._credentials, self._options, self._resume.cursor if self._resume else None)
        # One that lives is not taken over: it may be about to be answered.
        resume = None if isinstance(self._link, SocketLink) else self._resume
        return await SocketLink.open(self._url, transport, auth, self._options, self._session, resume)

    async def _pause(self) -> None:
        """None before the very first attempt."""
        delay = self._options.reconnect.delay(self._attempt - 1) if self._attempt > 0 else 0.0
        asked, self._asked_to_wait = self._asked_to_wait or 0.0, None
        self._attempt += 1
        await asyncio.sleep(max(delay, asked))

    async def _hold(self, link: Link) -> None:
        """Until the link, or the better one that took its place, ends."""
        self._adopt(link)
        loop = asyncio.get_running_loop()
        since = loop.time()
        while self._link is not None:
            link = self._link
            climb = loop.create_task(self._climb(link.transport))
            try:
                either: list[asyncio.Future[Any]] = [link.ended, climb]
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not climb.done():
                    climb.cancel()
            if link.ended.done():
                if climb.done() and not climb.cancelled() and climb.exception() is None:
                    self._let_go(climb.result())
                break
            self._remember(link)
            self._let_go(link)
            self._adopt(climb.result())
        if loop.time() - since >= _STABLE:
            self._attempt = 1
        self._last = link.transport
        self._remember(link)
        self._link = None
        self._events.dropped()
        await link.close()
        farewell = link.ended.result()
        if farewell:
            self._trouble(farewell)

    def _adopt(self, link: Link) -> None:
        self._link = link
        self._is_last_chance = False
        self._why = None
        # What it brought already is for whoever knows that it is a new one.
        self._events.opened("none" if not link.is_resumed else "known" if self._is_resume_fresh else "unknown")
        self._is_resume_fresh = False
        link.start(self._events)
        self._renew_in_time(link)
        if not self._first.done():
            self._first.set_result(None)

    def _remember(self, link: Link) -> None:
        if isinstance(link, SocketLink):
            self._is_resume_fresh = link.session is not None
            self._resume = link.session or self._resume

    def _let_go(self, link: Link) -> None:
        task = asyncio.get_running_loop().create_task(link.retire())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _climb(self, present: Transport) -> Link:
        """The first better link; never returns where there can be none."""
        better = self._options.transports[: self._options.transports.index(present)]
        attempt = 0
        while better:
            await asyncio.sleep(self._options.climb.delay(attempt))
            attempt += 1
            for transport in better:
                try:
                    return await self._try(transport)
                except Exception:
                    # What is there goes on; its own end is told when it comes.
                    continue
        never: asyncio.Future[Link] = asyncio.get_running_loop().create_future()
        return await never

    # ---------------------------------------------------------------- refusals

    def _trouble(self, error: HubError) -> None:
        """Told to the client; raises it when it is for good."""
        self._why = error
        if not error.retryable and error.status in _FOR_GOOD:
            if not self._credentials.is_renewable or self._is_last_chance or error.status != 401:
                raise error
            self._is_last_chance = True
            self._credentials.forget()
        self._asked_to_wait = retry_after(error)
        self._events.troubled(error)

    def _renew_in_time(self, link: Link) -> None:
        if self._renewal:
            self._renewal.cancel()
        self._renewal = None
        if self._credentials.renew_in() is not None and link.transport != "http":
            self._renewal = asyncio.get_running_loop().create_task(self._renew(link))

    async def _renew(self, link: Link) -> None:
        """In place. Where that fails the connection ends with its token, and the next attempt asks for another."""
        while link.is_open:
            delay = self._credentials.renew_in()
            if delay is None:
                return
            await asyncio.sleep(delay)
            try:
                answer = await link.request("auth.refresh", {"token": await self._credentials.renew()})
                # A new token that looks over already: our clock is wrong, and would have it renewed without end.
                if not answer.get("ok") or self._credentials.renew_in() == 0:
                    return
            except Dropped:
                return
            except Exception as error:
                return self._events.troubled(as_error(error))
