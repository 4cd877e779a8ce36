"""The demonstration, played once for all tests that look at what it leaves behind."""

from __future__ import annotations

import pytest
from _played import Played, play


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The demonstration's folder, its chain stopped."""
    return play(tmp_path_factory.mktemp("played") / "demo")
