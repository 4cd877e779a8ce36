"""Chromium as the tests drive it, and a page in it with all that it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: Generous, since every wait is for a condition, and machines are busy.
PATIENCE_MS = 45_000
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

#: Violations of the page's policy, where the page's own scripts cannot hide them.
_VIOLATIONS = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(event.effectiveDirective + " " + event.blockedURI);
});
"""
#: Figures with what is said of each: by a mark after it, or by the cell of its row.
_FIGURES = """
[...document.querySelectorAll("data.figure[data-proof]")].map((one) => {
  const cell = one.closest("tr")?.querySelector("[data-row-state]");
  const mark = cell ?? one.nextElementSibling;
  return {
    key: one.dataset.proof, value: one.value, text: one.textContent, state: one.dataset.state ?? "",
    said: mark?.matches("[data-row-state], .mark") ? mark.textContent : "", row: Boolean(cell),
  };
})
"""
#: Texts of marks and cells whose icon is drawn.
_MARKS = """
[...document.querySelectorAll(".mark, [data-row-state]")].filter((one) => {
  const icon = getComputedStyle(one, "::before");
  return icon.content !== "none" && icon.maskImage !== "none" && icon.display !== "none";
}).map((one) => one.textContent)
"""


@dataclass(frozen=True)
class Shown:
    """A figure as the page shows it: base units, digits, and what is said of it."""

    key: str
    value: str
    text: str
    state: str
    said: str
    row: bool


@contextmanager
def chromium_at(program: str) -> Iterator[Browser]:
    """One Chromium, ended at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS), timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page in a profile of its own, and what happened there: nothing may go by unseen."""

    context: BrowserContext
    page: Page
    origins: set[str]
    allow: Sequence[str] = ()
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """From now on all is noted."""
        self.context.add_init_script(_VIOLATIONS)
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("requestfailed", self._failed)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda error: self.said.append(f"uncaught: {error.error}"))
        self.context.on("dialog", self._dialog)

    def _failed(self, request: Request) -> None:
        """What the policy keeps back goes nowhere."""
        if "csp" in (request.failure or "").lower():
            self.requests.remove(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def asked(self) -> set[str]:
        """The origins that requests went to; files and data within the page have none."""
        split = [urlsplit(one) for one in self.requests]
        return {f"{one.scheme}://{one.netloc}" for one in split if one.scheme not in ("file", "data", "blob")}

    def unclean(self) -> list[str]:
        """All that should not have happened."""
        page = self.page
        told = [*self.said, *page.evaluate("window.__violations ?? []")]
        found = [one for one in told if not any(part in one for part in self.allow)]
        found += [f"dialog: {one}" for one in self.dialogs]
        found += [f"asked {one}" for one in sorted(self.asked() - self.origins)]
        found += [f"cookie {one.get('name')}" for one in self.context.cookies()]
        if page.url.startswith("http") and page.evaluate("localStorage.length + sessionStorage.length"):
            found.append("something was stored")
        return found

    # ---- the page

    def prove(self, anchor: str, node: str = "") -> str:
        """Types the hash, and the address of a node if one is given, and verifies; the state of the verdict."""
        page = self.page
        page.fill("#anchor", anchor)
        page.fill("#rpc", node)
        page.click("#run")
        # No polling by script: the page's policy forbids that as it forbids `eval`.
        page.locator("html[data-verdict]:not([data-verdict=running]) #run:enabled").wait_for()
        return str(page.evaluate("document.documentElement.dataset.verdict"))

    def figures(self) -> list[Shown]:
        """All figures that a proof may cover."""
        return [Shown(**one) for one in self.page.evaluate(_FIGURES)]

    def states(self) -> Counter[str]:
        """How many figures are in each state; "" before anything was verified."""
        return Counter(one.state for one in self.figures())

    def marks(self) -> Counter[str]:
        """How often each text of a mark is seen, with an icon."""
        return Counter(self.page.evaluate(_MARKS))

    def text(self, selector: str) -> str:
        """The text of one element, as it is shown."""
        return self.page.locator(selector).inner_text()

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements, shown or not."""
        return self.page.locator(selector).all_text_contents()


def open_visit(
    browser: Browser,
    url: str,
    origin: str,
    *,
    origins: Sequence[str] = (),
    allow: Sequence[str] = (),
    before: Any = None,
    **options: Any,
) -> Visit:
    """A fresh profile at an address. `before` is called with the visit before the page is asked for."""
    context = browser.new_context(**{"viewport": WIDE, **options})
    context.set_default_timeout(PATIENCE_MS)
    visit = Visit(context, context.new_page(), {origin, *origins}, allow)
    visit.watch()
    if before is not None:
        before(visit)
    visit.page.goto(url, wait_until="load")
    return visit
