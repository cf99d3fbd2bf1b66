"""The bus, used as the programs that know it use it."""

from __future__ import annotations

import json
import sys
import types
import uuid
from typing import Any

import pytest

from hubbub import AsyncHubbub, EventBus, HubError, HubEvent, WebSocketEventType
from hubs import Hub, eventually, token

SNIPPET = '''
from backend.event_bus import event_bus
from backend.models import WebSocketEventType

async def main():
    # Emit progress update
    await event_bus.emit_progress_update(
        task_id="task_001",
        progress=0.75,
        message="Processing documents...",
        confidence=0.85
    )

    # Emit tool call
    await event_bus.emit_tool_call(
        task_id="task_001",
        tool_name="web_scraper",
        args={"url": "https://example.com"},
        result={"status": "success"}
    )
'''


async def test_the_printed_example_runs_as_it_is(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_URL", hub.url)
    monkeypatch.setenv("HUBBUB_TOKEN", token("bus", "service"))
    modules = {"backend": {}, "backend.event_bus": {"event_bus": EventBus()}, "backend.models": {"WebSocketEventType": WebSocketEventType}}
    for name, names in modules.items():
        module = types.ModuleType(name)
        vars(module).update(names)
        monkeypatch.setitem(sys.modules, name, module)
    space: dict[str, Any] = {}
    exec(SNIPPET, space)
    async with AsyncHubbub(hub.url, token=token()) as client:
        subscription = await client.subscribe("task:task_001")
        await space["main"]()
        events: list[HubEvent] = []
        while len(events) < 5:
            event = await anext(subscription)
            if event.metadata["source"] != "/hub":
                events.append(event)
    await modules["backend.event_bus"]["event_bus"].close()
    assert events[0].type == "task.progress"
    assert (events[0].data["progress"], events[0].data["message"], events[0].data["confidence"]) == (75, "Processing documents...", 0.85)
    assert [event.data.get("type") for event in events[1:]] == ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"]
    assert events[1].data["toolCallName"] == "web_scraper" and len({event.data["toolCallId"] for event in events[1:]}) == 1
    assert json.loads(events[2].data["delta"]) == {"url": "https://example.com"}
    assert json.loads(events[4].data["content"]) == {"status": "success"}


async def test_handlers_hear_what_any_process_emits_until_they_are_taken_away(hub: Hub) -> None:
    task, agent = uuid.uuid4().hex, uuid.uuid4().hex
    bus = EventBus(AsyncHubbub(hub.url, token=token("a", "service")))
    other = EventBus(AsyncHubbub(hub.url, token=token("b", "service")))
    of_task: list[str] = []
    statuses: list[Any] = []

    async def later(event: HubEvent) -> None:
        of_task.append(event.type)

    await bus.subscribe(later, task_id=task)
    await bus.subscribe(lambda event: statuses.append(event.data["status"]) if event.data["agentId"] == agent else None, event_types=[WebSocketEventType.AGENT_STATUS_CHANGE])
    await other.emit_task_event(task, "task_started", {"agentId": agent})
    await bus.emit_task_event(task, WebSocketEventType.TASK_COMPLETED)
    await other.emit_agent_status_change(agent, "busy", task_id=task, reason="working")
    await eventually(lambda: "task.started" in of_task and "task.completed" in of_task and "busy" in statuses)
    assert await bus.unsubscribe(later, task_id=task) is True
    assert await bus.unsubscribe(later, task_id=task) is False
    history = await bus.get_history(task_id=task, event_type="task_started")
    assert [event.data["agentId"] for event in history] == [agent]
    assert len(await bus.get_history(limit=2)) == 2
    for progress in (40, -0.1, 1.5):
        with pytest.raises(HubError) as refused:
            await bus.emit_progress_update(task, progress)
        assert refused.value.code == "VALIDATION_ERROR"
    with pytest.raises(HubError):
        await bus.emit_task_event(task, "no_such_event")
    statistics = bus.get_statistics()
    assert (statistics["emitted"], statistics["emitted_by_type"], statistics["failed"]) == (1, {"task.completed": 1}, 1)
    assert statistics["received"] >= 3 and statistics["handlers"] == 1 and statistics["connected"] is True
    await bus.close()
    await other.close()


async def test_a_ratio_that_is_no_round_number_is_told_as_a_round_percentage(hub: Hub) -> None:
    task = uuid.uuid4().hex
    bus = EventBus(AsyncHubbub(hub.url, token=token()))
    for ratio in (0, 0.29, 1):
        await bus.emit_progress_update(task, ratio)
    assert [event.data["progress"] for event in await bus.get_history(task, "task.progress")] == [0, 29, 100]
    await bus.close()
