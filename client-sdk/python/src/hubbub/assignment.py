"""
One delegation in an agent's hands: accepted, worked on, and answered with exactly one of result, failure or confirmed cancellation. Each
of these has an event id of its own, so that it stands in the journal once, however often it is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from .errors import HubError, as_error, code_of, message_of

LogLevel = Literal["debug", "info", "warn", "error"]
End = Literal["cancelled", "over", "answered"]

# The lease is not this agent's any more.
_OVER = frozenset(("STALE_LEASE", "NOT_TASK_OWNER", "TASK_NOT_FOUND"))
_LONGEST_EVENT_ID = 128


class Reporter(Protocol):
    async def send(self, type: str, data: dict[str, Any], id: str) -> None:
        """Returns when it stands in the journal; raises the hub's refusal, or when the client is closed."""

    async def say(self, type: str, data: dict[str, Any]) -> HubError | None:
        """The outcome of one try."""

    def trouble(self, error: HubError) -> None: ...


@dataclass(frozen=True)
class AgentTask:
    """What is to be done, as the hub delegated it. Reports are sent in order and never raise: refusals go to `client.on_error`."""

    id: str
    #: `type` of the order.
    type: str | None
    title: str | None
    parameters: Mapping[str, Any]
    #: ISO 8601 Z: unfinished by then, the task fails.
    deadline: str | None
    priority: int | str | None
    pipeline_id: str | None
    stage: int | None
    stream_id: str | None
    #: From 1: more than 1 says that a delegation before this one came to nothing.
    attempt: int
    #: Names this delegation: reports with another one are refused.
    lease_token: str | None
    #: Set when the work is of no use any more: the task was cancelled, or is somebody else's by now.
    cancelled: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)
    _tell: dict[str, Callable[..., Awaitable[None]]] = field(default_factory=dict, repr=False, compare=False)

    async def progress(self, percent: float, message: str | None = None, *, confidence: float | None = None) -> None:
        """0 to 100. Returns when the hub has answered."""
        await self._tell["progress"](percent, message, confidence)

    async def log(self, message: str, level: LogLevel = "info") -> None:
        """A line of the agent's log, about this task."""
        await self._tell["log"](message, level)


TaskHandler = Callable[[AgentTask], Coroutine[Any, Any, Any]]


class Assignment:
    def __init__(self, task: AgentTask, reporter: Reporter) -> None:
        self.task = task
        self.end: End | None = None
        self._reporter = reporter
        self._working: asyncio.Task[Any] | None = None
        task._tell.update(progress=self._progress, log=self._log)

    def cancel(self) -> None:
        self._close("cancelled")

    def lose(self) -> None:
        """Nobody waits for its outcome."""
        self._close("over")

    async def run(self, handler: TaskHandler) -> None:
        """Never raises."""
        if self.end is None and await self._report("accepted") is not None:
            return
        outcome = await self._work(handler) if self.end is None else None
        if self._is_over():
            return
        kind, data = outcome if outcome and self.end is None else ("cancelled", {})
        refusal = await self._report(kind, data)
        # Its place is taken; or the result is none that the hub takes, and the task has to end all the same.
        if refusal and kind == "result" and refusal.code not in _OVER:
            await self._report("failed", {"error": f"{refusal.code}: {refusal.message}", "code": refusal.code})
        self.end = self.end or "answered"

    async def refuse(self, reason: str) -> None:
        """Of a task that was not accepted."""
        self.end = self.end or "answered"
        await self._report("rejected", {"reason": reason})

    def _is_over(self) -> bool:
        return self.end == "over"

    async def _work(self, handler: TaskHandler) -> tuple[str, dict[str, Any]]:
        """The handler's task is cancelled with the assignment; it may clean up, and then settle as it likes."""
        working = self._working = asyncio.get_running_loop().create_task(handler(self.task))
        try:
            await asyncio.wait([working])
        finally:
            working.cancel()
        if working.cancelled():
            return "failed", {"error": "The handler was cancelled."}
        error = working.exception()
        if error is None:
            return "result", {"result": working.result()}
        code = code_of(error)
        return "failed", {"error": message_of(error), **({"code": code} if code else {})}

    async def _progress(self, percent: float, message: str | None, confidence: float | None) -> None:
        if self.end is not None:
            return
        said = {"message": message, "confidence": confidence}
        data = {**self._named(), "progress": percent, **{name: value for name, value in said.items() if value is not None}}
        refusal = await self._reporter.say("task.progress", data)
        # A later one, or the task's end, came before it.
        if refusal and refusal.code != "STALE_REPORT" and self.end is None:
            self._refused(refusal)

    async def _log(self, message: str, level: LogLevel) -> None:
        refusal = await self._reporter.say("agent.log", {"taskId": self.task.id, "level": level, "message": message})
        if refusal:
            self._reporter.trouble(refusal)

    async def _report(self, kind: str, data: Mapping[str, Any] | None = None) -> HubError | None:
        event_id = f"{self.task.id}:{self.task.lease_token or ''}:{kind}"
        try:
            # Of an id that is too long the end tells more than the beginning: lease and kind stand there.
            await self._reporter.send(f"task.{kind}", {**self._named(), **(data or {})}, event_id[-_LONGEST_EVENT_ID:])
        except Exception as error:
            refusal = as_error(error)
            self._refused(refusal)
            return refusal
        return None

    def _named(self) -> dict[str, Any]:
        token = self.task.lease_token
        return {"taskId": self.task.id, **({"leaseToken": token} if token is not None else {})}

    def _refused(self, refusal: HubError) -> None:
        if self.end == "over":
            return
        self._reporter.trouble(refusal)
        if refusal.code in _OVER:
            self.lose()

    def _close(self, end: End) -> None:
        if self.end in ("over", "answered"):
            return
        self.end = end
        self.task.cancelled.set()
        if self._working:
            self._working.cancel()
