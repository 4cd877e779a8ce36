"""One chain with a full ledger for all tests of the page; a test that changes the chain sets it back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "audit"))
from _scene import Scene

from ledger.chain.node import LocalNode
from ledger.operations.session import Session, Settings
from ledger.web.evidence import bundles_of
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot

GENESIS = 1_704_067_200  # 2024-01-01 00:00:00 UTC


@pytest.fixture(scope="session")
def played(tmp_path_factory) -> Iterator[Scene]:
    """The scene; use `scene`."""
    folder = tmp_path_factory.mktemp("scene")
    before = {name: os.environ.get(name) for name in ("LICENCE_LEDGER_HOME", "LICENCE_LEDGER_KEYS")}
    os.environ["LICENCE_LEDGER_HOME"] = str(folder / "home")
    os.environ.pop("LICENCE_LEDGER_KEYS", None)
    try:
        with LocalNode.start(genesis_time=GENESIS) as node:
            yield Scene(node, folder)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


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
