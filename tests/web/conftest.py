"""One chain with a full ledger for all tests of the page; a test that changes the chain sets it back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "audit"))
from _scene import Scene, playing

from ledger.operations.session import Session, Settings
from ledger.web.evidence import bundles_of
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot


@pytest.fixture(scope="session")
def played(tmp_path_factory) -> Iterator[Scene]:
    """The scene; use `scene`."""
    with playing(tmp_path_factory.mktemp("scene"), Scene) as scene:
        yield scene


@pytest.fixture
def scene(played) -> Iterator[Scene]:
    """The ledger with something of everything; the chain is set back after the test."""
    mark = played.rpc.call("evm_snapshot")
    yield played
    assert played.rpc.call("evm_revert", mark)


@pytest.fixture
def session(scene) -> Iterator[Session]:
    """A session on the scene's chain and store."""
    with Session(Settings(home=scene.folder / "home"), rpc=scene.rpc) as opened:
        yield opened


@pytest.fixture(scope="session")
def site(played) -> Site:
    """The site of the scene as it was played, evidence included."""
    opened = Session(Settings(home=played.folder / "home"), rpc=played.rpc)
    snapshot = Snapshot(opened)
    return Site(snapshot, bundles=bundles_of(snapshot))
