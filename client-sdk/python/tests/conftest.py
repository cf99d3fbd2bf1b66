from __future__ import annotations

from collections.abc import Iterator

import pytest

from hubs import Hub, Yard, open_yard


@pytest.fixture(scope="session")
def shared_yard() -> Iterator[Yard]:
    with open_yard() as yard:
        yield yard


@pytest.fixture(scope="session")
def hub(shared_yard: Yard) -> Hub:
    """One for all tests that neither stop it nor mind what others publish."""
    return shared_yard.hub()


@pytest.fixture
def yard() -> Iterator[Yard]:
    """For tests that stop hubs, or want them otherwise."""
    with open_yard() as one:
        yield one
