"""Requests to the hub's HTTP gateway, with the client's credential."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from .credentials import Credentials
from .errors import Dropped, HubError, error_of
from .link import is_answer

Query = Sequence[tuple[str, str]]


class HttpApi:
    def __init__(self, session: aiohttp.ClientSession, url: str, credentials: Credentials) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._credentials = credentials

    async def get(self, path: str, query: Query = (), *, timeout: float = 35.0) -> dict[str, Any]:
        """The answer, refusals included. Raises `Dropped` when there is none."""
        return await self._ask("GET", path, query, None, timeout)

    async def post(self, path: str, body: Any, *, query: Query = (), timeout: float = 35.0) -> dict[str, Any]:
        return await self._ask("POST", path, query, body, timeout)

    async def _ask(self, method: str, path: str, query: Query, body: Any, timeout: float) -> dict[str, Any]:
        status, answer = await self._try(method, path, query, body, timeout)
        if status == 401 and self._credentials.is_renewable:
            self._credentials.forget()
            status, answer = await self._try(method, path, query, body, timeout)
        if is_answer(answer) or (status < 300 and isinstance(answer, Mapping)):
            return dict(answer)
        # Something between us and the hub answered, or another program.
        raise Dropped(f"{method} {path}: HTTP {status}")

    async def _try(self, method: str, path: str, query: Query, body: Any, timeout: float) -> tuple[int, Any]:
        headers = await self._credentials.headers()
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        limits = aiohttp.ClientTimeout(total=timeout)
        # No redirects: another host must not get the key.
        try:
            asked = self._session.request(method, self._url + path, params=list(query), data=data, headers=headers, timeout=limits, allow_redirects=False)
            async with asked as response:
                text = await response.text()
                return response.status, _json(text)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise Dropped(f"{method} {path}: {error or type(error).__name__}") from error


def take(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The result of an answer; raises what it refused with."""
    if answer.get("ok") is False or ("ok" not in answer and "error" in answer):
        raise error_of(answer.get("error"))
    return {name: value for name, value in answer.items() if name != "ok"}


def unreachable(error: BaseException) -> HubError:
    failure = HubError("UNAVAILABLE", f"The hub cannot be reached: {error}")
    failure.__cause__ = error
    return failure


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
