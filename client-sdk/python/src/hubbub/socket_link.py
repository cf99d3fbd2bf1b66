"""
A link over Socket.IO, by WebSocket or long-polling; one a connection. The library's own reconnection is off: it knows nothing of
cursors, nor of refusals that pass.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import socketio
import socketio.exceptions
from engineio.base_client import connected_clients
from engineio.payload import Payload

from ._names import FAILURES
from .cursors import is_cursor
from .errors import Dropped, HubError, error_of
from .link import Answer, Heard, LinkEvents, is_answer, refusal
from .options import Options, Transport

# The libraries' own log, off unless its level is set: what is of interest comes by `on_error`.
_log = logging.getLogger("hubbub.socketio")
if _log.level == logging.NOTSET:
    _log.setLevel(logging.CRITICAL)

# A page of a snapshot, or a batch of events; bytes.
_LARGEST_FRAME = 64 * 1024 * 1024
# The hub hands a burst to a polling client in one response, with as many packets as it has; the library's default is 16 of them.
_MOST_PACKETS = 1_000_000
# For an orderly goodbye, and for what is under way when another link took over.
_GOODBYE = 1.0
_LINGER = 30.0
# An agent's mail may be on the way.
_LEAST_LINGER = 0.5
_LOOK = 0.1


@dataclass(frozen=True)
class Session:
    """What the hub knows a connection by: whoever comes back with it, and the last cursor that it heard, gets what it missed, mail too."""

    id: str
    cursor: str


class _Client(socketio.AsyncClient):  # type: ignore[misc]  # the library has no types
    """The library leaves out what a CONNECT packet says besides the socket's id."""

    session_id: str | None = None

    async def _handle_connect(self, namespace: Any, data: Any) -> None:
        given = data.get("pid") if isinstance(data, Mapping) else None
        self.session_id = given if isinstance(given, str) else None
        await super()._handle_connect(namespace, data)


