"""What travels, frame by frame: the golden frames that the hub's and the other client's tests read, too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from hubbub import AsyncHubbub, Gap, HubEvent, Signal
from hubs import ROOT, eventually, free_port

FRAMES = Path(ROOT) / "shared/frames"


def golden(file: str) -> dict[str, str]:
    return {frame["name"]: frame["packet"] for frame in json.loads((FRAMES / f"{file}.json").read_text())}


OPEN = '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


def parts(packet: str) -> tuple[str, Any]:
    """Kind and data; the id of an acknowledgement is each library's own."""
    match = re.fullmatch(r"(\d)(\d*)(.*)", packet, re.DOTALL)
    assert match
    return match[1], json.loads(match[3])


async def test_the_client_asks_as_the_golden_frames_have_it_and_understands_what_they_answer() -> None:
    client_frames, hub_frames = golden("client"), golden("hub")
    asked: list[str] = []

    async def engine(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(OPEN)
        async for message in socket:
            if message.type != WSMsgType.TEXT or not message.data.startswith("4"):
                continue
            packet = message.data[1:]
            asked.append(packet)
            if packet.startswith("0"):
                await socket.send_str("4" + hub_frames["connected"])
            elif packet.startswith("2"):
                ack = re.match(r"2(\d+)", packet)
                assert ack
                await socket.send_str("4" + hub_frames["bookmark"])
                await socket.send_str("4" + re.sub(r"^3\d+", "3" + ack[1], client_frames["subscribed"]))
                for name in ("event", "signal", "gap"):
                    await socket.send_str("4" + hub_frames[name])
        return socket

    app = web.Application()
    app.add_routes([web.get("/socket.io/", engine)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port := free_port()).start()
    events: list[HubEvent] = []
    gaps: list[Gap] = []
    signals: list[Signal] = []
    try:
        async with AsyncHubbub(f"http://127.0.0.1:{port}", token="a.b.c") as client:
            client.on("task.*", events.append)
            client.on_gap(gaps.append)
            client.on_signal(signals.append)
            await client.subscribe("task:7")
            await eventually(lambda: gaps and signals)
            asked_first = asked[:2]
    finally:
        await runner.cleanup()
    kind, greeting = parts(asked_first[0])
    assert (kind, greeting) == parts(client_frames["connect"])
    assert parts(asked_first[1]) == parts(client_frames["subscribe"])
    _, raw, cursor = parts(hub_frames["event"])[1]
    assert [(event.to_dict(), event.cursor) for event in events] == [(raw, cursor)]
    told = parts(hub_frames["gap"])[1][1]
    assert gaps == [Gap(told["from"], told["to"], told["reason"])]
    said = parts(hub_frames["signal"])[1][1]
    assert signals == [Signal(said["topic"], said["name"], said["data"], said["source"], said["timestamp"])]
