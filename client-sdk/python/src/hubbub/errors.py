"""Failures as the hub shows them, and those that the client finds itself, with the same codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._names import FAILURES


class HubError(Exception):
    """
    A failure with a code of the failure table (`hubbub.FAILURES`). `retryable`: the same may succeed later, unchanged.
    `details` say more where there is more: the field that is wrong, `retryAfterMs`.
    """

    def __init__(self, code: str, message: str | None = None, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message if message is not None else FAILURES[code].meaning)
        self.code = code
        self.details: dict[str, Any] = dict(details or {})

    @property
    def message(self) -> str:
        return str(self.args[0])

    @property
    def retryable(self) -> bool:
        return FAILURES[self.code].retryable

    @property
    def status(self) -> int:
        """HTTP status that gateways answer with."""
        return FAILURES[self.code].status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Dropped(Exception):
    """The connection ended before the answer: whether the hub did what was asked is not known. Never leaves the package."""


def error_of(failure: object) -> HubError:
    """A failure as it came over the wire. A code of a newer hub is kept in the message."""
    if not isinstance(failure, Mapping) or not isinstance(failure.get("code"), str):
        return HubError("INTERNAL_ERROR", f"The failure is none: {str(failure)[:200]}")
    code, message, details = failure["code"], failure.get("message"), failure.get("details")
    text = message if isinstance(message, str) else None
    known = details if isinstance(details, Mapping) else None
    return HubError(code, text, known) if code in FAILURES else HubError("INTERNAL_ERROR", f"{code}: {text}", known)


def retry_after(error: HubError) -> float | None:
    """Seconds that the hub asks to wait before the same is tried again."""
    ms = error.details.get("retryAfterMs")
    return ms / 1000 if isinstance(ms, (int, float)) and ms >= 0 else None


def as_error(error: BaseException) -> HubError:
    """Whatever was raised, as a failure; its own code where it has one."""
    if isinstance(error, HubError):
        return error
    wrapped = HubError("INTERNAL_ERROR", message_of(error))
    wrapped.__cause__ = error
    return wrapped


LONGEST_MESSAGE = 2000


def message_of(error: BaseException) -> str:
    text = error.message if isinstance(error, HubError) else str(error) or type(error).__name__
    return text[:LONGEST_MESSAGE]


def code_of(error: BaseException) -> str | None:
    """The `code` of an exception, where it has one."""
    code = getattr(error, "code", None)
    return code if isinstance(code, str) else None
