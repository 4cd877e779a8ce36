"""One chain with a full ledger for all tests of the audit; a test that changes the chain sets it back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from _court import Court
from _liar import Liar
from _scene import GENESIS, Scene, playing
from _weighted_pool import Pool

from ledger.chain.node import LocalNode
from ledger.chain.rpc import Rpc


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
def connect() -> Iterator:
    """Opens connections that are closed after the test."""
    opened = []

    def make(url: str, **settings) -> Rpc:
        opened.append(Rpc(url, **settings))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def court(scene) -> Iterator[Court]:
    """A liar before the scene, and the audit of what it says."""
    with Liar(scene.node.url) as liar, Rpc(liar.url, wait=0.001) as rpc:
        yield Court(scene, liar, rpc)


@pytest.fixture(scope="session")
def played_pool(tmp_path_factory) -> Iterator[Pool]:
    """The pool with its files; use `pool`."""
    folder = tmp_path_factory.mktemp("pool")
    with LocalNode.start(genesis_time=GENESIS) as node:
        yield Pool(node, folder)


@pytest.fixture
def pool(played_pool, tmp_path) -> Iterator[Pool]:
    """The same; chain, store and folders are set back after the test."""
    mark = played_pool.rpc.call("evm_snapshot")
    place, kept = played_pool.folder, tmp_path / "kept"
    shutil.copytree(place, kept, symlinks=True)
    yield played_pool
    assert played_pool.rpc.call("evm_revert", mark)
    shutil.rmtree(place)
    shutil.copytree(kept, place, symlinks=True)


@pytest.fixture
def pool_court(pool) -> Iterator[Court]:
    """A liar before the pool."""
    with Liar(pool.node.url) as liar, Rpc(liar.url, wait=0.001) as rpc:
        yield Court(pool, liar, rpc)
