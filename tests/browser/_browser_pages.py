"""Every type of page, by name, for tests that look at all of them."""

from __future__ import annotations

from typing import Any

NAMES = ("index", "holders", "holder", "names", "licence", "weighted licence", "hostile licence", "missing")


def path_of(name: str, stage: Any) -> str:
    """Where it stands below the site."""
    from _stage import NAMED

    return {
        "index": "index.html",
        "holders": "holders/index.html",
        "holder": f"holders/{stage.holder}.html",
        "names": f"holders/{NAMED}.html",
        "licence": f"licences/{stage.licence}.html",
        "weighted licence": f"licences/{stage.weighted}.html",
        "hostile licence": f"licences/{stage.named}.html",
        "missing": "nothing.html",
    }[name]


def allowed(name: str) -> tuple[str, ...]:
    """What a browser says of a page that is not there is no fault of it."""
    return ("404",) if name == "missing" else ()
