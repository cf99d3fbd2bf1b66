"""Tasks from the side of whoever wants them done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .calls import Calls
from .commands import ANSWER_SECONDS, COMMAND_SECONDS
from .errors import HubError
from .snapshot import Entity, Snapshot
from .subscription import Subscription

_FINISHED = ("completed", "failed", "cancelled")
# Events after which a task may be finished, or gone.
_ENDINGS = ("task.completed", "task.failed", "task.cancelled", "task.result", "task.status_changed", "task.updated", "task.forgotten")


class Tasks:
    """
    Without a connection these wait for one. Refusals are `HubError`s: INSUFFICIENT_PERMISSIONS for whoever may not, UNAVAILABLE once the
    client is closed.
    """

    def __init__(
        self, calls: Calls, snapshot: Callable[[Sequence[str]], Awaitable[Snapshot]], subscribe: Callable[..., Awaitable[Subscription]],
    ) -> None:
        self._calls = calls
        self._snapshot = snapshot
        self._subscribe = subscribe

    async def create(self, order: dict[str, Any] | None = None, /, **fields: Any) -> Entity:
        """
        Hands a task in: the hub finds an agent for it. Takes `type` and what a `TaskOrder` has: `id`, `title`, `parameters`, `deadline`,
        `priority`, `pipelineId`, `stage`, `streamId`, `dependsOn`, `requires`, `agentType`, `agentId`. Without an `id` it gets a UUID; with
        one it is created once, however often it is handed in. Raises TASK_EXISTS, VALIDATION_ERROR.
        """
        payload = {"id": str(uuid.uuid4()), **(order or {}), **fields}
        return await self._command("task.start", payload)

    async def get(self, id: str) -> Entity | None:
        """None when the hub knows no such task (any more)."""
        return (await self._snapshot([f"task:{id}"])).get("task", id)

    async def list(
        self, *, pipeline_id: str | None = None, stream_id: str | None = None, status: str | Sequence[str] | None = None, type: str | None = None,
        agent_id: str | None = None,
    ) -> list[Entity]:
        """All that are given must hold; in the order of creation."""
        topic = f"pipeline:{pipeline_id}" if pipeline_id is not None else f"stream:{stream_id}" if stream_id is not None else "task:*"
        wanted = {"pipelineId": pipeline_id, "streamId": stream_id, "taskType": type, "agentId": agent_id}
        statuses = (status,) if isinstance(status, str) else status
        return [
            task
            for task in (await self._snapshot([topic])).list("task")
            if all(value is None or task.get(name) == value for name, value in wanted.items()) and (statuses is None or task.get("status") in statuses)
        ]

    async def cancel(self, id: str, reason: str | None = None, *, timeout: float = COMMAND_SECONDS) -> Entity:
        """
        Calls it off and returns the task when it is finished. Raises TASK_NOT_FOUND, or TIMEOUT when it is not finished within `timeout`
        seconds (0.1 to 600): the hub goes on, `wait` for it.
        """
        return await self._command("execution.cancel", {"taskId": id, **({"reason": reason} if reason is not None else {})}, timeout)

    async def wait(self, id: str, *, timeout: float | None = None) -> Entity:
        """
        The task when it is completed, failed or cancelled: see its `status`, `result` and `error`. Raises TASK_NOT_FOUND, or TIMEOUT after
        `timeout` seconds. Each task waited for is one of the connection's subscriptions.
        """
        try:
            return await asyncio.wait_for(self._finished(id), timeout)
        except asyncio.TimeoutError:
            raise HubError("TIMEOUT", f"Task {id} was not finished within {timeout:g} s.", {"taskId": id}) from None

    async def _finished(self, id: str) -> Entity:
        subscription = await self._subscribe([f"task:{id}"], types=list(_ENDINGS))
        async with subscription:
            changed = asyncio.Event()
            subscription.on(lambda _: changed.set())
            subscription.on_gap(lambda _: changed.set())
            subscription.on_end(lambda _: changed.set())
            while True:
                changed.clear()
                task = await self.get(id)
                if task is None:
                    raise HubError("TASK_NOT_FOUND", None, {"taskId": id})
                if task.get("status") in _FINISHED:
                    return task
                if subscription.phase == "ended":
                    raise subscription.error or HubError("UNAVAILABLE", "The client was closed.")
                await changed.wait()

    async def _command(self, name: str, payload: dict[str, Any], timeout: float = COMMAND_SECONDS) -> Entity:
        request = {"command": name, "payload": payload, "timeoutMs": round(timeout * 1000)}
        answer = await self._calls.again("command", request, timeout + ANSWER_SECONDS)
        return dict(answer["result"])
