"""How `GET /api/v1/history` is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from .interest import Scalar
from .subscription import Since

# Texts that the hub would read as something else.
_LITERAL = re.compile(r'true|false|null|-?(0|[1-9]\d{0,14})(\.\d{1,15})?|".*"', re.DOTALL)


def history_query(
    topics: Iterable[str], types: Sequence[str] | None = None, filter: Mapping[str, Scalar] | None = None, since: Since | None = None,
    limit: int | None = None, wait: float | None = None,
) -> list[tuple[str, str]]:
    """`topic`, not `topics`: a topic may hold commas."""
    query = [("topic", topic) for topic in topics]
    if types is not None:
        query.append(("types", ",".join(types)))
    query.extend((f"filter.{name}", _text(value)) for name, value in (filter or {}).items())
    if since is not None:
        query.append(("since", since if isinstance(since, str) else f"last:{since.get('last')}"))
    if limit is not None:
        query.append(("limit", str(limit)))
    if wait is not None:
        query.append(("wait", f"{wait:g}"))
    return query


def _text(value: Scalar) -> str:
    if isinstance(value, str):
        return f'"{value}"' if _LITERAL.fullmatch(value) else value
    return json.dumps(value)
