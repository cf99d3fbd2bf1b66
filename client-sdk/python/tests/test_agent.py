"""Agents: registered, given tasks, and answering each of them once; and whoever hands tasks in."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from hubbub import AgentTask, AsyncHubbub, Backoff, HubError
from hubs import Hub, eventually, token
from proxy import open_proxy

QUICK = Backoff(min=0.05, max=0.5)


def name() -> str:
    return uuid.uuid4().hex[:12]


def agent_client(url: str, agent: str, **options: Any) -> AsyncHubbub:
    return AsyncHubbub(url, token=token(agent, "agent", agent_type="coder", capabilities=[f"can-{agent}"]), reconnect=QUICK, climb=QUICK, **options)


async def test_an_agent_works_on_a_task_and_its_result_comes_to_whoever_handed_it_in(hub: Hub) -> None:
    me = name()
    async with AsyncHubbub(hub.url, token=token()) as boss, agent_client(hub.url, me) as client:
        agent = client.agent(concurrency=2, metrics=lambda: {"cpuPercent": 12})

        @agent.on_task
        async def work(task: AgentTask) -> Any:
            await task.progress(50, "half way", confidence=0.5)
            await task.log("here I am")
            assert agent.tasks == [task.id]
            return {"doubled": task.parameters["n"] * 2}

        registered = await agent.ready()
        assert (registered["agentId"], agent.id, agent.state) == (me, me, "active")
        created = await boss.tasks.create(type="double", title="twice", requires=[f"can-{me}"], parameters={"n": 21}, pipelineId=f"p-{me}")
        watched = await boss.subscribe(f"task:{created['id']}", since="all", types=["task.progress", "agent.log"])
        done = await boss.tasks.wait(created["id"], timeout=20)
        assert (done["status"], done["result"], done["agentId"]) == ("completed", {"doubled": 42}, me)
        assert [(await anext(watched)).type for _ in range(2)] == ["task.progress", "agent.log"]
        assert (await boss.tasks.get(created["id"])) == done
        assert [one["id"] for one in await boss.tasks.list(pipeline_id=f"p-{me}", status="completed", type="double")] == [created["id"]]
        assert await boss.tasks.list(pipeline_id=f"p-{me}", status=["pending"]) == []
        found = (await boss.snapshot(f"agent:{me}")).get("agent", me)
        assert found and found["agentType"] == "coder"


async def test_what_a_handler_raises_makes_the_task_fail_and_so_does_a_result_that_is_no_json(hub: Hub) -> None:
    me = name()
    async with AsyncHubbub(hub.url, token=token()) as boss, agent_client(hub.url, me) as client:
        client.on_error(lambda _: None)
        agent = client.agent()

        @agent.on_task
        async def work(task: AgentTask) -> Any:
            if task.type == "raise":
                raise ValueError("there is no such file")
            return {1, 2}

        raised = await boss.tasks.create(type="raise", requires=[f"can-{me}"])
        failed = await boss.tasks.wait(raised["id"], timeout=20)
        assert failed["status"] == "failed" and "there is no such file" in failed["error"]
        odd = await boss.tasks.create(type="odd", requires=[f"can-{me}"])
        failed = await boss.tasks.wait(odd["id"], timeout=20)
        assert failed["status"] == "failed" and "INVALID_MESSAGE" in failed["error"]


async def test_a_cancelled_task_cancels_its_handler_which_may_clean_up_and_is_confirmed(hub: Hub) -> None:
    me = name()
    async with AsyncHubbub(hub.url, token=token()) as boss, agent_client(hub.url, me) as client:
        began = asyncio.Event()
        cleaned = asyncio.Event()
        agent = client.agent()

        @agent.on_task
        async def work(task: AgentTask) -> Any:
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                assert task.cancelled.is_set()
                cleaned.set()
                raise

        created = await boss.tasks.create(type="long", requires=[f"can-{me}"])
        await asyncio.wait_for(began.wait(), 20)
        confirmations = await boss.subscribe(f"task:{created['id']}", types=["task.cancelled"])
        cancelled = await boss.tasks.cancel(created["id"], "not needed")
        assert cancelled["status"] == "cancelled" and cleaned.is_set()
        assert (await anext(confirmations)).data.get("confirmed") is not False
        await eventually(lambda: agent.tasks == [])


async def test_no_more_than_its_concurrency_run_at_once_what_waits_is_given_back_at_a_drain(hub: Hub) -> None:
    me = name()
    async with AsyncHubbub(hub.url, token=token()) as boss:
        client = agent_client(hub.url, me)
        await client.connect()
        may_end = asyncio.Event()
        agent = client.agent(concurrency=2)
        most = 0

        @agent.on_task
        async def work(task: AgentTask) -> Any:
            nonlocal most
            most = max(most, len(agent.tasks))
            await may_end.wait()
            return task.id

        orders = [await boss.tasks.create(type="t", requires=[f"can-{me}"]) for _ in range(3)]
        await eventually(lambda: len(agent.tasks) == 2)
        draining = asyncio.ensure_future(agent.drain())
        await eventually(lambda: agent.state == "draining")
        may_end.set()
        await draining
        assert (agent.state, client.state, most) == ("closed", "closed", 2)
        statuses = sorted([(await boss.tasks.get(order["id"]) or {})["status"] for order in orders])
        assert statuses[:2] == ["completed", "completed"] and statuses[2] in ("pending", "delegated")


async def test_over_cut_connections_each_task_is_done_once_and_answered_once(hub: Hub) -> None:
    me = name()
    async with open_proxy(hub.port) as proxy, AsyncHubbub(hub.url, token=token()) as boss, agent_client(proxy.url, me) as client:
        worked: list[str] = []
        agent = client.agent(concurrency=4)

        @agent.on_task
        async def work(task: AgentTask) -> Any:
            worked.append(task.id)
            await task.progress(10)
            return worked.index(task.id)

        await agent.ready()
        results = await boss.subscribe("task:*", types=["task.result"])
        orders = []
        for round in range(4):
            orders += [await boss.tasks.create(type="t", requires=[f"can-{me}"]) for _ in range(10)]
            await eventually(lambda: len(worked) >= 10 * round + 3)
            proxy.cut()
        done = [await boss.tasks.wait(order["id"], timeout=30) for order in orders]
        assert {one["status"] for one in done} == {"completed"}
        assert sorted(worked) == sorted(order["id"] for order in orders)
        ids = {order["id"] for order in orders}
        told = [event.data["taskId"] for event in [await anext(results) for _ in range(40)]]
        assert sorted(told) == sorted(ids)


async def test_where_only_requests_pass_an_agent_is_registered_gets_its_mail_and_answers(hub: Hub) -> None:
    me = name()
    async with open_proxy(hub.port) as proxy, AsyncHubbub(hub.url, token=token()) as boss:
        proxy.bars_socketio = True
        async with agent_client(proxy.url, me, poll_wait=5) as client:
            agent = client.agent()

            @agent.on_task
            async def work(task: AgentTask) -> Any:
                await task.progress(50)
                return "done"

            assert (await agent.ready())["agentId"] == me
            named = await boss.tasks.create(type="t", agentId=me)
            assert (await boss.tasks.wait(named["id"], timeout=20))["result"] == "done"
            assert client.transport == "http"
            proxy.bars_socketio = False
            await eventually(lambda: client.transport == "websocket")
            later = await boss.tasks.create(type="t", agentId=me)
            assert (await boss.tasks.wait(later["id"], timeout=20))["result"] == "done"


async def test_waiting_for_a_task_ends_with_its_time_and_for_none_at_once(hub: Hub) -> None:
    async with AsyncHubbub(hub.url, token=token()) as boss:
        lonely = await boss.tasks.create(type="t", requires=["nobody-can"])
        with pytest.raises(HubError) as late:
            await boss.tasks.wait(lonely["id"], timeout=0.2)
        assert late.value.code == "TIMEOUT"
        with pytest.raises(HubError) as missing:
            await boss.tasks.wait("no-such-task")
        assert missing.value.code == "TASK_NOT_FOUND"
        with pytest.raises(HubError) as exists:
            await boss.tasks.create({"id": lonely["id"], "type": "another"})
        assert exists.value.code == "TASK_EXISTS"


async def test_a_registration_that_is_refused_is_raised_by_ready(hub: Hub) -> None:
    async with AsyncHubbub(hub.url, token=token("ann", "viewer")) as client:
        client.on_error(lambda _: None)
        agent = client.agent()
        with pytest.raises(HubError) as refused:
            await agent.ready()
        assert refused.value.code in ("AGENT_NOT_IDENTIFIED", "INSUFFICIENT_PERMISSIONS") and agent.state == "closed"

        def plain(task: AgentTask) -> Any:
            return None

        with pytest.raises(TypeError):
            agent.on_task(plain)  # type: ignore[arg-type]
