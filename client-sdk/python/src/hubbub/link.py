"""
What the client needs of a connection, whatever carries it: `socket_link.py` is one over Socket.IO, `http_link.py` one of single requests.
A link is one connection; `connection.py` makes the next one. It knows nothing of events and subscriptions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol, TypeGuard

from .errors import HubError
from .options import Transport

Answer = Mapping[str, Any]
#: What the hub holds of this client's subscriptions at the beginning of a link: none; those that the link before it had; or some of older days.
Held = Literal["none", "known", "unknown"]
#: Called in the answer's own turn, before whatever the hub sent behind it.
Heard = Callable[[Answer], None]


class LinkEvents(Protocol):
    def message(self, name: str, args: tuple[Any, ...]) -> None:
        """Anything that the hub sent."""

    def late(self, name: str, args: tuple[Any, ...]) -> None:
        """What comes when another link took over already."""

    def asked(self, call: Mapping[str, Any]) -> Awaitable[dict[str, Any]]:
        """A command to carry out; the result is the hub's answer."""

    def troubled(self, error: HubError) -> None:
        """Something went wrong; the link goes on."""


class Link(Protocol):
    transport: Transport
    #: Resolves at the connection's end, with the reason if the hub said one.
    ended: asyncio.Future[HubError | None]

    @property
    def is_open(self) -> bool: ...

    @property
    def is_resumed(self) -> bool:
        """The hub knows this client's subscriptions from an older connection."""

    def start(self, events: LinkEvents) -> None:
        """From now on, and with whatever came since it was opened."""

    async def request(self, name: str, payload: Any, *, heard: Heard | None = None, patience: float = 0.0) -> Answer:
        """
        Raises `Dropped` only: when there is no connection, or it ended before the answer came. `patience`: seconds that the hub may
        take, where it is more than a connection is otherwise believed to live without an answer.
        """

    async def retire(self) -> None:
        """Another link took over: tells nothing more, ends when what it was asked and asks is answered."""

    async def close(self) -> None: ...


def is_answer(thing: object) -> TypeGuard[Answer]:
    """What a stranger on the other side sends is not trusted to be one."""
    if not isinstance(thing, Mapping):
        return False
    return thing.get("ok") is True or (isinstance(thing.get("error"), Mapping) and isinstance(thing["error"].get("code"), str))


def refusal(error: HubError) -> dict[str, Any]:
    """A failure as the hub answers it."""
    return {"ok": False, "error": {"code": error.code, "message": error.message, "retryable": error.retryable, "details": error.details}}
