"""Parts that need no hub."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

import hubbub
from hubbub import AsyncHubbub, Backoff, HubEvent
from hubbub.cursors import is_after, is_cursor, offset_of
from hubbub.envelope import Undecodable, event_of, gap_of, unpacked
from hubbub.history_query import history_query
from hubbub.interest import Interest, canonical_type, matches, topic_matches
from hubbub.merge import Merge
from hubbub.state import TRANSITIONS
from hubs import ROOT


def event(at: int, data: Any = None, type: str = "custom.step", topics: tuple[str, ...] = ("task:1",)) -> HubEvent:
    return HubEvent(str(at), type, 0, "default", topics, data, {}, f"e.{at}-0")


def test_cursors_are_compared_by_number() -> None:
    assert is_after("e.10-0", "e.9-7") and is_after("e.9-10", "e.9-9") and not is_after("e.9-9", "e.9-9") and is_after("e.0-1", None)
    assert is_cursor("kX2.1763700000000-3") and not is_cursor("10m") and not is_cursor(None)
    assert offset_of("nonsense") == (0, 0)


def test_several_sources_make_one_order_and_each_event_comes_once() -> None:
    for seed in range(50):
        chance = random.Random(seed)
        handed: list[int] = []
        merge = Merge(lambda one: handed.append(int(one.id)))
        sources = [object(), object()]
        places = [0, 0]
        for source in sources:
            merge.join(source, "e.0-0")
        live = 50
        merge.live(f"e.{live}-0")
        while live < 100 or sources:
            if live < 100 and chance.random() < 0.5:
                live += 1
                merge.live(f"e.{live}-0", event(live))
            elif sources:
                which = chance.randrange(len(sources))
                first, places[which] = places[which] + 1, min(live, places[which] + chance.randrange(1, 20))
                merge.page(sources[which], [event(at) for at in range(first, places[which] + 1)], f"e.{places[which]}-0")
                if places[which] == live:
                    merge.leave(sources.pop(which))
                    places.pop(which)
        assert handed == list(range(1, 101)), f"seed {seed}"


def test_a_lost_branch_of_the_journal_begins_anew_and_lower() -> None:
    handed: list[int] = []
    merge = Merge(lambda one: handed.append(int(one.id)))
    merge.live("e.10-0", event(10))
    merge.jump("f.5-0")
    merge.live("f.6-0", event(6))
    assert handed == [10, 6] and merge.cursor == "f.6-0"


def test_interests_are_read_as_the_hub_reads_them() -> None:
    assert topic_matches("*", "task:1") and not topic_matches("*", "inbox:1") and topic_matches("inbox:*", "inbox:1") and topic_matches("task:a*", "task:ab")
    one = event(1, {"status": "busy", "capabilities": ["ts"], "deep": {"n": 1, "flag": True}}, "agent.status_changed", ("agent:a", "task:1"))
    assert matches(Interest(["task:*"], ["agent.*"], {"status": "busy", "capability": "ts", "deep.n": 1, "data.deep.flag": True}), one)
    for other in ({"status": "idle"}, {"capability": "py"}, {"deep.flag": 1}, {"deep.n": True}, {"missing": None}):
        assert not matches(Interest(["*"], None, other), one), other
    assert not matches(Interest(["stream:*"]), one) and not matches(Interest(["*"], ["task.*"]), one)
    assert canonical_type("agent_status") == "agent.status_changed" and canonical_type("pipeline:lint_done") == "pipeline.lint_done" and canonical_type("task.*") == "task.*"


def packed(data: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()


def test_compressed_data_is_unpacked_and_bounded() -> None:
    raw = {"id": "1", "type": "custom.step", "timestamp": 1, "project": "p", "topics": ["task:1"], "data": packed({"text": "größer" * 500}), "metadata": {"version": "1.0", "compressed": True}}
    read = event_of(raw, "e.1-0")
    assert read and read.data == {"text": "größer" * 500} and read.metadata == {"version": "1.0"}
    with pytest.raises(Undecodable, match="larger"):
        unpacked(packed("x" * 100_000), largest=1000)
    for broken in ("no base64!", base64.b64encode(b"no gzip").decode(), packed([1])[:-8], None, base64.b64encode(gzip.compress(b"no json")).decode()):
        with pytest.raises(Undecodable):
            unpacked(broken)


async def test_a_batch_is_handed_on_one_by_one_and_what_cannot_be_unpacked_as_it_came() -> None:
    client = AsyncHubbub()
    heard: list[HubEvent] = []
    errors: list[str] = []
    client.on("*", heard.append)
    client.on_error(lambda error: errors.append(error.code))
    good = {"id": "1", "type": "custom.step", "timestamp": 1, "project": "p", "topics": ["task:1"], "data": packed(1), "metadata": {"compressed": True}}
    bad = {**good, "id": "2", "data": "???"}
    client.message("events", ([{"event": good, "cursor": "e.1-0"}, {"event": bad, "cursor": "e.2-0"}, "nonsense"], "e.3-0"))
    client.message("custom.step", ("no event", "e.4-0"))
    client.message("whatever", ())
    assert [(one.id, one.data) for one in heard] == [("1", 1), ("2", "???")]
    assert errors == ["INTERNAL_ERROR"] and client.cursor == "e.3-0"


def test_gaps_and_events_of_strangers_are_not_taken() -> None:
    assert gap_of({"from": "e.1-0", "to": "nowhere", "reason": "trimmed"}) is None and gap_of("gap") is None
    assert event_of({"type": 1, "topics": []}) is None and event_of(None) is None


def test_history_is_asked_so_that_texts_stay_texts() -> None:
    query = history_query(["task:a,b", "repo:x"], ["task.*", "agent.log"], {"n": 3, "t": "3", "flag": True, "none": None, "plain": "busy"}, {"last": 5}, 10, 2.5)
    assert query == [
        ("topic", "task:a,b"), ("topic", "repo:x"), ("types", "task.*,agent.log"), ("filter.n", "3"), ("filter.t", '"3"'), ("filter.flag", "true"),
        ("filter.none", "null"), ("filter.plain", "busy"), ("since", "last:5"), ("limit", "10"), ("wait", "2.5"),
    ]


def test_options_that_break_a_promise_are_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"publish_timeout": 600}, {"queue_limit": -1}, {"buffer_limit": 0}, {"transports": []}, {"transports": ["carrier pigeon"]},
        {"reconnect": Backoff(min=2, max=1)}, {"reconnect": Backoff(jitter=2)}, {"poll_wait": 61}, {"tries": 0},
    ]
    for options in wrong:
        with pytest.raises(ValueError, match="allowed"):
            AsyncHubbub("http://127.0.0.1:1", **options)


def test_a_delay_doubles_up_to_its_limit_and_half_of_it_is_chance() -> None:
    backoff = Backoff(min=0.25, max=10)
    for attempt in range(20):
        full = min(10, 0.25 * 2**attempt)
        delays = [backoff.delay(attempt) for _ in range(200)]
        assert full / 2 <= min(delays) and max(delays) <= full and max(delays) - min(delays) > full / 4


def test_a_closed_client_stays_closed() -> None:
    assert set(TRANSITIONS["closed"].values()) == {"closed"}
    assert {len(row) for row in TRANSITIONS.values()} == {6}


def test_names_are_the_hubs_and_everything_that_is_exported_is_there() -> None:
    assert set(get_args(hubbub.EventType)) == set(hubbub.EVENT_TYPES) and set(get_args(hubbub.FailureCode)) == set(hubbub.FAILURES)
    assert hubbub.ALIASES["agent_task_update"] == "task.progress" and hubbub.FAILURES["RATE_LIMITED"].retryable
    assert all(hasattr(hubbub, name) for name in hubbub.__all__)


def test_the_package_passes_the_type_checker() -> None:
    folder = Path(ROOT) / "client-sdk/python"
    checked = subprocess.run([*_mypy(), "--config-file", str(folder / "pyproject.toml")], cwd=folder, capture_output=True, text=True, timeout=240)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _mypy() -> list[str]:
    import sys

    return [sys.executable, "-m", "mypy"]


async def test_a_client_may_be_made_outside_of_a_loop_and_closed_unused() -> None:
    client = await asyncio.to_thread(AsyncHubbub, "http://127.0.0.1:1")
    await client.close()
    assert client.state == "closed"
