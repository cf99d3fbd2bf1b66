"""Every event, in order, once (I1, I2), whatever happens to the connection."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from hubbub import AsyncHubbub, Backoff, HubEvent
from hubs import Hub, Yard, eventually, free_port, publish_all, token
from proxy import open_proxy

QUICK = Backoff(min=0.05, max=0.5)


def progress(task: str, count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"id": f"{task}-{at}", "type": "custom.step", "topics": [f"task:{task}"], "data": {"at": at}} for at in range(first, first + count)]


def steps(events: list[HubEvent]) -> list[int]:
    return [event.data["at"] for event in events]


async def test_2000_events_over_a_connection_that_is_cut_5_times_all_come_in_order_once(hub: Hub) -> None:
    task, total = uuid.uuid4().hex, 2000
    async with open_proxy(hub.port) as proxy, AsyncHubbub(proxy.url, token=token(), reconnect=QUICK) as client:
        own: list[HubEvent] = []
        merged: list[HubEvent] = []
        gaps: list[object] = []
        states: list[str] = []
        subscription = await client.subscribe([f"task:{task}"])
        subscription.on(own.append)
        client.on("custom.step", merged.append)
        client.on_gap(gaps.append)
        client.on_state(states.append)
        cuts = 0

        async def cut() -> None:
            nonlocal cuts
            for share in (0.1, 0.3, 0.5, 0.7, 0.9):
                await eventually(lambda: len(own) >= total * share and client.state == "live", f"{share:.0%} of the events")
                proxy.cut()
                cuts += 1
                await eventually(lambda: states.count("offline") == cuts, "the cut's effect")

        cutting = asyncio.create_task(cut())
        for first in range(0, total, 50):
            # Some lie behind each cut, and some in the midst of it.
            await eventually(lambda: len(own) >= first - 150)
            await publish_all(hub.url, progress(task, 50, first), token())
        await eventually(lambda: len(own) >= total and len(merged) >= total, "all events")
        await cutting
        assert cuts == 5 and states.count("offline") == 5
        assert steps(own) == steps(merged) == list(range(total))
        assert gaps == []


async def test_by_requests_subscriptions_that_begin_in_a_stream_of_events_keep_the_order_over_all(hub: Hub) -> None:
    task, total = uuid.uuid4().hex, 600
    async with AsyncHubbub(hub.url, token=token(), transports=["http"], poll_wait=2) as client:
        merged: list[HubEvent] = []
        client.on("custom.step", merged.append)
        firsts: list[list[HubEvent]] = []
        for part in range(20):
            own: list[HubEvent] = []
            firsts.append(own)
            (await client.subscribe([f"task:{task}-{part}"])).on(own.append)
            events = [{"type": "custom.step", "topics": [f"task:{task}-{at % (part + 1)}"], "data": {"at": part * 30 + at}} for at in range(30)]
            await publish_all(hub.url, events, token())
        await eventually(lambda: len(merged) >= total, "all events")
        assert steps(merged) == list(range(total))
        assert sorted(at for own in firsts for at in steps(own)) == list(range(total))
        assert all(steps(own) == sorted(steps(own)) for own in firsts)


async def test_events_go_on_in_order_while_the_client_falls_back_to_http_and_climbs_back(hub: Hub) -> None:
    task, total = uuid.uuid4().hex, 900
    transports: list[str | None] = []
    async with open_proxy(hub.port) as proxy, AsyncHubbub(
        proxy.url, token=token(), reconnect=QUICK, climb=Backoff(min=0.1, max=0.3), poll_wait=2,
    ) as client:
        own: list[HubEvent] = []
        merged: list[HubEvent] = []
        client.on("custom.step", merged.append)
        (await client.subscribe([f"task:{task}"])).on(own.append)
        transports.append(client.transport)
        await publish_all(hub.url, progress(task, 300), token())
        await eventually(lambda: len(own) >= 150)
        proxy.bars_socketio = True
        proxy.cut()
        await eventually(lambda: client.transport == "http", "HTTP")
        transports.append(client.transport)
        published = await asyncio.gather(*(client.publish(one["type"], one["data"], id=one["id"], topics=one["topics"]) for one in progress(task, 300, 300)))
        assert len({result["offset"] for result in published}) == 300
        await eventually(lambda: len(own) >= 450, "half of them by HTTP")
        assert client.transport == "http"
        proxy.bars_socketio = False
        await eventually(lambda: client.transport == "websocket", "the WebSocket again")
        transports.append(client.transport)
        await publish_all(hub.url, progress(task, 300, 600), token())
        await eventually(lambda: len(own) >= total and len(merged) >= total, "all events")
        assert steps(own) == steps(merged) == list(range(total))
    assert transports == ["websocket", "http", "websocket"]
