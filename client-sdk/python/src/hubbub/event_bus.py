"""
A bus for programs that report on tasks: what they emit stands in the hub's journal, and what anybody emits comes to the handlers, in this
process or another.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from .client import AsyncHubbub, EventHandler
from .envelope import HubEvent
from .errors import HubError
from .interest import canonical_type
from .results import PublishResult
from .subscription import Subscription


class WebSocketEventType(str, Enum):
    """Names that programs of the bus use; the hub has its own for them (`hubbub.ALIASES`)."""

    TASK_STARTED = "task_started"
    TASK_UPDATED = "task_updated"
    TASK_COMPLETED = "task_completed"
    TASK_FAILED = "task_failed"
    TASK_PAUSED = "task_paused"
    AGENT_STATUS_CHANGE = "agent_status_change"
    PROGRESS_UPDATE = "progress_update"
    CONFIDENCE_UPDATE = "confidence_update"
    MESSAGE_DELTA = "message.delta"
    TOOL_CALL_START = "tool_call.start"
    TOOL_CALL_END = "tool_call.end"
    STATE_PATCH = "state.patch"


class EventBus:
    """
    Connects when it is first used. Emitting returns when the event stands in the journal, and raises `HubError`: the hub's refusal, or
    UNAVAILABLE when there is no hub at first; later ones wait for it, as publishes do.
    """

    def __init__(self, client: AsyncHubbub | None = None) -> None:
        """Without a client: the hub of `HUBBUB_URL` (http://127.0.0.1:4000), with the token of `HUBBUB_TOKEN`."""
        self.client = client or AsyncHubbub(os.environ.get("HUBBUB_URL", "http://127.0.0.1:4000"), token=os.environ.get("HUBBUB_TOKEN"))
        self._connecting: asyncio.Future[None] | None = None
        self._subscriptions: list[tuple[EventHandler, str | None, Subscription]] = []
        self._emitted: Counter[str] = Counter()
        self._received: Counter[str] = Counter()
        self._failed = 0

    # ---------------------------------------------------------------- out

    async def emit_task_event(self, task_id: str, event_type: str, data: Mapping[str, Any] | None = None) -> PublishResult:
        """Any event of a task: `task.started`, or an older name, `task_started`."""
        return await self.emit(event_type, {**(data or {}), "taskId": task_id}, topics=[f"task:{task_id}"])

    async def emit_agent_status_change(
        self, agent_id: str, status: str, *, task_id: str | None = None, reason: str | None = None, metrics: Mapping[str, float] | None = None,
    ) -> PublishResult:
        """`agent.status_changed`; `status` is registered, idle, busy, error, stalled, stale or offline."""
        given = {"taskId": task_id, "reason": reason, "metrics": None if metrics is None else dict(metrics)}
        return await self.emit("agent.status_changed", {"agentId": agent_id, "status": status, **_given(given)})

    async def emit_progress_update(self, task_id: str, progress: float, message: str | None = None, confidence: float | None = None) -> PublishResult:
        """
        `task.progress`. `progress` is a ratio, 0 to 1, as in the hub's `progress_update`: 0.75 is told as 75 percent. So is `confidence`.
        Raises VALIDATION_ERROR for anything else: 40 is not taken for 40 percent, for 1 would be both.
        """
        if not 0 <= progress <= 1:
            raise HubError("VALIDATION_ERROR", f"progress: {progress} is not allowed; allowed: a ratio of 0 to 1")
        # Rounded, so that 0.29 is 29 and not 28.999999999999996.
        percent = round(progress * 100, 8)
        return await self.emit("task.progress", {"taskId": task_id, "progress": percent, **_given({"message": message, "confidence": confidence})})

    async def emit_tool_call(
        self, task_id: str, tool_name: str, args: Mapping[str, Any] | None = None, result: Any = None, *, tool_call_id: str | None = None,
    ) -> list[PublishResult]:
        """
        A tool call as AG-UI tells it, on the task's topic: TOOL_CALL_START, TOOL_CALL_ARGS, TOOL_CALL_END, and with a result TOOL_CALL_RESULT, in
        this order.
        """
        call = tool_call_id or str(uuid.uuid4())
        told = [("START", {"toolCallName": tool_name}), ("ARGS", {"delta": json.dumps(dict(args or {}))}), ("END", {})]
        if result is not None:
            content = result if isinstance(result, str) else json.dumps(result)
            told.append(("RESULT", {"messageId": f"{call}:result", "content": content, "role": "tool"}))
        emitted = (self.emit(f"agui.tool_call_{part.lower()}", {"type": f"TOOL_CALL_{part}", "toolCallId": call, **fields}, topics=[f"task:{task_id}"]) for part, fields in told)
        return list(await asyncio.gather(*emitted))

    async def emit(self, event_type: str, data: Any, *, topics: Sequence[str] | None = None) -> PublishResult:
        """Any event type, canonical or older."""
        name = event_type.value if isinstance(event_type, Enum) else event_type
        try:
            await self.connect()
            result = await self.client.publish(name, data, topics=topics)
        except HubError:
            self._failed += 1
            raise
        self._emitted[canonical_type(name)] += 1
        return result

    # ---------------------------------------------------------------- in

    async def subscribe(self, handler: EventHandler, task_id: str | None = None, event_types: Sequence[str] | None = None) -> Subscription:
        """Every event, or those of a task or of some types, canonical or older; `handler(event)` is a plain or `async` function."""
        types = None if event_types is None else [name.value if isinstance(name, Enum) else name for name in event_types]
        await self.connect()
        subscription = await self.client.subscribe("*" if task_id is None else f"task:{task_id}", types=types)
        subscription.on(self._count)
        subscription.on(handler)
        self._subscriptions.append((handler, task_id, subscription))
        return subscription

    async def unsubscribe(self, handler: EventHandler, task_id: str | None = None) -> bool:
        """Whether it was subscribed."""
        mine = [entry for entry in self._subscriptions if entry[0] == handler and entry[1] == task_id]
        for entry in mine:
            self._subscriptions.remove(entry)
            await entry[2].unsubscribe()
        return bool(mine)

    async def get_history(self, task_id: str | None = None, event_type: str | None = None, limit: int = 100) -> Sequence[HubEvent]:
        """The last events, oldest first: as far back as the hub's journal reaches."""
        name = event_type.value if isinstance(event_type, Enum) else event_type
        topic = "*" if task_id is None else f"task:{task_id}"
        return (await self.client.history(topic, types=None if name is None else [name], since={"last": limit}, limit=limit)).events

    def get_statistics(self) -> dict[str, Any]:
        """Of this process: events emitted, by type, received by handlers, and refused; handlers; and whether there is a connection."""
        return {
            "emitted": sum(self._emitted.values()),
            "emitted_by_type": dict(self._emitted),
            "received": sum(self._received.values()),
            "received_by_type": dict(self._received),
            "failed": self._failed,
            "handlers": len(self._subscriptions),
            "connected": self.client.transport is not None,
        }

    # ---------------------------------------------------------------- the connection

    async def connect(self) -> None:
        if self._connecting is None:
            self._connecting = asyncio.ensure_future(self.client.connect())
        try:
            await asyncio.shield(self._connecting)
        except HubError:
            # The next one tries again.
            self._connecting = None
            raise

    async def close(self) -> None:
        await self.client.close()

    def _count(self, event: HubEvent) -> None:
        self._received[event.type] += 1


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
