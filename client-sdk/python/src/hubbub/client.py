"""What users hold; its parts are put together in `core.py`."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

import aiohttp

from .agent import Agent, AgentOptions
from .commands import ANSWER_SECONDS, COMMAND_SECONDS, CommandHandler
from .connection import Connection
from .core import Core
from .envelope import Gap, HubEvent, Signal, gap_of
from .errors import Dropped, HubError
from .history_query import history_query
from .http_api import HttpApi, Query, take, unreachable
from .interest import Scalar, canonical_type
from .listeners import Listeners, Off
from .options import TRANSPORTS, Options, TokenSource, Transport
from .results import History, PublishResult
from .snapshot import Snapshot, read_snapshot
from .state import Backoff, ClientState
from .subscription import Asked, Since, Subscription
from .tasks import Tasks

EventHandler = Callable[[HubEvent], object]

# What an agent's followers usually ask for, by the short names that they use.
_AGENT_EVENTS = {
    "status": "agent.status_changed", "task_update": "task.progress", "task_updates": "task.progress", "progress": "task.progress",
    "log": "agent.log", "logs": "agent.log", "metric": "agent.metric", "metrics": "agent.metric", "error": "agent.error", "errors": "agent.error",
    "output": "agent.output", "heartbeat": "agent.heartbeat",
}


class AsyncHubbub(Core):
    """
    A client of a hub. Over dropped connections, killed workers and restarts of the hub it hands on every event once, in the journal's order;
    where that cannot be, it says so (`on_gap`). Handlers are plain or `async` functions; every `on_...` answers a function that takes the
    handler away again.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:4000",
        *,
        token: TokenSource | None = None,
        api_key: str | None = None,
        project: str | None = None,
        queue_limit: int = 1000,
        buffer_limit: int = 10_000,
        reconnect: Backoff = Backoff(),
        transports: Sequence[Transport] = TRANSPORTS,
        path: str = "/socket.io/",
        connect_timeout: float = 5.0,
        tries: int = 3,
        climb: Backoff = Backoff(min=2.0, max=60.0),
        ack_timeout: float = 35.0,
        publish_timeout: float = 60.0,
        poll_wait: float = 25.0,
        poll_interval: float = 30.0,
        http_session: aiohttp.ClientSession | None = None,
    ) -> None:
        """
        `token`: a JWT, or a function, plain or `async`, that gives one: called at first, near its expiry, and once more when the hub refuses
        it. `project`: needed only when the credential grants several. Times are seconds; see README for the rest. Raises ValueError for a
        value that breaks a promise of the client.
        """
        super().__init__(url, Options(
            token, api_key, project, queue_limit, buffer_limit, reconnect, tuple(transports), path, connect_timeout, tries, climb, ack_timeout,
            publish_timeout, poll_wait, poll_interval, http_session,
        ))
        self._agent: Agent | None = None
        #: Tasks from the side of whoever wants them done: create, get, list, wait, cancel.
        self.tasks = Tasks(self.calls, self.snapshot, self.subscribe)

    # ---------------------------------------------------------------- the connection

    async def connect(self, wait: bool = False) -> None:
        """
        Returns when connected; from then on the client comes back by itself. Raises the hub's refusal, and, unless `wait` is set,
        UNAVAILABLE or TIMEOUT when every transport was tried in vain: it may be called again.
        """
        if self._state == "closed":
            raise self._end or HubError("UNAVAILABLE", "The client is closed.")
        if self._connection is None:
            self._connection = Connection(self._url, self._options, self._credentials, self._open_session(), self)
        try:
            await self._connection.open(wait)
        except HubError:
            # Refused for good: nothing is left open for the program to close.
            if self._closing:
                await asyncio.shield(self._closing)
            raise

    async def close(self) -> None:
        """For good. Publishes without an answer fail, loops over subscriptions end."""
        self._close(None)
        if self._closing:
            await asyncio.shield(self._closing)

    async def __aenter__(self) -> AsyncHubbub:
        await self.connect()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def state(self) -> ClientState:
        """`connecting`, `catching-up`, `live`, `offline` or `closed`."""
        return self._state

    @property
    def transport(self) -> Transport | None:
        """`websocket`, `polling` or `http`, while connected."""
        return self._connection.transport if self._connection else None

    @property
    def cursor(self) -> str | None:
        """Everything up to here was handed to the handlers of `on`."""
        return self._feed.cursor

    # ---------------------------------------------------------------- in

    def on(self, pattern: str, handler: EventHandler) -> Off:
        """
        Handlers of all subscriptions together: each event once, in journal order, whichever subscriptions it matches. `pattern`:
        `task.progress`, `task.*`, `*`, or an older name (`agent_status`). History that lies behind an event handed here before goes only to
        the subscription that asked for it. An `async` handler that falls `buffer_limit` events behind is taken away, with QUEUE_FULL to `on_error`.
        """
        name = canonical_type(pattern)
        listeners = self._events.get(name)
        if listeners is None:
            listeners = self._events[name] = Listeners(self._raised, limit=self._options.buffer_limit, on_full=self._fell_behind)
        return listeners.add(handler)

    async def subscribe(
        self, topics: str | Sequence[str], *, types: Sequence[str] | None = None, filter: Mapping[str, Scalar] | None = None, since: Since | None = None,
        batch_ms: int | None = None, latest_only: bool = False,
    ) -> Subscription:
        """
        `topics`: `task:42`, `task:*`, `*`. `since`: a cursor, a duration (`10m`), `{"last": 20}` or `all`; without it only what is to come.
        `batch_ms`: the hub may gather events for so long. `latest_only`: of what it gathers only the last of each topic and type.
        Returns with the hub's first answer; raises its refusal.
        """
        if self._state == "closed":
            raise self._end or HubError("UNAVAILABLE", "The client is closed.")
        kinds = [canonical_type(name) for name in types] if types is not None else None
        return await self._feed.subscribe(Asked(_listed(topics), kinds, filter, since, batch_ms, latest_only))

    async def subscribe_to_agent(self, agent_id: str, events: Sequence[str] | None = None) -> Subscription:
        """Of one agent: `status`, `task_update`, `log`, `metric`, `error`, `output`, or event types; None: everything."""
        types = None if events is None else list(dict.fromkeys(_AGENT_EVENTS.get(name, name) for name in events))
        return await self.subscribe([f"agent:{agent_id}"], types=types)

    async def snapshot(self, topics: str | Sequence[str]) -> Snapshot:
        """The state of what the topics name, complete; without a connection that is when there is one. Raises the hub's refusal."""
        return await read_snapshot(_listed(topics), lambda asked: self.calls.again("snapshot", asked))

    async def history(
        self, topics: str | Sequence[str], *, types: Sequence[str] | None = None, filter: Mapping[str, Scalar] | None = None, since: Since = "all",
        limit: int = 100, wait: float = 0,
    ) -> History:
        """What stands in the journal, up to `limit` (1,000) events; `wait`: seconds (60) for the first one. By HTTP, connected or not."""
        query = history_query(_listed(topics), [canonical_type(name) for name in types] if types is not None else None, filter, since, limit, wait)
        result = await self.get("/api/v1/history", query, timeout=self._options.ack_timeout + wait)
        read = (self._event_of(placed.get("event"), placed.get("cursor")) for placed in result["events"])
        return History([event for event in read if event], result["cursor"], bool(result["more"]), gap_of(result.get("gap")))

    async def get(self, path: str, query: Query = (), *, timeout: float = 30.0) -> dict[str, Any]:
        """Any address of the hub, `/api/streams/s1`, with this client's credential, connected or not. Raises the hub's refusal, or UNAVAILABLE."""
        try:
            return take(await HttpApi(self._open_session(), self._url, self._credentials).get(path, query, timeout=timeout))
        except Dropped as error:
            raise unreachable(error) from error

    # ---------------------------------------------------------------- out

    async def publish(
        self, type: str, data: Any, *, id: str | None = None, topics: Sequence[str] | None = None, timestamp: int | None = None,
        metadata: Mapping[str, str] | None = None, ack: Literal["committed", "accepted"] | None = None,
    ) -> PublishResult:
        """
        Returns when it stands in the journal (with `ack="accepted"`: in its source stream). Order of one client's publishes is kept. `id` is the
        idempotency key, default a UUID; `timestamp` ms since the epoch, default now. Raises the hub's refusal, QUEUE_FULL without a
        connection and with a full queue, or OUTCOME_UNKNOWN when no answer came in time.
        """
        request: dict[str, Any] = {
            "id": id if id is not None else str(uuid.uuid4()), "type": type, "timestamp": timestamp if timestamp is not None else int(time.time() * 1000),
            "data": data,
        }
        given = {"topics": None if topics is None else list(topics), "metadata": None if metadata is None else dict(metadata), "ack": ack}
        request.update({name: value for name, value in given.items() if value is not None})
        result: PublishResult = await self._outbox.add(request)  # type: ignore[assignment]
        return result

    async def command(self, name: str, payload: Any = None, *, timeout: float = COMMAND_SECONDS) -> Any:
        """
        Has somebody carry out a command, once at most, and returns what they answered. Raises NO_EXECUTOR, COMMAND_FAILED (`details`: the
        executor's code and message), COMMAND_TIMEOUT, EXECUTOR_LOST; UNAVAILABLE when there is no connection for `timeout` seconds, and
        OUTCOME_UNKNOWN when the connection ends before the answer: in the last three but one it may have been carried out.
        """
        asked = {"command": name, "timeoutMs": round(timeout * 1000), **({} if payload is None else {"payload": payload})}
        return (await self.calls.once("command", asked, timeout, timeout + ANSWER_SECONDS)).get("result")

    def handle(self, name: str, handler: CommandHandler) -> Off:
        """
        Carries out commands of that name, `handler(payload, context)`: also of its other spellings, and on every later connection but those of
        HTTP. What the hub refuses is told to `on_error`. Raises BUSINESS_LOGIC_ERROR for a name that is handled here.
        """
        return self._executor.handle(name, handler)

    async def signal(self, topic: str, name: str, data: Any = None) -> None:
        """To whoever is connected to the topic now; UNAVAILABLE without a connection."""
        await self.calls.now("signal", {"topic": topic, "name": name, **({} if data is None else {"data": data})})

    async def broadcast(self, name: str, data: Any = None, *, to: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A signal to connected agents, by type, capability or pipeline; UNAVAILABLE without a connection."""
        asked = {"name": name, **({} if data is None else {"data": data}), **({} if to is None else {"to": dict(to)})}
        return await self.calls.now("broadcast", asked)

    async def presence(self, topic: str, *, watch: bool = True) -> dict[str, Any]:
        """
        Who watches the topic now. Changes follow as signals `presence.changed` (`on_signal`) for as long as this connection lasts, unless `watch` is
        false; over HTTP none do. UNAVAILABLE without a connection.
        """
        return await self.calls.now("presence", {"topic": topic, **({} if watch else {"watch": False})})

    def agent(
        self, *, id: str | None = None, type: str | None = None, capabilities: Sequence[str] | None = None, concurrency: int = 1, queue: int | None = None,
        metrics: Callable[[], Mapping[str, float]] | None = None,
    ) -> Agent:
        """
        This client as an agent: registered now and on every later connection, and beating. One a client; `on_task` gives it work. What is not
        said comes from the token. `concurrency`: tasks at once. `queue`: as many more may wait here, default `concurrency`; one more is
        rejected as `busy`. `metrics`: asked with each beat. Raises ValueError for a wrong option, BUSINESS_LOGIC_ERROR for a second agent.
        """
        if self._agent and self._agent.state != "closed":
            raise HubError("BUSINESS_LOGIC_ERROR", "This client is an agent already: another one needs a client of its own.")
        self._agent = Agent(AgentOptions(id, type, capabilities, concurrency, queue, metrics), self)
        return self._agent

    # ---------------------------------------------------------------- what happens

    def on_signal(self, handler: Callable[[Signal], object]) -> Off:
        return self._signals.add(handler)

    def on_state(self, handler: Callable[[ClientState], object]) -> Off:
        return self._states.add(handler)

    def on_gap(self, handler: Callable[[Gap], object]) -> Off:
        """Events that can no longer be had."""
        return self._gaps.add(handler)

    def on_error(self, handler: Callable[[HubError], object]) -> Off:
        """What went wrong, also when the client goes on by itself; and whatever a handler of yours raises."""
        return self._errors.add(handler)


def _listed(topics: str | Sequence[str]) -> list[str]:
    return [topics] if isinstance(topics, str) else list(topics)
