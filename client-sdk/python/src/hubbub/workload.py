"""What an agent has in hand and what waits for its turn; each delegation is worked on once, however often it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from .assignment import AgentTask, Assignment, Reporter, TaskHandler

# Delegations remembered, so that one that is heard again is known.
_REMEMBERED = 10_000


class Workload:
    def __init__(self, handler: TaskHandler, reporter: Reporter, concurrency: int, queue: int) -> None:
        """`queue`: delegations that wait for their turn; one more is rejected as `busy`."""
        self._handler = handler
        self._reporter = reporter
        self._concurrency = concurrency
        self._queue = queue
        self._heard: dict[tuple[str, object], None] = {}
        self._running: list[Assignment] = []
        self._waiting: list[Assignment] = []
        # Everything that a drain has to wait for.
        self._pending: set[asyncio.Task[None]] = set()
        self._is_draining = False

    @property
    def task_ids(self) -> list[str]:
        """Of what it works on."""
        return list(dict.fromkeys(assignment.task.id for assignment in self._running))

    def offer(self, task: AgentTask) -> None:
        key = (task.id, task.lease_token if task.lease_token is not None else task.attempt)
        if key in self._heard:
            return
        self._remember(key)
        others = [other for other in self._waiting + self._running if other.task.id == task.id and other.end is None]
        if any(other.task.attempt > task.attempt for other in others):
            return
        # Offered anew: the lease before is lost, though its end was not heard of.
        for other in others:
            other.lose()
        assignment = Assignment(task, self._reporter)
        if self._is_draining:
            return self._track(assignment.refuse("draining"))
        self._tidy()
        if len(self._running) >= self._concurrency and len(self._waiting) >= self._queue:
            return self._track(assignment.refuse("busy"))
        self._waiting.append(assignment)
        self._next()

    def cancel(self, task_id: str, lease_token: str | None) -> None:
        """`lease_token`: of the delegation that is meant; None: whichever is in hand."""
        for assignment in self._waiting + self._running:
            if assignment.task.id != task_id or lease_token not in (None, assignment.task.lease_token):
                continue
            assignment.cancel()
            if assignment in self._waiting:
                self._waiting.remove(assignment)
                self._track(assignment.run(self._handler))

    def abandon(self) -> None:
        """Everything in hand is of no use any more."""
        waiting, self._waiting = self._waiting, []
        for assignment in waiting + self._running:
            assignment.lose()

    async def drain(self) -> None:
        """Takes nothing new, gives back what waits; returns when nothing is in hand and every report was answered."""
        self._is_draining = True
        waiting, self._waiting = self._waiting, []
        for assignment in waiting:
            if assignment.end is None:
                self._track(assignment.refuse("draining"))
        while self._pending:
            await asyncio.wait(self._pending)

    def _next(self) -> None:
        self._tidy()
        while len(self._running) < self._concurrency and self._waiting:
            assignment = self._waiting.pop(0)
            self._running.append(assignment)
            self._track(self._run(assignment))

    async def _run(self, assignment: Assignment) -> None:
        try:
            await assignment.run(self._handler)
        finally:
            self._running.remove(assignment)
            self._next()

    def _tidy(self) -> None:
        """What was lost while it waited has no turn."""
        self._waiting = [assignment for assignment in self._waiting if assignment.end is None]

    def _remember(self, key: tuple[str, object]) -> None:
        self._heard[key] = None
        if len(self._heard) > _REMEMBERED:
            del self._heard[next(iter(self._heard))]

    def _track(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
