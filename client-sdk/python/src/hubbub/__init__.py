"""Client of a Hubbub hub. `AsyncHubbub` for asyncio, `Hubbub` for threads and callbacks, `EventBus` for emitting."""

from ._names import ALIASES, EVENT_TYPES, FAILURES, TOPIC_FAMILIES, EventType, FailureCode
from .agent import Agent
from .assignment import AgentTask
from .client import AsyncHubbub
from .commands import CommandContext
from .envelope import Gap, HubEvent, Signal
from .errors import HubError
from .event_bus import EventBus, WebSocketEventType
from .results import History, PublishResult
from .snapshot import Snapshot
from .state import Backoff, ClientState
from .subscription import Subscription
from .threads import Hubbub

TaskCopilotClient = Hubbub

__version__ = "0.1.0"

__all__ = [
    "ALIASES", "Agent", "AgentTask", "AsyncHubbub", "Backoff", "ClientState", "CommandContext", "EVENT_TYPES", "EventBus", "EventType", "FAILURES", "FailureCode",
    "Gap", "History", "HubError", "HubEvent", "Hubbub", "PublishResult", "Signal", "Snapshot", "Subscription", "TOPIC_FAMILIES",
    "TaskCopilotClient", "WebSocketEventType",
]
