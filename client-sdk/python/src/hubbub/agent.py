"""
An agent: registered on every connection, beating, and given tasks.

  registering --> active --> draining --> closed
       |            |                       ^
       +------------+--- refused for good --+      a lost connection changes nothing: it is registered again on the next
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from .assignment import AgentTask, TaskHandler
from .calls import Calls
from .envelope import HubEvent
from .errors import HubError, as_error, message_of
from .listeners import Off, is_async
from .mail import Mail
from .workload import Workload

AgentState = Literal["registering", "active", "draining", "closed"]

# A report that so many connections carried without an answer is one that ends them: it is larger than the hub takes at all.
_UNANSWERED_MOST = 5


class AgentHost(Protocol):
    """What an agent needs of its client."""

    @property
    def calls(self) -> Calls: ...
    @property
    def mail(self) -> Mail: ...
    async def publish(self, type: str, data: Any, *, id: str | None = None, timestamp: int | None = None, ack: Literal["committed", "accepted"] | None = None) -> Any: ...
    def trouble(self, error: HubError) -> None: ...
    async def close(self) -> None: ...


@dataclass(frozen=True)
class AgentOptions:
    id: str | None = None
    type: str | None = None
    capabilities: Sequence[str] | None = None
    concurrency: int = 1
    queue: int | None = None
    metrics: Callable[[], Mapping[str, float]] | None = None

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency: {self.concurrency} is not allowed; allowed: an integer from 1")
        if self.queue is not None and self.queue < 0:
            raise ValueError(f"queue: {self.queue} is not allowed; allowed: an integer from 0")


class Agent:
    def __init__(self, options: AgentOptions, host: AgentHost) -> None:
        self.state: AgentState = "registering"
        self._options = options
        self._host = host
        self._registered: dict[str, Any] | None = None
        self._handler: TaskHandler | None = None
        self._workload: Workload | None = None
        # Raised with each connection: a registration on an older one is void.
        self._round = 0
        self._ready = asyncio.Event()
        self._refusal: HubError | None = None
        self._beating: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining: asyncio.Future[None] | None = None
        calls = host.calls
        self._offs: list[Off] = [calls.on("opened", self._opened), calls.on("closed", lambda: self._end(calls.end))]
        if calls.is_open:
            self._opened()

    @property
    def id(self) -> str | None:
        """Known once it is registered, if it was not given."""
        return str(self._registered["agentId"]) if self._registered else self._options.id

    @property
    def tasks(self) -> list[str]:
        """Ids of the tasks that it works on."""
        return self._workload.task_ids if self._workload else []

    async def ready(self) -> dict[str, Any]:
        """The first registration. Raises the hub's refusal: DUPLICATE_AGENT, INSUFFICIENT_PERMISSIONS, AGENT_NOT_IDENTIFIED."""
        await self._ready.wait()
        if self._registered is None:
            raise self._refusal or HubError("UNAVAILABLE", "The client is closed.")
        return self._registered

    def on_task(self, handler: TaskHandler) -> TaskHandler:
        """
        What it does with a task, an `async` function; given once, also as a decorator. It answers the task's result, anything that JSON can
        carry. What it raises makes the task fail with the exception's text. When the task is cancelled or taken away, `task.cancelled` is
        set and the handler cancelled (`asyncio.CancelledError`): what it answers then is not looked at, so settle soon.
        """
        if not is_async(handler):
            raise TypeError("on_task takes an async function; asyncio.to_thread runs what blocks")
        if self._handler:
            raise HubError("BUSINESS_LOGIC_ERROR", "The agent has a handler for its tasks already.")
        self._handler = handler
        self._begin()
        return handler

    async def drain(self) -> None:
        """
        Takes no more tasks (they are rejected as `draining`), waits for those in hand and for the hub's answers to their results, and
        closes the client. Never raises.
        """
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._drain())
        await asyncio.shield(self._draining)

    async def _drain(self) -> None:
        if self.state != "closed":
            self.state = "draining"
        if self._workload:
            await self._workload.drain()
        self._end(HubError("UNAVAILABLE", "The agent was drained."))
        await self._host.close()

    # ---------------------------------------------------------------- registration and beats

    def _opened(self) -> None:
        self._round += 1
        self._start(self._register(self._round))

    async def _register(self, round: int) -> None:
        options, calls = self._options, self._host.calls
        known = {"agentId": options.id, "agentType": options.type, "capabilities": list(options.capabilities) if options.capabilities is not None else None}
        request = {**{name: value for name, value in known.items() if value is not None}, "maxTasks": options.concurrency}
        attempt = 0
        while round == self._round and not self._is_closed() and calls.is_open:
            try:
                registered = await calls.now("agent.register", request)
                if round == self._round and not self._is_closed():
                    self._stand(registered)
                return
            except HubError as error:
                if round != self._round or not calls.is_open:
                    return
                self._host.trouble(error)
                if not error.retryable:
                    return self._end(error)
                try:
                    await calls.pause(calls.delay(error, attempt))
                except HubError:
                    return
                attempt += 1

    def _is_closed(self) -> bool:
        return self.state == "closed"

    def _stand(self, registered: dict[str, Any]) -> None:
        self._registered = registered
        if self.state == "registering":
            self.state = "active"
        self._ready.set()
        if self._beating:
            self._beating.cancel()
        self._beating = asyncio.get_running_loop().create_task(self._beat(registered["heartbeat"]["intervalMs"] / 1000))
        self._begin()

    async def _beat(self, interval: float) -> None:
        """At most one under way: a beat that waited for a connection says nothing new."""
        # Cancelled at the end.
        while True:
            if self._host.calls.is_open:
                metrics = self._measure()
                refusal = await self.say("agent.heartbeat", {"currentTasks": self.tasks, **({"systemMetrics": metrics} if metrics else {})})
                if refusal and not refusal.retryable:
                    self._host.trouble(refusal)
            await asyncio.sleep(interval)

    def _measure(self) -> dict[str, float] | None:
        try:
            return dict(self._options.metrics()) if self._options.metrics else None
        except Exception as error:
            self._host.trouble(HubError("INTERNAL_ERROR", f"The agent's metrics raised: {message_of(error)}"))
            return None

    # ---------------------------------------------------------------- mail

    def _begin(self) -> None:
        """Once it knows who it is and what to do."""
        if self._registered is None or self._handler is None or self._workload or self.id is None or self._draining:
            return
        queue = self._options.queue if self._options.queue is not None else self._options.concurrency
        self._workload = Workload(self._handler, self, self._options.concurrency, queue)
        self._offs.append(self._host.mail.read(self.id, self._read))

    def _read(self, event: HubEvent) -> None:
        data = event.data if isinstance(event.data, dict) else {}
        task_id = data.get("taskId")
        if not isinstance(task_id, str) or self._workload is None:
            return
        if event.type == "task.delegate":
            self._workload.offer(_task_of(task_id, data))
        elif event.type == "execution.cancel":
            self._workload.cancel(task_id, _text(data.get("leaseToken")))

    # ---------------------------------------------------------------- reports

    async def send(self, type: str, data: dict[str, Any], id: str) -> None:
        """Until the hub has answered: with the same id, however many connections it takes, it counts once."""
        calls = self._host.calls
        attempt = unanswered = 0
        while True:
            await calls.open()
            try:
                await self._host.publish(type, data, id=id)
                return
            except HubError as error:
                if not error.retryable or calls.is_closed:
                    raise
                if error.code == "OUTCOME_UNKNOWN":
                    unanswered += 1
                    if unanswered == _UNANSWERED_MOST:
                        raise
                await calls.pause(calls.delay(error, attempt))
                attempt += 1

    async def say(self, type: str, data: dict[str, Any]) -> HubError | None:
        """Once, as well as it goes: the next one of its kind says more."""
        own = {"agentId": self.id} if type.startswith("agent.") else {}
        try:
            await self._host.publish(type, {**data, **own}, ack="committed" if type == "task.progress" else "accepted")
            return None
        except Exception as error:
            return as_error(error)

    def trouble(self, error: HubError) -> None:
        self._host.trouble(error)

    def _end(self, error: HubError | None) -> None:
        if self.state == "closed":
            return
        self.state = "closed"
        self._refusal = error
        if self._beating:
            self._beating.cancel()
        for off in self._offs:
            off()
        if self._workload:
            self._workload.abandon()
        self._ready.set()

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _task_of(id: str, data: Mapping[str, Any]) -> AgentTask:
    parameters, priority, stage, attempt = (data.get(name) for name in ("parameters", "priority", "stage", "attempt"))
    return AgentTask(
        id=id, type=_text(data.get("taskType")), title=_text(data.get("taskTitle")), parameters=parameters if isinstance(parameters, dict) else {},
        deadline=_text(data.get("deadline")), priority=priority if isinstance(priority, (int, str)) else None, pipeline_id=_text(data.get("pipelineId")),
        stage=stage if isinstance(stage, int) else None, stream_id=_text(data.get("streamId")), attempt=attempt if isinstance(attempt, int) else 1,
        lease_token=_text(data.get("leaseToken")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
