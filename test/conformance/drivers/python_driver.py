"""
The Python SDK for the conformance cases: one JSON line in is a call on one of many clients, one JSON line out its answer, or something that
a client heard. It translates and adds nothing.

    in:   {"n": 1, "who": 7, "call": "connect", "with": {"url": "...", "token": "..."}}
    out:  {"n": 1, "result": ...}  or  {"n": 1, "refused": "CODE", "message": "..."}
          {"who": 7, "event": {...}, "cursor": "..."}, {"who": 7, "gap": {...}}, {"who": 7, "complaint": "CODE"}
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from hubbub import AsyncHubbub, Backoff, Gap, HubError, HubEvent, Subscription

BRISK = Backoff(min=0.02, max=0.1)


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def placed(event: HubEvent) -> dict[str, Any]:
    return {**event.to_dict(), "cursor": event.cursor}


def told(gap: Gap) -> dict[str, Any]:
    return {"from": gap.start, "to": gap.end, "reason": gap.reason}


class Person:
    def __init__(self, who: int, url: str, token: str | None, project: str | None) -> None:
        self.client = AsyncHubbub(url, token=token, project=project, reconnect=BRISK)
        self.client.on("*", lambda event: say({"who": who, "event": placed(event), "cursor": event.cursor}))
        self.client.on_gap(lambda gap: say({"who": who, "gap": told(gap)}))
        self.client.on_error(lambda error: say({"who": who, "complaint": error.code}))
        self.held: list[tuple[list[str], Subscription]] = []

    async def subscribe(self, topics: list[str], types: Any = None, filter: Any = None, since: Any = None, batchMs: Any = None, latestOnly: bool = False) -> None:
        subscription = await self.client.subscribe(topics, types=types, filter=filter, since=since, batch_ms=batchMs, latest_only=latestOnly)
        # Its events come through the client's own handlers, each once.
        subscription.on(lambda event: None)
        await subscription.live()
        self.held.append((topics, subscription))

    async def unsubscribe(self, topics: list[str]) -> None:
        for held in [held for held in self.held if set(held[0]) & set(topics)]:
            self.held.remove(held)
            rest = [topic for topic in held[0] if topic not in topics]
            if rest:
                await self.subscribe(rest)
            await held[1].unsubscribe()

    async def publish(self, inputs: list[dict[str, Any]], ack: Any = None) -> list[dict[str, Any]]:
        async def one(input: dict[str, Any]) -> dict[str, Any]:
            rest = {name: value for name, value in input.items() if name not in ("type", "data")}
            try:
                result = await self.client.publish(input["type"], input["data"], ack=ack, **rest)
            except HubError as error:
                return {"refused": error.code}
            return {name: result[name] for name in ("type", "duplicate") if name in result}  # type: ignore[literal-required]

        return list(await asyncio.gather(*(one(input) for input in inputs)))

    async def command(self, command: str, payload: Any = None) -> Any:
        return await self.client.command(command, payload)

    async def snapshot(self, topics: list[str]) -> list[dict[str, Any]]:
        return [{"kind": entity["kind"], "id": entity["id"]} for entity in (await self.client.snapshot(topics)).entities]

    async def history(self, topics: list[str], types: Any = None, filter: Any = None, since: Any = "all", limit: int = 100) -> dict[str, Any]:
        history = await self.client.history(topics, types=types, filter=filter, since=since, limit=limit)
        return {"events": [placed(event) for event in history.events], **({"gap": told(history.gap)} if history.gap else {})}

    async def signal(self, topic: str, name: str, data: Any = None) -> None:
        await self.client.signal(topic, name, data)


people: dict[int, Person] = {}


async def carry_out(who: int, call: str, arguments: dict[str, Any]) -> Any:
    if call == "connect":
        person = people[who] = Person(who, arguments["url"], arguments.get("token"), arguments.get("project"))
        return await person.client.connect()
    person = people[who]
    if call == "close":
        del people[who]
        return await person.client.close()
    return await getattr(person, call)(**arguments)


async def answer(line: str) -> None:
    asked = json.loads(line)
    try:
        say({"n": asked["n"], "result": await carry_out(asked["who"], asked["call"], asked["with"])})
    except HubError as error:
        say({"n": asked["n"], "refused": error.code, "message": error.message})
    except Exception as error:
        say({"n": asked["n"], "fault": repr(error)})


async def main() -> None:
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    answering: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = asyncio.ensure_future(answer(line.decode()))
        answering.add(task)
        task.add_done_callback(answering.discard)


asyncio.run(main())
