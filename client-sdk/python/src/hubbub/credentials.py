"""The credential of a client: what a handshake or a request carries, and when its token wants renewing."""

from __future__ import annotations

import base64
import inspect
import json
import time
from typing import Any

from .errors import HubError
from .options import Options

# A token is renewed at this share of its life, but at most a minute before its end.
_LONGEST_LEAD = 60.0
_LEAD_SHARE = 0.2


class Credentials:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._token: str | None = None
        self._fetched_at = 0.0

    @property
    def is_renewable(self) -> bool:
        """Whether another token can be had."""
        return callable(self._options.token)

    async def auth(self) -> dict[str, str]:
        """The handshake's `auth`. Raises AUTH_FAILED when the token function does."""
        api_key, project = self._options.api_key, self._options.project
        token = await self._current()
        fields = {"token": token, "apiKey": api_key, "project": project}
        return {name: value for name, value in fields.items() if value is not None}

    async def headers(self) -> dict[str, str]:
        """The same for a request."""
        names = {"apiKey": "X-API-Key", "project": "X-Hubbub-Project"}
        return {names.get(name, "Authorization"): f"Bearer {value}" if name == "token" else value for name, value in (await self.auth()).items()}

    async def renew(self) -> str:
        """A new token for `auth.refresh`."""
        self.forget()
        return await self._current() or ""

    def forget(self) -> None:
        self._token = None

    def renew_in(self) -> float | None:
        """Seconds until the token should be renewed, 0 when that is now; None when it has no end, or no other can be had."""
        end = claims_of(self._token).get("exp") if self.is_renewable and self._token is not None else None
        if not isinstance(end, (int, float)):
            return None
        lead = min(_LONGEST_LEAD, (end - self._fetched_at) * _LEAD_SHARE)
        return max(0.0, end - lead - time.time())

    async def _current(self) -> str | None:
        source = self._options.token
        if source is None or isinstance(source, str):
            return source
        if self._token is not None and self.renew_in() != 0:
            return self._token
        try:
            token = source()
            self._token = await token if inspect.isawaitable(token) else token
        except Exception as error:
            raise HubError("AUTH_FAILED", "The token function failed.") from error
        self._fetched_at = time.time()
        return self._token


def claims_of(token: str | None) -> dict[str, Any]:
    """Of a JWT; none of anything else. Read, not verified: that is the hub's to do."""
    parts = (token or "").split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}
