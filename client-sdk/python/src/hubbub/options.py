"""What a client may be told; times in seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

import aiohttp

from .state import Backoff

Transport = Literal["websocket", "polling", "http"]
TRANSPORTS: tuple[Transport, ...] = ("websocket", "polling", "http")
TokenSource = str | Callable[[], str] | Callable[[], Awaitable[str]]

# The hub recognises a repeated id for at least 10 minutes; a retry must not come close to that.
LONGEST_PUBLISH = 540.0


@dataclass(frozen=True)
class Options:
    token: TokenSource | None = None
    api_key: str | None = None
    project: str | None = None
    queue_limit: int = 1000
    buffer_limit: int = 10_000
    reconnect: Backoff = field(default_factory=Backoff)
    transports: tuple[Transport, ...] = TRANSPORTS
    path: str = "/socket.io/"
    connect_timeout: float = 5.0
    tries: int = 3
    climb: Backoff = field(default_factory=lambda: Backoff(min=2.0, max=60.0))
    ack_timeout: float = 35.0
    publish_timeout: float = 60.0
    poll_wait: float = 25.0
    poll_interval: float = 30.0
    http_session: aiohttp.ClientSession | None = None

    def __post_init__(self) -> None:
        _check("queue_limit", self.queue_limit, 0)
        _check("buffer_limit", self.buffer_limit, 1)
        _check("connect_timeout", self.connect_timeout, 0.001)
        _check("tries", self.tries, 1)
        _check("ack_timeout", self.ack_timeout, 0.001)
        _check("publish_timeout", self.publish_timeout, 0.001, LONGEST_PUBLISH)
        _check("poll_wait", self.poll_wait, 0, 60)
        _check("poll_interval", self.poll_interval, 0.001)
        for name, backoff in (("reconnect", self.reconnect), ("climb", self.climb)):
            _check(f"{name}.min", backoff.min, 0.001)
            _check(f"{name}.max", backoff.max, backoff.min)
            _check(f"{name}.jitter", backoff.jitter, 0, 1)
        unknown = [name for name in self.transports if name not in TRANSPORTS]
        if unknown or not self.transports:
            raise ValueError(f"transports: {list(self.transports)} is not allowed; allowed: some of {', '.join(TRANSPORTS)}")


def _check(name: str, value: float, least: float, most: float = float("inf")) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name}: {value} is not allowed; allowed: {least:g} to {most:g}")
