"""What an agent does with delegations, however they come."""

from __future__ import annotations

import asyncio
from typing import Any

from hubbub import AgentTask, HubError
from hubbub.workload import Workload


class Reports:
    """A hub that takes every report, or refuses some."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.refuse: dict[str, HubError] = {}

    async def send(self, type: str, data: dict[str, Any], id: str) -> None:
        self.sent.append((data["taskId"], type))
        if type in self.refuse:
            raise self.refuse[type]

    async def say(self, type: str, data: dict[str, Any]) -> HubError | None:
        return None

    def trouble(self, error: HubError) -> None:
        pass


def task(id: str, attempt: int = 1) -> AgentTask:
    return AgentTask(id, "t", None, {}, None, None, None, None, None, attempt, f"lease-{id}-{attempt}")


async def test_a_delegation_that_is_heard_twice_is_worked_on_once_and_a_newer_one_takes_its_place() -> None:
    reports = Reports()
    begun: list[int] = []
    may_end = asyncio.Event()

    async def work(task: AgentTask) -> Any:
        begun.append(task.attempt)
        await may_end.wait()

    workload = Workload(work, reports, concurrency=2, queue=2)
    workload.offer(task("a"))
    workload.offer(task("a"))
    await asyncio.sleep(0.01)
    workload.offer(task("a", 2))
    workload.offer(task("a", 1))
    await asyncio.sleep(0.01)
    may_end.set()
    await workload.drain()
    assert begun == [1, 2]
    assert reports.sent == [("a", "task.accepted"), ("a", "task.accepted"), ("a", "task.result")]


async def test_beyond_its_queue_a_delegation_is_rejected_as_busy() -> None:
    reports = Reports()
    may_end = asyncio.Event()

    async def work(task: AgentTask) -> Any:
        await may_end.wait()

    workload = Workload(work, reports, concurrency=1, queue=1)
    for id in ("a", "b", "c"):
        workload.offer(task(id))
    await asyncio.sleep(0.01)
    assert workload.task_ids == ["a"] and ("c", "task.rejected") in reports.sent
    may_end.set()
    await asyncio.sleep(0.01)
    await workload.drain()
    assert [one for one in reports.sent if one[1] == "task.result"] == [("a", "task.result"), ("b", "task.result")]


async def test_a_lease_that_is_over_ends_the_work_without_an_outcome() -> None:
    reports = Reports()
    reports.refuse["task.accepted"] = HubError("STALE_LEASE")
    begun: list[str] = []

    async def work(task: AgentTask) -> Any:
        begun.append(task.id)

    workload = Workload(work, reports, concurrency=1, queue=1)
    workload.offer(task("a"))
    await workload.drain()
    assert (begun, reports.sent) == ([], [("a", "task.accepted")])


async def test_a_result_that_the_hub_does_not_take_makes_the_task_fail() -> None:
    reports = Reports()
    reports.refuse["task.result"] = HubError("RESULT_INVALID")

    async def work(task: AgentTask) -> Any:
        return 1

    workload = Workload(work, reports, concurrency=1, queue=1)
    workload.offer(task("a"))
    await workload.drain()
    assert [kind for _, kind in reports.sent] == ["task.accepted", "task.result", "task.failed"]


async def test_a_handler_that_goes_on_after_its_cancellation_has_no_say_any_more() -> None:
    reports = Reports()
    began = asyncio.Event()

    async def work(task: AgentTask) -> Any:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        return "all the same"

    workload = Workload(work, reports, concurrency=1, queue=1)
    workload.offer(task("a"))
    await began.wait()
    workload.cancel("a", "lease-a-1")
    await workload.drain()
    assert [kind for _, kind in reports.sent] == ["task.accepted", "task.cancelled"]
