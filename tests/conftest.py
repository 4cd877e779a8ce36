"""Fixtures for all tests: one local chain a process, set back after each test that uses it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _programs import without_browser
from hypothesis import HealthCheck, settings

# The same examples in every run, so that a verdict is about the code; PROPERTIES=random (make deep) looks for new ones.
# How long an example takes is the machine's affair.
_UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", derandomize=True, database=None, **_UNTIMED)
settings.register_profile("random", **_UNTIMED)
settings.load_profile("random" if os.environ.get("PROPERTIES") == "random" else "same")

GENESIS = 1_704_067_200  # 2024-01-01 00:00:00 UTC


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="DIR", type=Path, help="keep pictures of all pages in DIR")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives a real Chromium")


def pytest_report_header() -> str | None:
    if not without_browser():
        return None
    return (
        "browser: left out, since there is no Chromium: install it (Debian: chromium) or name it as $CHROMIUM"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if without_browser():
        out = [one for one in items if one.get_closest_marker("browser")]
        items[:] = [one for one in items if not one.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=out)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's own ledger, keys or password."""
    monkeypatch.setenv("LICENCE_LEDGER_HOME", str(tmp_path / "home"))
    for name in ("LICENCE_LEDGER_KEYS", "LICENCE_LEDGER_PASSWORD", "LICENCE_LEDGER_ANVIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def session_node() -> Iterator:
    """The process's anvil, with the ledger and the test tokens on it. Use `node` or `ledger` instead."""
    import tempfile

    from ledger.chain.deploy import deploy
    from ledger.chain.keys import dev_signer
    from ledger.chain.node import LocalNode
    from ledger.chain.sender import Sender

    with LocalNode.start(genesis_time=GENESIS) as node:
        with tempfile.TemporaryDirectory() as folder, Sender(node.rpc, dev_signer(9), Path(folder)) as sender:
            deploy(sender, ["TestDollar", "BlocklistDollar"])
        yield node


@pytest.fixture
def node(session_node) -> Iterator:
    """A local chain (ledger.chain.node.LocalNode) that is set back after the test."""
    mark = session_node.rpc.call("evm_snapshot")
    yield session_node
    assert session_node.rpc.call("evm_revert", mark)


@pytest.fixture
def rpc(node):
    """The connection to the local chain."""
    return node.rpc


@pytest.fixture
def ledger(rpc):
    """The ledger's contracts on the local chain (ledger.chain.contracts.Ledger)."""
    from ledger.chain.contracts import Ledger

    return Ledger(rpc)


@pytest.fixture
def dollar(ledger):
    """The test dollar (ledger.chain.tokens.Token)."""
    from ledger.chain.deploy import plan

    return ledger.token(plan(["TestDollar"])["TestDollar"].address)


@pytest.fixture
def sender_of(rpc, tmp_path: Path) -> Iterator[Callable]:
    """Makes the open sender of one of the chain's funded accounts: `sender_of(0)`."""
    from contextlib import ExitStack

    from ledger.chain.keys import dev_signer
    from ledger.chain.sender import Sender

    with ExitStack() as stack:
        open_ones = {}

        def make(number: int):
            if number not in open_ones:
                open_ones[number] = stack.enter_context(Sender(rpc, dev_signer(number), tmp_path / "senders"))
            return open_ones[number]

        yield make
