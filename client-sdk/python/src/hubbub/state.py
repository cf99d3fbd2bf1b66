"""
A client's life, as `client.state` shows it.

                   opened                  filled
    connecting ------------> catching-up <---------> live
      ^    |                     |        filling      |
      |    | dropped             | dropped             | dropped
 retry|    v                     v                     |
      +-- offline <--------------+---------------------+

    close, from anywhere: closed, for good

`catching-up`: some subscription still reads what it missed, or the history that it asked for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

ClientState = Literal["connecting", "catching-up", "live", "offline", "closed"]
StateInput = Literal["retry", "opened", "filling", "filled", "dropped", "close"]

# Complete: an input that says nothing new in a state leads back to it.
TRANSITIONS: dict[ClientState, dict[StateInput, ClientState]] = {
    "connecting": {
        "retry": "connecting", "opened": "catching-up", "filling": "connecting", "filled": "connecting", "dropped": "offline", "close": "closed",
    },
    "catching-up": {
        "retry": "catching-up", "opened": "catching-up", "filling": "catching-up", "filled": "live", "dropped": "offline", "close": "closed",
    },
    "live": {"retry": "live", "opened": "catching-up", "filling": "catching-up", "filled": "live", "dropped": "offline", "close": "closed"},
    "offline": {"retry": "connecting", "opened": "catching-up", "filling": "offline", "filled": "offline", "dropped": "offline", "close": "closed"},
    "closed": {"retry": "closed", "opened": "closed", "filling": "closed", "filled": "closed", "dropped": "closed", "close": "closed"},
}


@dataclass(frozen=True)
class Backoff:
    """Seconds. `jitter`, 0 to 1, is the share of a delay that is left to chance, so that a fleet does not come back in one moment."""

    min: float = 0.25
    max: float = 10.0
    jitter: float = 0.5

    def delay(self, attempt: int) -> float:
        """Exponential, jittered downwards: never longer than `max`."""
        full = min(self.max, self.min * 2.0 ** min(attempt, 30))
        return full * (1 - self.jitter * random.random())