class SocketLink:
    def __init__(self, transport: Transport, options: Options, session: aiohttp.ClientSession, resume: Session | None) -> None:
        self.transport: Transport = transport
        self._resume = resume
        self._cursor = resume.cursor if resume else None
        self.ended: asyncio.Future[HubError | None] = asyncio.get_running_loop().create_future()
        self._options = options
        self._events: LinkEvents | None = None
        self._early: list[tuple[str, tuple[Any, ...]]] = []
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending: set[asyncio.Future[Answer]] = set()
        self._carrying_out = 0
        self._is_open = False
        self._is_retired = False
        # What the hub said before it closed the connection.
        self._farewell: HubError | None = None
        self._sio = _Client(
            reconnection=False, handle_sigint=False, logger=_log, engineio_logger=_log, http_session=session,
            request_timeout=options.connect_timeout, websocket_extra_options={"max_msg_size": _LARGEST_FRAME},
        )
        self._sio.on("connect", self._connected)
        self._sio.on("connect_error", self._refused)
        # The library tells of a disconnect only behind a handshake; a connection may end within it.
        self._sio.eio.on("disconnect", self._disconnected)
        self._sio.on("command", self._asked)
        self._sio.on("*", self._heard)

    @classmethod
    async def open(
        cls, url: str, transport: Transport, auth: Mapping[str, str], options: Options, session: aiohttp.ClientSession, resume: Session | None = None,
    ) -> SocketLink:
        """Raises the hub's refusal; UNAVAILABLE or TIMEOUT when there is no hub."""
        link = cls(transport, options, session, resume)
        try:
            await asyncio.wait_for(link._open(url, auth), options.connect_timeout)
        except asyncio.TimeoutError as error:
            await link._destroy()
            raise HubError("TIMEOUT", f"No connection by {transport} within {options.connect_timeout:g} s.") from error
        except BaseException:
            await link._destroy()
            raise
        return link

    async def _open(self, url: str, auth: Mapping[str, str]) -> None:
        if self.transport == "polling":
            Payload.max_decode_packets = max(Payload.max_decode_packets, _MOST_PACKETS)
        try:
            known = {"pid": self._resume.id, "offset": self._resume.cursor} if self._resume else {}
            greeting = {**auth, **known, "compress": "gzip"}
            await self._sio.connect(url, auth=greeting, transports=[self.transport], socketio_path=self._options.path, wait=False)
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, ValueError) as error:
            raise HubError("UNAVAILABLE", f"No connection by {self.transport}: {error or type(error).__name__}") from error
        await self._opened

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def is_resumed(self) -> bool:
        """The hub kept the session: it has its subscriptions still, and sends what was missed."""
        return self._resume is not None and self._sio.session_id == self._resume.id

    @property
    def session(self) -> Session | None:
        return Session(self._sio.session_id, self._cursor) if self._sio.session_id and self._cursor else None

    def start(self, events: LinkEvents) -> None:
        self._events = events
        early, self._early = self._early, []
        for name, args in early:
            events.message(name, args)

    async def request(self, name: str, payload: Any, *, heard: Heard | None = None, patience: float = 0.0) -> Answer:
        if not self._is_open:
            raise Dropped("there is no connection")
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def acknowledged(*args: Any) -> None:
            given = args[0] if args else None
            answer = given if is_answer(given) else refusal(HubError("INTERNAL_ERROR", f"The answer to '{name}' is none."))
            if heard and not future.done():
                heard(answer)
            if not future.done():
                future.set_result(answer)

        self._pending.add(future)
        limit = max(self._options.ack_timeout, patience)
        try:
            await self._sio.emit(name, payload, callback=acknowledged)
            return await asyncio.wait_for(future, limit)
        except socketio.exceptions.SocketIOError as error:
            self._drop(self._farewell)
            raise Dropped("there is no connection") from error
        except asyncio.TimeoutError:
            # The hub answers everything in less: this connection is dead, though nobody has said so.
            self._drop(HubError("TIMEOUT", f"The hub did not answer '{name}' within {limit:g} s."))
            raise Dropped("the hub did not answer") from None
        finally:
            self._pending.discard(future)

    async def retire(self) -> None:
        self._is_retired = True
        loop = asyncio.get_running_loop()
        least, most = loop.time() + _LEAST_LINGER, loop.time() + _LINGER
        while self._is_open and loop.time() < (most if self._pending or self._carrying_out else least):
            await asyncio.sleep(_LOOK)
        await self.close()

    async def close(self) -> None:
        self._is_retired = True
        try:
            if self._is_open:
                await asyncio.wait_for(self._sio.disconnect(), _GOODBYE)
        except (asyncio.TimeoutError, socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError):
            pass
        self._drop(None)
        await self._destroy()

    # ---------------------------------------------------------------- what the library reports; each in the turn in which it came

    def _connected(self) -> None:
        self._is_open = True
        if not self._opened.done():
            self._opened.set_result(None)

    async def _disconnected(self, reason: Any = None) -> None:
        await self._sio._handle_eio_disconnect(reason)
        self._drop(self._farewell)

    def _refused(self, *args: Any) -> None:
        data = args[0] if args else None
        # The hub's own refusals carry a failure; anything else is trouble on the way.
        failure = data.get("data") if isinstance(data, Mapping) else None
        said = data.get("message") if isinstance(data, Mapping) else data
        error = error_of(failure) if isinstance(failure, Mapping) else HubError("UNAVAILABLE", f"No connection by {self.transport}: {said}")
        if not self._opened.done():
            self._opened.set_exception(error)

    def _heard(self, name: str, *args: Any) -> None:
        if name == "hub.error":
            return self._complained(args[0] if args else None)
        # What comes behind the end was not handed on: the next link asks for it.
        if not self._is_open:
            return
        if args and is_cursor(args[-1]):
            self._cursor = args[-1]
        if self._events is None:
            self._early.append((name, args))
        elif self._is_retired:
            self._events.late(name, args)
        else:
            self._events.message(name, args)

    def _complained(self, failure: object) -> None:
        error = error_of(failure)
        if FAILURES[error.code].close != "stay":
            self._farewell = error
        elif self._events and not self._is_retired:
            self._events.troubled(error)

    async def _asked(self, *args: Any) -> dict[str, Any]:
        call = args[0] if args else None
        if self._events is None or not isinstance(call, Mapping) or self._is_retired:
            return {"ok": False, "error": {"code": "NO_EXECUTOR", "message": "Nobody handles commands here."}}
        self._carrying_out += 1
        try:
            return await self._events.asked(call)
        finally:
            self._carrying_out -= 1

    # ---------------------------------------------------------------- the end

    def _drop(self, reason: HubError | None) -> None:
        self._is_open = False
        for future in list(self._pending):
            if not future.done():
                future.set_exception(Dropped("the connection ended before the answer"))
        self._pending.clear()
        if not self._opened.done():
            self._opened.set_exception(reason or HubError("UNAVAILABLE", f"The connection by {self.transport} ended at once."))
        if not self.ended.done():
            self.ended.set_result(reason)

    async def _destroy(self) -> None:
        """Nobody may be there to hear a goodbye: tasks and socket go at once."""
        self._is_open = False
        if self._opened.done() and not self._opened.cancelled():
            self._opened.exception()
        else:
            self._opened.cancel()
        engine = self._sio.eio
        engine.state = "disconnected"
        if engine in connected_clients:
            connected_clients.remove(engine)
        for task in (engine.read_loop_task, engine.write_loop_task):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        if engine.ws is not None and not engine.ws.closed:
            # Its own `close` waits for the other side.
            response = getattr(engine.ws, "_response", None)
            if response is not None:
                response.close()
