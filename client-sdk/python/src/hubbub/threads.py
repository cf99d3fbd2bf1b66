"""
The client for programs of threads and callbacks: an `AsyncHubbub` on a loop in a thread of its own. Callbacks are called in another one,
one after the other, so that one that takes its time, or asks the hub something, holds up neither the connection nor itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from .client import AsyncHubbub
from .envelope import HubEvent
from .errors import HubError
from .interest import topic_matches
from .listeners import Off
from .options import TRANSPORTS, TokenSource, Transport
from .results import History, PublishResult
from .snapshot import Snapshot
from .subscription import Since, Subscription

_log = logging.getLogger("hubbub")

T = TypeVar("T")
#: Topic, event type, data.
Callback = Callable[[str, str, Any], object]


@dataclass(eq=False)
class _Wish:
    topics: list[str]
    callback: Callback
    since: Since | None
    subscription: Subscription | None = None


class Hubbub:
    """
    Events by callback, over WebSocket where that works and by HTTP where it does not. Not for use inside a running event loop: that is what
    `AsyncHubbub` is for.
    """

    def __init__(
        self, api_base: str = "http://127.0.0.1:4000", use_websocket: bool = True, poll_interval: float = 30, *, token: TokenSource | None = None,
        api_key: str | None = None, project: str | None = None, **options: Any,
    ) -> None:
        """
        `use_websocket`: false keeps to HTTP. `poll_interval`: seconds between polls, where the server does not hold one until something comes.
        `options` are those of `AsyncHubbub`.
        """
        self.api_base = api_base
        self.use_websocket = use_websocket
        self.poll_interval = poll_interval
        transports: Sequence[Transport] = TRANSPORTS if use_websocket else ("http",)
        self._options: dict[str, Any] = {
            "token": token, "api_key": api_key, "project": project, "transports": transports, "poll_interval": float(poll_interval), **options,
        }
        self._wishes: list[_Wish] = []
        self._error_handlers: list[Callable[[HubError], object]] = []
        self._client: AsyncHubbub | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._callbacks: ThreadPoolExecutor | None = None
        self._lock = threading.RLock()

    # ---------------------------------------------------------------- the connection

    def connect(self) -> bool:
        """
        True once connected, whatever the transport; from then on the client comes back by itself. False when every transport was tried in
        vain, or the hub refused: `on_error` was told why, and it may be called again.
        """
        with self._lock:
            if self.connected:
                return True
            client = self._begin()
            try:
                self._wait(client.connect())
            except HubError as error:
                self._failed(error)
                self._stop()
                return False
            for wish in self._wishes:
                try:
                    self._wait(self._subscribe(wish))
                except HubError as error:
                    self._failed(error)
            return True

    def disconnect(self) -> None:
        """Until the next `connect`; what was subscribed is remembered. Callbacks that were not called yet are not called."""
        self._stop()

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.transport is not None

    @property
    def transport(self) -> Transport | None:
        """`websocket`, `polling` or `http`; None without a connection."""
        return self._client.transport if self._client else None

    @property
    def mode(self) -> Literal["websocket", "http"] | None:
        """How events come: `http` is any kind of polling."""
        return None if self.transport is None else "websocket" if self.transport == "websocket" else "http"

    @property
    def cursor(self) -> str | None:
        """Everything up to here has come; `subscribe(..., since=cursor)` goes on there."""
        return self._client.cursor if self._client else None

    # ---------------------------------------------------------------- in

    def subscribe(self, topics: str | Sequence[str], callback: Callback, *, since: Since | None = None) -> Off:
        """
        `callback(topic, event_type, data)`, once for each event that one of the topics takes. `topic` is the first of the event's topics that is
        taken, one of the event's own family before others. Of streams, tasks, checkpoints and agents each topic brings what is
        of its own kind: `stream:S` the events `stream.*`, not those of the tasks in it; `AsyncHubbub` brings all. Before `connect` it is kept for then; after it raises the hub's refusal. Answers
        a function that ends it.
        """
        wish = _Wish([topics] if isinstance(topics, str) else list(topics), callback, since)
        with self._lock:
            self._wishes.append(wish)
            if self._client:
                try:
                    self._wait(self._subscribe(wish))
                except HubError:
                    self._wishes.remove(wish)
                    raise
        return lambda: self._unsubscribe(wish)

    def get_stream_status(self, stream_id: str) -> dict[str, Any]:
        """A stream of work with its tasks, as the hub knows it now; connected or not. Raises NOT_FOUND, UNAVAILABLE."""
        return self._ask(lambda client: client.get(f"/api/streams/{quote(stream_id, safe='')}"))

    def snapshot(self, topics: str | Sequence[str]) -> Snapshot:
        return self._connected(lambda client: client.snapshot(topics))

    def history(self, topics: str | Sequence[str], *, since: Since = "all", limit: int = 100) -> History:
        return self._ask(lambda client: client.history(topics, since=since, limit=limit))

    # ---------------------------------------------------------------- out

    def publish(self, type: str, data: Any, *, id: str | None = None, topics: Sequence[str] | None = None) -> PublishResult:
        """Returns when it stands in the journal; see `AsyncHubbub.publish`."""
        return self._connected(lambda client: client.publish(type, data, id=id, topics=topics))

    def command(self, name: str, payload: Any = None, *, timeout: float = 30.0) -> Any:
        return self._connected(lambda client: client.command(name, payload, timeout=timeout))

    def on_error(self, handler: Callable[[HubError], object]) -> Off:
        """What went wrong; what a callback raises is one of it. Without a handler it is logged."""
        self._error_handlers.append(handler)
        return lambda: self._error_handlers.remove(handler) if handler in self._error_handlers else None

    def __enter__(self) -> Hubbub:
        if not self.connect():
            raise HubError("UNAVAILABLE", f"There is no hub at {self.api_base}, or it refused.")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.disconnect()

    # ---------------------------------------------------------------- inside

    def _begin(self) -> AsyncHubbub:
        self._stop()
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="hubbub", daemon=True)
        self._thread.start()
        self._callbacks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hubbub-callbacks")
        client = self._client = AsyncHubbub(self.api_base, **self._options)
        client.on_error(self._failed)
        return client

    def _stop(self) -> None:
        # What follows is not under the lock: a callback that is being called may want it.
        with self._lock:
            client, loop, thread, callbacks = self._client, self._loop, self._thread, self._callbacks
            self._client = self._loop = self._thread = self._callbacks = None
            for wish in self._wishes:
                wish.subscription = None
        if client is None or loop is None or thread is None or callbacks is None:
            return
        asyncio.run_coroutine_threadsafe(_close(client), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        # From inside a callback: it ends after us.
        callbacks.shutdown(wait=not threading.current_thread().name.startswith("hubbub-callbacks"), cancel_futures=True)

    async def _subscribe(self, wish: _Wish) -> None:
        client, loop, callbacks = self._client, asyncio.get_running_loop(), self._callbacks
        assert client and callbacks
        subscription = wish.subscription = await client.subscribe(wish.topics, since=wish.since)
        subscription.on_end(lambda error: self._failed(error) if error else None)

        # `async`, so that it is bounded: a callback that falls far behind ends its subscription, and is told so.
        async def deliver(event: HubEvent) -> None:
            topic = topic_for(event, wish.topics)
            if not is_of_other_kind(topic, event, wish.topics):
                await loop.run_in_executor(callbacks, wish.callback, topic, event.type, event.data)

        subscription.on(deliver)

    def _unsubscribe(self, wish: _Wish) -> None:
        with self._lock:
            if wish not in self._wishes:
                return
            self._wishes.remove(wish)
            if wish.subscription and self._client:
                self._wait(wish.subscription.unsubscribe())

    def _ask(self, question: Callable[[AsyncHubbub], Coroutine[Any, Any, T]]) -> T:
        with self._lock:
            if self._client is not None:
                return self._wait(question(self._client))

        async def once() -> T:
            client = AsyncHubbub(self.api_base, **self._options)
            try:
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(once())

    def _connected(self, question: Callable[[AsyncHubbub], Coroutine[Any, Any, T]]) -> T:
        if self._client is None:
            raise HubError("UNAVAILABLE", "The client is not connected.")
        return self._wait(question(self._client))

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        loop = self._loop
        if loop is None:
            coroutine.close()
            raise HubError("UNAVAILABLE", "The client is not connected.")
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
        except CancelledError:
            raise HubError("UNAVAILABLE", "The client was closed.") from None

    def _failed(self, error: HubError) -> None:
        callbacks = self._callbacks
        if callbacks is None or threading.current_thread() is not self._thread:
            return self._report(error)
        # In the loop's own thread a handler that asks the client something would wait for itself.
        try:
            callbacks.submit(self._report, error)
        except RuntimeError:
            _log.warning("%s", error, exc_info=error.__cause__)

    def _report(self, error: HubError) -> None:
        for handler in list(self._error_handlers):
            try:
                handler(error)
            except Exception:
                _log.exception("an error handler raised")
        if not self._error_handlers:
            _log.warning("%s", error, exc_info=error.__cause__)


async def _close(client: AsyncHubbub) -> None:
    await client.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def topic_for(event: HubEvent, patterns: Sequence[str]) -> str:
    """The first of the event's topics that a pattern takes, one of the event's own family before others."""
    taken = [topic for topic in event.topics if any(topic_matches(pattern, topic) for pattern in patterns)]
    family = f"{event.type.split('.', 1)[0]}:"
    return next((topic for topic in taken if topic.startswith(family)), taken[0] if taken else "")


OWN_KIND = frozenset({"stream", "task", "checkpoint", "agent"})


def is_of_other_kind(topic: str, event: HubEvent, patterns: Sequence[str]) -> bool:
    """A task's event on the topic of its stream: a callback for streams could make nothing of it. `*` takes everything."""
    family, kind = topic.split(":", 1)[0], event.type.split(".", 1)[0]
    return "*" not in patterns and family in OWN_KIND and kind in OWN_KIND and kind != family
