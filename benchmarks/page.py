"""How soon a rights holder with 10,000 lines sees their page, and has every figure on it verified in the browser."""

from __future__ import annotations

import gzip
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from benchmarks.machine import keep
from benchmarks.reported import GENESIS, add_catalogue, add_licence, opened, report, terms_of
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.operations.session import Session, Settings
from ledger.web.build import build as write
from ledger.web.evidence import bundles_of
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LINES, LICENCES, ROUNDS = 10_000, 5, 3
GOALS = {"first_paint_seconds": 1.0, "verified_seconds": 5.0, "module_kb_gzip": 120}
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
#: Who has the page.
HOLDER = dev_signer(3).address.lower()


def build(node: LocalNode, lines: int) -> str:
    """A ledger with so many reports, all paid into one split of which `HOLDER` has a third; the newest block's hash."""
    chain, ledger = opened(node)
    add_catalogue(chain, ledger, 1, MerkleSumTree.build([(HOLDER, 1), ("0x" + "22" * 20, 2)]))
    encoded = replace(terms_of(1), cap=0).encode()
    for number in range(LICENCES):
        add_licence(chain, ledger, number, encoded)
    node.advance_to(GENESIS + 201 * 365 * 86_400)
    for licence in range(1, LICENCES + 1):
        report(chain, ledger, licence, encoded, range(lines // LICENCES))
    node.rpc.call("anvil_mine", "0x1", "0x0")
    return str(node.rpc.call("eth_getBlockByNumber", "latest", False)["hash"])


def pages(node: LocalNode, folder: Path) -> Path:
    """The holder's pages as files."""
    session = Session(Settings(home=folder / "home"), rpc=node.rpc)
    snapshot = Snapshot(session)
    site = Site(snapshot, bundles=bundles_of(snapshot), only=[HOLDER], formats=())
    write(site, folder / "site")
    return folder / "site"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """A plain web server over a folder; its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def one_visit(browser: Browser, url: str, anchor: str) -> tuple[float, float, int]:
    """Seconds to the first paint with content, and from the click to the verdict; how many figures were verified."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.goto(url, wait_until="load")
        told = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        page.locator("#verify").wait_for()
        paint = page.evaluate(told) / 1000
        page.fill("#anchor", anchor)
        started = time.perf_counter()
        page.click("#run")
        page.locator("html[data-verdict]:not([data-verdict=running]) #run:enabled").wait_for()
        took = time.perf_counter() - started
        if (verdict := page.evaluate("document.documentElement.dataset.verdict")) != "verified":
            raise SystemExit(f"the page is not verified: {verdict}")
        return paint, took, page.locator("data.figure[data-state=verified]").count()
    finally:
        context.close()


def measure(lines: int) -> dict[str, object]:
    """Builds ledger and page, and visits it; medians of a few visits."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("there is no Chromium: make setup installs it where it may")
    with tempfile.TemporaryDirectory() as place, LocalNode.start(genesis_time=GENESIS) as node:
        anchor = build(node, lines)
        started = time.perf_counter()
        folder = pages(node, Path(place))
        made = time.perf_counter() - started
        path = f"holders/{HOLDER}.html"
        size = (folder / path).stat().st_size
        with (
            hosted(folder) as origin,
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=program, args=list(FLAGS)) as browser,
        ):
            visits = [one_visit(browser, f"{origin}/{path}", anchor) for _ in range(ROUNDS)]
            version = browser.version
    paints, times, counts = zip(*visits, strict=True)
    print(f"{size / 1e6:.1f} MB page, built in {made:.1f} s; Chromium {version}", file=sys.stderr)
    module = (resources.files("ledger") / "web" / "static" / "verifier.js").read_bytes()
    return {
        "lines": lines,
        "figures": counts[0],
        "page_mb": round(size / 1e6, 1),
        "first_paint_seconds": round(statistics.median(paints), 2),
        "verified_seconds": round(statistics.median(times), 2),
        "module_kb_gzip": round(len(gzip.compress(module, 9)) / 1000, 1),
        "built_seconds": round(made, 1),
        "chromium": version,
    }


def main(lines: int = LINES, name: str = "page") -> None:
    """Measures and keeps the figures."""
    keep(name, measure(lines), GOALS, "playwright")


if __name__ == "__main__":
    main()
