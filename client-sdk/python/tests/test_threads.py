"""The client of threads and callbacks."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from hubbub import Hubbub, HubError, HubEvent, TaskCopilotClient
from hubbub.threads import is_of_other_kind, topic_for
from hubs import Hub, Yard, free_port, publish_all, token


def name() -> str:
    return uuid.uuid4().hex[:12]


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@pytest.mark.parametrize("use_websocket", [True, False])
def test_an_orchestrator_hears_of_streams_and_tasks(hub: Hub, use_websocket: bool) -> None:
    stream, task = name(), name()
    client = TaskCopilotClient(api_base=hub.url, use_websocket=use_websocket, poll_interval=30, token=token())
    heard: list[tuple[str, str, Any]] = []
    threads: set[str] = set()

    def on_stream_progress(topic: str, event_type: str, data: dict[str, Any]) -> None:
        threads.add(threading.current_thread().name)
        if event_type == "stream.progress":
            heard.append((topic, event_type, data["progressPercentage"]))

    statuses: list[tuple[str, str]] = []
    # Before there is a connection: it is kept for then.
    client.subscribe([f"stream:{stream}"], on_stream_progress)
    assert client.mode is None and client.connect() is True
    try:
        assert client.mode == ("websocket" if use_websocket else "http") and client.connected
        off = client.subscribe([f"task:{task}*"], lambda topic, kind, data: statuses.append((topic, data["newStatus"])) if kind == "task.status_changed" else None)
        client.publish("task.created", {"taskId": task, "taskTitle": "build", "streamId": stream})
        client.publish("task.status_changed", {"taskId": task, "newStatus": "in_progress"})
        client.publish("task.completed", {"taskId": task})
        eventually(lambda: heard and heard[-1][2] == 100)
        assert {topic for topic, _, _ in heard} == {f"stream:{stream}"}
        eventually(lambda: statuses and statuses[0] == (f"task:{task}", "in_progress"))
        status = client.get_stream_status(stream)
        assert (status["progress"], status["tasks"], status["taskList"][0]["id"]) == (100, 1, task)
        with pytest.raises(HubError) as missing:
            client.get_stream_status("no/such stream")
        assert missing.value.code == "NOT_FOUND"
        off()
        assert threads and all(thread.startswith("hubbub-callbacks") for thread in threads)
    finally:
        client.disconnect()
    assert client.mode is None and not client.connected
    assert client.get_stream_status(stream)["progress"] == 100
    with pytest.raises(HubError):
        client.publish("custom.step", {})


def test_a_callback_may_ask_the_hub_take_its_time_and_raise(hub: Hub) -> None:
    task = name()
    errors: list[HubError] = []
    with Hubbub(hub.url, token=token()) as client:
        client.on_error(errors.append)
        heard: list[int] = []

        def callback(topic: str, kind: str, data: dict[str, Any]) -> None:
            heard.append(data["at"])
            if data["at"] == 0:
                client.subscribe(f"task:{task}-more", lambda *_: None)
                client.publish("custom.step", {"at": 99}, topics=[f"task:{task}"])
            if data["at"] == 1:
                raise ValueError("mine")

        client.subscribe(f"task:{task}", callback)
        asyncio.run(publish_all(hub.url, [{"type": "custom.step", "topics": [f"task:{task}"], "data": {"at": at}} for at in range(10)], token()))
        eventually(lambda: 99 in heard and len(heard) == 11)
        assert [at for at in heard if at != 99] == list(range(10))
        assert [error.message for error in errors] == ["mine"]
        # Asked from a callback, it does not wait for the callback.
        done = threading.Event()
        client.subscribe(f"task:{task}-end", lambda *_: (client.disconnect(), done.set()))
        asyncio.run(publish_all(hub.url, [{"type": "custom.step", "topics": [f"task:{task}-end"], "data": {}}], token()))
        assert done.wait(20)


def test_without_a_hub_connecting_answers_false_and_with_one_true(yard: Yard) -> None:
    port = free_port()
    client = Hubbub(f"http://127.0.0.1:{port}", token=token())
    errors: list[HubError] = []
    client.on_error(errors.append)
    assert client.connect() is False and errors[-1].code == "UNAVAILABLE"
    with pytest.raises(HubError):
        client.get_stream_status("s1")
    yard.hub(port=port)
    assert client.connect() is True
    client.disconnect()
    before = threading.active_count()
    client.disconnect()
    assert threading.active_count() == before


def test_the_topic_that_is_told_is_one_of_the_events_own_family_before_others() -> None:
    def event(kind: str, *topics: str) -> HubEvent:
        return HubEvent("1", kind, 0, "default", topics, {}, {})

    assert is_of_other_kind("stream:s", event("task.created", "task:1", "stream:s"), ["stream:s"])
    assert not is_of_other_kind("stream:s", event("stream.progress", "stream:s"), ["stream:s"])
    assert not is_of_other_kind("stream:s", event("task.created", "stream:s"), ["*"])
    assert not is_of_other_kind("pipeline:p", event("task.created", "pipeline:p"), ["pipeline:p"])
    created = event("task.created", "pipeline:p", "task:1", "stream:s")
    assert topic_for(created, ["*"]) == "task:1"
    assert topic_for(created, ["stream:*", "pipeline:p"]) == "pipeline:p"
    assert topic_for(created, ["stream:s"]) == "stream:s"
    assert topic_for(event("stream.progress", "task:1", "stream:s"), ["*"]) == "stream:s"
    assert topic_for(event("custom.step", "project"), ["*"]) == "project"
