"""
What goes out. Publishes leave in the order in which they were made, one message at a time: what is made meanwhile goes together in the
next one. An answer that is lost leaves the batch at the head, to be sent again with the same ids: the hub recognises them and answers
with the first outcome.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from .errors import Dropped, HubError, error_of, retry_after
from .link import Answer
from .options import Options

# One message carries at most so many events and bytes.
_BATCH_EVENTS = 100
_BATCH_BYTES = 262_144
# With these the same publish is sent again until its time is over.
_PASSING = frozenset(("RATE_LIMITED", "UNAVAILABLE", "STORE_FULL", "OUTCOME_UNKNOWN", "TIMEOUT"))


@dataclass(eq=False)
class Waiting:
    request: dict[str, Any]
    bytes: int
    outcome: asyncio.Future[dict[str, Any]]
    # Runs from the first sending.
    deadline: asyncio.TimerHandle | None = None
    # The last answer, when it was a refusal that may pass; None while one is awaited.
    refusal: HubError | None = field(default=None)


class Outbox:
    def __init__(self, request: Callable[..., Coroutine[Any, Any, Answer]], is_open: Callable[[], bool], options: Options) -> None:
        self._request_of_link = request
        self._is_open = is_open
        self._options = options
        self._queue: list[Waiting] = []
        self._sender: asyncio.Task[None] | None = None
        self._is_closed = False
        self._failures = 0
        # So many from the head go alone: the hub refused a message that held several, and one must not spoil the others.
        self._alone = 0
        self._pausing: asyncio.Event | None = None

    @property
    def size(self) -> int:
        """Publishes without an outcome."""
        return len(self._queue)

    def add(self, request: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """The outcome. Raises at once what needs no hub: INVALID_MESSAGE, QUEUE_FULL, UNAVAILABLE of a closed client."""
        if self._is_closed:
            raise HubError("UNAVAILABLE", "The client is closed.")
        copy, size = _as_json(request)
        if not self._is_open() and len(self._queue) >= self._options.queue_limit:
            raise HubError("QUEUE_FULL", f"{len(self._queue)} publishes wait for a connection already (queue_limit).")
        waiting = Waiting(copy, size, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self.flush()
        return waiting.outcome

    def flush(self) -> None:
        """Sends until nothing waits or the connection is gone."""
        if self._sender is None and self._queue and self._is_open():
            self._sender = asyncio.get_running_loop().create_task(self._send_all())

    def close(self, error: HubError | None = None) -> None:
        """Whatever was sent and not answered is OUTCOME_UNKNOWN."""
        self._is_closed = True
        queue, self._queue = self._queue, []
        for waiting in queue:
            self._expire(waiting, error or HubError("UNAVAILABLE", "The client was closed before there was a connection."))
        if self._sender:
            self._sender.cancel()

    async def _send_all(self) -> None:
        try:
            while self._queue and self._is_open():
                await self._send(self._next_batch())
        except Dropped:
            pass
        finally:
            self._sender = None
        # The next connection came before this one's end was noticed here.
        self.flush()

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        for waiting in self._queue:
            if batch and (self._alone > 0 or len(batch) == _BATCH_EVENTS or size + waiting.bytes > _BATCH_BYTES):
                break
            batch.append(waiting)
            size += waiting.bytes
        return batch

    async def _send(self, batch: list[Waiting]) -> None:
        loop = asyncio.get_running_loop()
        for waiting in batch:
            waiting.refusal = None
            if waiting.deadline is None:
                waiting.deadline = loop.call_later(self._options.publish_timeout, self._time_out, waiting)
        answers = await self._request([waiting.request for waiting in batch])
        if not answers:
            self._alone = len(batch)
            return
        self._alone = max(0, self._alone - 1)
        waits = [self._settle(waiting, answers[index] if index < len(answers) else None) for index, waiting in enumerate(batch)]
        again = [wait for wait in waits if wait is not None]
        if not again:
            self._failures = 0
        elif self._queue:
            await self._pause(max(again))

    async def _pause(self, seconds: float) -> None:
        self._pausing = asyncio.Event()
        try:
            await asyncio.wait_for(self._pausing.wait(), seconds)
        except asyncio.TimeoutError:
            pass
        self._pausing = None

    async def _request(self, requests: list[dict[str, Any]]) -> list[Answer]:
        """Of each; none when the message as a whole was refused for good and has to be taken apart."""
        answer = await self._request_of_link("publish", requests[0] if len(requests) == 1 else requests)
        if answer.get("ok"):
            results = answer.get("results")
            return list(results) if isinstance(results, list) else [answer]
        if len(requests) > 1 and not error_of(answer.get("error")).retryable:
            return []
        return [answer for _ in requests]

    def _settle(self, waiting: Waiting, answer: Answer | None) -> float | None:
        """Seconds to wait before it is sent again; None when it has its outcome."""
        # Timed out or closed meanwhile.
        if waiting not in self._queue:
            return None
        if answer is not None and answer.get("ok"):
            self._remove(waiting)
            if not waiting.outcome.done():
                waiting.outcome.set_result({name: value for name, value in answer.items() if name != "ok"})
            return None
        error = error_of(answer.get("error")) if answer is not None else HubError("INTERNAL_ERROR", "The hub answered fewer publishes than were sent.")
        if error.code not in _PASSING:
            self._remove(waiting)
            _fail(waiting, error)
            return None
        waiting.refusal = error
        self._failures += 1
        asked = retry_after(error)
        return asked if asked is not None else self._options.reconnect.delay(self._failures - 1)

    def _time_out(self, waiting: Waiting) -> None:
        if waiting not in self._queue:
            return
        was_first = self._queue[0] is waiting
        self._remove(waiting)
        self._expire(waiting)
        # What waits behind it may have been allowed for long.
        if was_first and self._pausing:
            self._pausing.set()

    def _remove(self, waiting: Waiting) -> None:
        self._queue.remove(waiting)
        if waiting.deadline:
            waiting.deadline.cancel()

    def _expire(self, waiting: Waiting, unsent: HubError | None = None) -> None:
        """A refusal says that nothing happened; without one, what was sent may stand in the journal."""
        if waiting.deadline:
            waiting.deadline.cancel()
        lost = HubError("OUTCOME_UNKNOWN", None, {"id": waiting.request.get("id")})
        _fail(waiting, waiting.refusal or (unsent if waiting.deadline is None and unsent else lost))


def _fail(waiting: Waiting, error: HubError) -> None:
    if not waiting.outcome.done():
        waiting.outcome.set_exception(error)
        # Whoever gave up waiting need not hear.
        waiting.outcome.exception()


def _as_json(request: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """A copy, as it will travel: what the caller changes later is not in it. `NaN` is no JSON, and would end the connection."""
    try:
        text = json.dumps(request, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise HubError("INVALID_MESSAGE", f"The data of {request.get('type')} cannot be written as JSON: {error}") from error
    return json.loads(text), len(text)
