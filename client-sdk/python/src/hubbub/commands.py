"""
Commands that others give and this client carries out. The hub forgets what a connection handles when it ends, so every new one is told
again; a command is answered at most once, whatever the handler does.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ._names import COMMAND_ALIASES
from .calls import Calls
from .errors import HubError, as_error, code_of, message_of
from .listeners import Off

COMMAND_SECONDS = 30.0
# On top of the executor's time, until the hub's own answer counts as lost, s.
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class CommandContext:
    """What a command's handler is told besides its payload. `by` is the source URI of whoever gave it; `timeout` in seconds."""

    command_id: str
    command: str
    by: str
    timeout: float


CommandHandler = Callable[[Any, CommandContext], object]


def canonical_command(name: str) -> str:
    return COMMAND_ALIASES.get(name, name)


class Executor:
    def __init__(self, calls: Calls, trouble: Callable[[HubError], None]) -> None:
        self._calls = calls
        self._trouble = trouble
        self._handlers: dict[str, CommandHandler] = {}
        self._carrying_out: set[asyncio.Future[Any]] = set()
        self._telling: asyncio.Task[None] | None = None
        # The list changed since the hub was told.
        self._is_changed = False
        calls.on("opened", self._opened)
        # The hub told whoever gave them that their executor was lost.
        calls.on("dropped", self._stop)
        calls.on("closed", self._stop)

    def handle(self, name: str, handler: CommandHandler) -> Off:
        """Raises BUSINESS_LOGIC_ERROR when this client handles the command already."""
        command = canonical_command(name)
        if command in self._handlers:
            raise HubError("BUSINESS_LOGIC_ERROR", f"This client handles '{command}' already.")
        self._handlers[command] = handler
        self._changed()

        def off() -> None:
            if self._handlers.get(command) is handler:
                del self._handlers[command]
                self._changed()

        return off

    async def carry_out(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """The hub asks. What outlives its time, or its connection, is cancelled."""
        command = str(call.get("command"))
        handler = self._handlers.get(canonical_command(command))
        if handler is None:
            return _failed("NO_EXECUTOR", f"Nobody handles '{command}' here any more.")
        seconds = float(call.get("timeoutMs", COMMAND_SECONDS * 1000)) / 1000
        context = CommandContext(str(call.get("commandId")), canonical_command(command), str(call.get("by")), seconds)
        try:
            result = handler(call.get("payload"), context)
            if inspect.isawaitable(result):
                work = asyncio.ensure_future(result)
                self._carrying_out.add(work)
                work.add_done_callback(self._carrying_out.discard)
                result = await asyncio.wait_for(work, seconds)
            return {"ok": True} if result is None else {"ok": True, "result": _as_json(result)}
        except (asyncio.TimeoutError, asyncio.CancelledError):
            return _failed("COMMAND_TIMEOUT", f"'{command}' was called off.")
        except Exception as error:
            return _failed(code_of(error), message_of(error))

    def _opened(self) -> None:
        if self._handlers:
            self._changed()

    def _stop(self) -> None:
        for work in list(self._carrying_out):
            work.cancel()

    def _changed(self) -> None:
        """One telling after the other: the last one says how it stands. Without a connection the next one begins with it."""
        self._is_changed = True
        if self._calls.is_open and (self._telling is None or self._telling.done()):
            self._telling = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        attempt = 0
        while self._is_changed and self._calls.is_open:
            self._is_changed = False
            try:
                await self._calls.now("command.handle", {"commands": list(self._handlers)})
                attempt = 0
            except Exception as raised:
                if not self._calls.is_open:
                    return
                error = as_error(raised)
                self._trouble(error)
                if not error.retryable:
                    continue
                self._is_changed = True
                try:
                    await self._calls.pause(self._calls.delay(error, attempt))
                except HubError:
                    return
                attempt += 1


def _failed(code: str | None, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"message": message, **({"code": code} if code else {})}}


def _as_json(result: Any) -> Any:
    """What JSON cannot carry would otherwise end the connection."""
    try:
        return json.loads(json.dumps(result, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise HubError("COMMAND_FAILED", f"The result cannot be written as JSON: {error}") from error
