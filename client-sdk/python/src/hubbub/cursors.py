"""Cursors name places in a project's journal. They are opaque to users; here their offsets are compared, as the hub does."""

from __future__ import annotations

import re

Offset = tuple[int, int]

ORIGIN: Offset = (0, 0)

_CURSOR = re.compile(r"([A-Za-z0-9_-]{1,32})\.([0-9]{1,16})-([0-9]{1,16})")


def is_cursor(text: object) -> bool:
    return isinstance(text, str) and _CURSOR.fullmatch(text) is not None


def offset_of(cursor: str | None) -> Offset:
    """`epoch.ms-seq` as numbers, so that `9-0` is before `10-0`; before everything when it is no cursor."""
    match = _CURSOR.fullmatch(cursor) if cursor is not None else None
    return (int(match[2]), int(match[3])) if match else ORIGIN


def epoch_of(cursor: str | None) -> str | None:
    match = _CURSOR.fullmatch(cursor) if cursor is not None else None
    return match[1] if match else None


def is_after(cursor: str, other: str | None) -> bool:
    """Whether it lies behind the other; behind none lies everything."""
    return other is None or offset_of(cursor) > offset_of(other)
