"""How the client gets to the hub, and what it does without one."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

import pytest
from aiohttp import web

from hubbub import AsyncHubbub, Backoff, Gap, HubError, HubEvent
from hubs import Hub, Yard, eventually, free_port, publish_all, token
from proxy import open_proxy

QUICK = Backoff(min=0.05, max=0.5)
RARELY = Backoff(min=50, max=60)


def name() -> str:
    return uuid.uuid4().hex[:12]


def steps(task: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"id": f"{task}-{at}", "type": "custom.step", "topics": [f"task:{task}"], "data": {"at": at}} for at in range(first, first + count)]


async def test_without_a_hub_connecting_fails_after_every_transport_was_tried_and_may_be_tried_again(yard: Yard) -> None:
    port = free_port()
    client = AsyncHubbub(f"http://127.0.0.1:{port}", token=token(), reconnect=QUICK)
    errors: list[str] = []
    client.on_error(lambda error: errors.append(error.message))
    with pytest.raises(HubError) as failed:
        await client.connect()
    assert failed.value.code == "UNAVAILABLE" and client.state == "offline"
    assert [next(way for way in ("by websocket", "by polling", "reached") if way in error) for error in errors] == [*["by websocket"] * 3, "by polling", "reached"]
    yard.hub(port=port)
    await client.connect()
    assert client.transport == "websocket"
    await client.close()


async def test_with_wait_connecting_goes_on_until_there_is_a_hub(yard: Yard) -> None:
    port = free_port()
    client = AsyncHubbub(f"http://127.0.0.1:{port}", token=token(), reconnect=QUICK, climb=QUICK)
    connecting = asyncio.ensure_future(client.connect(wait=True))
    published = asyncio.ensure_future(client.publish("custom.step", {"at": 1}))
    await eventually(lambda: client.state == "offline")
    assert not connecting.done()
    await asyncio.to_thread(yard.hub, port=port)
    await connecting
    assert (await published)["type"] == "custom.step"
    await eventually(lambda: client.transport == "websocket")
    await client.close()


async def test_closing_ends_an_attempt_to_connect() -> None:
    client = AsyncHubbub(f"http://127.0.0.1:{free_port()}", token=token())
    connecting = asyncio.ensure_future(client.connect(wait=True))
    subscribing = asyncio.ensure_future(client.subscribe("task:1"))
    await eventually(lambda: client.state == "offline")
    await client.close()
    for waiting in (connecting, subscribing):
        with pytest.raises(HubError) as ended:
            await waiting
        assert ended.value.code == "UNAVAILABLE"
    with pytest.raises(HubError):
        await client.connect()


async def test_where_no_websocket_passes_a_burst_comes_by_long_polling_and_later_the_client_climbs_back(hub: Hub) -> None:
    task = name()
    async with open_proxy(hub.port) as proxy:
        proxy.bars_websockets = True
        async with AsyncHubbub(proxy.url, token=token(), reconnect=QUICK, climb=QUICK) as client:
            assert client.transport == "polling" and len(proxy.barred) >= 3
            own: list[int] = []
            (await client.subscribe(f"task:{task}")).on(lambda event: own.append(event.data["at"]))
            await publish_all(hub.url, steps(task, 1000), token())
            await eventually(lambda: len(own) == 1000)
            await client.publish("custom.step", {"at": 1000}, topics=[f"task:{task}"])
            states: list[str] = []
            client.on_state(states.append)
            proxy.bars_websockets = False
            await eventually(lambda: client.transport == "websocket")
            await publish_all(hub.url, steps(task, 100, 1001), token())
            await eventually(lambda: len(own) == 1101)
            assert own == list(range(1101)) and "offline" not in states


async def test_where_nothing_but_requests_pass_everything_goes_by_requests(hub: Hub) -> None:
    task = name()
    await publish_all(hub.url, steps(task, 1200), token())
    async with open_proxy(hub.port) as proxy, AsyncHubbub(hub.url, token=token("ben")) as ben:
        proxy.bars_socketio = True
        async with AsyncHubbub(proxy.url, token=token("ann"), reconnect=QUICK, climb=RARELY, poll_wait=5) as client:
            assert client.transport == "http"
            all_of_it = await client.subscribe(f"task:{task}", since="all")
            some = await client.subscribe(f"task:{task}", types=["task.*"])
            merged: list[str] = []
            client.on("*", lambda event: merged.append(event.type))
            assert [(await anext(all_of_it)).data["at"] for _ in range(1200)] == list(range(1200))
            await ben.publish("task.created", {"taskId": task})
            assert (await anext(some)).type == (await anext(all_of_it)).type == "task.created"
            other = await client.subscribe(f"task:{name()}")
            assert (await client.publish("task.progress", {"taskId": task, "progress": 5}))["offset"]
            assert (await anext(some)).data["progress"] == (await anext(all_of_it)).data["progress"] == 5
            await eventually(lambda: "task.progress" in merged)
            assert (merged.count("task.created"), merged.count("task.progress")) == (1, 1)
            await some.unsubscribe()
            await other.unsubscribe()
            found = (await client.snapshot(f"task:{task}")).get("task", task)
            assert found and found["progress"] == 5
            with pytest.raises(HubError) as refused:
                await client.publish("task.progress", {"taskId": task, "progress": 500})
            assert refused.value.code == "VALIDATION_ERROR"
            with pytest.raises(HubError) as refused:
                await client.subscribe("no topic")
            assert refused.value.code == "INVALID_TOPIC"
            assert client.transport == "http" and client.state == "live"


async def test_by_requests_commands_signals_presence_and_broadcasts_go_out(hub: Hub) -> None:
    task = name()
    async with AsyncHubbub(hub.url, token=token("ben")) as ben, AsyncHubbub(hub.url, token=token("ann"), transports=["http"]) as client:
        signals: list[str] = []
        ben.on_signal(lambda signal: signals.append(signal.name))
        await ben.subscribe(f"task:{task}")
        ben.handle(f"echo_{task}", lambda payload, _: payload)
        await client.signal(f"task:{task}", "look")
        await eventually(lambda: signals == ["look"])
        assert [one["subject"] for one in (await client.presence(f"task:{task}"))["watchers"]] == ["ben"]
        assert (await client.broadcast("pause"))["complete"] is True
        assert await client.command(f"echo_{task}", {"a": [1, None]}) == {"a": [1, None]}
        errors: list[HubError] = []
        client.on_error(errors.append)
        client.handle(f"other_{task}", lambda payload, _: payload)
        await eventually(lambda: [error.code for error in errors] == ["BUSINESS_LOGIC_ERROR"])


async def test_more_topics_than_a_request_takes_are_polled_together_in_order(hub: Hub) -> None:
    prefix = name()
    async with AsyncHubbub(hub.url, token=token(), transports=["http"], poll_wait=5) as client:
        heard: list[int] = []
        client.on("custom.step", lambda event: heard.append(event.data["at"]))
        for part in range(3):
            await client.subscribe([f"task:{prefix}-{part}-{at}" for at in range(40)])
        events = [{"type": "custom.step", "topics": [f"task:{prefix}-{at % 3}-{at % 40}"], "data": {"at": at}} for at in range(600)]
        for first in range(0, 600, 100):
            await publish_all(hub.url, events[first : first + 100], token())
        await eventually(lambda: len(heard) >= 600)
        assert heard == list(range(600))


async def test_a_server_that_does_not_hold_a_poll_is_asked_at_intervals() -> None:
    asked: list[float] = []
    present: list[dict[str, Any]] = []

    async def history(request: web.Request) -> web.Response:
        asked.append(time.monotonic())
        since = request.query.get("since", "")
        events = [one for one in present if one["cursor"] > since] if not since.startswith("last") else []
        return web.json_response({"ok": True, "events": events, "cursor": present[-1]["cursor"] if present else "e.1-0", "more": False})

    async def status(_: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    app = web.Application()
    app.add_routes([web.get("/api/v1/history", history), web.get("/api/v1/websocket/status", status)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port := free_port())
    await site.start()
    try:
        async with AsyncHubbub(f"http://127.0.0.1:{port}", transports=["http"], poll_interval=0.3) as client:
            subscription = await client.subscribe("task:1")
            await eventually(lambda: len(asked) >= 5)
            gaps = [later - earlier for earlier, later in zip(asked[1:], asked[2:])]
            assert all(gap >= 0.28 for gap in gaps), gaps
            event = {"id": "a", "type": "task.progress", "timestamp": 1, "project": "default", "topics": ["task:1"], "data": {"progress": 1}, "metadata": {}}
            present.append({"event": event, "cursor": "e.2-0"})
            assert (await anext(subscription)).data == {"progress": 1}
    finally:
        await runner.cleanup()


async def test_publishes_without_a_connection_wait_in_order_up_to_a_limit(hub: Hub) -> None:
    task = name()
    async with open_proxy(hub.port) as proxy, AsyncHubbub(proxy.url, token=token(), reconnect=QUICK, climb=QUICK, queue_limit=30) as client:
        proxy.is_refusing = True
        proxy.cut()
        await eventually(lambda: client.state == "offline")
        waiting = [asyncio.ensure_future(client.publish("custom.step", {"at": at}, topics=[f"task:{task}"])) for at in range(30)]
        await asyncio.sleep(0)
        with pytest.raises(HubError) as full:
            await client.publish("custom.step", {"at": 30})
        assert full.value.code == "QUEUE_FULL"
        proxy.is_refusing = False
        await asyncio.gather(*waiting)
        stands = await client.history(f"task:{task}")
        assert [event.data["at"] for event in stands.events] == list(range(30))


async def test_a_publish_whose_answer_is_lost_stands_there_once_and_without_any_answer_its_outcome_is_unknown(hub: Hub) -> None:
    task = name()
    async with open_proxy(hub.port) as proxy, AsyncHubbub(proxy.url, token=token(), reconnect=QUICK, publish_timeout=60) as client:
        for round in range(5):
            publishing = [asyncio.ensure_future(client.publish("custom.step", {"at": 20 * round + at}, topics=[f"task:{task}"])) for at in range(20)]
            await asyncio.sleep(0.002 * round)
            proxy.cut()
            await asyncio.gather(*publishing)
        stands = await client.history(f"task:{task}", limit=1000)
        assert [event.data["at"] for event in stands.events] == list(range(100))
    async with open_proxy(hub.port) as proxy, AsyncHubbub(proxy.url, token=token(), reconnect=QUICK, publish_timeout=0.5) as client:
        publishing = asyncio.ensure_future(client.publish("custom.step", {"at": 1}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        proxy.is_refusing = True
        proxy.cut()
        with pytest.raises(HubError) as lost:
            await publishing
        assert lost.value.code == "OUTCOME_UNKNOWN" and lost.value.details["id"]


async def test_a_passing_refusal_is_waited_out_and_the_order_is_kept(yard: Yard) -> None:
    hub = yard.hub(env={"HUBBUB_FAMILY_RATES": "custom=50,*=1000"})
    async with AsyncHubbub(hub.url, token=token(), reconnect=QUICK) as client:
        await asyncio.gather(*(client.publish("custom.step", {"at": at}, topics=["task:r"]) for at in range(180)))
        stands = await client.history("task:r", limit=1000)
        assert [event.data["at"] for event in stands.events] == list(range(180))


async def test_a_hub_that_says_nothing_is_left_and_the_client_comes_back(hub: Hub) -> None:
    async with open_proxy(hub.port) as proxy, AsyncHubbub(proxy.url, token=token(), reconnect=QUICK, connect_timeout=0.5, climb=QUICK) as client:
        task = name()
        heard: list[int] = []
        (await client.subscribe(f"task:{task}")).on(lambda event: heard.append(event.data["at"]))
        proxy.is_dark = True
        proxy.cut()
        await eventually(lambda: client.state == "offline")
        await publish_all(hub.url, steps(task, 10), token())
        proxy.is_dark = False
        await eventually(lambda: heard == list(range(10)))


async def test_a_hub_that_forgot_everything_is_told_as_a_gap_and_events_go_on(yard: Yard) -> None:
    port = free_port()
    hub = yard.hub(port=port)
    async with AsyncHubbub(hub.url, token=token(), reconnect=QUICK, climb=QUICK) as client:
        gaps: list[Gap] = []
        heard: list[HubEvent] = []
        client.on_gap(gaps.append)
        client.on("custom.step", heard.append)
        await client.subscribe("task:1")
        await client.publish("custom.step", {"at": 1}, topics=["task:1"])
        hub.kill()
        await eventually(lambda: client.state == "offline")
        await asyncio.to_thread(yard.hub, port=port)
        await eventually(lambda: client.state == "live")
        await client.publish("custom.step", {"at": 2}, topics=["task:1"])
        await eventually(lambda: len(heard) == 2)
        assert [event.data["at"] for event in heard] == [1, 2]
        assert [gap.reason for gap in gaps] == ["epoch"]
