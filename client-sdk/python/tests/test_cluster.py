"""Two workers, a processor and a Redis, each a process."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from hubbub import AsyncHubbub, Backoff
from hubs import Yard, eventually, token
from proxy import open_proxy

QUICK = Backoff(min=0.05, max=0.5)


async def test_over_killed_workers_each_event_comes_once_in_order_and_each_publish_stands_there_once(yard: Yard) -> None:
    redis = await asyncio.to_thread(yard.redis)
    env = {"HUBBUB_PARTITIONS": "1"}
    await asyncio.to_thread(yard.hub, role="processor", redis=redis, env=env)
    workers = [await asyncio.to_thread(yard.hub, role="worker", redis=redis, env=env) for _ in range(2)]
    task, total = uuid.uuid4().hex, 600
    async with open_proxy(workers[0].port) as proxy, AsyncHubbub(workers[1].url, token=token(), reconnect=QUICK, climb=QUICK) as other, AsyncHubbub(
        proxy.url, token=token(), reconnect=QUICK, climb=QUICK,
    ) as client:
        own: list[int] = []
        gaps: list[Any] = []
        client.on_gap(gaps.append)
        (await client.subscribe(f"task:{task}")).on(lambda event: own.append(event.data["at"]))
        for first in range(0, total, 100):
            if first == 200:
                await eventually(lambda: len(own) >= 150)
                # Its clients find the other one; what they publish meanwhile waits.
                proxy.target = workers[1].port
                workers[0].kill()
            # Both ways at once: one publishes through the worker that is killed.
            await asyncio.gather(*(
                (client if at % 2 else other).publish("custom.step", {"at": at}, id=f"{task}-{at}", topics=[f"task:{task}"]) for at in range(first, first + 100)
            ))
        await eventually(lambda: len(own) >= total)
        stands = [event.data["at"] for event in (await client.history(f"task:{task}", limit=1000)).events]
        assert sorted(stands) == list(range(total))
        assert own == stands and gaps == []
        odd = [at for at in stands if at % 2]
        assert odd == sorted(odd)
