"""
A link of single requests, for networks that let no Socket.IO pass: what is live comes by long-poll of the history. To the client it is a
link like the others: the same messages, answered in the same shape.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .credentials import Credentials, claims_of
from .cursors import is_after, offset_of
from .errors import Dropped, HubError, as_error, error_of
from .history_query import history_query
from .http_api import HttpApi, take, unreachable
from .link import Answer, Heard, LinkEvents, refusal
from .options import Options, Transport

# The hub takes so many topics in one request.
_MOST_TOPICS = 50
_PAGE = 1000
# A request may take so much longer than the hub was allowed to wait, s.
_SLACK = 15.0
_LINGER = 30.0
_LOOK = 0.1
# An agent's beats, where an older hub does not say; ms.
_HEARTBEAT = {"intervalMs": 30_000, "staleMs": 90_000, "offlineMs": 120_000}


class HttpLink:
    transport: Transport = "http"

    def __init__(self, api: HttpApi, credentials: Credentials, options: Options, behind: str | None) -> None:
        """`behind`: the last cursor that the client heard; an agent's mail is read from there."""
        self.ended: asyncio.Future[HubError | None] = asyncio.get_running_loop().create_future()
        self._api = api
        self._credentials = credentials
        self._options = options
        self._events: LinkEvents | None = None
        self._is_open = True
        self._asking = 0
        # Subscriptions whose answer is under way. Nothing is told meanwhile: what came live must not be beyond where they will begin (I1).
        self._joining = 0
        self._joined_all = asyncio.Event()
        # Topics of each live subscription; mail has none of its own.
        self._live: dict[str, list[str]] = {}
        self._mail: list[str] = []
        self._behind = behind
        # Everything up to here was told, for all that is live.
        self._since: str | None = None
        self._poller: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._handlers: dict[str, Callable[[Any, float], Awaitable[Answer]]] = {
            "subscribe": self._subscribe, "unsubscribe": self._unsubscribe, "publish": self._publish, "snapshot": self._snapshot,
            "signal": self._posted("signals"), "broadcast": self._posted("broadcasts"), "command": self._posted("commands"),
            "presence": self._presence, "agent.register": self._register, "auth.refresh": self._refresh,
        }

    @classmethod
    async def open(cls, api: HttpApi, credentials: Credentials, options: Options, behind: str | None) -> HttpLink:
        """Raises the hub's refusal, or UNAVAILABLE when there is no hub."""
        try:
            take(await api.get("/api/v1/websocket/status", timeout=options.connect_timeout))
        except Dropped as error:
            raise unreachable(error) from error
        return cls(api, credentials, options, behind)

    @property
    def is_open(self) -> bool:
        return self._is_open

    @property
    def is_resumed(self) -> bool:
        return False

    def start(self, events: LinkEvents) -> None:
        self._events = events

    async def request(self, name: str, payload: Any, *, heard: Heard | None = None, patience: float = 0.0) -> Answer:
        if not self._is_open:
            raise Dropped("there is no connection")
        handler = self._handlers.get(name)
        if handler is None:
            return refusal(HubError("BUSINESS_LOGIC_ERROR", f"'{name}' needs a connection; the client speaks HTTP only at present."))
        self._asking += 1
        self._joining += name == "subscribe"
        try:
            answer = await handler(payload, max(self._options.ack_timeout, patience))
        except Dropped as error:
            self._drop(unreachable(error))
            raise
        except HubError as error:
            answer = refusal(error)
        finally:
            self._asking -= 1
            self._joining -= name == "subscribe"
            if not self._joining:
                self._joined_all.set()
        if heard:
            heard(answer)
        if name == "subscribe":
            self._joined(payload, answer)
        return answer

    async def retire(self) -> None:
        self._stop_polling()
        self._events = None
        loop = asyncio.get_running_loop()
        until = loop.time() + _LINGER
        while self._asking and loop.time() < until:
            await asyncio.sleep(_LOOK)
        await self.close()

    async def close(self) -> None:
        self._drop(None)

    def _drop(self, reason: HubError | None) -> None:
        self._is_open = False
        self._stop_polling()
        if not self.ended.done():
            self.ended.set_result(reason)

    # ---------------------------------------------------------------- messages, as requests

    async def _subscribe(self, asked: Mapping[str, Any], limit: float) -> Answer:
        since = asked.get("since")
        # From now on: behind the last event that there is.
        query = history_query(asked["topics"], asked.get("types"), asked.get("filter"), since or {"last": 1}, _PAGE if since else 1)
        result = take(await self._api.get("/api/v1/history", query, timeout=limit))
        more = bool(since) and bool(result.get("more"))
        events = {"events": result.get("events", [])} if since else {}
        gap = {"gap": result["gap"]} if since and result.get("gap") else {}
        known = {} if more else {"subscriptionId": f"http-{next(self._ids)}"}
        return {"ok": True, "topics": asked["topics"], "activeSubscriptions": len(self._live), "cursor": result["cursor"], "more": more, **known, **events, **gap}

    def _joined(self, asked: Mapping[str, Any], answer: Answer) -> None:
        if not answer.get("ok") or answer.get("more") or self._events is None:
            return
        self._live[answer["subscriptionId"]] = list(asked["topics"])
        self._reach_back(answer["cursor"])

    async def _unsubscribe(self, asked: Mapping[str, Any], _: float) -> Answer:
        wanted = asked.get("subscriptionId")
        if wanted is None:
            self._live.clear()
        elif self._live.pop(wanted, None) is None:
            raise HubError("NOT_SUBSCRIBED")
        self._poll_anew()
        return {"ok": True, "activeSubscriptions": len(self._live)}

    async def _publish(self, asked: Any, limit: float) -> Answer:
        return await self._api.post("/api/v1/events", asked, timeout=limit)

    async def _snapshot(self, asked: Mapping[str, Any], limit: float) -> Answer:
        query = [("topic", topic) for topic in asked["topics"]]
        query += [(name, str(asked[name])) for name in ("after", "limit") if asked.get(name) is not None]
        return await self._api.get("/api/v1/snapshot", query, timeout=limit)

    def _posted(self, path: str) -> Callable[[Any, float], Awaitable[Answer]]:
        async def post(asked: Any, limit: float) -> Answer:
            return await self._api.post(f"/api/v1/{path}", asked, timeout=limit)

        return post

    async def _presence(self, asked: Mapping[str, Any], limit: float) -> Answer:
        return await self._api.get("/api/v1/presence", [("topic", asked["topic"])], timeout=limit)

    async def _refresh(self, _asked: Any, _limit: float) -> Answer:
        # Each request carries the token that there is.
        return {"ok": True}

    async def _register(self, asked: Mapping[str, Any], limit: float) -> Answer:
        answer = await self._api.post("/api/v1/agents", asked, timeout=limit)
        error = error_of(answer.get("error")) if not answer.get("ok") else None
        if error is not None and error.code == "NOT_FOUND":
            answer = await self._register_by_event(asked, limit)
        elif error is not None:
            return answer
        if answer.get("mailGap") and self._events:
            self._events.troubled(HubError("REPLAY_GAP", "Mail of this agent may be missing.", answer["mailGap"]))
        topic = f"inbox:{answer['agentId']}"
        if topic not in self._mail:
            self._mail.append(topic)
        begin = self._behind or answer.get("mailCursor")
        if begin is None:
            begin = take(await self._api.get("/api/v1/history", history_query([topic], since={"last": 1}, limit=1), timeout=limit))["cursor"]
        self._reach_back(begin)
        return answer

    async def _register_by_event(self, asked: Mapping[str, Any], limit: float) -> dict[str, Any]:
        agent_id = asked.get("agentId") or claims_of((await self._credentials.auth()).get("token")).get("sub")
        if not isinstance(agent_id, str):
            raise HubError("AGENT_NOT_IDENTIFIED", "Over HTTP an agent whose token does not tell its id has to give it.")
        take(await self._api.post("/api/v1/events", {"type": "agent.registered", "data": {**asked, "agentId": agent_id}}, timeout=limit))
        return {"ok": True, "agentId": agent_id, "status": "registered", "heartbeat": _HEARTBEAT}

    # ---------------------------------------------------------------- what is live

    def _reach_back(self, cursor: str) -> None:
        """A new source stands at `cursor`: what it has heard already comes again to the others, who know it (I2)."""
        if self._since is None or is_after(self._since, cursor):
            self._since = cursor
        if self._events:
            self._events.message("hub.cursor", (self._since,))
        self._poll_anew()

    def _poll_anew(self) -> None:
        self._stop_polling()
        if self._is_open and self._events and (self._live or self._mail):
            self._poller = asyncio.get_running_loop().create_task(self._poll())

    def _stop_polling(self) -> None:
        if self._poller and self._poller is not asyncio.current_task():
            self._poller.cancel()
        self._poller = None

    async def _poll(self) -> None:
        topics = list(dict.fromkeys([topic for topics in self._live.values() for topic in topics] + self._mail))
        chunks = [topics[at : at + _MOST_TOPICS] for at in range(0, len(topics), _MOST_TOPICS)]
        loop = asyncio.get_running_loop()
        idle = failures = 0
        try:
            while True:
                began = loop.time()
                try:
                    result = await self._next(chunks)
                    failures = 0
                except Dropped:
                    failures += 1
                    if failures >= self._options.tries:
                        raise
                    await asyncio.sleep(self._options.reconnect.delay(failures))
                    continue
                if self._joining:
                    self._joined_all.clear()
                    await self._joined_all.wait()
                    continue
                self._tell(result)
                # A hub, or something before it, that does not wait.
                is_quick = loop.time() - began <= self._options.poll_wait / 2
                idle = idle + 1 if is_quick and not (result["events"] or result.get("more") or result.get("gap")) else 0
                if idle:
                    await asyncio.sleep(self._options.poll_interval if idle > 1 else min(1.0, self._options.poll_interval))
        except asyncio.CancelledError:
            raise
        except Dropped as error:
            self._drop(unreachable(error))
        except Exception as error:
            self._drop(as_error(error))

    async def _next(self, chunks: list[list[str]]) -> dict[str, Any]:
        wait = self._options.poll_wait
        if len(chunks) == 1:
            return await self._page(chunks[0], wait)
        asked = [asyncio.ensure_future(self._page(chunk, wait)) for chunk in chunks]
        try:
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            for first in done:
                first.result()
        finally:
            for one in asked:
                one.cancel()
        # The others were somewhere on the way: all are read to the same place.
        pages = await asyncio.gather(*(self._page(chunk, 0) for chunk in chunks))
        limit = min((page["cursor"] for page in pages), key=offset_of)
        placed = {one["cursor"]: one for page in pages for one in page["events"] if not is_after(one["cursor"], limit)}
        gap = next((page["gap"] for page in pages if page.get("gap")), None)
        more = any(page.get("more") for page in pages)
        return {"events": sorted(placed.values(), key=lambda one: offset_of(one["cursor"])), "cursor": limit, "more": more, **({"gap": gap} if gap else {})}

    async def _page(self, topics: list[str], wait: float) -> dict[str, Any]:
        query = history_query(topics, since=self._since, limit=_PAGE, wait=wait)
        return take(await self._api.get("/api/v1/history", query, timeout=wait + _SLACK))

    def _tell(self, result: Mapping[str, Any]) -> None:
        events, cursor = self._events, result["cursor"]
        self._since = cursor
        if events is None:
            return
        if result.get("gap"):
            events.message("gap", (result["gap"], result["gap"]["to"]))
        for placed in result["events"]:
            events.message(placed["event"]["type"], (placed["event"], placed["cursor"]))
        events.message("hub.cursor", (cursor,))
