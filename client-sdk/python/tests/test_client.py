"""The client against a hub: in, out, and what it is refused."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest

from hubbub import AsyncHubbub, Gap, HubError, HubEvent, Signal
from hubs import Hub, Yard, eventually, publish_all, token


def name() -> str:
    return uuid.uuid4().hex[:12]


async def test_an_event_that_is_published_comes_to_the_iterator_and_to_the_handlers_with_its_cursor(hub: Hub) -> None:
    async with AsyncHubbub(hub.url, token=token()) as client:
        assert client.transport == "websocket"
        task = name()
        heard: list[HubEvent] = []
        client.on("task.*", heard.append)
        subscription = await client.subscribe([f"task:{task}"])
        result = await client.publish("task.progress", {"taskId": task, "progress": 40})
        event = await anext(subscription)
        assert (event.type, event.data["progress"], event.topics) == ("task.progress", 40, (f"task:{task}",))
        assert event.id == result["id"] and event.cursor.endswith(result["offset"])
        await eventually(lambda: len(heard) == 1)
        assert heard == [event]
        assert client.state == "live" and client.cursor == event.cursor
    assert client.state == "closed" and client.transport is None


async def test_a_refusal_is_raised_with_its_code(hub: Hub) -> None:
    async with AsyncHubbub(hub.url, token=token("ann", "viewer")) as client:
        with pytest.raises(HubError) as refused:
            await client.publish("task.progress", {"taskId": "1", "progress": 1})
        assert refused.value.code == "INSUFFICIENT_PERMISSIONS" and not refused.value.retryable
        with pytest.raises(HubError) as refused:
            await client.subscribe("inbox:bob")
        assert refused.value.code == "INSUFFICIENT_PERMISSIONS"


def steps(task: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"id": f"{task}-{at}", "type": "custom.step", "topics": [f"task:{task}"], "data": {"at": at}} for at in range(first, first + count)]


async def test_history_of_several_pages_comes_first_and_then_what_is_live(hub: Hub) -> None:
    task = name()
    await publish_all(hub.url, steps(task, 2300), token())
    async with AsyncHubbub(hub.url, token=token()) as client:
        async with await client.subscribe([f"task:{task}"], since="all") as subscription:
            events = [await anext(subscription) for _ in range(2300)]
            await subscription.live()
            await client.publish("custom.step", {"at": 2300}, topics=[f"task:{task}"])
            events.append(await anext(subscription))
            assert [event.data["at"] for event in events] == list(range(2301))
            place = events[1999].cursor
        later = await client.subscribe([f"task:{task}"], since=place)
        assert [(await anext(later)).data["at"] for _ in range(301)] == list(range(2000, 2301))
        last = await client.subscribe([f"task:{task}"], since={"last": 3})
        assert [(await anext(last)).data["at"] for _ in range(3)] == [2298, 2299, 2300]


async def test_types_older_names_and_filters_choose_among_a_topics_events(hub: Hub) -> None:
    agent = name()
    async with AsyncHubbub(hub.url, token=token()) as client:
        statuses, all_of_it = [], []
        client.on("agent_status", lambda event: statuses.append(event.data["status"]))
        followed = await client.subscribe_to_agent(agent, ["status", "logs"])
        followed.on(lambda event: all_of_it.append(event.type))
        errors = await client.subscribe([f"agent:{agent}"], types=["agent_log"], filter={"level": "error"})
        await client.publish("agent_status", {"agentId": agent, "status": "busy"})
        await client.publish("agent.metric", {"agentId": agent, "metrics": {"cpu": 1}})
        await client.publish("agent_log", {"agentId": agent, "level": "info", "message": "one"})
        await client.publish("agent_log", {"agentId": agent, "level": "error", "message": "two"})
        assert (await anext(errors)).data["message"] == "two"
        await eventually(lambda: len(all_of_it) == 3)
        assert (statuses, all_of_it) == (["busy"], ["agent.status_changed", "agent.log", "agent.log"])


async def test_async_handlers_see_one_event_after_the_other_and_hold_up_nobody(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token()) as client:
        slow: list[int] = []
        quick: list[int] = []
        inside = 0
        may_go_on = asyncio.Event()

        async def handler(event: HubEvent) -> None:
            nonlocal inside
            inside += 1
            assert inside == 1
            await may_go_on.wait()
            slow.append(event.data["at"])
            inside -= 1

        subscription = await client.subscribe([f"task:{task}"])
        client.on("custom.*", handler)
        subscription.on(handler_of(quick))
        await publish_all(hub.url, steps(task, 50), token())
        await eventually(lambda: len(quick) == 50)
        assert slow == []
        may_go_on.set()
        await eventually(lambda: len(slow) == 50)
        assert slow == quick == list(range(50))


def handler_of(record: list[int]) -> Any:
    return lambda event: record.append(event.data["at"])


async def test_a_handler_that_raises_stops_nobody_and_is_told_to_on_error(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token()) as client:
        errors: list[HubError] = []
        heard: list[int] = []
        client.on_error(errors.append)

        def bad(event: HubEvent) -> None:
            raise ValueError("mine")

        async def as_bad(event: HubEvent) -> None:
            raise ValueError("mine, later")

        for handler in (bad, as_bad, handler_of(heard)):
            client.on("custom.step", handler)
        await client.subscribe([f"task:{task}"])
        await publish_all(hub.url, steps(task, 2), token())
        await eventually(lambda: len(heard) == 2 and len(errors) == 4)
        assert {error.message for error in errors} == {"mine", "mine, later"}


async def test_a_loop_that_falls_behind_ends_with_queue_full_and_goes_on_from_its_cursor(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token(), buffer_limit=20) as client:
        subscription = await client.subscribe([f"task:{task}"])
        await publish_all(hub.url, steps(task, 5), token())
        heard = [(await anext(subscription)).data["at"] for _ in range(3)]
        await publish_all(hub.url, steps(task, 95, 5), token())
        await eventually(lambda: subscription.phase == "ended")
        with pytest.raises(HubError) as ended:
            async for event in subscription:
                heard.append(event.data["at"])
        assert ended.value.code == "QUEUE_FULL" and heard == [0, 1, 2]
        again = await client.subscribe([f"task:{task}"], since=subscription.cursor)
        while len(heard) < 100:
            heard.append((await anext(again)).data["at"])
        assert heard == list(range(100))


async def test_an_async_handler_that_falls_behind_ends_its_subscription_and_its_cursor_is_behind_what_it_did(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token(), buffer_limit=20) as client:
        heard: list[int] = []
        gate = asyncio.Semaphore(4)
        ends: list[HubError | None] = []

        async def slow(event: HubEvent) -> None:
            await gate.acquire()
            heard.append(event.data["at"])

        subscription = await client.subscribe([f"task:{task}"], since="1s")
        subscription.on(slow)
        subscription.on_end(ends.append)
        await publish_all(hub.url, steps(task, 4), token())
        await eventually(lambda: len(heard) == 4)
        await publish_all(hub.url, steps(task, 60, 4), token())
        await eventually(lambda: len(ends) == 1)
        assert ends[0] and ends[0].code == "QUEUE_FULL" and ends[0].details["cursor"] == subscription.cursor
        again = await client.subscribe([f"task:{task}"], since=subscription.cursor)
        assert (await anext(again)).data["at"] == 4


async def test_what_the_journal_has_no_more_is_told_as_a_gap(yard: Yard) -> None:
    hub = yard.hub(env={"HUBBUB_RETENTION_MS": "100", "HUBBUB_RETENTION_COUNT": "50"})
    async with AsyncHubbub(hub.url, token=token()) as client:
        gaps: list[Gap] = []
        client.on_gap(gaps.append)
        first = await client.publish("custom.step", {"at": -1}, topics=["task:g"])
        place = (await client.history("task:g")).cursor
        assert place.endswith(first["offset"])

        async def is_trimmed() -> bool:
            await publish_all(hub.url, steps(name(), 200), token())
            return (await client.history("task:g", since=place)).gap is not None

        deadline = time.monotonic() + 20
        while not await is_trimmed():
            assert time.monotonic() < deadline
        own: list[Gap] = []
        subscription = await client.subscribe("task:*", since=place)
        subscription.on_gap(own.append)
        assert gaps and gaps[0].reason == "trimmed" and gaps[0].start == place
        assert (await anext(subscription)).data["at"] >= 0


async def test_large_events_come_whole_though_they_travel_compressed(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token()) as client:
        subscription = await client.subscribe([f"task:{task}"])
        text = "größer, 中 " * 2000
        await client.publish("custom.step", {"text": text}, topics=[f"task:{task}"])
        event = await anext(subscription)
        assert event.data == {"text": text} and "compressed" not in event.metadata


async def test_events_that_the_hub_gathers_come_in_order_and_of_progress_the_latest_is_enough(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token()) as client, AsyncHubbub(hub.url, token=token()) as other:
        gathered = await client.subscribe([f"task:{task}"], batch_ms=100)
        latest = await other.subscribe([f"task:{task}"], types=["task.progress"], latest_only=True)
        for percent in range(0, 101, 10):
            await client.publish("task.progress", {"taskId": task, "progress": percent})
        assert [(await anext(gathered)).data["progress"] for _ in range(11)] == list(range(0, 101, 10))
        heard = []
        while 100 not in heard:
            heard.append((await anext(latest)).data["progress"])
        assert heard == sorted(set(heard))


async def test_state_presence_signals_commands_and_broadcasts(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token("ann")) as ann, AsyncHubbub(hub.url, token=token("ben")) as ben:
        await ann.publish("task.created", {"taskId": task, "taskTitle": "build", "pipelineId": f"p{task}"})
        await ann.publish("task.progress", {"taskId": task, "progress": 30})
        snapshot = await ben.snapshot([f"pipeline:p{task}"])
        found = snapshot.get("task", task)
        assert found and (found["title"], found["progress"]) == ("build", 30)
        assert [one["id"] for one in snapshot.list("pipeline")] == [f"p{task}"]

        signals: list[Signal] = []
        ben.on_signal(signals.append)
        await ben.subscribe(f"task:{task}")
        assert [one["subject"] for one in (await ann.presence(f"task:{task}"))["watchers"]] == ["ben"]
        await ann.signal(f"task:{task}", "look", {"line": 3})
        await eventually(lambda: len(signals) == 1)
        assert (signals[0].name, signals[0].data) == ("look", {"line": 3})

        async def deploy(payload: Any, context: Any) -> Any:
            if payload["to"] == "nowhere":
                raise ValueError("there is no such place")
            return {"url": f"https://{payload['to']}", "by": context.by}

        command = f"deploy_{task}"
        off = ben.handle(command, deploy)
        with pytest.raises(HubError) as twice:
            ben.handle(command, deploy)
        assert twice.value.code == "BUSINESS_LOGIC_ERROR"
        answer = await until(lambda: ann.command(command, {"to": "staging"}))
        assert answer["url"] == "https://staging"
        with pytest.raises(HubError) as failed:
            await ann.command(command, {"to": "nowhere"})
        assert (failed.value.code, failed.value.details["message"]) == ("COMMAND_FAILED", "there is no such place")
        off()
        assert (await ann.broadcast("pause"))["complete"] is True


async def until(ask: Any) -> Any:
    """The list of executors is told without an answer to wait for."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return await ask()
        except HubError as error:
            if error.code != "NO_EXECUTOR" or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_token_function_is_asked_again_before_its_token_ends_and_the_connection_stays(hub: Hub, is_async: bool) -> None:
    asked = 0

    def fresh() -> str:
        nonlocal asked
        asked += 1
        now = int(time.time())
        return token(iat=now, exp=now + (3 if asked == 1 else 3600))

    async def fresh_later() -> str:
        return fresh()

    states: list[str] = []
    async with AsyncHubbub(hub.url, token=fresh_later if is_async else fresh) as client:
        client.on_state(states.append)
        await client.subscribe(f"task:{name()}")
        await eventually(lambda: asked == 2)
        until = time.monotonic() + 3
        await eventually(lambda: time.monotonic() > until)
        assert "offline" not in states and client.transport == "websocket"


