"""Events, gaps and signals as users get them, read from what came over the wire."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .cursors import is_cursor

# An event's data is 1 MB at most unless the hub is set otherwise; a few bytes could unpack to gigabytes. Bytes.
LARGEST_DATA = 64 * 1024 * 1024
_GZIP = 31


@dataclass(frozen=True, slots=True)
class HubEvent:
    """An event as it stands in the journal. `timestamp` is the producer's clock, ms since the epoch."""

    id: str
    type: str
    timestamp: int
    project: str
    topics: tuple[str, ...]
    data: Any
    metadata: Mapping[str, Any]
    #: Where it stands: keep it to go on behind it later, `subscribe(topics, since=cursor)`. Empty when it is not known.
    cursor: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The envelope as it travels, without the cursor."""
        return {
            "id": self.id, "type": self.type, "timestamp": self.timestamp, "project": self.project,
            "topics": list(self.topics), "data": self.data, "metadata": dict(self.metadata),
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """Events between two cursors that can no longer be had. `reason`: `trimmed`, `epoch` or `session`. `start` may be unknown."""

    start: str | None
    end: str
    reason: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A message to whoever is connected now, neither stored nor replayed."""

    topic: str
    name: str
    data: Any
    source: str
    timestamp: int


class Undecodable(ValueError):
    """Compressed data that cannot be unpacked, or only to more than `LARGEST_DATA`."""


def event_of(raw: object, cursor: str = "", *, unpack: bool = True) -> HubEvent | None:
    """None when it is no event. Raises `Undecodable`."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("type"), str) or not isinstance(raw.get("topics"), list):
        return None
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    data = raw.get("data")
    if unpack and metadata.get("compressed") is True:
        data = unpacked(data)
        metadata = {name: value for name, value in metadata.items() if name != "compressed"}
    topics = tuple(topic for topic in raw["topics"] if isinstance(topic, str))
    timestamp = raw.get("timestamp")
    return HubEvent(
        str(raw.get("id", "")), raw["type"], timestamp if isinstance(timestamp, int) else 0, str(raw.get("project", "")), topics, data, metadata, cursor,
    )


def unpacked(text: object, largest: int = LARGEST_DATA) -> Any:
    """Base64 of the gzip of JSON. Raises `Undecodable`."""
    try:
        packed = base64.b64decode(text if isinstance(text, str) else "", validate=True)
        unpacker = zlib.decompressobj(_GZIP)
        plain = unpacker.decompress(packed, largest)
        if unpacker.unconsumed_tail:
            raise Undecodable(f"the data is larger than {largest} bytes")
        if not unpacker.eof:
            raise Undecodable("the data is cut short")
        return json.loads(plain)
    except (binascii.Error, zlib.error, ValueError) as error:
        if isinstance(error, Undecodable):
            raise
        raise Undecodable(f"the data is no gzip of JSON in base64: {error}") from error


def gap_of(raw: object) -> Gap | None:
    if not isinstance(raw, Mapping):
        return None
    start, end, reason = raw.get("from"), raw.get("to"), raw.get("reason")
    if not isinstance(end, str) or not is_cursor(end):
        return None
    return Gap(start if isinstance(start, str) else None, end, str(reason))


def signal_of(raw: object) -> Signal | None:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("name"), str):
        return None
    timestamp = raw.get("timestamp")
    return Signal(str(raw.get("topic", "")), raw["name"], raw.get("data"), str(raw.get("source", "")), timestamp if isinstance(timestamp, int) else 0)
