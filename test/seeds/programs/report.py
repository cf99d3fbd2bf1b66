"""The printed report of an agent, whose `backend` is the Python package's bus."""

import ast
import asyncio
import inspect
import pathlib
import sys
import types

import hubbub

backend, event_bus, models = (types.ModuleType(name) for name in ("backend", "backend.event_bus", "backend.models"))
models.WebSocketEventType = hubbub.WebSocketEventType
sys.modules.update({module.__name__: module for module in (backend, event_bus, models)})


async def main() -> None:
    event_bus.event_bus = hubbub.EventBus()
    printed = compile(pathlib.Path(sys.argv[1]).read_text(), sys.argv[1], "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    code = types.FunctionType(printed, {"__name__": "printed"})()
    if inspect.isawaitable(code):
        await code
    await event_bus.event_bus.close()


asyncio.run(main())