async def test_with_a_token_that_cannot_be_renewed_the_client_ends_with_it(hub: Hub) -> None:
    now = int(time.time())
    client = AsyncHubbub(hub.url, token=token(iat=now, exp=now + 2))
    errors: list[HubError] = []
    client.on_error(errors.append)
    await client.connect()
    subscription = await client.subscribe(f"task:{name()}")
    with pytest.raises(HubError) as ended:
        await anext(subscription)
    assert ended.value.code == "AUTH_TOKEN_EXPIRED" and client.state == "closed" and errors[-1].code == "AUTH_TOKEN_EXPIRED"
    with pytest.raises(HubError) as closed:
        await client.publish("custom.step", {})
    assert closed.value.code == "UNAVAILABLE"


async def test_a_refused_credential_is_asked_for_once_more_and_then_connecting_fails(hub: Hub) -> None:
    asked = 0

    def wrong() -> str:
        nonlocal asked
        asked += 1
        return token() + "x"

    client = AsyncHubbub(hub.url, token=wrong)
    with pytest.raises(HubError) as refused:
        await client.connect(wait=True)
    assert (refused.value.code, asked, client.state) == ("AUTH_INVALID_TOKEN", 2, "closed")
    fixed = AsyncHubbub(hub.url, token="no token")
    with pytest.raises(HubError) as refused:
        await fixed.connect()
    assert refused.value.code in ("AUTH_INVALID_FORMAT", "AUTH_INVALID_TOKEN")
    with pytest.raises(HubError):
        await fixed.publish("custom.step", {})


async def test_what_is_no_json_is_refused_here_and_what_is_changed_later_travels_as_it_was(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token()) as client:
        for data in ({"ratio": float("nan")}, {"bytes": b"1"}, {"set": {1}}):
            with pytest.raises(HubError) as refused:
                await client.publish("custom.step", data)
            assert refused.value.code == "INVALID_MESSAGE"
        subscription = await client.subscribe(f"task:{task}")
        data: dict[str, Any] = {"at": 1}
        publishing = asyncio.ensure_future(client.publish("custom.step", data, topics=[f"task:{task}"]))
        await asyncio.sleep(0)
        data["at"] = 2
        await publishing
        assert (await anext(subscription)).data == {"at": 1}


async def test_published_again_with_its_id_an_event_stands_there_once(hub: Hub) -> None:
    async with AsyncHubbub(hub.url, token=token()) as client:
        first = await client.publish("custom.step", {"at": 1}, id=name())
        again = await client.publish("custom.step", {"at": 1}, id=first["id"])
        assert again["duplicate"] is True and again["offset"] == first["offset"]
