"""One Chromium, one chain and one server for all tests here; what a test's pages did is checked at its end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE.parent / "audit"))

from _chromium import Visit, chromium_at, open_visit  # noqa: E402
from _programs import chromium  # noqa: E402 - beside tests/conftest.py
from _scene import playing  # noqa: E402 - of tests/audit
from _stage import BOB, NAMED, Served, Stage, serving  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")


@pytest.fixture(scope="package")
def browser() -> Iterator:
    """The only Chromium of this process. Its driver's loop ends with this folder's tests."""
    program = chromium()
    assert program, "there is no Chromium: `make setup` installs it where it may"
    with chromium_at(program) as one:
        yield one


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The ledger. A test that changes the chain uses `spent`."""
    with playing(tmp_path_factory.mktemp("stage"), Stage) as played:
        yield played


@pytest.fixture
def spent(stage: Stage) -> Iterator[Stage]:
    """The ledger for a test that changes the chain: it is set back afterwards."""
    mark = stage.rpc.call("evm_snapshot")
    yield stage
    assert stage.rpc.call("evm_revert", mark)


@pytest.fixture(scope="package")
def served(stage: Stage) -> Iterator[Served]:
    """`licence-ledger serve` over the ledger."""
    with serving(stage) as one:
        yield one


@pytest.fixture(scope="package")
def built(stage: Stage) -> Path:
    """`licence-ledger site build` of the same block, with the pages of those that tests look at."""
    holders = [part for one in (stage.holder, BOB, NAMED) for part in ("--holder", one)]
    return stage.site(stage.folder / "site", *holders, "--format", "csv")


@pytest.fixture
def visit(browser, served: Served) -> Iterator[Callable[..., Visit]]:
    """Opens a page in a fresh profile: `visit(url, viewport=…)`. At the end: no error, no stranger, no cookie.

    `allow`: parts of what may be said on the console, `origins`: who may be asked beside the page's server.
    """
    opened: list[Visit] = []

    def go(url: str, **options: object) -> Visit:
        opened.append(open_visit(browser, url, served.origin, **options))
        return opened[-1]

    yield go
    unclean = {one.page.url: one.unclean() for one in opened}
    for one in opened:
        one.context.close()
    assert not any(unclean.values()), unclean
