"""Programs that tests drive and that no package registry carries."""

from __future__ import annotations

import os
import shutil


def chromium() -> str | None:
    """Chromium, or the program that $CHROMIUM names."""
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def without_browser() -> bool:
    """Whether the tests that need one are left out: there is none, and no way for `make setup` to install it."""
    return chromium() is None and os.geteuid() != 0 and not os.environ.get("CI")
